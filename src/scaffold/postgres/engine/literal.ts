import { isSearch, isTest, type TestOperator } from "../../../filter/index.ts";
import type { Decoded, Operator } from "../../engine/value-type.ts";
import { decodeBase64 } from "../../json/base64.ts";
import { readTime } from "./orderable.ts";
import { integerText, isNumeral } from "./read-json.ts";

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const booleans: Readonly<Record<string, string>> = { true: "t", "1": "t", false: "f", "0": "f" };
/** Types that PostgreSQL has patterns for; those that are not its own may have them. */
const patternKinds = new Set(["text", "varchar", "bpchar", "name", "other"]);

/** The shortest numeral that is this number of 32 bits, as PostgreSQL writes it. */
function shortText(number: number): string {
  const texts = [6, 7, 8, 9].map((digits) => String(Number(number.toPrecision(digits))));
  return texts.find((text) => Math.fround(Number(text)) === number) ?? String(number);
}

/** Rounded as PostgreSQL rounds it, so that equal literals are one text. */
function readDouble(text: string, kind: string): Decoded {
  if (!isNumeral(text)) return { detail: "that is no number." };
  const isShort = kind === "float4";
  const number = (isShort ? Math.fround(Number(text)) : Number(text)) + 0;
  if (/\d/.test(text) && !Number.isFinite(number)) return { detail: "the number is too large." };
  return { value: isShort ? shortText(number) : String(number) };
}

/** How texts in URLs are read that PostgreSQL need not be asked about. */
const readers: Readonly<Record<string, (text: string, kind: string) => Decoded>> = {
  numeric: (text) => (isNumeral(text) ? { value: text } : { detail: "that is no number." }),
  float4: readDouble,
  float8: readDouble,
  uuid: (text) => (uuid.test(text) ? { value: text.toLowerCase() } : { detail: "that is no UUID." }),
  bool(text) {
    const value = Object.hasOwn(booleans, text) ? booleans[text] : undefined;
    return value === undefined ? { detail: "it takes true or false." } : { value };
  },
  bytea(text) {
    const bytes = decodeBase64(text);
    const detail = "bytes are sent as base64 with its padding.";
    return bytes ? { value: `\\x${Buffer.from(bytes).toString("hex")}` } : { detail };
  },
};

function readInteger(text: string, kind: string): Decoded {
  const value = integerText(text, kind);
  return value === undefined ? { detail: "that is no integer, or too large." } : { value };
}

/** Whether a type is one of integers. */
export function isIntegerKind(kind: string): boolean {
  return kind === "int2" || kind === "int4" || kind === "int8" || kind === "oid";
}

/** Whether a type is one of days or moments. */
export function isTimeKind(kind: string): kind is "date" | "timestamp" | "timestamptz" {
  return kind === "date" || kind === "timestamp" || kind === "timestamptz";
}

/** The value that a text in a URL means to a type, or why it means none. What is PostgreSQL's to read stays as it is. */
export function readText(text: string, kind: string): Decoded {
  if (text.includes("\0")) return { detail: "no value has a NUL." };
  if (isIntegerKind(kind)) return readInteger(text, kind);
  if (isTimeKind(kind)) return { value: readTime(text, kind) ?? text };
  const read = Object.hasOwn(readers, kind) ? readers[kind] : undefined;
  return read?.(text, kind) ?? { value: text };
}

const rangeKinds: ReadonlySet<string> = new Set(
  ["int4", "int8", "num", "ts", "tstz", "date"].flatMap((kind) => [`${kind}range`, `${kind}multirange`]),
);
const searchedKinds: ReadonlySet<string> = new Set(["tsvector", "text", "varchar", "bpchar", "json", "jsonb"]);

/** Why a type has no such test; `undefined` where it has. */
function whyNoTest(operator: TestOperator, kind: string): string | undefined {
  if (isSearch(operator)) return searchedKinds.has(kind) ? undefined : "only texts and tsvector can be searched.";
  if (operator === "match" || operator === "imatch")
    return patternKinds.has(kind) ? undefined : "only texts look like a pattern.";
  if (rangeKinds.has(kind)) return undefined;
  if (operator === "cs" || operator === "cd")
    return kind === "array" || kind === "jsonb" ? undefined : "it is no array, range or jsonb.";
  if (operator === "ov") return kind === "array" ? undefined : "it is no array or range.";
  return "it is no range.";
}

/** The value that a filter compares with, or why it can't be. */
export function readLiteral(text: string, operator: Operator, kind: string): Decoded {
  if (isTest(operator)) {
    const detail = whyNoTest(operator, kind) ?? (text.includes("\0") ? "no value has a NUL." : undefined);
    return detail === undefined ? { value: text } : { detail };
  }
  if (operator === "is") return text === "null" || kind === "bool" ? { value: text } : { detail: "it is no boolean." };
  if (kind === "json") return { detail: "JSON can be compared where the column's type is jsonb." };
  if (operator !== "like" && operator !== "ilike") return readText(text, kind);
  return patternKinds.has(kind) ? { value: text } : { detail: "only texts look like a pattern." };
}

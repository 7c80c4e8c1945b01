import type { Decoded } from "../../engine/value-type.ts";
import { decodeBase64 } from "../../json/base64.ts";
import { formatJson } from "../../json/json.ts";
import { JsonNumber, NestingError } from "../../json/json-reader.ts";
import { type ColumnType, isArrayType } from "../table.ts";
import { normalized } from "../value.ts";

const noNumber = "This is no number.";
const lossy = "Digits of this number would be lost: this column can't hold it.";
const numeral = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const notFinite = /^(?:NaN|-?Infinity)$/;

/** How many bits an integer type has. */
const integerBits: Readonly<Record<string, number>> = { int2: 16, int4: 32, int8: 64, oid: 33 };

/** Types that a number is a value of, as a text. */
const textKinds = new Set(["text", "varchar", "bpchar"]);

function isNumber(json: unknown): json is number | JsonNumber {
  return typeof json === "number" || json instanceof JsonNumber;
}

/** An integer's own text; `undefined` where a text is no integer of so many bits. */
export function integerText(text: string, kind: string): string | undefined {
  const [, digits] = /^([+-]?\d{1,40})(?:\.0*)?$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const integer = BigInt(digits.replace("+", ""));
  return BigInt.asIntN(integerBits[kind] ?? 64, integer) === integer ? String(integer) : undefined;
}

/** Whether a text is a number of a type that takes fractions. */
export function isNumeral(text: string): boolean {
  return text.length <= 2_000 && (numeral.test(text) || notFinite.test(text));
}

function readInteger(json: unknown, kind: string): Decoded {
  const text = typeof json === "string" ? json.trim() : isNumber(json) ? formatJson(json) : "";
  if (!isNumeral(text) || notFinite.test(text)) return { detail: noNumber };
  const value = integerText(text, kind);
  return value === undefined ? { detail: lossy } : { value };
}

/** The shortest numeral that a `float4` is told from all others by, as PostgreSQL shows it. */
function shortestFloat4(number: number): string {
  for (let digits = 1; digits < 9; digits += 1) {
    const text = number.toPrecision(digits);
    if (Math.fround(Number(text)) === number) return text;
  }
  return number.toPrecision(9);
}

/** Whether a column keeps all digits of a numeral. PostgreSQL rounds, and says nothing. */
function keepsDigits(text: string, { kind, scale }: Exclude<ColumnType, { readonly element: ColumnType }>): boolean {
  // As JSON has it: `+.5` and `5.` are numerals of SQL, too.
  const [, sign = "", rest = ""] = /^([+-]?)(.*)$/.exec(text) ?? [];
  const numeral = `${sign.replace("+", "")}${rest.startsWith(".") ? "0" : ""}${rest.replace(/\.(?!\d)/, "")}`;
  const digits = normalized(numeral);
  if (kind === "numeric") return scale === undefined || digits === "0" || Number(digits.split("e")[1]) >= -scale;
  const number = kind === "float4" ? Math.fround(Number(numeral)) : Number(numeral);
  // What is too large is refused by PostgreSQL.
  if (!Number.isFinite(number)) return true;
  return normalized(kind === "float4" ? shortestFloat4(number) : String(number)) === digits;
}

function readFraction(json: unknown, type: Exclude<ColumnType, { readonly element: ColumnType }>): Decoded {
  const text = typeof json === "string" ? json.trim() : isNumber(json) ? formatJson(json) : "";
  if (!isNumeral(text)) return { detail: noNumber };
  return notFinite.test(text) || keepsDigits(text, type) ? { value: text } : { detail: lossy };
}

function readBytes(json: unknown): Decoded {
  const bytes = typeof json === "string" ? decodeBase64(json) : undefined;
  if (!bytes) return { detail: "Bytes are sent as a base64 text with its padding." };
  return { value: `\\x${Buffer.from(bytes).toString("hex")}` };
}

/** A JSON value's text; `undefined` where it is nested too deeply, as a merge with what was stored may be. */
function jsonText(json: unknown): string | undefined {
  try {
    return formatJson(json);
  } catch (error) {
    if (error instanceof NestingError) return undefined;
    throw error;
  }
}

function readJsonText(json: unknown): Decoded {
  const value = jsonText(json);
  return value === undefined ? { detail: "With what is stored, this is nested too deeply." } : { value };
}

/** Why PostgreSQL has no such text; `undefined` where it has. */
function textTrouble(text: string): string | undefined {
  if (text.includes("\0")) return "This has a NUL, which no text can be stored with.";
  return /\p{Surrogate}/u.test(text) ? "This has a lone surrogate, which no text can be stored with." : undefined;
}

function readText(json: unknown, kind: string): Decoded {
  if (typeof json === "object" && !isNumber(json)) return { detail: "An object or array is for a JSON column only." };
  const isTaken = typeof json === "string" || (isNumber(json) && textKinds.has(kind));
  if (!isTaken) return { detail: "The column does not take this type." };
  const text = typeof json === "string" ? json : formatJson(json);
  const detail = textTrouble(text);
  return detail === undefined ? { value: text } : { detail };
}

function readArray(json: unknown, type: Extract<ColumnType, { readonly element: ColumnType }>): Decoded {
  if (!Array.isArray(json)) return { detail: "This column takes an array." };
  const items: string[] = [];
  for (const item of json) {
    const decoded = Array.isArray(item) ? readArray(item, type) : readValue(item, type.element);
    if ("detail" in decoded) return decoded;
    const text = decoded.value;
    if (Array.isArray(item)) items.push(String(text));
    else items.push(text === null ? "NULL" : `"${String(text).replace(/["\\]/g, "\\$&")}"`);
  }
  return { value: `{${items.join(type.delimiter)}}` };
}

/** A JSON value as the text that PostgreSQL reads as a column's value; null is NULL. */
export function readValue(json: unknown, type: ColumnType): Decoded {
  if (json === null) return { value: null };
  if (isArrayType(type)) return readArray(json, type);
  const { kind } = type;
  if (kind in integerBits) return readInteger(json, kind);
  if (kind === "numeric" || kind === "float4" || kind === "float8") return readFraction(json, type);
  if (kind === "json" || kind === "jsonb") return readJsonText(json);
  if (kind === "bytea") return readBytes(json);
  if (kind !== "bool") return readText(json, kind);
  return typeof json === "boolean" ? { value: json ? "t" : "f" } : { detail: "This column takes true or false." };
}

import { encodeUrlPart } from "../../../protocol/index.ts";
import type { Value } from "../../../server/index.ts";
import type { Decoded, Stored, ValueType } from "../../engine/value-type.ts";
import { decodeBase64, encodeBase64 } from "../../json/base64.ts";
import { formatJson } from "../../json/json.ts";
import { NestingError, parseJson } from "../../json/json-reader.ts";
import { decodePart } from "../../rest/target.ts";
import type { Text } from "../driver.ts";
import { type ColumnType, isArrayType } from "../table.ts";
import { normalized, valueJson } from "../value.ts";
import { integerText, isNumeral, readValue } from "./read-json.ts";

/** What of a column, beside its type, tells how its values compare. */
export interface Comparing {
  /** Whether it is never null: NULL has its place at another end in PostgreSQL than in `Item-Order`. */
  readonly isNotNull: boolean;
  /** Whether its texts sort by code point. */
  readonly isCodePoint: boolean;
  /** Whether texts are equal only where they are the same. */
  readonly isExact: boolean;
}

const usual: Comparing = { isNotNull: false, isCodePoint: false, isExact: true };

const integers = new Set(["int2", "int4", "int8", "oid"]);
const fractions = new Set(["numeric", "float4", "float8"]);
const times = new Set(["timestamp", "timestamptz"]);
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * How `Item-Order` compares a type's values, where it does so whatever comes: NaN, infinities and years before the first
 * have no place in it.
 */
function comparisonOf(kind: string, { isNotNull, isCodePoint }: Comparing): ValueType["comparison"] {
  if (!isNotNull) return undefined;
  if (integers.has(kind) || kind === "bool") return "number";
  if (kind === "bytea") return "bytes";
  return kind === "uuid" || ((kind === "text" || kind === "varchar") && isCodePoint) ? "json" : undefined;
}

function comparesByImage(kind: string, { isExact }: Comparing): boolean {
  if (integers.has(kind) || fractions.has(kind)) return true;
  return kind === "bool" || kind === "bytea" || kind === "uuid" || ((kind === "text" || kind === "varchar") && isExact);
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), "hex"));
}

/** A column's type in PostgreSQL. Its values are the texts that PostgreSQL makes of them under `valueSettings`. */
export class PostgresType implements ValueType {
  readonly type: ColumnType;
  readonly kind: string;
  readonly holdsJson: boolean;
  readonly comparison: ValueType["comparison"];
  readonly comparesByImage: boolean;

  constructor(type: ColumnType, comparing: Comparing = usual) {
    this.type = type;
    this.kind = type.kind;
    this.holdsJson = type.kind === "json" || type.kind === "jsonb";
    this.comparison = comparisonOf(type.kind, comparing);
    this.comparesByImage = comparesByImage(type.kind, comparing);
  }

  isComparable(value: Text): boolean {
    return value !== null;
  }

  toJson(value: Text): string {
    return valueJson(this.type, value);
  }

  fromJson(json: unknown, stored?: Stored): Decoded {
    if (stored && this.#isShownAs(stored.value as Text, json)) return { value: stored.value };
    return readValue(json, this.type);
  }

  readJson(value: Text): unknown {
    return value === null ? null : parseJson(value);
  }

  toText(value: Text): string {
    if (value === null) return "";
    if (this.kind === "bool") return value === "t" ? "true" : "false";
    if (this.kind === "bytea") return encodeBase64(bytesOf(value));
    return times.has(this.kind) ? String(JSON.parse(this.toJson(value))) : value;
  }

  fromText(text: string): Decoded {
    if (this.kind === "json") return { detail: "A column of the type json can't be compared." };
    return { value: this.#valueOf(text) };
  }

  toKeyPart(value: Text): string {
    return encodeUrlPart(this.toText(value));
  }

  fromKeyPart(part: string): Decoded {
    return this.fromText(decodePart(part));
  }

  isSame(value: Text, other: Text): boolean {
    const [one, two] = [this.toImage(value), this.toImage(other)];
    return one instanceof Uint8Array && two instanceof Uint8Array ? Buffer.compare(one, two) === 0 : one === two;
  }

  toImage(value: Text): Value {
    if (value === null) return null;
    if (this.kind === "bool") return value === "t";
    if (integers.has(this.kind)) {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : BigInt(value);
    }
    if (fractions.has(this.kind)) {
      if (!Number.isFinite(Number(value))) return value;
      // Zero has one sign.
      return this.kind === "numeric" ? normalized(value) : Number(value) + 0;
    }
    return this.kind === "bytea" ? bytesOf(value) : value;
  }

  /** What a text in a URL means; null where no value of the type looks so. */
  #valueOf(text: string): Text {
    // A column of the type can't have such a text, nor PostgreSQL be sent one.
    if (text.includes("\0")) return null;
    const { kind } = this;
    if (integers.has(kind)) return integerText(text, kind) ?? null;
    if (fractions.has(kind)) return isNumeral(text) ? text : null;
    if (kind === "uuid") return uuid.test(text) ? text.toLowerCase() : null;
    if (kind === "bool") return text === "true" || text === "1" ? "t" : text === "false" || text === "0" ? "f" : null;
    if (kind === "bytea") {
      const bytes = decodeBase64(text);
      return bytes ? `\\x${Buffer.from(bytes).toString("hex")}` : null;
    }
    return text;
  }

  #isShownAs(value: Text, json: unknown): boolean {
    if (this.holdsJson || isArrayType(this.type)) {
      return value !== null && sameJson(json, this.toJson(value));
    }
    return typeof json !== "object" || json === null ? this.toJson(value) === formatJson(json) : false;
  }
}

function sameJson(json: unknown, shown: string): boolean {
  try {
    return formatJson(json) === formatJson(parseJson(shown));
  } catch (error) {
    if (error instanceof NestingError) return false;
    throw error;
  }
}

import type { Condition } from "../../../filter/index.ts";
import { encodeUrlPart } from "../../../protocol/index.ts";
import type { Value } from "../../../server/index.ts";
import type { AggregateName, Decoded, Operator, Stored, ValueType } from "../../engine/value-type.ts";
import { encodeBase64 } from "../../json/base64.ts";
import { formatJson } from "../../json/json.ts";
import { NestingError, parseJson } from "../../json/json-reader.ts";
import { decodePart } from "../../rest/target.ts";
import type { Text } from "../driver.ts";
import { type ColumnType, isArrayType } from "../table.ts";
import { exactValueJson, valueJson } from "../value.ts";
import { isIntegerKind, isTimeKind, readLiteral, readText } from "./literal.ts";
import { orderableNumeral, orderableTime, readTime } from "./orderable.ts";
import { readValue } from "./read-json.ts";

/** What of a column, beside its type, tells how its values compare. */
export interface Comparing {
  /** Whether its texts sort by code point. */
  readonly isCodePoint: boolean;
  /** Whether texts are equal only where they are the same. */
  readonly isExact: boolean;
  /** The type as SQL has its name, where PostgreSQL does not read what is compared with it otherwise: of composite ones. */
  readonly castTo?: string | null | undefined;
}

const usual: Comparing = { isCodePoint: false, isExact: true };

const fractions = new Set(["numeric", "float4", "float8"]);

/**
 * How `Item-Order` compares a type's values, where it does so whatever comes: NaN, infinities and years before the first
 * have no place in it.
 */
function comparisonOf(kind: string, { isCodePoint }: Comparing): ValueType["comparison"] {
  if (isIntegerKind(kind) || kind === "bool") return "number";
  if (kind === "bytea") return "bytes";
  return kind === "uuid" || ((kind === "text" || kind === "varchar") && isCodePoint) ? "json" : undefined;
}

function isTextKind(kind: string): boolean {
  return kind === "text" || kind === "varchar";
}

/** Whether values are in the order of their images, but for texts and times. */
function isOrderedByImages(kind: string): boolean {
  return isIntegerKind(kind) || fractions.has(kind) || kind === "bool" || kind === "bytea" || kind === "uuid";
}

/** Whether PostgreSQL need not say what a literal means, as it must of `now` and `infinity`. */
function isPlainTime(literal: unknown, kind: string): boolean {
  return isTimeKind(kind) && readTime(String(literal), kind) === literal;
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), "hex"));
}

/** What PostgreSQL makes of numbers that it adds up. */
const sums: ReadonlyMap<string, string> = new Map([
  ...[
    ["int2", "int8"] as const,
    ["int4", "int8"] as const,
    ["int8", "numeric"] as const,
    ["numeric", "numeric"] as const,
  ],
  ...["float4", "float8", "money", "interval"].map((kind) => [kind, kind] as const),
]);

const averages: ReadonlyMap<string, string> = new Map([
  ...["int2", "int4", "int8", "numeric"].map((kind) => [kind, "numeric"] as const),
  ...["float4", "float8"].map((kind) => [kind, "float8"] as const),
  ["interval", "interval"],
]);

/** Whether PostgreSQL knows the least value of a type: it has no `min` of others, as booleans. */
function isSorted(kind: string): boolean {
  return (
    sums.has(kind) || isTextKind(kind) || kind === "bpchar" || isTimeKind(kind) || kind === "time" || kind === "timetz"
  );
}

/** A type by its name, arrays as `int4[]`; empty where it is not PostgreSQL's own, and only the journal describes it. */
function nameOf(type: ColumnType): string {
  if (!isArrayType(type)) return type.kind === "other" ? (type.name ?? "") : type.kind;
  const element = nameOf(type.element);
  return element && `${element}[]`;
}

/** A column's type in PostgreSQL. Its values are the texts that PostgreSQL makes of them under `valueSettings`. */
export class PostgresType implements ValueType {
  readonly type: ColumnType;
  readonly kind: string;
  readonly holdsJson: boolean;
  readonly comparison: ValueType["comparison"];
  readonly name: string;
  readonly values: readonly string[] | undefined;
  /** What stands behind a parameter that its values are compared with: nothing, or `::"public"."point"`. */
  readonly cast: string;
  /** Whether two of its values are equal only where their texts are the same. */
  readonly isSameWhereEqual: boolean;
  readonly #comparing: Comparing;

  constructor(type: ColumnType, comparing: Comparing = usual) {
    this.type = type;
    this.kind = type.kind;
    this.cast = comparing.castTo ? `::${comparing.castTo}` : "";
    this.holdsJson = type.kind === "json" || type.kind === "jsonb";
    this.comparison = comparisonOf(type.kind, comparing);
    this.name = nameOf(type);
    this.values = isArrayType(type) ? undefined : type.labels;
    this.isSameWhereEqual =
      isIntegerKind(type.kind) || type.kind === "bool" || (isTextKind(type.kind) && comparing.isExact);
    this.#comparing = comparing;
  }

  /** Types whose values may have no place in an order have no comparison. */
  isComparable(): boolean {
    return true;
  }

  toJson(value: Text): string {
    return valueJson(this.type, value);
  }

  toExactJson(value: Text): string {
    return exactValueJson(this.type, value);
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
    return isTimeKind(this.kind) ? String(JSON.parse(this.toJson(value))) : value;
  }

  fromText(text: string): Decoded {
    if (this.kind === "json") return { detail: "A column of the type json can't be compared." };
    const decoded = readText(text, this.kind);
    return "detail" in decoded ? { value: null } : decoded;
  }

  readLiteral(operator: Operator, text: string): Decoded {
    return readLiteral(text, operator, this.kind);
  }

  toKeyPart(value: Text): string {
    return encodeUrlPart(this.toText(value));
  }

  fromKeyPart(part: string): Decoded {
    return this.fromText(decodePart(part));
  }

  isSame(value: Text, other: Text): boolean {
    const [one, two] = [this.toImage(value), this.toImage(other)];
    return one instanceof Uint8Array && two instanceof Uint8Array
      ? Buffer.compare(one, two) === 0
      : Object.is(one, two);
  }

  get toMoment(): ((value: Value) => number | undefined) | undefined {
    return this.kind === "timestamptz" ? momentOf : undefined;
  }

  toImage(value: Text): Value {
    if (value === null) return null;
    const { kind } = this;
    if (kind === "bool") return value === "t";
    if (kind === "numeric") return orderableNumeral(value);
    if (isIntegerKind(kind)) {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : BigInt(value);
    }
    // Zero has one sign.
    if (kind === "float8") return Number(value) + 0;
    if (kind === "float4") return Math.fround(Number(value)) + 0;
    if (isTimeKind(kind)) return orderableTime(value);
    return kind === "bytea" ? bytesOf(value) : value;
  }

  aggregate(name: AggregateName): PostgresType | undefined {
    if (name === "count") return new PostgresType({ kind: "int8" });
    if (name === "min" || name === "max") return isSorted(this.kind) ? this : undefined;
    const kind = (name === "sum" ? sums : averages).get(this.kind);
    return kind === undefined ? undefined : new PostgresType({ kind });
  }

  isDecidedByImages(condition: Condition<unknown, Value>): boolean {
    const { kind } = this;
    const { isExact, isCodePoint } = this.#comparing;
    // Of a composite value, SQL says that it is NULL where its parts are.
    if (condition.kind === "is") return kind !== "other";
    if (condition.kind === "like") return isTextKind(kind) && isExact && !condition.foldsCase;
    if (isOrderedByImages(kind)) return true;
    const literals = condition.kind === "in" ? condition.literals : [condition.literal];
    if (isTimeKind(kind)) return literals.every((literal) => isPlainTime(literal, kind));
    const isOrder = condition.kind === "compare" && condition.relation !== "eq" && condition.relation !== "neq";
    return isTextKind(kind) && isExact && (isCodePoint || !isOrder);
  }

  #isShownAs(value: Text, json: unknown): boolean {
    if (this.holdsJson || isArrayType(this.type)) {
      return value !== null && sameJson(json, this.toJson(value));
    }
    return typeof json !== "object" || json === null ? this.toJson(value) === formatJson(json) : false;
  }
}

/** What PostgreSQL writes in UTC; not infinity, nor a year that has other than four digits. */
function momentOf(value: Value): number | undefined {
  const [, date, time] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,6})?)\+00$/.exec(String(value)) ?? [];
  const ms = date === undefined ? Number.NaN : Date.parse(`${date}T${time}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

function sameJson(json: unknown, shown: string): boolean {
  try {
    return formatJson(json) === formatJson(parseJson(shown));
  } catch (error) {
    if (error instanceof NestingError) return false;
    throw error;
  }
}

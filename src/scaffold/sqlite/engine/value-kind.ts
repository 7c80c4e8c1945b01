import { isBrokenText, mayBeBroken } from "../broken-text.ts";
import type { Affinity, Column, SqlValue } from "../schema.ts";

/** How a column's values look from outside. */
export type ValueKind = "boolean" | "json" | "base64" | "numeric" | "text" | "untyped";

/** A stored value's type from outside, and how SQLite converts what is compared with it. */
export interface StoredType {
  readonly kind: ValueKind;
  readonly affinity: Affinity;
  /** Declared as a type of numbers, so that no other text is taken. */
  readonly numbersOnly?: boolean;
}

/** Whether SQLite makes numbers of texts that are stored in such a column, or compared with it. */
export function isConverted({ affinity }: StoredType): boolean {
  return affinity !== "text" && affinity !== "blob";
}

/** SQLite takes DATETIME, INTERVAL and POINT for types of numbers too; they are not meant so. */
const numberType =
  /^(?:(?:UN)?SIGNED )?(?:(?:TINY|SMALL|MEDIUM|BIG|LONG)?INT(?:EGER|\d+)?|REAL|FLOAT\d*|DOUBLE|DEC(?:IMAL)?|NUM(?:ERIC|BER)?|MONEY)\b/;
const bytesType = /BLOB|BINARY|IMAGE|BYTEA/;

/** What of a column tells its type. */
export type TypedColumn = Pick<Column, "declaredType" | "affinity" | "holdsJson" | "holdsBoolean">;

/**
 * The type of a column. JSON in a key is left as stored: a key has to be one value that can stand in a URL.
 *
 * @param inKey - whether the column is a part of what tells records apart
 */
export function storedTypeOf(column: TypedColumn, inKey: boolean): Required<StoredType> {
  const { affinity } = column;
  const kind = kindOf(column, inKey);
  return {
    kind,
    affinity,
    numbersOnly: (kind === "numeric" || kind === "boolean") && numberType.test(column.declaredType),
  };
}

function kindOf({ declaredType, affinity, holdsJson, holdsBoolean }: TypedColumn, inKey: boolean): ValueKind {
  if (declaredType === "BOOLEAN" || declaredType === "BOOL" || holdsBoolean) return "boolean";
  if ((/^JSONB?\b/.test(declaredType) || holdsJson) && !inKey) return "json";
  if (affinity === "text") return "text";
  if (bytesType.test(declaredType)) return "base64";
  return affinity === "blob" ? "untyped" : "numeric";
}

/**
 * How `Item-Order` has a column's JSON compared, so that it sorts as SQL sorts what is stored [R-FLD-6]; `undefined`
 * where no comparison does, whatever is stored.
 */
export function comparisonOf({ kind, affinity }: StoredType): "json" | "number" | "bytes" | undefined {
  if (kind === "json" || kind === "untyped") return undefined;
  if (kind === "base64") return "bytes";
  return kind === "text" || affinity === "real" ? "json" : "number";
}

/**
 * Whether a value is of the sort that its column's comparison is for: bytes look like text in JSON, and texts that are not
 * UTF-8 like others.
 */
export function isComparable({ kind }: StoredType, value: SqlValue): boolean {
  if (mayBeBroken(value) || isBrokenText(value)) return false;
  return value === null || value instanceof Uint8Array === (kind === "base64");
}

const lowestInteger = -(2 ** 63);
const aboveIntegers = 2 ** 63;

/** One form for all numbers that SQLite holds equal: whole ones are a number up to 2^53, and a bigint beyond. */
export function canonicalValue(value: SqlValue): SqlValue {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (typeof value !== "number") return value;
  if (value === 0) return 0;
  const isHuge = Number.isInteger(value) && !Number.isSafeInteger(value);
  return isHuge && value >= lowestInteger && value < aboveIntegers ? BigInt(value) : value;
}

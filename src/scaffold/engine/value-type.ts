import type { Condition, Relation, TestOperator } from "../../filter/index.ts";
import type { Value } from "../../server/index.ts";

/** What comes from outside, as the value that it means to a column; or what is wrong with it, in a sentence for a person. */
export type Decoded = { readonly value: Value } | { readonly detail: string };

/** What a filter does with a value, as URLs have it. */
export type Operator = Relation | "in" | "like" | "ilike" | "is" | TestOperator;

/** What several values come to. */
export type AggregateName = "count" | "sum" | "avg" | "min" | "max";

/** What a row has already, where a body brings a value for it. */
export interface Stored {
  readonly value: Value;
  /** What it is shown as, read by {@link ValueType.readJson}; only where the type holds JSON. */
  readonly json: unknown;
}

/**
 * A column's type: how its values look from outside, and how they compare there. What goes out comes back in unchanged.
 * Nothing here asks the database.
 */
export interface ValueType {
  /** What the database calls it; empty where it has no name. */
  readonly name: string;
  /** The only values that it has, as JSON shows them, in their order; absent where nobody counts them. */
  readonly values?: readonly string[] | undefined;
  /** Whether its values are JSON of any kind, so that a merge patch goes into them. */
  readonly holdsJson: boolean;
  /**
   * How `Item-Order` has the values' JSON compared, so that it sorts as the database sorts [R-FLD-6]; `undefined` where
   * no comparison does.
   */
  readonly comparison: "json" | "number" | "bytes" | undefined;
  /** Whether a value is of the sort that {@link comparison} is for. */
  isComparable(value: Value): boolean;
  /** A value as JSON text: what a GET shows. */
  toJson(value: Value): string;
  /** As {@link toJson}, but a number that not every reader of JSON gets as it is, is one all the same, with all its digits. */
  toExactJson(value: Value): string;
  /**
   * A member of a body. What the row shows as just this JSON stays, also where another value would be shown the same.
   *
   * @param json - as `parseJson` reads it: some numbers are a `JsonNumber`
   * @param stored - what the row has; `undefined` where there is none
   */
  fromJson(json: unknown, stored?: Stored): Decoded;
  /** What a value is shown as, as `parseJson` reads it: for types that hold JSON. */
  readJson(value: Value): unknown;
  /** A value as a filter in a URL has it. */
  toText(value: Value): string;
  /** The value that a text means; null, which nothing is equal to, for what no value of this type looks like. */
  fromText(text: string): Decoded;
  /** The value that a filter compares with, or why it can't be. For `like`, `ilike`, `is` and what only the database can test, the text itself. */
  readLiteral(operator: Operator, text: string): Decoded;
  /** A value as a part of a key in a URL, percent-encoded, without a comma of its own. No two values have the same. */
  toKeyPart(value: Value): string;
  /** The value that a part of a key means, as it was sent. @throws Refusal 400 where it is malformed */
  fromKeyPart(part: string): Decoded;
  /** Whether two values are the same in a key. */
  isSame(value: Value, other: Value): boolean;
  /**
   * The moment that a value is, in milliseconds since 1970; `undefined` where it is none, or nobody knows in which zone. Absent
   * where the type has no moments.
   */
  readonly toMoment?: ((value: Value) => number | undefined) | undefined;
  /** The type of what values of this one come to; `undefined` where they come to nothing of that sort. */
  aggregate(name: AggregateName): ValueType | undefined;
  /** A value as views compare it. */
  toImage(value: Value): Value;
  /**
   * Whether the images of values and literals meet a condition exactly where the values do in the database. Else only the
   * database knows what a filter lets through, and a view of it is asked for again.
   */
  isDecidedByImages(condition: Condition<unknown, Value>): boolean;
}

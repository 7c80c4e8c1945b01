import type { AttributeType } from "./model.ts";
import type { ModelColumn } from "./tables.ts";

/** How an engine writes a model's columns. */
export interface Dialect {
  readonly types: Readonly<Record<AttributeType, string>>;
  /** The type of a key that the database makes, with what makes it. */
  madeKey(column: ModelColumn): string;
  /** A value as SQL has it; `undefined` where it is none of the type. */
  literal(type: AttributeType, text: string): string | undefined;
  /** What a column's values are checked for, beside their type. @param name - quoted */
  checks(column: ModelColumn, name: string): string[];
  /** Whether regular expressions are checked. */
  readonly hasPatterns: boolean;
  /** Whether an index needs a name. */
  readonly namesIndexes: boolean;
}

/** Whether an attribute is a number. */
export function isNumber(type: AttributeType): boolean {
  return /^(?:integer|decimal|double|float)/.test(type);
}

/** A text as SQL has it. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A number as SQL has it; `undefined` for a text that is none. */
export function numberLiteral(type: AttributeType, text: string): string | undefined {
  const pattern = type.startsWith("integer")
    ? /^[+-]?\d{1,19}$/
    : /^[+-]?\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?$/;
  return pattern.test(text) ? text : undefined;
}

/** Between what bounds a value has to be, by what is compared of it. */
export function boundChecks(
  { type, min, max }: ModelColumn,
  shown: string,
  write: (text: string) => string | undefined,
): string[] {
  const least = min === undefined ? undefined : write(min);
  const most = max === undefined ? undefined : write(max);
  if (!isNumber(type) && type !== "date" && type !== "string") return [];
  return [
    ...(least === undefined ? [] : [`${shown} >= ${least}`]),
    ...(most === undefined ? [] : [`${shown} <= ${most}`]),
  ];
}

import type { Relation, TestOperator } from "./operators.ts";
import type { Pattern } from "./pattern.ts";

/** A column's value compared with a literal. */
export interface Comparison<Column, Literal> {
  readonly kind: "compare";
  readonly column: Column;
  readonly relation: Relation;
  readonly literal: Literal;
}

/** Whether a column's value is one of some literals. */
export interface Membership<Column, Literal> {
  readonly kind: "in";
  readonly column: Column;
  readonly isNot: boolean;
  readonly literals: readonly Literal[];
}

/** Whether a column's text looks like a pattern. What is no text looks like none. */
export interface Likeness<Column> {
  readonly kind: "like";
  readonly column: Column;
  readonly isNot: boolean;
  readonly pattern: Pattern;
  /** Whether `a` and `A` are the same. */
  readonly foldsCase: boolean;
}

/** What a column's value is, where that is never unknown. */
export interface State<Column> {
  readonly kind: "is";
  readonly column: Column;
  readonly isNot: boolean;
  readonly state: "null" | "true" | "false";
}

/** A test that only the database can make. */
export interface DatabaseTest<Column, Literal> {
  readonly kind: "test";
  readonly column: Column;
  readonly isNot: boolean;
  readonly operator: TestOperator;
  readonly literal: Literal;
  /** How a full text is taken apart, as the database names it; `undefined` where that is the database's own choice. */
  readonly configuration: string | undefined;
}

/** What is asked of one column. */
export type Condition<Column = string, Literal = string> =
  | Comparison<Column, Literal>
  | Membership<Column, Literal>
  | Likeness<Column>
  | DatabaseTest<Column, Literal>
  | State<Column>;

/** All of its parts, or any of them. Without parts, everything or nothing. */
export interface Group<Column, Literal> {
  readonly kind: "and" | "or";
  readonly parts: readonly Filter<Column, Literal>[];
}

/**
 * What a row must meet to be in a list: plain data. As it is read, columns and literals are texts; an engine's own have
 * values in their place. No group is negated: `not.` stands at its conditions, with `and` and `or` exchanged, which is the
 * same with three values.
 */
export type Filter<Column = string, Literal = string> = Condition<Column, Literal> | Group<Column, Literal>;

/** Whether a filter is a group. */
export function isGroup<Column, Literal>(filter: Filter<Column, Literal>): filter is Group<Column, Literal> {
  return filter.kind === "and" || filter.kind === "or";
}

/** Parts as one filter: groups of the same kind are taken in, and one part stands for itself. */
export function groupOf<Column, Literal>(
  kind: "and" | "or",
  parts: readonly Filter<Column, Literal>[],
): Filter<Column, Literal> {
  const flat = parts.flatMap((part) => (isGroup(part) && part.kind === kind ? part.parts : [part]));
  const [only] = flat;
  return only && flat.length === 1 ? only : { kind, parts: flat };
}

/** The filters that must all be met. */
export function partsOf<Column, Literal>(filter: Filter<Column, Literal>): readonly Filter<Column, Literal>[] {
  return isGroup(filter) && filter.kind === "and" ? filter.parts : [filter];
}

/** All conditions, in their order. */
export function conditionsOf<Column, Literal>(filter: Filter<Column, Literal>): Condition<Column, Literal>[] {
  return isGroup(filter) ? filter.parts.flatMap(conditionsOf) : [filter];
}

/** The same filter with other conditions in place of its own. */
export function mapFilter<Column, Literal, NewColumn, NewLiteral>(
  filter: Filter<Column, Literal>,
  change: (condition: Condition<Column, Literal>) => Filter<NewColumn, NewLiteral>,
): Filter<NewColumn, NewLiteral> {
  if (!isGroup(filter)) return change(filter);
  return { kind: filter.kind, parts: filter.parts.map((part) => mapFilter(part, change)) };
}

const opposites: Readonly<Record<Relation, Relation>> = {
  eq: "neq",
  neq: "eq",
  gt: "lte",
  gte: "lt",
  lt: "gte",
  lte: "gt",
};

/** What is true where a condition is false, and unknown where it is unknown. */
function negated<Column, Literal>(condition: Condition<Column, Literal>): Condition<Column, Literal> {
  if (condition.kind === "compare") return { ...condition, relation: opposites[condition.relation] };
  return { ...condition, isNot: !condition.isNot };
}

/** The opposite of a filter: `and` and `or` are exchanged. */
export function opposite<Column, Literal>(filter: Filter<Column, Literal>): Filter<Column, Literal> {
  if (!isGroup(filter)) return negated(filter);
  return { kind: filter.kind === "and" ? "or" : "and", parts: filter.parts.map(opposite) };
}

import { type Comparable, compareValues } from "./compare.ts";
import type { Relation } from "./operators.ts";
import { looksLike } from "./pattern.ts";
import { type Condition, type Filter, isGroup } from "./tree.ts";

/** What a comparison's sign says, by relation. */
const relations: Readonly<Record<Relation, (sign: number) => boolean>> = {
  eq: (sign) => sign === 0,
  neq: (sign) => sign !== 0,
  gt: (sign) => sign > 0,
  gte: (sign) => sign >= 0,
  lt: (sign) => sign < 0,
  lte: (sign) => sign <= 0,
};

function meets(condition: Exclude<Condition<unknown, Comparable>, { kind: "compare" }>, value: Comparable): boolean {
  switch (condition.kind) {
    case "in":
      return condition.literals.some((literal) => literal !== null && compareValues(value, literal) === 0);
    case "like":
      return typeof value === "string" && looksLike(value, condition.pattern, condition.foldsCase);
    case "test":
      throw new TypeError(`Only the database can tell what "${condition.operator}" lets through.`);
    default: {
      const { state } = condition;
      // Where there are no booleans, 1 and 0 are.
      return state !== "null" && (value === (state === "true") || value === Number(state === "true"));
    }
  }
}

/** Whether a value meets a condition; null where that is unknown. */
function judge(condition: Condition<unknown, Comparable>, value: Comparable): boolean | null {
  const { kind } = condition;
  if (kind === "compare") {
    const { relation, literal } = condition;
    return value === null || literal === null ? null : relations[relation](compareValues(value, literal));
  }
  if (kind === "is" && value === null) return (condition.state === "null") !== condition.isNot;
  // Nothing is in an empty list, not even what is unknown.
  if (kind === "in" && condition.literals.length === 0) return condition.isNot;
  return value === null ? null : meets(condition, value) !== condition.isNot;
}

/**
 * Whether a row meets a filter, with the three values of SQL: null where that is unknown. Nothing is converted: values and
 * literals are compared as they are.
 *
 * @param read - the row's value of a column
 * @throws TypeError where the filter has a test that only the database can make
 */
export function match<Column>(
  filter: Filter<Column, Comparable>,
  read: (column: Column) => Comparable,
): boolean | null {
  if (!isGroup(filter)) return judge(filter, read(filter.column));
  const decisive = filter.kind === "or";
  let result: boolean | null = !decisive;
  for (const part of filter.parts) {
    const one = match(part, read);
    if (one === decisive) return decisive;
    if (one === null) result = null;
  }
  return result;
}

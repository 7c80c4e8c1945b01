import { conditionsOf, isGroup, type Pattern, writePattern } from "../../../filter/index.ts";
import type { Text } from "../driver.ts";
import { quoteName } from "../sql-text.ts";
import type { PostgresCondition, PostgresFilter, PostgresMember } from "./served.ts";

const operators = { eq: "=", neq: "<>", gt: ">", gte: ">=", lt: "<", lte: "<=" } as const;

function asLike(pattern: Pattern): string {
  return writePattern(pattern, { one: "_", many: "%", escape: (text) => text.replace(/[%_\\]/, "\\$&") });
}

function operandsOf(condition: PostgresCondition): readonly Text[] {
  if (condition.kind === "compare") return [condition.literal];
  if (condition.kind === "in") return condition.literals;
  return condition.kind === "like" ? [asLike(condition.pattern)] : [];
}

/** What is bound to a filter's parameters, and which column each is compared with, in their order. */
export function filterOperands(filter: PostgresFilter): { readonly member: PostgresMember; readonly value: Text }[] {
  return conditionsOf(filter).flatMap((condition) =>
    operandsOf(condition).map((value) => ({ member: condition.column, value })),
  );
}

/** @param place - writes the next parameter */
function conditionText(condition: PostgresCondition, place: () => string): string {
  const column = quoteName(condition.column.name);
  if (condition.kind === "compare") return `${column} ${operators[condition.relation]} ${place()}`;
  const not = condition.isNot ? "NOT " : "";
  if (condition.kind === "like") return `${column} ${not}${condition.foldsCase ? "ILIKE" : "LIKE"} ${place()}`;
  if (condition.kind === "is") return `${column} IS ${not}${condition.state.toUpperCase()}`;
  // No list of SQL is empty.
  if (condition.literals.length === 0) return condition.isNot ? "true" : "false";
  return `${column} ${not}IN (${condition.literals.map(place).join(", ")})`;
}

function textOf(filter: PostgresFilter, place: () => string): string {
  if (!isGroup(filter)) return conditionText(filter, place);
  const parts = filter.parts.map((part) => (isGroup(part) ? `(${textOf(part, place)})` : textOf(part, place)));
  return parts.join(filter.kind === "and" ? " AND " : " OR ") || String(filter.kind === "and");
}

/** A filter as SQL, with {@link filterOperands} bound from `$1` on. */
export function filterText(filter: PostgresFilter): string {
  let count = 0;
  return textOf(filter, () => {
    count += 1;
    return `$${count}`;
  });
}

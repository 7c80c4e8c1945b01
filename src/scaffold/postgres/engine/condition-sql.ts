import {
  conditionsOf,
  isGroup,
  isSearch,
  type JsonPath,
  type Pattern,
  type TestOperator,
  writePattern,
} from "../../../filter/index.ts";
import { isRuleGroup } from "../../engine/query.ts";
import type { Text } from "../driver.ts";
import { quoteName, quoteText } from "../sql-text.ts";
import type { PostgresCondition, PostgresFilter, PostgresLinked, PostgresMember, PostgresRule } from "./served.ts";
import { tableName } from "./table-name.ts";

const operators = { eq: "=", neq: "<>", gt: ">", gte: ">=", lt: "<", lte: "<=" } as const;

/** Operators between a column and a literal. */
const tests: Readonly<Partial<Record<TestOperator, string>>> = {
  ...{ cs: "@>", cd: "<@", ov: "&&", sl: "<<", sr: ">>", nxr: "&<", nxl: "&>", adj: "-|-" },
  ...{ match: "~", imatch: "~*" },
};

const searches: Readonly<Partial<Record<TestOperator, string>>> = {
  fts: "to_tsquery",
  plfts: "plainto_tsquery",
  phfts: "phraseto_tsquery",
  wfts: "websearch_to_tsquery",
};

/** What stands in SQL for a member: its column, or a part of its JSON, which is always jsonb. */
export function expressionOf({ column, path, jsonKind }: Pick<PostgresMember, "column" | "path" | "jsonKind">): string {
  if (!path) return quoteName(column);
  const text = `${quoteName(column)}${path.steps.map((step, at) => stepText(path, step, at)).join("")}`;
  return jsonKind === "json" && !path.isText ? `((${text})::jsonb)` : `(${text})`;
}

function stepText({ isText, steps }: JsonPath, step: string | number, at: number): string {
  const arrow = isText && at === steps.length - 1 ? "->>" : "->";
  return `${arrow}${typeof step === "number" ? `(${step})` : quoteText(step)}`;
}

function asLike(pattern: Pattern): string {
  return writePattern(pattern, { one: "_", many: "%", escape: (text) => text.replace(/[%_\\]/, "\\$&") });
}

function operandsOf(condition: PostgresCondition): readonly Text[] {
  if (condition.kind === "compare" || condition.kind === "test") return [condition.literal];
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
function testText(
  { column: { type }, isNot, operator, configuration }: Extract<PostgresCondition, { kind: "test" }>,
  column: string,
  place: () => string,
): string {
  const not = isNot ? "NOT " : "";
  if (!isSearch(operator)) return `${not}${column} ${tests[operator]} ${place()}`;
  const first = configuration === undefined ? "" : `${quoteText(configuration)}::regconfig, `;
  const texts = type.kind === "tsvector" ? column : `to_tsvector(${first}${column})`;
  return `${not}${texts} @@ ${searches[operator]}(${first}${place()})`;
}

/** @param place - writes the next parameter */
function conditionText(condition: PostgresCondition, place: () => string): string {
  const column = expressionOf(condition.column);
  const { cast } = condition.column.type;
  if (condition.kind === "test") return testText(condition, column, place);
  if (condition.kind === "compare") return `${column} ${operators[condition.relation]} ${place()}${cast}`;
  const not = condition.isNot ? "NOT " : "";
  if (condition.kind === "like") return `${column} ${not}${condition.foldsCase ? "ILIKE" : "LIKE"} ${place()}`;
  if (condition.kind === "is") return `${column} IS ${not}${condition.state.toUpperCase()}`;
  // No list of SQL is empty.
  if (condition.literals.length === 0) return condition.isNot ? "true" : "false";
  return `${column} ${not}IN (${condition.literals.map(() => `${place()}${cast}`).join(", ")})`;
}

function textOf(filter: PostgresFilter, place: () => string): string {
  if (!isGroup(filter)) return conditionText(filter, place);
  const parts = filter.parts.map((part) => (isGroup(part) ? `(${textOf(part, place)})` : textOf(part, place)));
  return parts.join(filter.kind === "and" ? " AND " : " OR ") || String(filter.kind === "and");
}

/** What is bound to a rule's parameters, in their order. */
export function ruleOperands(rule: PostgresRule): Text[] {
  if (rule.kind === "linked") return ruleOperands(rule.rule);
  return isRuleGroup(rule) ? rule.parts.flatMap(ruleOperands) : [...operandsOf(rule)];
}

/**
 * A condition on records of another table. It names no column of this one inside, so that neither needs another name there.
 */
function linkedText({ columns, others, table, rule }: PostgresLinked, place: () => string): string {
  const [own, other] = [columns, others].map((members) => members.map(({ column }) => quoteName(column)).join(", "));
  return `(${own}) IN (SELECT ${other} FROM ${tableName(table)} WHERE ${ruleTextOf(rule, place)})`;
}

function ruleTextOf(rule: PostgresRule, place: () => string): string {
  if (rule.kind === "linked") return linkedText(rule, place);
  if (!isRuleGroup(rule)) return conditionText(rule, place);
  const parts = rule.parts.map((part) => ruleTextOf(part, place));
  return `(${parts.join(rule.kind === "and" ? " AND " : " OR ") || String(rule.kind === "and")})`;
}

function placesFrom(first: number): () => string {
  let next = first;
  return () => {
    next += 1;
    return `$${next - 1}`;
  };
}

/** A filter as SQL, with {@link filterOperands} bound. @param first - the number of its first parameter */
export function filterText(filter: PostgresFilter, first = 1): string {
  return textOf(filter, placesFrom(first));
}

/** A rule as SQL, with {@link ruleOperands} bound. @param first - the number of its first parameter */
export function ruleText(rule: PostgresRule, first: number): string {
  return ruleTextOf(rule, placesFrom(first));
}

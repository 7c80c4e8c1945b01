import { formatPattern } from "./pattern.ts";
import { type Condition, type Filter, groupOf, isGroup, partsOf } from "./tree.ts";

/** A parameter of a URL's query, decoded. */
export type Parameter = readonly [name: string, value: string];

/** Parameters that mean something else than a column. */
const reservedNames: ReadonlySet<string> = new Set([
  ...["order", "limit", "offset", "select", "page", "per_page"],
  ...["or", "and", "not.or", "not.and"],
]);

/** What makes a value more than a text to be equal to. */
export const startsWithOperator: RegExp = /^(?:eq|neq|gt|gte|lt|lte|like|ilike|in|is|not)\./;

const plainName = /^[\p{L}\p{N}_$-]+$/u;
/** Texts that end, or begin, something else where they stand among others. */
const special = /[,()"\\{]|^\s|\s$/;

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function quoteIfSpecial(text: string): string {
  return special.test(text) ? quote(text) : text;
}

function formatList(literals: readonly string[]): string {
  // An empty text alone would be an empty list.
  const only = literals.length === 1 && literals[0] === "";
  return `(${only ? '""' : literals.map(quoteIfSpecial).join(",")})`;
}

/** What stands behind an operator: a text, or the list of `in`. */
type Operand = string | readonly string[];

/** A condition as it stands in a group: `year.gte.1977`. */
function insideText(column: string, operator: string, operand: Operand): string {
  const name = plainName.test(column) ? column : quote(column);
  return `${name}.${operator}.${typeof operand === "string" ? quoteIfSpecial(operand) : formatList(operand)}`;
}

/**
 * A condition as a parameter of its own. Equality is the value alone, where that looks like nothing else.
 *
 * @param operator - with its `not.`, where it has one
 */
export function conditionParameter(column: string, operator: string, operand: Operand): Parameter {
  if (reservedNames.has(column)) return ["and", `(${insideText(column, operator, operand)})`];
  const text = typeof operand === "string" ? operand : formatList(operand);
  return [column, operator === "eq" && !startsWithOperator.test(text) ? text : `${operator}.${text}`];
}

/** A condition's operator and what stands behind it. */
function partsOfCondition(condition: Condition): [operator: string, operand: Operand] {
  if (condition.kind === "compare") return [condition.relation, condition.literal];
  const { kind, isNot } = condition;
  if (kind === "is" && condition.state === "null") return ["is", isNot ? "not_null" : "null"];
  const not = isNot ? "not." : "";
  if (kind === "is") return [`${not}is`, condition.state];
  if (kind === "in") return [`${not}in`, condition.literals];
  return [`${not}${condition.foldsCase ? "ilike" : "like"}`, formatPattern(condition.pattern)];
}

function formatPart(filter: Filter): string {
  if (!isGroup(filter)) return insideText(filter.column, ...partsOfCondition(filter));
  return `${filter.kind}(${filter.parts.map(formatPart).join(",")})`;
}

/** A condition, or a group of conditions, as a parameter of its own. */
function formatParameter(filter: Filter): Parameter {
  if (isGroup(filter)) return [filter.kind, formatPart(filter).slice(filter.kind.length)];
  return conditionParameter(filter.column, ...partsOfCondition(filter));
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function normalCondition(condition: Condition): Condition {
  if (condition.kind !== "in") return condition;
  const literals = [...new Set(condition.literals)].sort(byCodeUnit);
  const [literal] = literals;
  if (literal === undefined || literals.length > 1) return { ...condition, literals };
  const { column, isNot } = condition;
  return { kind: "compare", column, relation: isNot ? "neq" : "eq", literal };
}

/** One form for all filters that differ in spelling, order and repetition alone. */
function normalFilter(filter: Filter): Filter {
  if (!isGroup(filter)) return normalCondition(filter);
  const { kind } = filter;
  const flat = groupOf(kind, filter.parts.map(normalFilter));
  if (!isGroup(flat)) return flat;
  const byText = new Map(flat.parts.map((part) => [formatPart(part), part]));
  return groupOf(
    kind,
    [...byText].sort(([a], [b]) => byCodeUnit(a, b)).map(([, part]) => part),
  );
}

/** A filter's parameters in canonical form: equal filters have equal ones. Their order is left to who writes the URL. */
export function formatFilter(filter: Filter): Parameter[] {
  return partsOf(normalFilter(filter)).map(formatParameter);
}

import { startsWithOperator } from "./operators.ts";
import { formatPattern } from "./pattern.ts";
import { type Condition, type Filter, groupOf, isGroup, partsOf } from "./tree.ts";

/** A parameter of a URL's query, decoded. */
export type Parameter = readonly [name: string, value: string];

/** Parameters that mean something else than a column. */
const reservedNames: ReadonlySet<string> = new Set([
  ...["order", "limit", "offset", "after", "select", "page", "per_page"],
  ...["or", "and", "not.or", "not.and"],
]);

const groupName = /^(?:not\.)?(?:and|or)$/;
/** A path into JSON as well: `data->>name`. */
const plainName = /^[\p{L}\p{N}_$>-]+$/u;
/** Texts that end, or begin, something else where they stand among others. */
const special = /[,()"\\{]|^\s|\s$/;
/** And in an array, where nothing is no item, and NULL is one. */
const specialItem = /[,{}"\\]|^\s|\s$|^$|^null$/i;

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

/** What stands behind an operator: a text, or a list: that of `in`, or an array. */
type Operand = string | readonly string[];

function formatOperand(operator: string, operand: Operand): string {
  if (typeof operand === "string") return operand;
  if (/^(?:not\.)?in$/.test(operator)) return formatList(operand);
  return `{${operand.map((item) => (specialItem.test(item) ? quote(item) : item)).join(",")}}`;
}

/** A condition as it stands in a group: `year.gte.1977`. */
function insideText(column: string, operator: string, operand: Operand): string {
  const name = plainName.test(column) ? column : quote(column);
  return `${name}.${operator}.${typeof operand === "string" ? quoteIfSpecial(operand) : formatOperand(operator, operand)}`;
}

/**
 * A condition as a parameter of its own. Equality is the value alone, where that looks like nothing else.
 *
 * @param operator - with its `not.`, where it has one
 */
export function conditionParameter(column: string, operator: string, operand: Operand): Parameter {
  if (reservedNames.has(column)) return ["and", `(${insideText(column, operator, operand)})`];
  const text = formatOperand(operator, operand);
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
  if (kind === "test") {
    const { operator, configuration, literal } = condition;
    return [`${not}${operator}${configuration === undefined ? "" : `(${configuration})`}`, literal];
  }
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
  const parameters = partsOf(normalFilter(filter)).map(formatParameter);
  const isPlain = ([name, value]: Parameter): boolean => !groupName.test(name) && !startsWithOperator.test(value);
  const plain = parameters.filter(isPlain).map(([name]) => name);
  const repeated = new Set(plain.filter((name, at) => plain.indexOf(name) !== at));
  // Two values without an operator are refused: who asks for both, which nothing has, says so.
  return parameters.map((one) => (isPlain(one) && repeated.has(one[0]) ? [one[0], `eq.${one[1]}`] : one));
}

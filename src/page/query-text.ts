import { conditionParameter, startsWithOperator } from "../filter/index.ts";
import type { CollectionInfo, Column } from "./schema.ts";

/** A parameter of a URL's query, decoded. */
export type Parameter = readonly [name: string, value: string];

/** An operator of the query language, and how a person says it. */
export interface OperatorChoice {
  readonly name: string;
  readonly label: string;
  /** Whether it takes a value. */
  readonly takesValue: boolean;
}

/** The operators that the form may offer, by the kinds of columns that they fit. */
const operators: readonly (OperatorChoice & { readonly kinds: string })[] = [
  ...[
    ["eq", "is", "number text"],
    ["neq", "is not", "number text"],
    ["gt", "is more than", "number text"],
    ["gte", "is at least", "number text"],
    ["lt", "is less than", "number text"],
    ["lte", "is at most", "number text"],
    ["ilike", "contains", "word"],
    ["like", "begins with", "word"],
    ["in", "is one of (a,b)", "number text"],
  ].map(([name = "", label = "", kinds = ""]) => ({ name, label, kinds, takesValue: true })),
  ...[
    ["is.true", "is true", "boolean"],
    ["is.false", "is false", "boolean"],
    ["is.null", "is NULL", "null"],
    ["not.is.null", "is not NULL", "null"],
  ].map(([name = "", label = "", kinds = ""]) => ({ name, label, kinds, takesValue: false })),
];

/** Whether a column has words: what looks like a text and is none has no beginning. */
export function isWord({ kind, type }: Pick<Column, "kind" | "type">): boolean {
  return kind === "text" && !/date|time|uuid|inet|interval|range/i.test(type);
}

/** The operators that fit a column. */
export function operatorsOf({ kind, type, nullable }: Pick<Column, "kind" | "type" | "nullable">): OperatorChoice[] {
  const fitting = [kind, isWord({ kind, type }) && "word", nullable && "null"];
  const found = operators.filter(({ kinds }) => kinds.split(" ").some((one) => fitting.includes(one as typeof kind)));
  return found.length > 0 ? found : operators.slice(0, 2);
}

const reserved = ["order", "limit", "offset", "after", "page", "per_page", "select"];

/** Reads a query as it is sent, or as a person has typed it. */
export function parseParameters(query: string): Parameter[] {
  return [...new URLSearchParams(query.replace(/^\?/, ""))];
}

/** A query as it is sent: what need not be encoded stays readable. */
export function formatParameters(parameters: readonly Parameter[]): string {
  const part = (text: string): string =>
    encodeURIComponent(text).replace(/%(?:2C|3A|28|29|2A|40|2F)/gi, (code) => decodeURIComponent(code));
  return parameters.map(([name, value]) => `${part(name)}=${part(value)}`).join("&");
}

/** A query as a person reads and types it; what would be read as something else is encoded all the same. */
export function showQuery(query: string): string {
  const part = (text: string): string =>
    text.replace(/[%&+#\n]/g, (sign) => encodeURIComponent(sign)).replace(/^\s|\s$/g, encodeURIComponent);
  return parseParameters(query)
    .map(([name, value]) => `${part(name).replaceAll("=", "%3D")}=${part(value)}`)
    .join("&");
}

/** The parameter of a condition that the form was filled in with. */
export function parameterOf(column: string, operator: string, value: string): Parameter {
  if (/^(?:not\.)?is\./.test(operator)) return [column, operator];
  if (operator === "in") {
    const values = value.replace(/^\(|\)$/g, "").split(",");
    return conditionParameter(
      column,
      operator,
      values.map((one) => one.trim()),
    ) as Parameter;
  }
  const before = operator === "ilike" ? "*" : "";
  const wanted = operator.endsWith("like") && !value.includes("*") ? `${before}${value}*` : value;
  return conditionParameter(column, operator, wanted) as Parameter;
}

/** A condition as a sentence's beginning: `genre is rock`. */
export function describeParameter([name, value]: Parameter): string {
  const known = operators.find(({ name: operator, takesValue }) =>
    takesValue ? value.startsWith(`${operator}.`) : value === operator,
  );
  if (!known) return value.startsWith("(") ? `${name} ${value}` : `${name} = ${value}`;
  return known.takesValue
    ? `${name} ${shortLabel(known)} ${value.slice(known.name.length + 1)}`
    : `${name} ${known.label}`;
}

function shortLabel({ name, label }: OperatorChoice): string {
  const signs: Readonly<Record<string, string>> = { eq: "=", neq: "≠", gt: ">", gte: "≥", lt: "<", lte: "≤" };
  return signs[name] ?? (/^(?:like|in)$/.test(name) ? name : label);
}

/** The conditions among parameters. */
export function conditionsIn(parameters: readonly Parameter[]): Parameter[] {
  return parameters.filter(([name]) => !reserved.includes(name));
}

/** What columns have to equal, by their names, as it is written. */
export function equalsIn(parameters: readonly Parameter[]): ReadonlyMap<string, string> {
  const all = conditionsIn(parameters).filter(([name]) => !/^(?:not\.)?(?:and|or)$/.test(name));
  const bare = all.map(([name, value]): Parameter => [name, value.replace(/^(?:eq\.|is\.(?=(?:true|false)$))/, "")]);
  return new Map(bare.filter(([, value], at) => value !== all[at]?.[1] || !startsWithOperator.test(value)));
}

/** What rows are sorted by: a column, and whether downwards. */
export type Sorting = readonly [column: string, descending: boolean];

/** The order that parameters ask for. */
export function sortingIn(parameters: readonly Parameter[]): Sorting[] {
  const order = parameters.find(([name]) => name === "order")?.[1] ?? "";
  return order
    .split(",")
    .filter((part) => part !== "")
    .map((part) => {
      const bare = part.replace(/\.nulls(?:first|last)$/, "");
      return [bare.replace(/\.(?:asc|desc)$/, ""), bare.endsWith(".desc")] as const;
    });
}

/** The same parameters with another order. */
export function withSorting(parameters: readonly Parameter[], sorting: readonly Sorting[]): Parameter[] {
  const others = parameters.filter(([name]) => name !== "order");
  if (sorting.length === 0) return others;
  const text = sorting.map(([column, descending]) => (descending ? `${column}.desc` : column)).join(",");
  return [...others, ["order", text]];
}

/** What a click on a column's head makes of the order: upwards, downwards, then as it was. */
export function nextSorting(sorting: readonly Sorting[], column: string, adds: boolean): Sorting[] {
  const known = sorting.find(([name]) => name === column);
  const rest = adds ? sorting.filter(([name]) => name !== column) : [];
  if (!known) return [...rest, [column, false]];
  return known[1] ? rest : [...rest, [column, true]];
}

function valueSuggestions(column: Column): string[] {
  const all = operatorsOf(column).map(({ name, takesValue }) =>
    name === "in" ? "in.(" : takesValue ? `${name}.` : name,
  );
  return [...all, "not."];
}

/** How a text that is being typed may go on: whole texts. */
export function completions(text: string, { columns }: Pick<CollectionInfo, "columns">): string[] {
  const at = text.lastIndexOf("&") + 1;
  const [before, part] = [text.slice(0, at), text.slice(at)];
  const equals = part.indexOf("=");
  if (equals < 0) {
    const names = [...columns.map(({ name }) => name), "order", "select", "or", "and", "limit", "offset"];
    return names.filter((name) => name.startsWith(part)).map((name) => `${before}${name}=`);
  }
  const [name, value] = [part.slice(0, equals), part.slice(equals + 1)];
  const column = columns.find((one) => one.name === name);
  const names = columns.map((one) => one.name);
  const lists: Readonly<Record<string, readonly string[]>> = {
    order: names.flatMap((one) => [one, `${one}.desc`]),
    select: ["*", ...names],
  };
  const isNot = column !== undefined && value.startsWith("not.");
  // Of a list, the last one is being typed.
  const done = isNot ? "not." : lists[name] ? value.slice(0, value.lastIndexOf(",") + 1) : "";
  const values = lists[name] ?? (column ? valueSuggestions(column) : []);
  return values
    .map((one) => done + one)
    .filter((one) => one.startsWith(value) && one !== value && !one.startsWith("not.not."))
    .map((one) => `${before}${name}=${one}`);
}

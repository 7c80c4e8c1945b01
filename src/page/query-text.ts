import { conditionParameter } from "../filter/index.ts";
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

/** The operators that the form offers. */
export const operators: readonly OperatorChoice[] = [
  { name: "eq", label: "is", takesValue: true },
  { name: "neq", label: "is not", takesValue: true },
  { name: "gt", label: "is more than", takesValue: true },
  { name: "gte", label: "is at least", takesValue: true },
  { name: "lt", label: "is less than", takesValue: true },
  { name: "lte", label: "is at most", takesValue: true },
  { name: "ilike", label: "contains", takesValue: true },
  { name: "in", label: "is one of (a,b)", takesValue: true },
  { name: "is.null", label: "is NULL", takesValue: false },
  { name: "not.is.null", label: "is not NULL", takesValue: false },
];

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
  if (operator === "is.null" || operator === "not.is.null") return [column, operator];
  if (operator === "in") {
    const values = value.replace(/^\(|\)$/g, "").split(",");
    return conditionParameter(
      column,
      operator,
      values.map((one) => one.trim()),
    ) as Parameter;
  }
  const wanted = operator === "ilike" && !value.includes("*") ? `*${value}*` : value;
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
  const signs: Readonly<Record<string, string>> = { eq: "=", neq: "≠", gt: ">", gte: "≥", lt: "<", lte: "≤", in: "in" };
  return signs[name] ?? label;
}

/** The conditions among parameters. */
export function conditionsIn(parameters: readonly Parameter[]): Parameter[] {
  return parameters.filter(([name]) => !reserved.includes(name));
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

function valueSuggestions({ kind, nullable }: Column): string[] {
  const all = kind === "boolean" ? ["is.true", "is.false"] : ["eq.", "neq.", "gte.", "lte.", "like.", "ilike.", "in.("];
  return nullable ? [...all, "is.null", "not.is.null"] : all;
}

/** How a text that is being typed may go on: whole texts. */
export function completions(text: string, { columns }: Pick<CollectionInfo, "columns">): string[] {
  const at = text.lastIndexOf("&") + 1;
  const [before, part] = [text.slice(0, at), text.slice(at)];
  const equals = part.indexOf("=");
  if (equals < 0) {
    const names = [...columns.map(({ name }) => name), "order", "or", "limit"];
    return names.filter((name) => name.startsWith(part)).map((name) => `${before}${name}=`);
  }
  const [name, value] = [part.slice(0, equals), part.slice(equals + 1)];
  const column = columns.find((one) => one.name === name);
  const values =
    name === "order"
      ? columns.flatMap((one) => [one.name, `${one.name}.desc`])
      : column
        ? valueSuggestions(column)
        : [];
  return values.filter((one) => one.startsWith(value) && one !== value).map((one) => `${before}${name}=${one}`);
}

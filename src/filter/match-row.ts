import type { Comparable } from "./compare.ts";
import { type FoundInJson, findInJson, jsonLiteral } from "./json-value.ts";
import { match } from "./match.ts";
import { type Condition, type Filter, isGroup } from "./tree.ts";

/** How a column's values are compared where their JSON is a text: by code point, or as numbers. */
export type TextOrder = "json" | "number";

/** A row's members, as far as they are known. */
export interface RowReader {
  /** A member as JSON has it; `undefined` where the row has none. */
  value(name: string): unknown;
  /** How a member's texts stand to each other; `undefined` where that is not known. */
  order(name: string): TextOrder | undefined;
}

const numeral = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
// Longer ones are no integers of 64 bits, and not read in linear time.
const bigInteger = /^-?[1-9]\d{15,18}$/;

function numberOf(text: string): number | bigint | undefined {
  if (bigInteger.test(text)) return BigInt(text);
  return numeral.test(text) || /^-?Infinity$/.test(text) ? Number(text) : undefined;
}

/** A text as a value of the type that another value has; `undefined` where it looks like none. */
function literalLike(value: Comparable, text: string): Comparable | undefined {
  if (typeof value === "number" || typeof value === "bigint") return numberOf(text);
  if (typeof value !== "boolean") return text;
  return text === "true" || text === "1" ? true : text === "false" || text === "0" ? false : undefined;
}

function isOrder(condition: Condition): boolean {
  return condition.kind === "compare" && condition.relation !== "eq" && condition.relation !== "neq";
}

/** A condition with literals of the type that a value has; `undefined` where that says nothing of its order. */
function withLiterals(condition: Condition, value: Comparable): Condition<string, Comparable> | undefined {
  if (condition.kind === "compare") {
    const literal = literalLike(value, condition.literal);
    if (literal === undefined && isOrder(condition)) return undefined;
    // Of another type, it is another value.
    return { ...condition, literal: literal ?? condition.literal };
  }
  if (condition.kind !== "in") return condition.kind === "test" ? undefined : condition;
  return { ...condition, literals: condition.literals.map((text) => literalLike(value, text) ?? text) };
}

function isScalar(value: unknown): value is Comparable {
  return value === null || typeof value !== "object";
}

const ascii = /^[\0-\x7f]*$/;

/** Whether case tells more than who asks can know: other letters than A to Z fold as the database's locale says. */
function foldsUnknown(condition: Condition, value: Comparable): boolean {
  if (condition.kind !== "like" || !condition.foldsCase || typeof value !== "string") return false;
  return !ascii.test(value) || condition.pattern.some(({ text }) => !ascii.test(text));
}

/** Judges what a path into JSON leads to. */
function judgePart(condition: Condition, { value, isJson }: FoundInJson): boolean | undefined {
  if (value === undefined || condition.kind === "test") return undefined;
  if (condition.kind === "is" || value === null)
    return match(condition as Condition<string, never>, () => value) === true;
  if (condition.kind === "like")
    return isJson || foldsUnknown(condition, value) ? undefined : match(condition, () => value) === true;
  const texts = condition.kind === "in" ? condition.literals : [condition.literal];
  const literals = texts.map((text) => (isJson ? jsonLiteral(text) : text));
  // Of other sorts, and of how texts are sorted, nobody else knows.
  const isSame = literals.every((literal) => typeof literal === typeof value);
  if (!isSame || (isOrder(condition) && typeof value === "string")) return undefined;
  const exact = literals as (string | number)[];
  if (condition.kind === "in") return match({ ...condition, literals: exact }, () => value) === true;
  return match({ ...condition, literal: exact[0] ?? null }, () => value) === true;
}

function judge(condition: Condition, row: RowReader): boolean | undefined {
  const shown = row.value(condition.column);
  if (shown === undefined) {
    const part = findInJson(condition.column, (name) => row.value(name));
    return part && judgePart(condition, part);
  }
  if (condition.kind === "is") return match(condition, () => (isScalar(shown) ? shown : "")) === true;
  if (!isScalar(shown)) return undefined;
  let value = shown;
  if (isOrder(condition) && typeof shown === "string") {
    const texts = row.order(condition.column);
    if (texts === undefined) return undefined;
    if (texts === "number") value = numberOf(shown) ?? shown;
  }
  const exact = foldsUnknown(condition, value) ? undefined : withLiterals(condition, value);
  return exact && match(exact, () => value) === true;
}

/**
 * Whether a row as a client has it, in JSON, meets a filter; `undefined` where that can't be told: it lacks a member, or only
 * the database knows how a text is compared.
 */
export function matchRow(filter: Filter, row: RowReader): boolean | undefined {
  if (!isGroup(filter)) return judge(filter, row);
  const decisive = filter.kind === "or";
  let result: boolean | undefined = !decisive;
  for (const part of filter.parts) {
    const one = matchRow(part, row);
    if (one === decisive) return decisive;
    if (one === undefined) result = undefined;
  }
  return result;
}

import { encodeUrlPart, formatItemOrder, type ItemOrder } from "../../protocol/index.ts";
import type { SqlValue } from "../sqlite/schema.ts";
import { listNames, Refusal, shorten } from "./refusal.ts";
import { keyMembers, type Member, type Resource } from "./resource.ts";
import { comparisonOf } from "./value-kind.ts";
import { formatValue, resolvePart } from "./value-text.ts";

/** A column and the value that it must have. */
export interface Filter {
  readonly member: Member;
  readonly value: SqlValue;
}

/** What a collection's URL asks for. */
export interface Query {
  readonly filters: readonly Filter[];
  /** By what the records are sorted; always down to the key, so that no two are equal. */
  readonly order: ItemOrder;
  readonly limit: number | undefined;
  readonly offset: number | undefined;
}

type Parameters = readonly (readonly [name: string, value: string])[];

const later = ["select", "or", "and", "page", "per_page"];
const operator = /^(?:eq|neq|gt|gte|lt|lte|like|ilike|in|is|not)\./;

function badRequest(detail: string): Refusal {
  return new Refusal(400, detail);
}

/** What filters and `order` can name: all that a record shows of its row, the rowid too where that is shown. */
function findColumn({ members }: Resource, name: string): Member {
  const column = members.find((member) => member.name === name);
  if (column) return column;
  throw badRequest(
    `There is no column "${shorten(name)}"; there are ${listNames(members.map((member) => member.name))}.`,
  );
}

function parseFilter(resource: Resource, name: string, text: string): Filter {
  const member = findColumn(resource, name);
  const found = operator.exec(text)?.[0];
  if (found) throw badRequest(`The operator "${found}" of "${shorten(name)}" is not supported yet; only equality is.`);
  return { member, value: resolvePart(member.type, text) };
}

function parseCount(name: string, text: string): number {
  const count = Number(text);
  if (/^[0-9]+$/.test(text) && Number.isSafeInteger(count)) return count;
  throw badRequest(`${name} must be a whole number from 0, not "${shorten(text)}".`);
}

function parseOrder(resource: Resource, text: string): ItemOrder {
  return text.split(",").map((part) => {
    const [, name = part, direction = "asc"] = /^(.*)\.(asc|desc)$/s.exec(part) ?? [];
    return { name: findColumn(resource, name).name, descending: direction === "desc" };
  });
}

/** The order down to the key: what comes after the whole key decides nothing, nor does a column's second mention. */
function completeOrder(resource: Resource, order: ItemOrder): ItemOrder {
  const rest = new Set(keyMembers(resource).map(({ name }) => name));
  const complete: { name: string; descending: boolean }[] = [];
  for (const part of [...order, ...[...rest].map((name) => ({ name, descending: false }))]) {
    if (rest.size === 0) break;
    if (complete.some(({ name }) => name === part.name)) continue;
    complete.push(part);
    rest.delete(part.name);
  }
  return complete;
}

/**
 * Reads a collection's parameters.
 *
 * @throws Refusal 400 naming the parameter that can't be
 */
export function parseQuery(resource: Resource, parameters: Parameters): Query {
  const seen = new Map<string, string>();
  for (const [name, value] of parameters) {
    if (seen.has(name)) throw badRequest(`The parameter "${shorten(name)}" is given more than once.`);
    if (later.includes(name)) throw badRequest(`The parameter "${name}" is not supported yet.`);
    seen.set(name, value);
  }
  const take = (name: string): string | undefined => {
    const value = seen.get(name);
    seen.delete(name);
    return value;
  };
  const [order, limit, offset] = [take("order"), take("limit"), take("offset")];
  return {
    order: completeOrder(resource, order === undefined ? [] : parseOrder(resource, order)),
    limit: limit === undefined ? undefined : parseCount("limit", limit),
    offset: offset === undefined ? undefined : parseCount("offset", offset),
    filters: [...seen].map(([name, value]) => parseFilter(resource, name, value)),
  };
}

/** The collection's URL in canonical form: equal sets in equal order have equal URLs. */
export function canonicalUrl(resource: Resource, { filters, order, limit, offset }: Query): string {
  const parameters = filters.map(({ member, value }): [string, string] => [
    member.name,
    formatValue(member.type, value),
  ]);
  const orderText = formatOrder(order);
  if (orderText !== formatOrder(completeOrder(resource, []))) parameters.push(["order", orderText]);
  if (limit !== undefined) parameters.push(["limit", String(limit)]);
  if (offset !== undefined && offset !== 0) parameters.push(["offset", String(offset)]);
  const parts = parameters.map(([name, value]) => `${encodeUrlPart(name)}=${encodeUrlPart(value)}`).sort();
  return parts.length === 0 ? resource.path : `${resource.path}?${parts.join("&")}`;
}

function formatOrder(order: ItemOrder): string {
  return order.map(({ name, descending }) => `${name}.${descending ? "desc" : "asc"}`).join(",");
}

/** The members that a query sorts by, and where each is in a row. */
export function orderPlaces({ members }: Resource, { order }: Query): [at: number, member: Member][] {
  return order.flatMap(({ name }) => {
    const at = members.findIndex((one) => one.name === name);
    const member = members[at];
    return member ? [[at, member]] : [];
  });
}

/** The members that a query sorts by. */
export function orderMembers(resource: Resource, query: Query): Member[] {
  return orderPlaces(resource, query).map(([, member]) => member);
}

/**
 * The `Item-Order` field; `undefined` where the records' JSON does not tell their order, by the columns' types. A value
 * that {@link isComparable} does not hold for has no place in it.
 */
export function itemOrder(resource: Resource, query: Query): string | undefined {
  const order: ItemOrder[number][] = [];
  for (const [at, member] of orderMembers(resource, query).entries()) {
    const as = member.sorts ? comparisonOf(member.type) : undefined;
    const part = query.order[at];
    if (as === undefined || !part || part.name === "") return undefined;
    order.push(as === "json" ? part : { ...part, as });
  }
  return formatItemOrder(order);
}

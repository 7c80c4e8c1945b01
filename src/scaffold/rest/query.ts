import { encodeUrlPart, formatItemOrder, type ItemOrder } from "../../protocol/index.ts";
import type { Ordering, Query } from "../engine/query.ts";
import { hasKey, keyMembers, type Member } from "../engine/table.ts";
import { findColumn, formatRecordFilter, parseRecordFilter } from "./record-filter.ts";
import { Refusal, shorten } from "./refusal.ts";
import type { Resource } from "./resource.ts";

type Parameters = readonly (readonly [name: string, value: string])[];

const later = ["select", "page", "per_page"];
const single = ["order", "limit", "offset"];

function badRequest(detail: string): Refusal {
  return new Refusal(400, detail);
}

function parseCount(name: string, text: string): number {
  const count = Number(text);
  if (/^[0-9]+$/.test(text) && Number.isSafeInteger(count)) return count;
  throw badRequest(`${name} must be a whole number from 0, not "${shorten(text)}".`);
}

/** Where NULL is asked to stand, if that is not where it stands anyway. */
function askedNulls(member: Member, descending: boolean, nulls: string | undefined): Ordering["nulls"] {
  if (nulls === undefined || member.nulls === "none") return undefined;
  const isUsual = (nulls === "first") === ((member.nulls === "lowest") !== descending);
  return isUsual ? undefined : (nulls as "first" | "last");
}

function parseOrder(resource: Resource, text: string): Ordering[] {
  return text.split(",").map((part) => {
    const [, sorted = part, nulls] = /^(.*)\.nulls(first|last)$/s.exec(part) ?? [];
    const [, name = sorted, direction = "asc"] = /^(.*)\.(asc|desc)$/s.exec(sorted) ?? [];
    const member = findColumn(resource, name);
    const descending = direction === "desc";
    return { member, descending, nulls: askedNulls(member, descending, nulls) };
  });
}

/**
 * The order down to the key: what comes after the whole key decides nothing, nor does a column's second mention. Rows without
 * a key stand as the database gives them, but for what was asked for.
 */
function completeOrder({ table }: Resource, order: readonly Ordering[]): Ordering[] {
  const rest = new Set(keyMembers(table));
  const complete: Ordering[] = [];
  for (const part of [...order, ...[...rest].map((member) => ({ member, descending: false }))]) {
    if (hasKey(table) && rest.size === 0) break;
    if (complete.some(({ member }) => member === part.member)) continue;
    complete.push(part);
    rest.delete(part.member);
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
    if (later.includes(name)) throw badRequest(`The parameter "${name}" is not supported yet.`);
    if (!single.includes(name)) continue;
    if (seen.has(name)) throw badRequest(`The parameter "${name}" is given more than once.`);
    seen.set(name, value);
  }
  const [order, limit, offset] = single.map((name) => seen.get(name));
  return {
    order: completeOrder(resource, order === undefined ? [] : parseOrder(resource, order)),
    limit: limit === undefined ? undefined : parseCount("limit", limit),
    offset: offset === undefined ? undefined : parseCount("offset", offset),
    filter: parseRecordFilter(
      resource,
      parameters.filter(([name]) => !single.includes(name)),
    ),
  };
}

/** The collection's URL in canonical form: equal sets in equal order have equal URLs. */
export function canonicalUrl(resource: Resource, { filter, order, limit, offset }: Query): string {
  const parameters = formatRecordFilter(filter);
  const orderText = formatOrder(order);
  if (orderText !== formatOrder(completeOrder(resource, []))) parameters.push(["order", orderText]);
  if (limit !== undefined) parameters.push(["limit", String(limit)]);
  if (offset !== undefined && offset !== 0) parameters.push(["offset", String(offset)]);
  const parts = parameters.map(([name, value]) => `${encodeUrlPart(name)}=${encodeUrlPart(value)}`).sort();
  return parts.length === 0 ? resource.path : `${resource.path}?${parts.join("&")}`;
}

function formatOrder(order: readonly Ordering[]): string {
  const parts = order.map(({ member: { name }, descending, nulls }) => {
    return `${name}.${descending ? "desc" : "asc"}${nulls ? `.nulls${nulls}` : ""}`;
  });
  return parts.join(",");
}

/**
 * The `Item-Order` field; `undefined` where the records' JSON does not tell their order, by the columns' types. A value
 * that is not comparable, as its column's type says, has no place in it.
 */
export function itemOrder({ order }: Query): string | undefined {
  const parts: ItemOrder[number][] = [];
  for (const { member, descending, nulls } of order) {
    // The field says nothing of NULL: that is lowest.
    if (nulls !== undefined) return undefined;
    const { name } = member;
    const as = member.type.comparison;
    if (as === undefined || name === "") return undefined;
    parts.push(as === "json" ? { name, descending } : { name, descending, as });
  }
  return parts.length === 0 ? undefined : formatItemOrder(parts);
}

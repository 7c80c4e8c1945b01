import { encodeUrlPart, formatItemOrder, type ItemOrder } from "../../protocol/index.ts";
import type { Ordering, Query } from "../engine/query.ts";
import type { Row } from "../engine/snapshot.ts";
import { hasKey, keyMembers, type Member } from "../engine/table.ts";
import { type Place, readPlace, writePlace } from "./keyset.ts";
import { findOperand, formatRecordFilter, parseRecordFilter } from "./record-filter.ts";
import { Refusal, shorten } from "./refusal.ts";
import { type Resource, urlOf } from "./resource.ts";
import type { Selected } from "./selection.ts";
import { maxQueryBytes } from "./target.ts";

type Parameters = readonly (readonly [name: string, value: string])[];

/** What a GET asks of a collection. */
export interface CollectionQuery extends Query {
  /** The number of the page that is asked for, from 1; its size is the limit. `undefined` where none is asked for. */
  readonly page: number | undefined;
  /** What is shown of each record; absent: all of it. */
  readonly selected?: Selected | undefined;
  /** Behind which place the part begins, where parts go by key: `start` is before all. Absent: they go by offset. */
  readonly after?: Place | "start" | undefined;
  /** Whether a request's `Range` says which part it is, and its URL does not. Absent: no. */
  readonly isRange?: boolean;
}

type Part = Pick<CollectionQuery, "page" | "limit" | "offset">;

const single = ["order", "limit", "offset", "after", "page", "per_page"];

/** How many records a page has by itself. */
const usualPageSize = 20;

function badRequest(detail: string): Refusal {
  return new Refusal(400, detail);
}

function parseCount(name: string, text: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
  const count = Number(text);
  if (/^[0-9]+$/.test(text) && count >= least && count <= most) return count;
  const upTo = most === Number.MAX_SAFE_INTEGER ? "" : ` to ${most}`;
  throw badRequest(`${name} must be a whole number from ${least}${upTo}, not "${shorten(text)}".`);
}

function parsePage(seen: ReadonlyMap<string, string>, maxRows: number): Part {
  if (seen.has("limit") || seen.has("offset")) {
    throw badRequest("page and per_page can't be used together with limit and offset.");
  }
  const usual = String(Math.min(usualPageSize, maxRows));
  const limit = parseCount("per_page", seen.get("per_page") ?? usual, 1, maxRows);
  const page = parseCount("page", seen.get("page") ?? "1", 1, Math.floor(Number.MAX_SAFE_INTEGER / limit));
  const offset = (page - 1) * limit;
  return { page, limit, offset };
}

function parsePart(seen: ReadonlyMap<string, string>, maxRows: number): Part {
  if (seen.has("page") || seen.has("per_page")) return parsePage(seen, maxRows);
  const [limit, offset] = ["limit", "offset"].map((name) => {
    const text = seen.get(name);
    return text === undefined ? undefined : parseCount(name, text);
  });
  return { page: undefined, limit, offset };
}

/** @throws Refusal 400 where parts can't go by key, or the place is none */
function parseAfter(
  { table }: Resource,
  order: readonly Ordering[],
  seen: ReadonlyMap<string, string>,
): CollectionQuery["after"] {
  const text = seen.get("after");
  if (text === undefined) return undefined;
  if (["offset", "page", "per_page"].some((name) => seen.has(name)))
    throw badRequest("after can't be used together with offset, page and per_page.");
  if (!hasKey(table)) throw badRequest("after needs records that a key tells apart; use offset here.");
  return text === "" ? "start" : readPlace(order, text);
}

/** Where NULL is asked to stand, if that is not where it stands anyway. */
function askedNulls(member: Member, descending: boolean, nulls: string | undefined): Ordering["nulls"] {
  if (nulls === undefined || member.nulls === "none") return undefined;
  const isUsual = (nulls === "first") === ((member.nulls === "lowest") !== descending);
  return isUsual ? undefined : (nulls as "first" | "last");
}

/** What records of others `order` may sort by, as `labels(name)`; `undefined` for what is no such text. */
export type FindOther = (text: string) => Pick<Ordering, "member" | "of"> | undefined;

function parseOrder(resource: Resource, text: string, findOther: FindOther): Ordering[] {
  return text.split(",").map((part) => {
    const [, sorted = part, nulls] = /^(.*)\.nulls(first|last)$/s.exec(part) ?? [];
    const [, name = sorted, direction = "asc"] = /^(.*)\.(asc|desc)$/s.exec(sorted) ?? [];
    const descending = direction === "desc";
    const other = findOther(name);
    if (other) return { ...other, descending, nulls: nulls as Ordering["nulls"] };
    const member = findOperand(resource, name);
    return { member, descending, nulls: askedNulls(member, descending, nulls) };
  });
}

/**
 * The order down to the key: what comes after the whole key decides nothing, nor does a column's second mention. Rows without
 * a key stand as the database gives them, but for what was asked for.
 */
export function completeOrder({ table }: Resource, order: readonly Ordering[]): Ordering[] {
  const rest = new Set(keyMembers(table));
  const complete: Ordering[] = [];
  const last = [...rest].map((member): Ordering => ({ member, descending: false }));
  for (const part of [...order, ...last]) {
    if (hasKey(table) && rest.size === 0) break;
    if (complete.some(({ member, of }) => member.name === part.member.name && of?.name === part.of?.name)) continue;
    complete.push(part);
    if (!part.of) rest.delete(part.member);
  }
  return complete;
}

/**
 * Reads a collection's parameters.
 *
 * @param maxRows - how many records an answer has at most, and so a page
 * @param findOther - what else `order` may name
 * @throws Refusal 400 naming the parameter that can't be
 */
export function parseQuery(
  resource: Resource,
  parameters: Parameters,
  maxRows: number = Number.MAX_SAFE_INTEGER,
  findOther: FindOther = () => undefined,
): CollectionQuery {
  const seen = new Map<string, string>();
  for (const [name, value] of parameters) {
    if (name === "select") throw badRequest('The parameter "select" has no place here.');
    if (!single.includes(name)) continue;
    if (seen.has(name)) throw badRequest(`The parameter "${name}" is given more than once.`);
    seen.set(name, value);
  }
  const asked = seen.get("order");
  const order = completeOrder(resource, asked === undefined ? [] : parseOrder(resource, asked, findOther));
  return {
    order,
    ...parsePart(seen, maxRows),
    after: parseAfter(resource, order, seen),
    filter: parseRecordFilter(
      resource,
      parameters.filter(([name]) => !single.includes(name)),
    ),
  };
}

/**
 * The collection's URL in canonical form: equal sets in equal order have equal URLs.
 *
 * @throws Refusal 400 as {@link formatParameters}
 */
export function canonicalUrl(resource: Resource, query: CollectionQuery): string {
  const { filter, order, page, limit, offset, after, selected } = query;
  const parameters = [...formatRecordFilter(filter), ...(selected?.parameters ?? [])];
  const orderText = formatOrder(order);
  // Groups have an order of their own.
  if (!selected?.grouping && orderText !== formatOrder(completeOrder(resource, [])))
    parameters.push(["order", orderText]);
  if (limit !== undefined) parameters.push([page === undefined ? "limit" : "per_page", String(limit)]);
  if (page !== undefined) parameters.push(["page", String(page)]);
  else if (offset !== undefined && offset !== 0) parameters.push(["offset", String(offset)]);
  if (after !== undefined) parameters.push(["after", after === "start" ? "" : writePlace(order, after)]);
  return parameters.length === 0 ? resource.path : `${resource.path}?${formatParameters(parameters)}`;
}

/**
 * A record's URL, with what is selected of it.
 *
 * @throws Refusal 400 as {@link formatParameters}
 */
export function recordUrl(resource: Resource, row: Row, selected: Selected | undefined): string {
  const url = urlOf(resource, row);
  return selected ? `${url}?${formatParameters(selected.parameters)}` : url;
}

/**
 * Parameters as the query of a URL, in canonical order.
 *
 * @throws Refusal 400 where that is longer than a URL that is sent may be: it could not be asked for again
 */
export function formatParameters(parameters: Parameters): string {
  const parts = parameters.map(([name, value]) => `${encodeUrlPart(name)}=${encodeUrlPart(value)}`).sort();
  const query = parts.join("&");
  if (query.length <= maxQueryBytes) return query;
  throw badRequest(`The query in its canonical form has more than ${maxQueryBytes / 1024} KiB.`);
}

/** An order as a URL has it. */
export function formatOrder(order: readonly Ordering[]): string {
  const parts = order.map(({ member: { name }, of, descending, nulls }) => {
    return `${of ? `${of.name}(${name})` : name}.${descending ? "desc" : "asc"}${nulls ? `.nulls${nulls}` : ""}`;
  });
  return parts.join(",");
}

/** Where NULL stands, if the field has to say that: by itself it is lowest there. */
function toldNulls(
  { nulls: usual }: Member,
  descending: boolean,
  asked: Ordering["nulls"],
): Pick<ItemOrder[number], "nulls"> {
  if (usual === "none") return {};
  const place = asked ?? ((usual === "lowest") === descending ? "last" : "first");
  return place === (descending ? "last" : "first") ? {} : { nulls: place };
}

/**
 * The `Item-Order` field; `undefined` where the records' JSON does not tell their order, by the columns' types. A value
 * that is not comparable, as its column's type says, has no place in it.
 */
export function itemOrder({ order }: Query): string | undefined {
  const parts: ItemOrder[number][] = [];
  for (const { member, of: other, descending, nulls } of order) {
    if (other) return undefined;
    const { name } = member;
    const as = member.type.comparison;
    if (as === undefined || name === "" || member.path) return undefined;
    parts.push({ name, descending, ...(as === "json" ? {} : { as }), ...toldNulls(member, descending, nulls) });
  }
  return parts.length === 0 ? undefined : formatItemOrder(parts);
}

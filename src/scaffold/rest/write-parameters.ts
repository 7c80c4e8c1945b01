import { type Parameter, partsOf } from "../../filter/index.ts";
import { Denied } from "../engine/denied.ts";
import type { Embed } from "../engine/tree.ts";
import type { Catalog } from "./catalog.ts";
import { parseNames } from "./names-text.ts";
import { findColumn } from "./record-filter.ts";
import { Refusal } from "./refusal.ts";
import type { Resource } from "./resource.ts";
import type { Route } from "./route.ts";
import { parseRecordQuery, parseSelectedQuery } from "./select-query.ts";
import type { Selected } from "./selection.ts";
import { conflictName } from "./upsert.ts";
import type { WriteRequest } from "./write-request.ts";

type Parameters = readonly Parameter[];

/** @throws Refusal 400 where a name is that of no member of a body */
function requireMember(resource: Resource, name: string): void {
  const isOther = name === resource.urlMember || resource.table.unread?.some((member) => member.name === name);
  if (!isOther) findColumn(resource, name);
}

/** The members that `columns` names, of methods whose body has a record's; and the other parameters. */
function takeColumns(
  resource: Resource,
  { request: { method }, target: { parameters } }: WriteRequest,
): { readonly columns: ReadonlySet<string> | undefined; readonly others: Parameters } {
  const isTaken = method === "POST" || method === "PATCH";
  const [found, ...more] = isTaken ? parameters.filter(([name]) => name === "columns") : [];
  if (more.length > 0) throw new Refusal(400, 'The parameter "columns" is given more than once.');
  if (!found) return { columns: undefined, others: parameters };
  const names = parseNames("columns", found[1]);
  for (const name of names) requireMember(resource, name);
  return { columns: new Set(names), others: parameters.filter((one) => one !== found) };
}

/** Whether an embed leaves records out by more than that they have none of it. */
function isChoosing({ keeps, query }: Embed): boolean {
  if (keeps === "all") return false;
  return keeps === "without" || partsOf(query.filter).length > 0 || query.embeds.some(isChoosing);
}

/** @throws Refusal 400 where what is selected of the records of a write would seem to say which those are */
function requireAnswerOnly({ grouping, embeds, parameters }: Selected): void {
  if (grouping) throw new Refusal(400, "What several records come to is asked by GET, not of a write.");
  const isAsked = parameters.some(([name, value]) => value === "is.not_null" && !name.includes("."));
  if (!isAsked && !embeds.some(isChoosing)) return;
  throw new Refusal(400, "Embedded records can't choose which records are written: only the records' own columns can.");
}

/** Which records of a collection a write is for, and what is shown of them. */
function withQuery(catalog: Catalog, resource: Resource, write: WriteRequest): WriteRequest {
  const query = parseSelectedQuery(catalog, resource, write.target.parameters, write.limits.maxRows);
  if (query.selected) requireAnswerOnly(query.selected);
  if (query.order.some((part) => part.of))
    throw new Refusal(400, "Records are not written in the order of embedded ones.");
  return { ...write, query, selected: query.selected };
}

/** What is shown of one record, or of those that a body has. */
function withSelected(catalog: Catalog, resource: Resource, write: WriteRequest): WriteRequest {
  const { parameters } = write.target;
  const isOfPost = ([name]: Parameter): boolean => write.request.method === "POST" && name === conflictName;
  const asked = parameters.filter((one) => !isOfPost(one));
  const selected = parseRecordQuery(catalog, resource, asked, write.limits.maxRows);
  return { ...write, target: { ...write.target, parameters: parameters.filter(isOfPost) }, selected };
}

/**
 * A write with what its URL says beside the path: which records it is for, which members of the body count, and what is shown
 * of the records where something is.
 *
 * @throws Refusal 400; Denied where it is to show what its viewer may not read
 */
export function withParameters(catalog: Catalog, route: Route, asked: WriteRequest): WriteRequest {
  if (route.place === "index") return asked;
  const { resource, place } = route;
  const { columns, others } = takeColumns(resource, asked);
  const write = { ...asked, columns, target: { ...asked.target, parameters: others } };
  if (place === "unseen" && others.some(([name]) => name === "select")) throw new Denied();
  const isBulk = place === "collection" && write.request.method !== "POST";
  return isBulk ? withQuery(catalog, resource, write) : withSelected(catalog, resource, write);
}

import { Denied } from "../engine/denied.ts";
import { keyMembers, type Member, type RecordKey } from "../engine/table.ts";
import type { Catalog } from "./catalog.ts";
import { Refusal, shorten } from "./refusal.ts";
import type { Related } from "./related.ts";
import { addressMembers, keyInPart, nameInPart, parseRowid, type Resource, resourceOf } from "./resource.ts";
import { decodePart, parseTarget, type Target } from "./target.ts";

/**
 * What a URL names: the list of collections, a collection, or a record by its key; the records of a collection that belong
 * to a record, or the one that a record names; or a collection that the viewer may add records to, and not read.
 */
export type Route =
  | { readonly place: "index" }
  | { readonly place: "collection"; readonly resource: Resource }
  | { readonly place: "unseen"; readonly resource: Resource }
  | { readonly place: "record"; readonly resource: Resource; readonly key: RecordKey }
  | ({ readonly place: "related" | "named" | "through" } & Related);

/** A key's parts are parted by commas; where there is one part only, its commas belong to it. */
function parseKey(resource: Resource, text: string): RecordKey | undefined {
  const { table } = resource;
  const rowid = table.named ? parseRowid(text) : undefined;
  if (rowid !== undefined) return valuesOf(keyMembers(table), [rowid]);
  const members = addressMembers(table);
  const only = members.length === 1 ? keyInPart(text) : undefined;
  if (members.length === 1 && only === undefined) return undefined;
  const parts = only === undefined ? text.split(",") : [only];
  if (parts.length !== members.length) return undefined;
  return valuesOf(members, parts);
}

function valuesOf(members: readonly Member[], parts: readonly string[]): RecordKey {
  const values = members.map(({ type }, at) => {
    const decoded = type.fromKeyPart(parts[at] ?? "");
    if ("detail" in decoded) throw new Refusal(400, decoded.detail);
    return decoded.value;
  });
  return { members, values };
}

/** The segments of a target below the catalog's base path; `undefined` where it is not below it. */
export function segmentsBelow({ basePath }: Catalog, { segments }: Target): readonly string[] | undefined {
  const base = basePath.split("/").slice(1);
  return base.every((name, at) => segments[at] === name) ? segments.slice(base.length) : undefined;
}

/** What a URL's first part names in a catalog. */
function entryOf<Entry>(entries: ReadonlyMap<string, Entry>, part: string): Entry | undefined {
  const name = nameInPart(part);
  return name === undefined ? undefined : entries.get(name);
}

/** What is below a record: `/artists/1/albums`, `/albums/1/artist`, `/albums/1/tags`. @throws Refusal 404 where that is nothing */
function requireRelated({ relations, basePath }: Catalog, parent: Resource, key: RecordKey, part: string): Related {
  const relation = relations.find(parent.table, decodePart(part), 404);
  return { resource: resourceOf(relation.table, basePath), parent, key, relation };
}

const places = { one: "named", many: "related", through: "through" } as const;

function findRelated(...named: Parameters<typeof requireRelated>): Related | undefined {
  try {
    return requireRelated(...named);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** What a URL names; `undefined` where it names nothing in this catalog. */
export function findRoute(catalog: Catalog, target: Target): Route | undefined {
  const segments = segmentsBelow(catalog, target);
  if (!segments) return undefined;
  const [name = "", keyText, relatedText, ...rest] = segments;
  if (rest.length > 0) return undefined;
  if (name === "" && keyText === undefined) return { place: "index" };
  const resource = entryOf(catalog.resources, name);
  const unseen = keyText === undefined ? entryOf(catalog.unseen, name) : undefined;
  if (!resource) return unseen && { place: "unseen", resource: unseen };
  if (keyText === undefined) return { place: "collection", resource };
  const key = parseKey(resource, keyText);
  if (!key) return undefined;
  if (relatedText === undefined) return { place: "record", resource, key };
  const related = findRelated(catalog, resource, key, relatedText);
  return related && { place: places[related.relation.kind], ...related };
}

/** Whether a URL is a collection's or below one. A malformed one counts, so that the service says what is wrong with it. */
export function ownsTarget(catalog: Catalog, target: string): boolean {
  try {
    const [name = ""] = segmentsBelow(catalog, parseTarget(target.split("?")[0] ?? "")) ?? [];
    return entryOf(catalog.resources, name) !== undefined;
  } catch {
    return true;
  }
}

/** @throws Refusal 404 that says what is below a record, where that is not what the URL has there */
function refuseRelated(catalog: Catalog, target: Target): void {
  const [name = "", keyText = "", relatedText, ...rest] = segmentsBelow(catalog, target) ?? [];
  const parent = entryOf(catalog.resources, name);
  const key = parent && parseKey(parent, keyText);
  if (key && relatedText && rest.length === 0) requireRelated(catalog, parent, key, relatedText);
}

/** What a URL names. @throws Refusal 404 where it names nothing; Denied where the viewer may not read that */
export function requireRoute(catalog: Catalog, target: Target): Route {
  const route = findRoute(catalog, target);
  if (route) return route;
  const [name = ""] = segmentsBelow(catalog, target) ?? [];
  const tableName = nameInPart(name);
  if (tableName !== undefined && catalog.denied.has(tableName)) throw new Denied();
  refuseRelated(catalog, target);
  const leftOut = entryOf(catalog.leftOut, name);
  if (leftOut !== undefined) throw new Refusal(404, `This is not served: ${leftOut}.`);
  const here = shorten(`/${target.segments.join("/")}`);
  throw new Refusal(404, `There is nothing at ${here}. The collections are listed at ${catalog.basePath}/.`);
}

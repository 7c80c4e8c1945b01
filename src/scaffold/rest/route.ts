import type { Catalog } from "./catalog.ts";
import { Refusal } from "./refusal.ts";
import {
  addressMembers,
  keyInPart,
  keyMembers,
  type Member,
  parseRowid,
  type RecordKey,
  type Resource,
} from "./resource.ts";
import { decodePart, parseTarget, type Target } from "./target.ts";
import { resolvePart } from "./value-text.ts";

/** What a URL names: the list of collections, a collection, or a record by its key. */
export type Route =
  | { readonly place: "index" }
  | { readonly place: "collection"; readonly resource: Resource }
  | { readonly place: "record"; readonly resource: Resource; readonly key: RecordKey };

/** A key's parts are parted by commas; where there is one part only, its commas belong to it. */
function parseKey(resource: Resource, text: string): RecordKey | undefined {
  const rowid = resource.named ? parseRowid(text) : undefined;
  if (rowid !== undefined) return valuesOf(keyMembers(resource), [rowid]);
  const members = addressMembers(resource);
  const only = members.length === 1 ? keyInPart(text) : undefined;
  if (members.length === 1 && only === undefined) return undefined;
  const parts = only === undefined ? text.split(",") : [only];
  if (parts.length !== members.length) return undefined;
  return valuesOf(members, parts);
}

function valuesOf(members: readonly Member[], parts: readonly string[]): RecordKey {
  return { members, values: members.map(({ type }, at) => resolvePart(type, decodePart(parts[at] ?? ""))) };
}

/** What a URL names; `undefined` where it names nothing in this catalog. */
export function findRoute(catalog: Catalog, { segments }: Target): Route | undefined {
  const [name = "", keyText, ...rest] = segments;
  if (rest.length > 0) return undefined;
  if (name === "" && keyText === undefined) return { place: "index" };
  const resource = catalog.resources.get(decodePart(name));
  if (!resource) return undefined;
  if (keyText === undefined) return { place: "collection", resource };
  const key = parseKey(resource, keyText);
  return key && { place: "record", resource, key };
}

/** Whether a URL is a collection's or below one. A malformed one counts, so that the service says what is wrong with it. */
export function ownsTarget(catalog: Catalog, target: string): boolean {
  try {
    const [name = ""] = parseTarget(target.split("?")[0] ?? "").segments;
    return catalog.resources.has(decodePart(name));
  } catch {
    return true;
  }
}

/** What a URL names. @throws Refusal 404 where it names nothing */
export function requireRoute(catalog: Catalog, target: Target): Route {
  const route = findRoute(catalog, target);
  if (route) return route;
  const leftOut = catalog.leftOut.get(decodePart(target.segments[0] ?? ""));
  if (leftOut !== undefined) throw new Refusal(404, `This is not served: ${leftOut}.`);
  throw new Refusal(404, `There is nothing at /${target.segments.join("/")}. The collections are listed at /.`);
}

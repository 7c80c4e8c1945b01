import { hash } from "node:crypto";
import type { Representation, Value } from "../../server/index.ts";
import type { Tree } from "../engine/tree.ts";
import { partJson } from "./json-part.ts";
import { type Resource, urlOf } from "./resource.ts";
import type { Field, Selection } from "./selection.ts";

/**
 * A strong entity tag: a digest of the body's bytes.
 *
 * @param beside - what the answer says beside the body, as a link to the next part: another one is another answer
 */
export function etagOf(body: string, beside = ""): string {
  return `"${hash("sha1", beside + body, "base64url").slice(0, 20)}"`;
}

/** How values are written: as everybody reads them, or with numbers of any length. */
export type Writing = "toJson" | "toExactJson";

/** A row as a JSON object. `row` has the values of all members, in their order. */
export function encodeRow(resource: Resource, row: readonly Value[], writing: Writing = "toJson"): string {
  const { urlMember, jsonNames, table } = resource;
  let json = urlMember === undefined ? "" : `"${urlMember}":"${urlOf(resource, row)}"`;
  let at = 0;
  for (const { type } of table.members) {
    json += `${json === "" ? "" : ","}${jsonNames[at]}${type[writing](row[at] ?? null)}`;
    at += 1;
  }
  return `{${json}}`;
}

/** A value that is shown, as JSON. */
export function valueJson(
  { type, path, at }: Extract<Field, { kind: "value" }>,
  row: Tree["row"],
  writing: Writing = "toJson",
): string {
  const value = row[at] ?? null;
  return path ? partJson(type, value, path) : type[writing](value);
}

const nothing: Tree = { row: [], embedded: [] };

/** Fields as they stand in a record, each with the record that it is of: what is spread is of an embedded one. */
export function spreadFields(
  fields: readonly Field[],
  tree: Tree,
): (readonly [field: Exclude<Field, { kind: "spread" }>, tree: Tree])[] {
  return fields.flatMap((field) => {
    if (field.kind !== "spread") return [[field, tree] as const];
    return spreadFields(field.selection.fields, tree.embedded[field.at]?.[0] ?? nothing);
  });
}

function fieldJson(field: Exclude<Field, { kind: "spread" }>, { row, embedded }: Tree, writing: Writing): string {
  if (field.kind === "value") return valueJson(field, row, writing);
  const records = (embedded[field.at] ?? []).map((tree) => encodeTree(field.selection, tree, writing));
  return field.isOne ? (records[0] ?? "null") : `[${records.join(",")}]`;
}

/** What is selected of a record, with what is embedded, as a JSON object. */
export function encodeTree(
  { resource, urlMember, fields }: Selection,
  tree: Tree,
  writing: Writing = "toJson",
): string {
  const parts = urlMember === undefined ? [] : [`"${urlMember}":"${urlOf(resource, tree.row)}"`];
  for (const [field, of] of spreadFields(fields, tree))
    parts.push(`${JSON.stringify(field.name)}:${fieldJson(field, of, writing)}`);
  return `{${parts.join(",")}}`;
}

/** A record in its envelope: `{"artist":{…}}`. @param json - as {@link encodeTree} gives it */
export function encloseRecord({ singular }: Resource, json: string): string {
  return `{${JSON.stringify(singular)}:${json}}`;
}

/** A record as GET answers it, with its entity tag. */
export function representRecord(resource: Resource, row: readonly Value[]): Representation & { etag: string } {
  const body = encloseRecord(resource, encodeRow(resource, row));
  return { contentType: "application/json", body, etag: etagOf(body) };
}

/** A page of a collection: its number, and how many records there are on all pages. */
export interface PageFacts {
  readonly page: number;
  readonly total: number;
}

/** A member beside a collection's records; the collection itself may have its name. */
function besideRecords({ plural }: Resource, name: string, value: number): string {
  return `,"${name === plural ? "_" : ""}${name}":${value}`;
}

/**
 * A collection as GET answers it: `{"artists":[…]}`, and with `,"page":2,"total":57` a page of it.
 *
 * @param records - each as {@link encodeRow} gives it
 */
export function representCollection(resource: Resource, records: readonly string[], facts?: PageFacts): string {
  const list = `${JSON.stringify(resource.plural)}:[${records.join(",")}]`;
  const beside = facts
    ? besideRecords(resource, "page", facts.page) + besideRecords(resource, "total", facts.total)
    : "";
  return `{${list}${beside}}`;
}

import { createHash } from "node:crypto";
import type { Representation, Value } from "../../server/index.ts";
import { type Resource, urlOf } from "./resource.ts";

/**
 * A strong entity tag: a digest of the body's bytes.
 *
 * @param next - where the answer's link to the next part leads, if it has one: another link is another answer
 */
export function etagOf(body: string, next = ""): string {
  return `"${createHash("sha1").update(next).update(body).digest("base64url").slice(0, 20)}"`;
}

/** A row as a JSON object. `row` has the values of all members, in their order. */
export function encodeRow(resource: Resource, row: readonly Value[]): string {
  const { urlMember, jsonNames } = resource;
  const parts = urlMember === undefined ? [] : [`"${urlMember}":"${urlOf(resource, row)}"`];
  resource.table.members.forEach(({ type }, at) => {
    parts.push(jsonNames[at] + type.toJson(row[at] ?? null));
  });
  return `{${parts.join(",")}}`;
}

/** A record as GET answers it: `{"artist":{…}}`, with its entity tag. */
export function representRecord(resource: Resource, row: readonly Value[]): Representation & { etag: string } {
  const body = `{${JSON.stringify(resource.singular)}:${encodeRow(resource, row)}}`;
  return { contentType: "application/json", body, etag: etagOf(body) };
}

/** A collection as GET answers it: `{"artists":[…]}`. @param records - each as {@link encodeRow} gives it */
export function representCollection(resource: Resource, records: readonly string[]): string {
  return `{${JSON.stringify(resource.plural)}:[${records.join(",")}]}`;
}

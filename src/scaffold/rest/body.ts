import type { Body } from "../../protocol/index.ts";
import { isJsonObject, mergePatch } from "../json/json.ts";
import { NestingError, parseJson } from "../json/json-reader.ts";
import { maxNesting } from "../json/nesting.ts";
import type { SqlValue } from "../sqlite/schema.ts";
import { isSameKey } from "./key-part.ts";
import { FieldErrors, Refusal } from "./refusal.ts";
import { type Member, type RecordKey, type Resource, urlOf } from "./resource.ts";
import { type DecodedValue, decodeJsonValue, readStoredJson } from "./value-json.ts";
import { resolveText } from "./value-text.ts";

/** The members of a body's JSON object, as sent. */
export type BodyMembers = readonly (readonly [name: string, json: unknown])[];

function decodeText(body: Body): string {
  if (typeof body === "string") return body;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw new Refusal(400, "The body is not UTF-8.");
  }
}

/**
 * Parses a body.
 *
 * @throws Refusal 400 where it is not JSON, 422 where it is no object or nested too deeply
 */
export function parseBody(body: Body): object {
  const text = decodeText(body);
  let json: unknown;
  try {
    // Whoever walks through it later, to write or merge it, has only so much of a stack.
    json = parseJson(text, maxNesting);
  } catch (error) {
    if (error instanceof NestingError) {
      throw new Refusal(422, `The body may be nested ${maxNesting} levels deep at most.`);
    }
    throw new Refusal(400, text.trim() === "" ? "The body is empty; JSON was expected." : "The body is not JSON.");
  }
  if (isJsonObject(json)) return json;
  throw new Refusal(422, "The body must be a JSON object.");
}

/** The record's members, out of their envelope if they are in one. */
export function unwrap(resource: Resource, json: object): BodyMembers {
  const members = Object.entries(json);
  const [only] = members;
  const isEnvelope = members.length === 1 && only?.[0] === resource.singular && isJsonObject(only[1]);
  return isEnvelope ? Object.entries(only[1]) : members;
}

/** A JSON value as a key compares it. */
function asKey({ type }: Member, value: SqlValue): SqlValue {
  return typeof value === "string" ? resolveText(type, value) : value;
}

function keyTrouble(member: Member, value: SqlValue, wanted: SqlValue): string | undefined {
  if (isSameKey(value, wanted) || isSameKey(asKey(member, value), wanted)) return undefined;
  return "The key is given by the URL and can't be changed.";
}

/** The record that a body is for, as far as its URL tells. */
export interface Addressed {
  /** The key that the URL gives. */
  readonly key: RecordKey;
  /** The row that is there; `undefined` where there is none. */
  readonly row: readonly SqlValue[] | undefined;
  /** Whether the body is a merge patch: it goes into the values of JSON columns too. */
  readonly isPatch?: boolean;
}

function decodeMember({ type }: Member, json: unknown, at: number, addressed: Addressed | undefined): DecodedValue {
  const value = addressed?.row?.[at];
  if (value === undefined) return decodeJsonValue(type, json);
  if (type.kind !== "json") return decodeJsonValue(type, json, { value, json: undefined });
  const stored = { value, json: readStoredJson(type, value) };
  return decodeJsonValue(type, addressed?.isPatch ? mergePatch(stored.json, json) : json, stored);
}

/**
 * What a body's members store. Generated columns and the record's URL are left out; the key's members too, where the URL gives it.
 *
 * @param addressed - the record that the URL names, if it names one
 * @throws Refusal 422 listing the members that can't be stored
 */
export function decodeMembers(resource: Resource, members: BodyMembers, addressed?: Addressed): Map<Member, SqlValue> {
  const key = addressed?.key;
  const values = new Map<Member, SqlValue>();
  const errors = new FieldErrors();
  const byName = new Map(resource.members.map((member) => [member.name, member]));
  for (const [name, json] of members) {
    const member = byName.get(name);
    if (!member) {
      const detail = unknownTrouble(resource, name, json, addressed);
      if (detail !== undefined) errors.add(name, detail);
      continue;
    }
    if (member.generated) continue;
    const decoded = decodeMember(member, json, resource.members.indexOf(member), addressed);
    const at = key?.members.indexOf(member) ?? -1;
    const isGiven = at >= 0;
    const detail =
      "detail" in decoded ? decoded.detail : isGiven && keyTrouble(member, decoded.value, key?.values[at] ?? null);
    if (detail) errors.add(name, detail);
    else if (!isGiven && "value" in decoded) values.set(member, decoded.value);
  }
  errors.refuse();
  return values;
}

/** The URL that a record has, or would have. */
function urlAt(resource: Resource, { key, row }: Addressed): string {
  if (row) return urlOf(resource, row);
  const values = new Map(key.members.map((member, at) => [member, key.values[at] ?? null]));
  return urlOf(
    resource,
    resource.members.map((member) => values.get(member) ?? null),
  );
}

/** A record's own URL names the record that the body came from: on a record's own URL it must be that, on POST it is nothing. */
function unknownTrouble(
  resource: Resource,
  name: string,
  json: unknown,
  addressed: Addressed | undefined,
): string | undefined {
  if (name !== resource.urlMember) {
    const alike = resource.members.find((member) => member.name.toLowerCase() === name.toLowerCase());
    return `There is no such column${alike ? `; there is ${JSON.stringify(alike.name)}` : ""}.`;
  }
  return addressed === undefined || json === urlAt(resource, addressed) ? undefined : "This is not the record's URL.";
}

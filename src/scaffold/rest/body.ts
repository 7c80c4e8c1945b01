import type { Body } from "../../protocol/index.ts";
import type { Value } from "../../server/index.ts";
import type { Row } from "../engine/snapshot.ts";
import type { Member, RecordKey } from "../engine/table.ts";
import type { Decoded, Stored } from "../engine/value-type.ts";
import { isJsonObject, mergePatch } from "../json/json.ts";
import { NestingError, parseJson } from "../json/json-reader.ts";
import { maxNesting } from "../json/nesting.ts";
import { decodeText } from "./body-text.ts";
import { decodeFormText, FormText, unwrapForm } from "./form.ts";
import { FieldErrors, Refusal } from "./refusal.ts";
import { type Resource, urlOf } from "./resource.ts";

/** The members of a body's JSON object, as sent. */
export type BodyMembers = readonly (readonly [name: string, json: unknown])[];

/** A value stands in a record, and that in its envelope. */
const maxBodyNesting = maxNesting + 2;

/** What a body may be: a JSON object, a list, or either. */
export type BodyShape = "object" | "list" | "either";

const shapes: Readonly<Record<BodyShape, string>> = {
  object: "a JSON object",
  list: "a JSON list",
  either: "a JSON object, or a list of them",
};

/** Checks what a body is. @throws Refusal 422 */
export function requireShape(json: unknown, shape: BodyShape): object {
  if (shape !== "list" && isJsonObject(json)) return json;
  if (shape !== "object" && Array.isArray(json)) return json;
  throw new Refusal(422, `The body must be ${shapes[shape]}.`);
}

/**
 * Parses a body.
 *
 * @param around - how deep records stand in it
 * @throws Refusal 400 where it is not JSON, 422 where it is of another shape or nested too deeply
 */
export function parseBody(body: Body, shape: BodyShape = "object", around = 0): object {
  const text = decodeText(body);
  const most = maxBodyNesting + around;
  let json: unknown;
  try {
    // Whoever walks through it later, to write or merge it, has only so much of a stack.
    json = parseJson(text, most);
  } catch (error) {
    if (error instanceof NestingError) throw new Refusal(422, `The body may be nested ${most} levels deep at most.`);
    throw new Refusal(400, text.trim() === "" ? "The body is empty; JSON was expected." : "The body is not JSON.");
  }
  return requireShape(json, shape);
}

/** The list of records that a body has, by itself or in a collection's envelope; `undefined` where it has one record. */
export function listIn({ plural, table }: Resource, json: object): readonly unknown[] | undefined {
  if (Array.isArray(json)) return json;
  const [only, ...more] = Object.entries(json);
  const isColumn = table.members.some(({ name }) => name === plural);
  return !isColumn && more.length === 0 && only?.[0] === plural && Array.isArray(only[1]) ? only[1] : undefined;
}

function isRecord(json: unknown): json is Readonly<Record<string, unknown>> {
  return isJsonObject(json) && !(json instanceof FormText);
}

/** The record's members, out of their envelope if they are in one. */
export function unwrap(resource: Resource, json: object): BodyMembers {
  const members = Object.entries(json);
  const [only] = members;
  const isEnvelope = members.length === 1 && only?.[0] === resource.singular && isRecord(only[1]);
  return isEnvelope ? Object.entries(only[1]) : unwrapForm(members, resource.singular);
}

/** The members of a body that count. @param columns - their names; `undefined`: all do */
export function pickMembers(members: BodyMembers, columns: ReadonlySet<string> | undefined): BodyMembers {
  return columns ? members.filter(([name]) => columns.has(name)) : members;
}

function isSameKey({ type }: Member, value: Value, wanted: Value): boolean {
  if (type.isSame(value, wanted)) return true;
  // As the URL means it.
  const decoded: Decoded = typeof value === "string" ? type.fromText(value) : { value };
  return "value" in decoded && type.isSame(decoded.value, wanted);
}

function keyTrouble(member: Member, value: Value, wanted: Value): string | undefined {
  return isSameKey(member, value, wanted) ? undefined : "The key is given by the URL and can't be changed.";
}

/** The record that a body is for, as far as its URL tells. */
export interface Addressed {
  /** The key that the URL gives. */
  readonly key: RecordKey;
  /** The row that is there; `undefined` where there is none. */
  readonly row: Row | undefined;
  /** Whether the body is a merge patch: it goes into the values of JSON columns too. */
  readonly isPatch?: boolean;
}

function storedOf(type: Member["type"], value: Value): Stored {
  return { value, json: type.holdsJson ? type.readJson(value) : undefined };
}

function decodeMember({ type }: Member, json: unknown, at: number, addressed: Addressed | undefined): Decoded {
  const value = addressed?.row?.[at];
  if (json instanceof FormText)
    return decodeFormText(type, json, value === undefined ? undefined : storedOf(type, value));
  if (value === undefined) return type.fromJson(json);
  const stored = storedOf(type, value);
  return type.fromJson(type.holdsJson && addressed?.isPatch ? mergePatch(stored.json, json) : json, stored);
}

/**
 * What a body's members store. Generated columns and the record's URL are left out; the key's members too, where the URL gives it.
 *
 * @param addressed - the record that the URL names, if it names one
 * @throws Refusal 422 listing the members that can't be stored
 */
export function decodeMembers(resource: Resource, members: BodyMembers, addressed?: Addressed): Map<Member, Value> {
  const key = addressed?.key;
  const values = new Map<Member, Value>();
  const errors = new FieldErrors();
  const all = resource.table.members;
  const byName = new Map([...all, ...(resource.table.unread ?? [])].map((member) => [member.name, member]));
  for (const [name, json] of members) {
    const member = byName.get(name);
    if (!member) {
      const detail = unknownTrouble(resource, name, json, addressed);
      if (detail !== undefined) errors.add(name, detail);
      continue;
    }
    if (member.generated) continue;
    const decoded = decodeMember(member, json, all.indexOf(member), addressed);
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
    resource.table.members.map((member) => values.get(member) ?? null),
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
    const alike = resource.table.members.find((member) => member.name.toLowerCase() === name.toLowerCase());
    return `There is no such column${alike ? `; there is ${JSON.stringify(alike.name)}` : ""}.`;
  }
  const url = json instanceof FormText ? json.text : json;
  return addressed === undefined || url === urlAt(resource, addressed) ? undefined : "This is not the record's URL.";
}

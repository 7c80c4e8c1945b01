import type { Value } from "../../server/index.ts";
import type { Row, Values } from "../engine/snapshot.ts";
import type { Member, RecordKey } from "../engine/table.ts";
import { isJsonObject } from "../json/json.ts";
import { applyJsonPatch, MalformedPatch, type PatchOperation, parseJsonPatch, UnfitPatch } from "../json/json-patch.ts";
import { parseJson } from "../json/json-reader.ts";
import { type BodyMembers, decodeMembers, pickMembers, unwrap } from "./body.ts";
import { Refusal } from "./refusal.ts";
import { encodeRow } from "./representation.ts";
import type { Resource } from "./resource.ts";
import type { WriteRequest } from "./write-request.ts";

/** A record that a patch is for. */
export interface Patched {
  readonly key: RecordKey;
  readonly row: Row;
}

function readPatch(json: object): PatchOperation[] {
  try {
    return parseJsonPatch(json as readonly unknown[]);
  } catch (error) {
    if (error instanceof MalformedPatch) throw new Refusal(400, `The body is no JSON Patch. ${error.message}`);
    throw error;
  }
}

/** A path without the record's envelope, which may stand before it: no column for JSON is named as that. */
function withoutEnvelope({ singular, table }: Resource, path: readonly string[]): readonly string[] {
  if (path[0] !== singular) return path;
  const isColumn = path.length === 1 && table.members.some(({ name }) => name === singular);
  return isColumn ? path : path.slice(1);
}

/** An operation on a record that has no envelope. */
function onRecord(resource: Resource, operation: PatchOperation): PatchOperation {
  const path = withoutEnvelope(resource, operation.path);
  return "from" in operation
    ? { ...operation, path, from: withoutEnvelope(resource, operation.from) }
    : { ...operation, path };
}

/** The members of a record that operations may have changed; `undefined`: all of them. */
function touchedBy(operations: readonly PatchOperation[]): ReadonlySet<string> | undefined {
  const touched = new Set<string>();
  for (const operation of operations) {
    if (operation.op === "test") continue;
    const [name] = operation.path;
    if (name === undefined) return undefined;
    touched.add(name);
    if (operation.op === "move" && operation.from[0] !== undefined) touched.add(operation.from[0]);
  }
  return touched;
}

/** What a JSON Patch gives a record. What it removes is null. */
function patchMembers(resource: Resource, json: object, row: Row): BodyMembers {
  const operations = readPatch(json).map((operation) => onRecord(resource, operation));
  const record = parseJson(encodeRow(resource, row)) as Readonly<Record<string, unknown>>;
  const names = Object.keys(record);
  let patched: unknown;
  try {
    patched = applyJsonPatch(record, operations);
  } catch (error) {
    // RFC 5789 §2.2: the record is not in the state that the patch is for.
    if (error instanceof UnfitPatch) throw new Refusal(409, `The JSON Patch does not fit. ${error.message}`);
    throw error;
  }
  if (!isJsonObject(patched)) throw new Refusal(422, "The JSON Patch leaves no JSON object.");
  const touched = touchedBy(operations);
  const now = new Map(Object.entries(patched));
  return [...new Set([...names, ...now.keys()])]
    .filter((name) => touched?.has(name) ?? true)
    .map((name) => [name, now.get(name) ?? null]);
}

/** Whether a body is a JSON Patch (RFC 6902). */
export function isJsonPatch(contentType: string | undefined): boolean {
  return contentType?.split(";")[0]?.trim().toLowerCase() === "application/json-patch+json";
}

/**
 * The values that a PATCH gives a record: those of the members that the body has (RFC 7396), or those that its operations
 * change (RFC 6902).
 *
 * @throws Refusal
 */
export function decodePatch(resource: Resource, { json, columns }: WriteRequest, patched: Patched): Map<Member, Value> {
  const isJsonPatch = Array.isArray(json);
  const members = isJsonPatch ? patchMembers(resource, json, patched.row) : unwrap(resource, json);
  return decodeMembers(resource, pickMembers(members, columns), isJsonPatch ? patched : { ...patched, isPatch: true });
}

/**
 * As {@link decodePatch}, whatever the record has; `undefined` where it has to be known, or what is wrong with the patch is to
 * be said of a record that is there.
 */
export function decodeUnread(resource: Resource, { json, columns }: WriteRequest, key: RecordKey): Values | undefined {
  if (Array.isArray(json)) return undefined;
  try {
    const values = decodeMembers(resource, pickMembers(unwrap(resource, json), columns), { key, row: undefined });
    return [...values.keys()].some(({ type }) => type.holdsJson) ? undefined : values;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

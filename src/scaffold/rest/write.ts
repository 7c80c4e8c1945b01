import type { Field } from "../../protocol/index.ts";
import type { OriginRequest, OriginResponse } from "../../server/index.ts";
import { isBrokenText, mayBeBroken, textOfBytes } from "../sqlite/broken-text.ts";
import type { SqlValue } from "../sqlite/schema.ts";
import { decodeMembers, unwrap } from "./body.ts";
import { withBrokenKeys } from "./broken-keys.ts";
import { isConditional, requireConditions } from "./conditions.ts";
import type { PageLimits } from "./live.ts";
import { collectionEtag, findRecord, findRow, noRecord } from "./read.ts";
import { FieldErrors, Refusal } from "./refusal.ts";
import { representRecord } from "./representation.ts";
import { keyMembers, type Member, type RecordKey, type Resource, urlOf } from "./resource.ts";
import type { Snapshot } from "./snapshot.ts";
import { deleteRecord, exactKey, insertRecord, type Sql, selectBytes, updateRecord, type Values } from "./sql.ts";

const notWhole = "What is stored has a text that is not UTF-8, which a merge would lose; PUT replaces all of it.";

/** A write to a collection or record, its body parsed. */
export interface WriteRequest {
  readonly request: OriginRequest;
  /** The body's JSON object; empty for a DELETE. */
  readonly json: object;
  /** Whether PUT may create. */
  readonly canCreate: boolean;
  /** Where a collection's answer ends: conditions on it compare that. */
  readonly limits: PageLimits;
}

function run({ connection }: Snapshot, { text, values }: Sql): number {
  return connection.prepare(text).run(...values);
}

/** The record as it stands now, after triggers; a 204 where a trigger has taken it away. */
function answerRecord(snapshot: Snapshot, resource: Resource, key: RecordKey, status: 200 | 201): OriginResponse {
  const row = findRow(snapshot, resource, key);
  if (!row) return { status: 204, fields: [], body: "" };
  const { contentType, body, etag } = representRecord(resource, row);
  const url = urlOf(resource, row);
  const location: Field[] = status === 201 ? [["Location", url]] : [];
  return {
    status,
    fields: [["Content-Type", contentType], ...location, ["Content-Location", url], ["ETag", etag]],
    body,
  };
}

/** Runs a statement; where it breaks a foreign key, the refusal names the columns. @param before - the record before */
function runWithKeys<Result>(
  { connection }: Snapshot,
  { table, members }: Resource,
  values: Values,
  before: () => readonly SqlValue[] | undefined,
  statement: () => Result,
): Result {
  try {
    return statement();
  } catch (error) {
    const row = before();
    throw withBrokenKeys(error, connection, table, (column) => {
      const at = members.findIndex(({ name }) => name === column);
      const member = members[at];
      return member && values.has(member) ? values.get(member) : row?.[at];
    });
  }
}

function insert(snapshot: Snapshot, resource: Resource, values: Values): OriginResponse {
  const { text, values: bound } = insertRecord(resource, values);
  const statement = () => snapshot.connection.prepare(text).all(...bound);
  const [identity] = runWithKeys(snapshot, resource, values, () => undefined, statement);
  if (!identity) throw new Refusal(409, "The database ignored the record; there may be one like it.");
  return answerRecord(snapshot, resource, { members: keyMembers(resource), values: exactKey(resource, identity) }, 201);
}

/** Answers a POST: creates a record. @throws Refusal */
export function createRecord(snapshot: Snapshot, resource: Resource, write: WriteRequest): OriginResponse {
  const values = decodeMembers(resource, unwrap(resource, write.json));
  const { fields } = write.request;
  if (isConditional(fields)) requireConditions(fields, collectionEtag(snapshot, resource, write.limits));
  return insert(snapshot, resource, values);
}

function requireRowConditions(
  fields: readonly Field[],
  resource: Resource,
  row: readonly SqlValue[] | undefined,
): void {
  if (isConditional(fields)) requireConditions(fields, row && representRecord(resource, row).etag);
}

/** Answers a PUT: replaces the record, or creates it. @throws Refusal */
export function putRecord(snapshot: Snapshot, resource: Resource, key: RecordKey, write: WriteRequest): OriginResponse {
  const row = findRecord(snapshot, resource, key);
  if (!row && !write.canCreate) throw noRecord();
  if (!row && key.values.some(isBrokenText)) throw new Refusal(422, "No text is made here that is not UTF-8.");
  const values = decodeMembers(resource, unwrap(resource, write.json), { key, row });
  requireRowConditions(write.request.fields, resource, row);
  if (!row) {
    const withKey = new Map<Member, SqlValue>(key.members.map((member, at) => [member, key.values[at] ?? null]));
    for (const [member, value] of values) withKey.set(member, value);
    return insert(snapshot, resource, withKey);
  }
  const missing = resource.members.filter((member) => !member.generated && !member.inKey && !values.has(member));
  return change(snapshot, resource, key, differing(resource, row, values), missing);
}

/**
 * What a row does not have already. What stays is not written: it may be a text that is not UTF-8, of which less is shown
 * than there is, or a foreign key that named nothing before.
 */
function differing({ members }: Resource, row: readonly SqlValue[], values: Values): Values {
  return new Map([...values].filter(([member, value]) => !Object.is(value, row[members.indexOf(member)])));
}

function change(
  snapshot: Snapshot,
  resource: Resource,
  key: RecordKey,
  values: Values,
  defaulted: readonly Member[] = [],
): OriginResponse {
  const isChange = values.size > 0 || defaulted.length > 0;
  const update = () => run(snapshot, updateRecord(resource, key, values, defaulted));
  const before = () => findRow(snapshot, resource, key);
  if (isChange && runWithKeys(snapshot, resource, values, before, update) === 0) {
    throw new Refusal(409, "The database ignored the change.");
  }
  return answerRecord(snapshot, resource, key, 200);
}

/**
 * A merge keeps members of what is stored: as they are shown, and a text that is not UTF-8 is not shown as it is.
 *
 * @throws Refusal 422 where such a one would be written as it is shown
 */
function requireWholeJson(
  snapshot: Snapshot,
  resource: Resource,
  key: RecordKey,
  row: readonly SqlValue[],
  values: Values,
): void {
  const errors = new FieldErrors();
  for (const [member, value] of values) {
    const stored = row[resource.members.indexOf(member)];
    // What the patch itself brings may have such a sign, but not where what is stored has none.
    if (member.type.kind !== "json" || value === stored || !mayBeBroken(stored) || !mayBeBroken(value)) continue;
    const { text, values: bound } = selectBytes(resource, key, member);
    const bytes = snapshot.connection.prepare(text).all(...bound)[0]?.[0];
    if (bytes instanceof Uint8Array && isBrokenText(textOfBytes(bytes))) errors.add(member.name, notWhole);
  }
  errors.refuse();
}

/** Answers a PATCH: changes the members that the body has (RFC 7396). @throws Refusal */
export function patchRecord(
  snapshot: Snapshot,
  resource: Resource,
  key: RecordKey,
  write: WriteRequest,
): OriginResponse {
  const row = findRecord(snapshot, resource, key);
  if (!row) throw noRecord();
  const values = decodeMembers(resource, unwrap(resource, write.json), { key, row, isPatch: true });
  requireRowConditions(write.request.fields, resource, row);
  requireWholeJson(snapshot, resource, key, row, values);
  return change(snapshot, resource, key, differing(resource, row, values));
}

/** Answers a DELETE. @throws Refusal */
export function destroyRecord(
  snapshot: Snapshot,
  resource: Resource,
  key: RecordKey,
  write: WriteRequest,
): OriginResponse {
  const row = findRecord(snapshot, resource, key);
  if (!row) throw noRecord();
  requireRowConditions(write.request.fields, resource, row);
  if (run(snapshot, deleteRecord(resource, key)) === 0) throw new Refusal(409, "The database kept the record.");
  return { status: 204, fields: [], body: "" };
}

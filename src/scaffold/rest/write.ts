import type { Field } from "../../protocol/index.ts";
import type { OriginRequest, OriginResponse, Value } from "../../server/index.ts";
import { BrokenRule } from "../engine/broken-rule.ts";
import { Denied } from "../engine/denied.ts";
import type { RecordFilter } from "../engine/query.ts";
import type { RecordChange, Row, Transaction, Values } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import { hasKey, type Member, type RecordKey } from "../engine/table.ts";
import { isJsonObject } from "../json/json.ts";
import { decodeMembers, listIn, unwrap } from "./body.ts";
import { isConditional, requireConditions } from "./conditions.ts";
import { refusalOf } from "./failure.ts";
import { findRecord, noRecord } from "./find-record.ts";
import { jsonFormat } from "./formats.ts";
import type { PageLimits } from "./live.ts";
import { preferredReturn } from "./preferences.ts";
import { collectionEtag } from "./read.ts";
import { FieldErrors, Refusal } from "./refusal.ts";
import { type Related, relatedFilter, valuesOf } from "./related.ts";
import { representRecord } from "./representation.ts";
import { type Resource, urlOf } from "./resource.ts";

/** The record that a URL names, which will be changed. */
function findToUpdate(transaction: Transaction, resource: Resource, key: RecordKey): Steps<Row | undefined> {
  return findRecord(resource, key, (...named) => transaction.findToUpdate(...named));
}

/** A write to a collection or record, its body parsed. */
export interface WriteRequest {
  readonly request: OriginRequest;
  /** The body's JSON object, or a list for a POST; empty for a DELETE. */
  readonly json: object;
  /** Whether PUT may create. */
  readonly canCreate: boolean;
  /** What the URL says of each new record; absent where that is nothing. */
  readonly within?: RecordFilter;
  /** Where a collection's answer ends: conditions on it compare that. */
  readonly limits: PageLimits;
}

/** The record as it stands now, after triggers; a 204 where a trigger has taken it away. */
function* answerRecord(
  transaction: Transaction,
  resource: Resource,
  key: RecordKey,
  status: 200 | 201,
): Steps<OriginResponse> {
  const row = yield* transaction.find(resource.table, key);
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

/** What a new record is made of. @throws Refusal 422 where the body says something else than the URL */
function newValues(resource: Resource, json: object, { within }: Pick<WriteRequest, "within">): Values {
  const values = decodeMembers(resource, unwrap(resource, json));
  const errors = new FieldErrors();
  for (const [member, value] of within ? valuesOf(within) : []) {
    const own = values.get(member);
    if (own !== undefined && !member.type.isSame(own, value)) errors.add(member.name, "The URL gives another value.");
    values.set(member, value);
  }
  errors.refuse();
  return values;
}

function ignored(): Refusal {
  return new Refusal(409, "The database ignored the record; there may be one like it.");
}

function* insert(transaction: Transaction, resource: Resource, values: Values): Steps<OriginResponse> {
  const key = yield* transaction.insert(resource.table, values);
  if (!key) throw ignored();
  // A row that has no URL can't be read back.
  if (!hasKey(resource.table)) return { status: 201, fields: [], body: "" };
  return yield* answerRecord(transaction, resource, key, 201);
}

/** Makes one record of a list. @throws Refusal that says which one it is about; what else the database throws */
function* insertOne(
  transaction: Transaction,
  resource: Resource,
  json: unknown,
  { at, write }: { readonly at: number; readonly write: WriteRequest },
): Steps<RecordKey | undefined> {
  try {
    if (!isJsonObject(json)) throw new Refusal(422, "It must be a JSON object.");
    const key = yield* transaction.insert(resource.table, newValues(resource, json, write));
    if (!key) throw ignored();
    return key;
  } catch (error) {
    if (error instanceof Refusal) throw error.ofRecord(at);
    throw error instanceof BrokenRule ? refusalOf(error).ofRecord(at) : error;
  }
}

/** Makes the records of a list, all or none, and shows them as they are then. */
function* insertAll(
  transaction: Transaction,
  resource: Resource,
  list: readonly unknown[],
  write: WriteRequest,
): Steps<OriginResponse> {
  const { maxRows } = write.limits;
  if (list.length > maxRows) throw new Refusal(422, `A list may have ${maxRows} records at most.`);
  const keys: RecordKey[] = [];
  for (const [at, json] of list.entries()) {
    const key = yield* insertOne(transaction, resource, json, { at, write });
    if (key) keys.push(key);
  }
  if (!hasKey(resource.table)) return { status: 201, fields: [], body: "" };
  const records: string[] = [];
  for (const key of keys) {
    const row = yield* transaction.find(resource.table, key);
    if (row) records.push(jsonFormat.encodeRecord(resource, row));
  }
  const fields: Field[] = [
    ["Content-Type", jsonFormat.contentType],
    ["Items", resource.items],
  ];
  return { status: 201, fields, body: jsonFormat.join(resource, records, undefined) };
}

/** Answers a POST: creates a record, or several. @throws Refusal */
export function* createRecord(
  transaction: Transaction,
  resource: Resource,
  write: WriteRequest,
): Steps<OriginResponse> {
  const { fields } = write.request;
  const list = listIn(resource, write.json);
  const values = list ? undefined : newValues(resource, write.json, write);
  if (isConditional(fields)) requireConditions(fields, yield* collectionEtag(transaction, resource, write));
  if (list) return yield* insertAll(transaction, resource, list, write);
  return yield* insert(transaction, resource, values ?? new Map());
}

/** Answers a POST to the records that belong to one: creates one that does, or several. @throws Refusal */
export function* createRelated(transaction: Transaction, related: Related, write: WriteRequest): Steps<OriginResponse> {
  const within = yield* relatedFilter(transaction, related);
  if ([...valuesOf(within).values()].includes(null))
    throw new Refusal(409, "No record can name this one: it has no value for that.");
  return yield* createRecord(transaction, related.resource, { ...write, within });
}

/** Answers a POST of who may add records and not read them: they are told nothing more. @throws Refusal; Denied */
export function* createUnseen(
  transaction: Transaction,
  resource: Resource,
  write: WriteRequest,
): Steps<OriginResponse> {
  const { json, request } = write;
  if (isConditional(request.fields)) throw new Denied();
  const list = listIn(resource, json);
  if (list) return yield* insertAll(transaction, resource, list, write);
  const values = decodeMembers(resource, unwrap(resource, json));
  if (!(yield* transaction.insert(resource.table, values))) throw ignored();
  return { status: 201, fields: [], body: "" };
}

function requireRowConditions(fields: readonly Field[], resource: Resource, row: Row | undefined): void {
  if (isConditional(fields)) requireConditions(fields, row && representRecord(resource, row).etag);
}

/** Answers a PUT: replaces the record, or creates it. @throws Refusal */
export function* putRecord(
  transaction: Transaction,
  resource: Resource,
  key: RecordKey,
  write: WriteRequest,
): Steps<OriginResponse> {
  const row = yield* findToUpdate(transaction, resource, key);
  if (!row && !write.canCreate) throw noRecord();
  const values = decodeMembers(resource, unwrap(resource, write.json), { key, row });
  requireRowConditions(write.request.fields, resource, row);
  if (!row) {
    const withKey = new Map<Member, Value>(key.members.map((member, at) => [member, key.values[at] ?? null]));
    for (const [member, value] of values) withKey.set(member, value);
    return yield* insert(transaction, resource, withKey);
  }
  const { members } = resource.table;
  const defaulted = members.filter((member) => !member.generated && !member.inKey && !values.has(member));
  return yield* change(transaction, resource, key, { values: differing(resource, row, values), defaulted });
}

/**
 * What a row does not have already. What stays is not written: less of it may be shown than there is, or it may be a
 * foreign key that named nothing before.
 */
function differing({ table: { members } }: Resource, row: Row, values: Values): Values {
  return new Map([...values].filter(([member, value]) => !Object.is(value, row[members.indexOf(member)])));
}

function* change(
  transaction: Transaction,
  resource: Resource,
  key: RecordKey,
  wanted: RecordChange,
): Steps<OriginResponse> {
  const isChange = wanted.values.size > 0 || (wanted.defaulted ?? []).length > 0;
  if (isChange && !(yield* transaction.update(resource.table, key, wanted))) {
    throw new Refusal(409, "The database ignored the change.");
  }
  return yield* answerRecord(transaction, resource, key, 200);
}

/** Answers a PATCH: changes the members that the body has (RFC 7396). @throws Refusal */
export function* patchRecord(
  transaction: Transaction,
  resource: Resource,
  key: RecordKey,
  write: WriteRequest,
): Steps<OriginResponse> {
  const row = yield* findToUpdate(transaction, resource, key);
  if (!row) throw noRecord();
  const values = decodeMembers(resource, unwrap(resource, write.json), { key, row, isPatch: true });
  requireRowConditions(write.request.fields, resource, row);
  return yield* change(transaction, resource, key, { values: differing(resource, row, values), isMerge: true });
}

/** Answers a DELETE. @throws Refusal */
export function* destroyRecord(
  transaction: Transaction,
  resource: Resource,
  key: RecordKey,
  write: WriteRequest,
): Steps<OriginResponse> {
  const row = yield* findRecord(resource, key, (...named) => transaction.find(...named));
  if (!row) throw noRecord();
  requireRowConditions(write.request.fields, resource, row);
  if (!(yield* transaction.remove(resource.table, key))) throw new Refusal(409, "The database kept the record.");
  if (preferredReturn(write.request.fields) !== "representation") return { status: 204, fields: [], body: "" };
  // As it was: it has no URL any more.
  const { contentType, body } = representRecord(resource, row);
  return { status: 200, fields: [["Content-Type", contentType]], body };
}

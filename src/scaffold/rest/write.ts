import type { OriginResponse, Value } from "../../server/index.ts";
import type { Row, Transaction } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import { type Member, type RecordKey, tableWrites } from "../engine/table.ts";
import { answerRecord, answerShown } from "./answer-record.ts";
import { decodeMembers, unwrap } from "./body.ts";
import { changeRow, ignored } from "./change.ts";
import { isConditional, requireConditions } from "./conditions.ts";
import { findRecord, noRecord } from "./find-record.ts";
import { notSingle, representAs } from "./formats.ts";
import { dependsOnTime, modifiedAt, requireUnmodified } from "./modified.ts";
import { decodePatch, decodeUnread } from "./patch.ts";
import { showsWritten } from "./preferences.ts";
import { Refusal } from "./refusal.ts";
import type { Resource } from "./resource.ts";
import { showRow } from "./shown-record.ts";
import type { WriteRequest } from "./write-request.ts";

/** The record that a URL names, which will be changed. */
function findToUpdate(transaction: Transaction, resource: Resource, key: RecordKey): Steps<Row | undefined> {
  return findRecord(resource, key, (...named) => transaction.findToUpdate(...named));
}

/** Checks conditions against what a GET of the same URL answers. @throws Refusal 412 */
function* requireRowConditions(
  transaction: Transaction,
  resource: Resource,
  row: Row | undefined,
  { request: { fields }, selected, format }: WriteRequest,
): Steps<void> {
  if (isConditional(fields)) {
    const json = row && (yield* showRow(transaction, resource, row, { selected, format }));
    requireConditions(fields, json === undefined ? undefined : representAs(format, resource, json).etag);
  }
  if (row) requireUnmodified(fields, modifiedAt(resource, row));
}

/** Answers a PUT: replaces the record, or creates it. @throws Refusal */
export function* putRecord(
  transaction: Transaction,
  resource: Resource,
  key: RecordKey,
  write: WriteRequest,
): Steps<OriginResponse> {
  const row = yield* findToUpdate(transaction, resource, key);
  const canCreate = write.canCreate && (resource.table.writes ?? tableWrites).includes("create");
  if (!row && !canCreate) throw noRecord();
  const values = decodeMembers(resource, unwrap(resource, write.json), { key, row });
  yield* requireRowConditions(transaction, resource, row, write);
  if (!row) {
    const withKey = new Map<Member, Value>(key.members.map((member, at) => [member, key.values[at] ?? null]));
    for (const [member, value] of values) withKey.set(member, value);
    const made = yield* transaction.insert(resource.table, withKey);
    if (!made) throw ignored();
    return yield* answerRecord(transaction, resource, { key: made, status: 201 }, write);
  }
  const { members } = resource.table;
  const defaulted = members.filter((member) => !member.generated && !member.inKey && !values.has(member));
  yield* changeRow(transaction, resource, { key, row, values, defaulted });
  return yield* answerRecord(transaction, resource, { key, status: 200 }, write);
}

/** The record, changed without being read before; no steps where it has to be read. */
function patchUnread(
  transaction: Transaction,
  resource: Resource,
  key: RecordKey,
  write: WriteRequest,
): Steps<Row | undefined> | undefined {
  const { fields } = write.request;
  if (!transaction.updateUnread || write.selected || isConditional(fields) || dependsOnTime(fields)) return undefined;
  const values = decodeUnread(resource, write, key);
  return values && transaction.updateUnread(resource.table, key, values);
}

/** Answers a PATCH: changes the members that the body has (RFC 7396). @throws Refusal */
export function* patchRecord(
  transaction: Transaction,
  resource: Resource,
  key: RecordKey,
  write: WriteRequest,
): Steps<OriginResponse> {
  const changing = patchUnread(transaction, resource, key, write);
  if (changing) {
    const changed = yield* changing;
    if (!changed) throw noRecord();
    return answerShown(
      resource,
      { row: changed, json: write.format.encodeRecord(resource, changed), status: 200 },
      write,
    );
  }
  const row = yield* findToUpdate(transaction, resource, key);
  if (!row) throw noRecord();
  const values = decodePatch(resource, write, { key, row });
  yield* requireRowConditions(transaction, resource, row, write);
  yield* changeRow(transaction, resource, { key, row, values, isMerge: true });
  return yield* answerRecord(transaction, resource, { key, status: 200 }, write);
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
  yield* requireRowConditions(transaction, resource, row, write);
  const { method, fields } = write.request;
  // As it was, with what it had: it has no URL any more.
  const isShown = showsWritten(method, fields);
  const json = isShown ? yield* showRow(transaction, resource, row, write) : undefined;
  if (isShown && json === undefined && write.format.isSingle) throw notSingle(0);
  if (!(yield* transaction.remove(resource.table, key, row))) throw new Refusal(409, "The database kept the record.");
  if (json === undefined) return { status: 204, fields: [], body: "" };
  const { contentType, body } = representAs(write.format, resource, json);
  return { status: 200, fields: [["Content-Type", contentType]], body };
}

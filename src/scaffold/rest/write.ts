import type { Field } from "../../protocol/index.ts";
import type { OriginResponse, Value } from "../../server/index.ts";
import type { Row, Transaction } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import type { Member, RecordKey } from "../engine/table.ts";
import { answerRecord } from "./answer-record.ts";
import { decodeMembers, unwrap } from "./body.ts";
import { changeRow, ignored } from "./change.ts";
import { isConditional, requireConditions } from "./conditions.ts";
import { findRecord, noRecord } from "./find-record.ts";
import { modifiedAt, requireUnmodified } from "./modified.ts";
import { decodePatch } from "./patch.ts";
import { preferredReturn } from "./preferences.ts";
import { Refusal } from "./refusal.ts";
import { representRecord } from "./representation.ts";
import type { Resource } from "./resource.ts";
import type { WriteRequest } from "./write-request.ts";

/** The record that a URL names, which will be changed. */
function findToUpdate(transaction: Transaction, resource: Resource, key: RecordKey): Steps<Row | undefined> {
  return findRecord(resource, key, (...named) => transaction.findToUpdate(...named));
}

function requireRowConditions(fields: readonly Field[], resource: Resource, row: Row | undefined): void {
  if (isConditional(fields)) requireConditions(fields, row && representRecord(resource, row).etag);
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
  if (!row && !write.canCreate) throw noRecord();
  const values = decodeMembers(resource, unwrap(resource, write.json), { key, row });
  requireRowConditions(write.request.fields, resource, row);
  if (!row) {
    const withKey = new Map<Member, Value>(key.members.map((member, at) => [member, key.values[at] ?? null]));
    for (const [member, value] of values) withKey.set(member, value);
    const made = yield* transaction.insert(resource.table, withKey);
    if (!made) throw ignored();
    return yield* answerRecord(transaction, resource, made, 201);
  }
  const { members } = resource.table;
  const defaulted = members.filter((member) => !member.generated && !member.inKey && !values.has(member));
  yield* changeRow(transaction, resource, { key, row, values, defaulted });
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
  const values = decodePatch(resource, write, { key, row });
  requireRowConditions(write.request.fields, resource, row);
  yield* changeRow(transaction, resource, { key, row, values, isMerge: true });
  return yield* answerRecord(transaction, resource, key, 200);
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
  if (!(yield* transaction.remove(resource.table, key, row))) throw new Refusal(409, "The database kept the record.");
  if (preferredReturn(write.request.fields) !== "representation") return { status: 204, fields: [], body: "" };
  // As it was: it has no URL any more.
  const { contentType, body } = representRecord(resource, row);
  return { status: 200, fields: [["Content-Type", contentType]], body };
}

import { partsOf } from "../../filter/index.ts";
import { type Field, parsePreferences } from "../../protocol/index.ts";
import type { OriginResponse } from "../../server/index.ts";
import { BrokenRule } from "../engine/broken-rule.ts";
import type { Row, Transaction } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import { keyMembers, keyOf } from "../engine/table.ts";
import { answerRecords } from "./answer-records.ts";
import { changeRow } from "./change.ts";
import { isConditional, requireConditions } from "./conditions.ts";
import { refusalOf } from "./failure.ts";
import { jsonFormat, notSingle } from "./formats.ts";
import { decodePatch } from "./patch.ts";
import { preferredCount, preferredMost, showsWritten } from "./preferences.ts";
import { type CollectionQuery, parseQuery } from "./query.ts";
import { collectionEtag } from "./read.ts";
import { Refusal } from "./refusal.ts";
import { addressOf, type Resource, urlOf } from "./resource.ts";
import { findShown, showRow } from "./shown-record.ts";
import type { WriteRequest } from "./write-request.ts";

/** Which records a write to a collection is for. @throws Refusal 400 where it does not say */
function bulkQuery(resource: Resource, { query = parseQuery(resource, []) }: WriteRequest): CollectionQuery {
  if (query.page !== undefined || query.offset !== undefined || query.after !== undefined) {
    throw new Refusal(400, "A write to several records takes order and limit, and no offset, after, page or per_page.");
  }
  if (partsOf(query.filter).length > 0) return query;
  const [key] = keyMembers(resource.table);
  const all = `${key?.name ?? ""}=is.not_null`;
  throw new Refusal(400, `A write to several records needs a filter that says which. ${all} would be all of them.`);
}

/**
 * The records that a write to a collection is for, in order.
 *
 * @throws Refusal 422 where they are more, or bigger, than may be written at once
 */
function* rowsToWrite(
  transaction: Transaction,
  resource: Resource,
  query: CollectionQuery,
  action: "update" | "destroy",
  { limits: { maxRows, maxPageBytes }, request: { fields }, format: { isSingle = false } }: WriteRequest,
): Steps<Row[]> {
  const { table } = resource;
  const most = isSingle ? 1 : Math.min(maxRows, preferredMost(fields) ?? maxRows);
  const rows: Row[] = [];
  let bytes = 0;
  const take = (row: Row): boolean => {
    rows.push(row);
    bytes += jsonFormat.encodeRecord(resource, row).length;
    return bytes <= maxPageBytes || rows.length === 1;
  };
  yield* transaction.eachToWrite(table, query, action, Math.min(query.limit ?? most + 1, most + 1), take);
  if (isSingle && rows.length !== 1) throw notSingle(rows.length);
  if (rows.length > most) {
    const found = Math.min(yield* transaction.count(table, query), query.limit ?? Number.MAX_SAFE_INTEGER);
    const way = "Nothing was written: narrow the filter, or say limit.";
    throw new Refusal(422, `That is about ${found} records, and at most ${most} may be written at once. ${way}`);
  }
  if (bytes > maxPageBytes && rows.length > 1) {
    const detail = `Records with more than ${maxPageBytes} bytes in all can't be written at once. Nothing was written: say limit.`;
    throw new Refusal(422, detail);
  }
  return rows;
}

/** Does something with each row. @throws Refusal that says which record it is about; what else the database throws */
function* withEach(resource: Resource, rows: readonly Row[], run: (row: Row) => Steps<void>): Steps<void> {
  for (const row of rows) {
    try {
      yield* run(row);
    } catch (error) {
      const subject = `The record ${urlOf(resource, row)}`;
      if (error instanceof Refusal) throw error.about(subject);
      throw error instanceof BrokenRule ? refusalOf(error).about(subject) : error;
    }
  }
}

/** What an answer says of how many records were written. */
function factFields({ fields }: WriteRequest["request"], count: number): Field[] {
  const applied: string[] = [];
  const more: Field[] = [];
  if (preferredCount(fields) !== undefined) {
    applied.push("count=exact");
    more.push(["Content-Range", `items */${count}`]);
  }
  if (preferredMost(fields) !== undefined) {
    applied.push("handling=strict", `max-affected=${parsePreferences(fields).get("max-affected")}`);
  }
  if (applied.length > 0) more.push(["Preference-Applied", applied.join(", ")]);
  return more;
}

/** Checks conditions against what a GET of the same URL answers. @throws Refusal 412 */
function* requireCollection(
  transaction: Transaction,
  resource: Resource,
  query: CollectionQuery,
  write: WriteRequest,
): Steps<void> {
  const { fields } = write.request;
  if (!isConditional(fields)) return;
  requireConditions(fields, yield* collectionEtag(transaction, resource, write, { query, format: write.format }));
}

/** The records that a write to a collection is about, where its conditions hold. @throws Refusal */
function* rowsAskedFor(
  transaction: Transaction,
  resource: Resource,
  action: "update" | "destroy",
  write: WriteRequest,
): Steps<Row[]> {
  const query = bulkQuery(resource, write);
  yield* requireCollection(transaction, resource, query, write);
  return yield* rowsToWrite(transaction, resource, query, action, write);
}

/** Answers a PATCH of a collection: changes each record that its filter lets through, or none. @throws Refusal */
export function* patchCollection(
  transaction: Transaction,
  resource: Resource,
  write: WriteRequest,
): Steps<OriginResponse> {
  const rows = yield* rowsAskedFor(transaction, resource, "update", write);
  yield* withEach(resource, rows, function* (row) {
    const key = keyOf(resource.table, row);
    const values = decodePatch(resource, write, { key: addressOf(resource, row), row });
    yield* changeRow(transaction, resource, { key, row, values, isMerge: true });
  });
  const facts = factFields(write.request, rows.length);
  const show = function* (row: Row): Steps<string | undefined> {
    return (yield* findShown(transaction, resource, keyOf(resource.table, row), write))?.json;
  };
  return withFacts(yield* answerAll(resource, rows, show, write), facts);
}

/** The answer with the records, where they are to be shown. */
function* answerAll(
  resource: Resource,
  rows: readonly Row[],
  show: (row: Row) => Steps<string | undefined>,
  write: WriteRequest,
): Steps<OriginResponse> {
  const { method, fields } = write.request;
  if (!showsWritten(method, fields)) return { status: 204, fields: [], body: "" };
  return yield* answerRecords(resource, rows, show, write);
}

function withFacts(response: OriginResponse, facts: readonly Field[]): OriginResponse {
  return { ...response, fields: [...response.fields, ...facts] };
}

/** Answers a DELETE of a collection: takes each record away that its filter lets through, or none. @throws Refusal */
export function* destroyCollection(
  transaction: Transaction,
  resource: Resource,
  write: WriteRequest,
): Steps<OriginResponse> {
  const rows = yield* rowsAskedFor(transaction, resource, "destroy", write);
  // As they were, with what they had.
  const show = (row: Row): Steps<string | undefined> => showRow(transaction, resource, row, write);
  const response = yield* answerAll(resource, rows, show, write);
  yield* withEach(resource, rows, function* (row) {
    if (yield* transaction.remove(resource.table, keyOf(resource.table, row), row)) return;
    throw new Refusal(409, "The database kept the record.");
  });
  return withFacts(response, factFields(write.request, rows.length));
}

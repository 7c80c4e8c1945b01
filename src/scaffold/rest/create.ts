import type { OriginResponse } from "../../server/index.ts";
import { BrokenRule } from "../engine/broken-rule.ts";
import { Denied } from "../engine/denied.ts";
import type { Placed, Row, Transaction } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import { hasKey } from "../engine/table.ts";
import { isJsonObject } from "../json/json.ts";
import { answerRecord } from "./answer-record.ts";
import { answerRecords } from "./answer-records.ts";
import { listIn } from "./body.ts";
import { ignored } from "./change.ts";
import { isConditional, requireConditions } from "./conditions.ts";
import { recordOfList, refusalOf } from "./failure.ts";
import { jsonFormat, notSingle, representAs } from "./formats.ts";
import { newValues } from "./new-values.ts";
import { preferredResolution, preferredReturn, showsWritten } from "./preferences.ts";
import { collectionEtag } from "./read.ts";
import { Refusal } from "./refusal.ts";
import { type Related, relatedFilter, valuesOf } from "./related.ts";
import type { Resource } from "./resource.ts";
import { findShown } from "./shown-record.ts";
import { parseUpsert, type Upsert, upsert } from "./upsert.ts";
import type { WriteRequest } from "./write-request.ts";

/** A POST's record on its way into the database. */
interface Posted {
  readonly write: WriteRequest;
  /** What becomes of a record that is there already; absent: it is in the way. */
  readonly upserts?: Upsert | undefined;
  /** Whether the viewer may not read it. */
  readonly isUnseen?: boolean;
}

/** A record that was placed. */
interface PlacedRecord extends Placed {
  /** As it was made, where it has no key to read it by. */
  readonly row?: Row | undefined;
}

/** Whether a record is to be shown as it is made: nothing tells it from others then. */
function isShownAtOnce({ table }: Resource, { request: { fields }, selected }: WriteRequest): boolean {
  if (hasKey(table) || preferredReturn(fields) !== "representation") return false;
  if (!selected || selected.embeds.length === 0) return true;
  throw new Refusal(400, "Nothing tells these records apart, so a new one can't be shown with embedded ones.");
}

/** Makes a record, or goes on with the one that is there. @throws Refusal; BrokenRule */
function* place(
  transaction: Transaction,
  resource: Resource,
  json: object,
  { write, upserts, isUnseen }: Posted,
): Steps<PlacedRecord> {
  if (upserts) return yield* upsert(transaction, resource, { json, write }, upserts);
  const values = newValues(resource, json, write);
  if (!isUnseen && isShownAtOnce(resource, write)) {
    const made = yield* transaction.insertKeyless(resource.table, values);
    if (!made) throw ignored();
    return { key: { members: [], values: [] }, isNew: true, row: made.row };
  }
  const key = yield* transaction.insert(resource.table, values);
  if (!key) throw ignored();
  return { key, isNew: true };
}

/** Places one record of a list. @throws Refusal that says which one it is about; what else the database throws */
function* placeOne(
  transaction: Transaction,
  resource: Resource,
  json: unknown,
  posted: Posted & { readonly at: number },
): Steps<PlacedRecord> {
  transaction.about({ record: posted.at });
  try {
    if (!isJsonObject(json)) throw new Refusal(422, "It must be a JSON object.");
    return yield* place(transaction, resource, json, posted);
  } catch (error) {
    const subject = recordOfList(posted.at);
    if (error instanceof Refusal) throw error.about(subject);
    throw error instanceof BrokenRule ? refusalOf(error).about(subject) : error;
  }
}

/** A row that has no URL can't be read again, nor one whose key only a trigger of a view knows. */
function isShowable({ table }: Resource, { key, row }: PlacedRecord): boolean {
  return row !== undefined || (hasKey(table) && key.values.every((value) => value !== null));
}

/** What is shown of a record that was placed. */
function* showPlaced(
  transaction: Transaction,
  resource: Resource,
  { key, row }: PlacedRecord,
  write: WriteRequest,
): Steps<string | undefined> {
  if (!row) return (yield* findShown(transaction, resource, key, write))?.json;
  const { selected, format } = write;
  return selected ? format.encodeTree(selected.selection, { row, embedded: [] }) : format.encodeRecord(resource, row);
}

/** Places the records of a list, all or none, and shows them as they are then. */
function* placeAll(
  transaction: Transaction,
  resource: Resource,
  list: readonly unknown[],
  posted: Posted,
): Steps<OriginResponse> {
  const { maxRows } = posted.write.limits;
  if (posted.write.format.isSingle && list.length !== 1) throw notSingle(list.length);
  if (list.length > maxRows) throw new Refusal(422, `A list may have ${maxRows} records at most.`);
  const all: PlacedRecord[] = [];
  for (const [at, json] of list.entries()) all.push(yield* placeOne(transaction, resource, json, { ...posted, at }));
  transaction.about({ record: undefined });
  const status = all.length === 0 || all.some(({ isNew }) => isNew) ? 201 : 200;
  const { method, fields } = posted.write.request;
  const isShown = showsWritten(method, fields) && all.every((one) => isShowable(resource, one));
  if (!isShown) return { status, fields: [], body: "" };
  const show = (one: PlacedRecord): Steps<string | undefined> => showPlaced(transaction, resource, one, posted.write);
  return { ...(yield* answerRecords(resource, all, show, posted.write)), status };
}

/** Answers a POST: creates a record, or several. @throws Refusal */
export function* createRecord(
  transaction: Transaction,
  resource: Resource,
  write: WriteRequest,
): Steps<OriginResponse> {
  const { fields } = write.request;
  const upserts = parseUpsert(resource, write.target, fields);
  const list = listIn(resource, write.json);
  // What is wrong anyway comes before conditions.
  if (!list) newValues(resource, write.json, write);
  const format = write.format.isSingle ? jsonFormat : write.format;
  if (isConditional(fields)) requireConditions(fields, yield* collectionEtag(transaction, resource, write, { format }));
  const response = list
    ? yield* placeAll(transaction, resource, list, { write, upserts })
    : yield* placeAlone(transaction, resource, { write, upserts });
  if (!upserts) return response;
  return { ...response, fields: [...response.fields, ["Preference-Applied", `resolution=${upserts.resolution}`]] };
}

function* placeAlone(transaction: Transaction, resource: Resource, posted: Posted): Steps<OriginResponse> {
  const placed = yield* place(transaction, resource, posted.write.json, posted);
  if (!isShowable(resource, placed)) return { status: 201, fields: [], body: "" };
  const json = placed.row && (yield* showPlaced(transaction, resource, placed, posted.write));
  if (json !== undefined) {
    const { contentType, body } = representAs(posted.write.format, resource, json);
    return { status: 201, fields: [["Content-Type", contentType]], body };
  }
  const status = placed.isNew ? 201 : 200;
  return yield* answerRecord(transaction, resource, { key: placed.key, status }, posted.write);
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
  // What is there must not be told.
  if (isConditional(write.request.fields) || preferredResolution(write.request.fields)) throw new Denied();
  const list = listIn(resource, write.json);
  if (list) return yield* placeAll(transaction, resource, list, { write, isUnseen: true });
  yield* place(transaction, resource, write.json, { write, isUnseen: true });
  return { status: 201, fields: [], body: "" };
}

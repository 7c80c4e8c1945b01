import type { Field } from "../../protocol/index.ts";
import type { OriginResponse } from "../../server/index.ts";
import type { Transaction } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import type { RecordKey } from "../engine/table.ts";
import { notSingle, representAs } from "./formats.ts";
import { modifiedFields } from "./modified.ts";
import { showsWritten } from "./preferences.ts";
import { recordUrl } from "./query.ts";
import { type Resource, urlOf } from "./resource.ts";
import { findShown, type Shown } from "./shown-record.ts";
import type { WriteRequest } from "./write-request.ts";

/** The record as it stands now, after triggers; a 204 where a trigger has taken it away. */
export function* answerRecord(
  transaction: Transaction,
  resource: Resource,
  { key, status }: { readonly key: RecordKey; readonly status: 200 | 201 },
  write: WriteRequest,
): Steps<OriginResponse> {
  const shown = yield* findShown(transaction, resource, key, write);
  if (shown) return answerShown(resource, { ...shown, status }, write);
  const { format, request } = write;
  if (format.isSingle && showsWritten(request.method, request.fields)) throw notSingle(0);
  return { status: 204, fields: [], body: "" };
}

/** A record that was read after it was written. */
export function answerShown(
  resource: Resource,
  { row, json, status }: Shown & { readonly status: 200 | 201 },
  { selected, format }: WriteRequest,
): OriginResponse {
  const { contentType, body, etag } = representAs(format, resource, json);
  const location: Field[] = status === 201 ? [["Location", urlOf(resource, row)]] : [];
  return {
    status,
    fields: [
      ["Content-Type", contentType],
      ...location,
      ["Content-Location", recordUrl(resource, row, selected)],
      ["ETag", etag],
      ...(selected ? [] : modifiedFields(resource, row)),
    ],
    body,
  };
}

import type { Field } from "../../protocol/index.ts";
import type { OriginResponse } from "../../server/index.ts";
import type { Transaction } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import type { RecordKey } from "../engine/table.ts";
import { modifiedFields } from "./modified.ts";
import { representRecord } from "./representation.ts";
import { type Resource, urlOf } from "./resource.ts";

/** The record as it stands now, after triggers; a 204 where a trigger has taken it away. */
export function* answerRecord(
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
    fields: [
      ["Content-Type", contentType],
      ...location,
      ["Content-Location", url],
      ["ETag", etag],
      ...modifiedFields(resource, row),
    ],
    body,
  };
}

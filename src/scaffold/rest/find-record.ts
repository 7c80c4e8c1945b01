import type { Row } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import { keyMembers, type RecordKey, type ServedTable } from "../engine/table.ts";
import { Refusal } from "./refusal.ts";
import { isNameless, type Resource } from "./resource.ts";

/** A rowid names only what has no key. */
function* nameless(table: ServedTable, found: Steps<Row | undefined>): Steps<Row | undefined> {
  const row = yield* found;
  return row && isNameless(table, row) ? row : undefined;
}

/**
 * The record that a URL names; `undefined` where there is none.
 *
 * @param find - how a key's record is found
 */
export function findRecord(
  { table }: Resource,
  key: RecordKey,
  find: (table: ServedTable, key: RecordKey) => Steps<Row | undefined>,
): Steps<Row | undefined> {
  const isByRowid = table.named !== undefined && key.members[0] === keyMembers(table)[0];
  return isByRowid ? nameless(table, find(table, key)) : find(table, key);
}

/** The 404 for a record that is not there. */
export function noRecord(): Refusal {
  return new Refusal(404, "There is no such record.");
}

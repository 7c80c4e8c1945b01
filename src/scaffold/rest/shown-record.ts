import type { Row, Snapshot } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import { keyOf, type RecordKey } from "../engine/table.ts";
import { parseQuery } from "./query.ts";
import type { Resource } from "./resource.ts";
import { treeQueryOf } from "./select-query.ts";
import type { WriteRequest } from "./write-request.ts";

/** What is shown of a record (all of it where nothing is selected), and how. */
export type Showing = Pick<WriteRequest, "selected" | "format">;

/** What is shown of a row that was read; `undefined` as with {@link findShown}. */
export function* showRow(
  snapshot: Snapshot,
  resource: Resource,
  row: Row,
  showing: Showing,
): Steps<string | undefined> {
  if (!showing.selected) return showing.format.encodeRecord(resource, row);
  return (yield* findShown(snapshot, resource, keyOf(resource.table, row), showing))?.json;
}

/** A record, and what is shown of it. */
export interface Shown {
  /** Of what is not shown, only what gives the record's URL is there. */
  readonly row: Row;
  /** The record as JSON, without an envelope. */
  readonly json: string;
}

/**
 * What is shown of a record, as a GET shows it; `undefined` where there is none, or what is embedded does not let it through.
 */
export function* findShown(
  snapshot: Snapshot,
  resource: Resource,
  key: RecordKey,
  { selected, format }: Showing,
): Steps<Shown | undefined> {
  const { table } = resource;
  if (!selected) {
    const row = yield* snapshot.find(table, key);
    return row && { row, json: format.encodeRecord(resource, row) };
  }
  const tree = yield* snapshot.findTree(table, key, treeQueryOf(parseQuery(resource, []), selected));
  return tree && { row: tree.row, json: format.encodeTree(selected.selection, tree) };
}

import type { Row, Snapshot } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import { keyOf, type RecordKey } from "../engine/table.ts";
import { parseQuery } from "./query.ts";
import { encodeRow, encodeTree } from "./representation.ts";
import type { Resource } from "./resource.ts";
import { treeQueryOf } from "./select-query.ts";
import type { Selected } from "./selection.ts";

/** What is shown of a row that was read; `undefined` as with {@link findShown}. */
export function* showRow(
  snapshot: Snapshot,
  resource: Resource,
  row: Row,
  selected: Selected | undefined,
): Steps<string | undefined> {
  if (!selected) return encodeRow(resource, row);
  return (yield* findShown(snapshot, resource, keyOf(resource.table, row), selected))?.json;
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
 *
 * @param selected - what is shown; `undefined`: all of it
 */
export function* findShown(
  snapshot: Snapshot,
  resource: Resource,
  key: RecordKey,
  selected: Selected | undefined,
): Steps<Shown | undefined> {
  const { table } = resource;
  if (!selected) {
    const row = yield* snapshot.find(table, key);
    return row && { row, json: encodeRow(resource, row) };
  }
  const tree = yield* snapshot.findTree(table, key, treeQueryOf(parseQuery(resource, []), selected));
  return tree && { row: tree.row, json: encodeTree(selected.selection, tree) };
}

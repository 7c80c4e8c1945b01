import type { RecordFormat } from "../sqlite/record-format.ts";
import type { SqlValue, Table } from "../sqlite/schema.ts";
import { representRecord } from "./representation.ts";
import { resourceOf, urlOf } from "./resource.ts";
import { canonicalValue } from "./value-kind.ts";

/** The values of all members. */
function allValues(table: Table, key: readonly SqlValue[], row: readonly SqlValue[]): readonly SqlValue[] {
  return table.identity.kind === "rowid" ? [...row.slice(0, table.columns.length), ...key] : row;
}

/** How the journal names and shows records: exactly as GET does. */
export const recordFormat: RecordFormat = {
  collectionPath: (table) => resourceOf(table).path,
  recordUrl: (table, key, row) => urlOf(resourceOf(table), allValues(table, key, row)),
  represent: (table, key, row) => representRecord(resourceOf(table), allValues(table, key, row)),
  imageValue: (_table, _column, value) => canonicalValue(value),
};

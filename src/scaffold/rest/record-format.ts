import type { RecordFormat } from "../sqlite/record-format.ts";
import { representRecord } from "./representation.ts";
import { recordUrl, resourceOf } from "./resource.ts";
import { canonicalValue } from "./value-kind.ts";

/** How the journal names and shows records: exactly as GET does. */
export const recordFormat: RecordFormat = {
  collectionPath: (table) => resourceOf(table).path,
  recordUrl: (table, key) => recordUrl(resourceOf(table), key),
  represent(table, key, row) {
    const all = table.identity.kind === "rowid" ? [...row.slice(0, table.columns.length), ...key] : row;
    return representRecord(resourceOf(table), all);
  },
  imageValue: (_table, _column, value) => canonicalValue(value),
};

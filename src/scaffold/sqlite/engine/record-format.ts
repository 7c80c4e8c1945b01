import { representRecord } from "../../rest/representation.ts";
import { type Resource, resourceOf, urlOf } from "../../rest/resource.ts";
import type { RecordFormat } from "../record-format.ts";
import type { SqlValue, Table } from "../schema.ts";
import { servedTable } from "./served.ts";

/** The values of all members. */
function allValues(table: Table, key: readonly SqlValue[], row: readonly SqlValue[]): readonly SqlValue[] {
  return table.identity.kind === "rowid" ? [...row.slice(0, table.columns.length), ...key] : row;
}

/**
 * How the journal names and shows records: exactly as GET does.
 *
 * @param basePath - what stands before a table's name in URLs
 */
export function recordFormatBelow(basePath: string): RecordFormat {
  const resource = (table: Table): Resource => resourceOf(servedTable(table), basePath);
  return {
    collectionPath: (table) => resource(table).path,
    recordUrl: (table, key, row) => urlOf(resource(table), allValues(table, key, row)),
    represent: (table, key, row) => representRecord(resource(table), allValues(table, key, row)),
    imageValue: (table, column, value) => servedTable(table).members[column]?.type.toImage(value) ?? null,
  };
}

import { representRecord } from "../../rest/representation.ts";
import { type Resource, resourceOf, urlOf } from "../../rest/resource.ts";
import type { RecordFormat } from "../record-format.ts";
import type { SqlValue, Table } from "../schema.ts";
import type { Served } from "./served.ts";

/**
 * How the journal names and shows records: exactly as GET does.
 *
 * @param basePath - what stands before a table's name in URLs
 */
export function recordFormatBelow(served: Served, basePath: string): RecordFormat {
  const resource = (table: Table): Resource => resourceOf(served.table(table), basePath);
  const allValues = (table: Table, key: readonly SqlValue[], row: readonly SqlValue[]): readonly SqlValue[] => {
    const hasRowid = table.identity.kind === "rowid";
    const all = hasRowid ? [...row.slice(0, table.columns.length), ...key] : row;
    const { places } = served.table(table);
    // Else some columns are shown to nobody.
    const isWhole = places.length === table.columns.length + Number(hasRowid);
    return isWhole ? all : places.map((place) => all[place] ?? null);
  };
  return {
    collectionPath: (table) => resource(table).path,
    recordUrl: (table, key, row) => urlOf(resource(table), allValues(table, key, row)),
    represent: (table, key, row) => representRecord(resource(table), allValues(table, key, row)),
    imageMembers(table) {
      const { members, places } = served.table(table);
      return members.map(({ name, type }, at) => ({
        name,
        place: places[at] ?? 0,
        toImage: (value) => type.toImage(value),
      }));
    },
  };
}

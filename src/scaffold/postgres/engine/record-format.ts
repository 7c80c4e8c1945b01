import { representRecord } from "../../rest/representation.ts";
import { type Resource, resourceOf, urlOf } from "../../rest/resource.ts";
import type { Text } from "../driver.ts";
import type { RecordFormat } from "../record-format.ts";
import type { Table } from "../table.ts";
import type { Served } from "./served.ts";

/** A row that has its key alone. */
function keyRow({ columns, key: names }: Table, key: readonly Text[]): Text[] {
  return columns.map(({ name }) => key[names.indexOf(name)] ?? null);
}

/**
 * How the journal names and shows records: exactly as GET does.
 *
 * @param basePath - what stands before a table's name in URLs
 */
export function recordFormatBelow(served: Served, basePath: string): RecordFormat {
  const resource = (table: Table): Resource => resourceOf(served.table(table), basePath);
  /** A row's values, without those that are shown to nobody. */
  const shown = (table: Table, row: readonly Text[]): readonly Text[] => {
    const { places } = served.table(table);
    return places.length === table.columns.length ? row : places.map((place) => row[place] ?? null);
  };
  return {
    collectionPath: (table) => resource(table).path,
    recordUrl: (table, key) => urlOf(resource(table), shown(table, keyRow(table, key))),
    represent: (table, row) => representRecord(resource(table), shown(table, row)),
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

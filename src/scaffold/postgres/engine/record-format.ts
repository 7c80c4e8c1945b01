import { representRecord } from "../../rest/representation.ts";
import { type Resource, resourceOf, urlOf } from "../../rest/resource.ts";
import type { Text } from "../driver.ts";
import type { RecordFormat } from "../record-format.ts";
import type { Column, Table } from "../table.ts";
import type { Served } from "./served.ts";
import { PostgresType } from "./value-type.ts";

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
  const types = new WeakMap<Column, PostgresType>();
  const typeOf = (column: Column): PostgresType => {
    const type = types.get(column) ?? new PostgresType(column.type);
    types.set(column, type);
    return type;
  };
  return {
    collectionPath: (table) => resource(table).path,
    recordUrl: (table, key) => urlOf(resource(table), keyRow(table, key)),
    represent: (table, row) => representRecord(resource(table), row),
    imageValue: (column, value) => typeOf(column).toImage(value),
  };
}

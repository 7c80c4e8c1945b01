import type { Connection } from "../sqlite/driver.ts";
import type { SqlValue, Table } from "../sqlite/schema.ts";
import { quoteName } from "../sqlite/sql-text.ts";
import { constraintOf } from "../sqlite/sqlite-error.ts";
import { Refusal } from "./refusal.ts";

/** What a column is to hold; `undefined` where that was not written. */
export type ValueAt = (column: string) => SqlValue | undefined;

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** The columns of foreign keys that name no record, of those that were written. */
function brokenColumns(connection: Connection, { name, foreignKeys }: Table, valueAt: ValueAt): string[] {
  const broken = foreignKeys.filter(({ columns, table, references }) => {
    const values = columns.map(valueAt);
    const known = values.filter((value) => value !== undefined && value !== null);
    if (known.length < columns.length || references.length < columns.length) return false;
    // A record may name itself.
    if (sameName(table, name) && references.every((column, at) => valueAt(column) === values[at])) return false;
    const conditions = references.map((column) => `${quoteName(column)} = ?`).join(" AND ");
    return connection.prepare(`SELECT 1 FROM ${quoteName(table)} WHERE ${conditions}`).all(...known).length === 0;
  });
  return [...new Set(broken.flatMap(({ columns }) => columns))];
}

/** Where a write broke a foreign key: a refusal that names its columns, as far as they can be found. Any other error as it is. */
export function withBrokenKeys(error: unknown, connection: Connection, table: Table, valueAt: ValueAt): unknown {
  if (constraintOf(error)?.kind !== "foreignKey") return error;
  const columns = brokenColumns(connection, table, valueAt);
  if (columns.length === 0) return error;
  const errors = columns.map((field) => ({ field, detail: "There is no record with this value." }));
  return new Refusal(409, "A foreign key does not hold: a record that this one names is missing.", { errors });
}

import type { Connection } from "../driver.ts";
import type { SqlValue, Table } from "../schema.ts";
import { quoteName } from "../sql-text.ts";

/** What a column is to hold; `undefined` where that was not written. */
export type ValueAt = (column: string) => SqlValue | undefined;

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** The columns of foreign keys that name no record, of those that were written. */
export function brokenKeys(connection: Connection, { name, foreignKeys }: Table, valueAt: ValueAt): string[] {
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

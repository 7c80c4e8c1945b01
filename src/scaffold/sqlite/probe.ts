import type { Connection } from "./connection.ts";
import { collationNames, quoteName } from "./sql-text.ts";

const builtIn = new Set(["binary", "nocase", "rtrim"]);

/** Why SQL can't be compiled here; `undefined` where it can. */
export function compileTrouble(connection: Connection, sql: string): string | undefined {
  try {
    connection.prepare(`EXPLAIN ${sql}`);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Why a table can't be read by this program (it lacks a collation, a function); `undefined` where it can. */
export function readTrouble(connection: Connection, table: string): string | undefined {
  const name = quoteName(table);
  // The first says more than "no query solution".
  return (
    compileTrouble(connection, `SELECT count(*) FROM ${name}`) ?? compileTrouble(connection, `SELECT * FROM ${name}`)
  );
}

/** The columns whose collation this program does not have: they can be compared byte for byte only. */
export function uncollatedColumns(
  connection: Connection,
  table: string,
  columns: readonly string[],
  createTable: string,
): string[] {
  if ([...collationNames(createTable)].every((name) => builtIn.has(name))) return [];
  return columns.filter(
    (column) =>
      compileTrouble(connection, `SELECT 1 FROM ${quoteName(table)} WHERE ${quoteName(column)} = ''`) !== undefined,
  );
}

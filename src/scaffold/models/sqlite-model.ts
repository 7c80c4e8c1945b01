import { retryWhenBusy } from "../sqlite/busy.ts";
import { type Connection, openConnection } from "../sqlite/driver.ts";
import { createStatements } from "./create-sql.ts";
import { differences, type FoundColumn, type FoundTable } from "./differences.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import type { ModelTable } from "./tables.ts";

const tablesSql = `SELECT name FROM sqlite_schema WHERE type = 'table' AND lower(substr(name, 1, 7)) <> 'sqlite_'
  AND lower(substr(name, 1, 8)) <> '_rocket_' ORDER BY rowid`;

const columnsSql = `SELECT c.name, c.type, c."notnull" = 0 AND c.pk = 0, f."table", f.on_delete
  FROM pragma_table_xinfo(?, 'main') c LEFT JOIN pragma_foreign_key_list(?, 'main') f ON f."from" = c.name COLLATE NOCASE
    AND 1 = (SELECT count(*) FROM pragma_foreign_key_list(?, 'main') o WHERE o.id = f.id) ORDER BY c.cid`;

function readTable(connection: Connection, name: string): FoundTable {
  const rows = connection.prepare(columnsSql).all(name, name, name);
  return {
    name,
    columns: rows.map(
      ([column, type, isOptional, table, onDelete]): FoundColumn => ({
        name: String(column),
        type: String(type ?? ""),
        isOptional: isOptional === 1,
        references: table == null ? undefined : { table: String(table), onDelete: String(onDelete) },
      }),
    ),
  };
}

/** The names of tables; makes those of a model, in one transaction, where there are none. */
function namesOrMake(connection: Connection, tables: readonly ModelTable[]): string[] {
  connection.exec("BEGIN IMMEDIATE");
  try {
    const names = connection.prepare(tablesSql).all();
    if (names.length === 0) {
      for (const statement of createStatements(tables, sqliteDialect, false)) connection.exec(statement);
    }
    connection.exec("COMMIT");
    return names.map(([name]) => String(name));
  } catch (error) {
    connection.exec("ROLLBACK");
    throw error;
  }
}

/**
 * Makes tables in a SQLite file that has none, and the file where there is none.
 *
 * @returns `undefined` where they were made; else in what those that are there differ
 * @throws RocketError `database-invalid`, `database-busy`
 */
export async function prepareSqlite(path: string, tables: readonly ModelTable[]): Promise<string[] | undefined> {
  return await retryWhenBusy(() => {
    const connection = openConnection(path, { create: true });
    try {
      if (connection.prepare(tablesSql).all().length === 0) connection.exec("PRAGMA journal_mode = WAL");
      const names = namesOrMake(connection, tables);
      if (names.length === 0) return undefined;
      const found = names.map((name) => readTable(connection, name));
      return differences(tables, found, sqliteDialect);
    } finally {
      connection.close();
    }
  });
}

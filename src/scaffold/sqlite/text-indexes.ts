import type { Connection } from "./connection.ts";
import { compileTrouble } from "./probe.ts";
import type { TextIndex } from "./schema.ts";
import { moduleOptions, quoteName } from "./sql-text.ts";

/** Finds a column's text index. */
export type FindTextIndex = (table: string, column: string) => TextIndex | undefined;

function keyOf(table: string, column: string): string {
  return JSON.stringify([table.toLowerCase(), column.toLowerCase()]);
}

/**
 * Reads the tables of FTS5 that index another table's texts (`content='songs'`). Of several for one column, the first counts;
 * one that this program can't read (it lacks its tokenizer) counts for nothing.
 */
export function readTextIndexes(connection: Connection): FindTextIndex {
  const indexes = new Map<string, TextIndex>();
  const virtual = connection
    .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND coalesce(rootpage, 0) = 0 ORDER BY rowid")
    .all();
  for (const [nameValue, sqlValue] of virtual) {
    const [table, sql] = [String(nameValue), String(sqlValue)];
    if (!/\busing\s+fts5\b/i.test(sql)) continue;
    const options = moduleOptions(sql);
    const content = options.get("content");
    if (!content || compileTrouble(connection, `SELECT rowid FROM ${quoteName(table)}`) !== undefined) continue;
    const columns = connection.prepare("SELECT name FROM pragma_table_info(?, 'main')").all(table);
    for (const [column] of columns) {
      const key = keyOf(content, String(column));
      if (!indexes.has(key)) indexes.set(key, { table, rowid: options.get("content_rowid") ?? "rowid" });
    }
  }
  return (table, column) => indexes.get(keyOf(table, column));
}

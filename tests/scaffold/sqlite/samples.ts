import type { Affinity, Column, Table } from "../../../src/scaffold/sqlite/schema.ts";

/** A column of a table that no database has. */
export function column(name: string, declaredType: string, affinity: Affinity, more: Partial<Column> = {}): Column {
  return {
    name,
    declaredType,
    affinity,
    notNull: false,
    defaultSql: null,
    primaryKeyPart: 0,
    generated: false,
    ...more,
  };
}

/** A table that no database has; its first column is its key. */
export function table(name: string, columns: readonly Column[], more: Partial<Table> = {}): Table {
  return {
    name,
    columns,
    identity: { kind: "columns", columns: [columns[0]?.name ?? ""] },
    foreignKeys: [],
    integerKey: true,
    ...more,
  };
}

/** A column of each type, as `CREATE TABLE` says it and as introspection does. */
export const columnTypes: readonly Column[] = [
  column("an_integer", "INTEGER", "integer"),
  column("a_real", "REAL", "real"),
  column("a_numeric", "NUMERIC", "numeric"),
  column("a_text", "TEXT", "text"),
  column("a_nocase", "TEXT COLLATE NOCASE", "text"),
  column("a_blob", "BLOB", "blob"),
  column("untyped", "", "blob"),
  column("a_boolean", "BOOLEAN", "numeric"),
  column("a_date", "DATETIME", "numeric"),
  column("a_json", "JSON", "numeric"),
];

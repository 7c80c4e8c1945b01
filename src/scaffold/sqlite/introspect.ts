import { RocketError } from "../../protocol/index.ts";
import { affinityOf } from "./affinity.ts";
import type { Connection } from "./connection.ts";
import { readTrouble, uncollatedColumns } from "./probe.ts";
import { readViews } from "./read-views.ts";
import type { Column, ForeignKey, Identity, LeftOut, Schema, SqlValue, Table } from "./schema.ts";
import { foreignKeyNames, jsonColumns, listedValues } from "./sql-text.ts";
import { isBusy } from "./sqlite-error.ts";
import { type FindTextIndex, readTextIndexes } from "./text-indexes.ts";

/** The tables that are collections: no views, virtual or shadow tables, none of SQLite's or Rocket's own. */
const ordinaryTables = `sqlite_schema s JOIN pragma_table_list l ON l.schema = 'main' AND l.name = s.name
  WHERE s.type = 'table' AND l.type = 'table' AND lower(substr(s.name, 1, 7)) <> 'sqlite_'
    AND lower(substr(s.name, 1, 8)) <> '_rocket_'`;

/** How often the schema may change under one attempt to read it. */
const maxRounds = 5;

interface UniqueKey {
  readonly isPrimary: boolean;
  readonly columns: readonly string[];
}

type ByTable<Item> = ReadonlyMap<string, Item[]>;

function group<Item>(rows: readonly SqlValue[][], make: (row: readonly SqlValue[]) => Item): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const row of rows) {
    const name = String(row[0]);
    const items = groups.get(name);
    if (items) items.push(make(row));
    else groups.set(name, [make(row)]);
  }
  return groups;
}

function readColumns(connection: Connection, strictTables: ReadonlySet<string>): ByTable<Column> {
  const rows = connection
    .prepare(
      `SELECT s.name, c.name, c.type, c."notnull", c.dflt_value, c.pk, c.hidden
       FROM ${ordinaryTables.replace("WHERE", "JOIN pragma_table_xinfo(s.name, 'main') c WHERE")} ORDER BY s.rowid, c.cid`,
    )
    .all();
  return group(rows, ([table, name, type, notNull, defaultSql, part, hidden]) => ({
    name: String(name),
    declaredType: String(type ?? "").toUpperCase(),
    affinity: affinityOf(String(type ?? ""), strictTables.has(String(table))),
    notNull: notNull === 1,
    defaultSql: defaultSql === null || defaultSql === undefined ? null : String(defaultSql),
    primaryKeyPart: Number(part),
    generated: hidden === 2 || hidden === 3,
  }));
}

function readForeignKeys(connection: Connection): ByTable<ForeignKey> {
  const rows = connection
    .prepare(
      `SELECT s.name, f.id, f."table", f."from", f."to"
       FROM ${ordinaryTables.replace("WHERE", "JOIN pragma_foreign_key_list(s.name, 'main') f WHERE")} ORDER BY s.rowid, f.id, f.seq`,
    )
    .all();
  const keys = new Map<string, ForeignKey[]>();
  for (const [name, parts] of group(rows, (row) => row)) {
    const byId = new Map<SqlValue, { columns: string[]; table: string; references: string[] }>();
    for (const [, id = null, table, from, to] of parts) {
      const key = byId.get(id) ?? { columns: [], table: String(table), references: [] };
      key.columns.push(String(from));
      if (to !== null && to !== undefined) key.references.push(String(to));
      byId.set(id, key);
    }
    // SQLite counts the last declared as 0.
    keys.set(name, [...byId.values()].reverse());
  }
  return keys;
}

/** Unique indexes over whole columns of all rows: neither partial nor of expressions. */
function readUniqueKeys(connection: Connection): ByTable<UniqueKey> {
  const rows = connection
    .prepare(
      `SELECT s.name, i.name, i.origin, x.name
       FROM ${ordinaryTables.replace(
         "WHERE",
         `JOIN pragma_index_list(s.name, 'main') i JOIN pragma_index_xinfo(i.name, 'main') x
       WHERE i."unique" AND NOT i.partial AND x.key AND`,
       )} ORDER BY s.rowid, i.seq DESC, x.seqno`,
    )
    .all();
  const keys = new Map<string, UniqueKey[]>();
  for (const [name, parts] of group(rows, (row) => row)) {
    const byIndex = new Map<string, { isPrimary: boolean; columns: string[]; isPlain: boolean }>();
    for (const [, index, origin, column] of parts) {
      const key = byIndex.get(String(index)) ?? { isPrimary: origin === "pk", columns: [], isPlain: true };
      if (column === null || column === undefined) key.isPlain = false;
      key.columns.push(String(column));
      byIndex.set(String(index), key);
    }
    keys.set(
      name,
      [...byIndex.values()].filter((key) => key.isPlain),
    );
  }
  return keys;
}

/** The columns of the declared primary key, in its order. */
function primaryKey(columns: readonly Column[]): string[] {
  return columns
    .filter((column) => column.primaryKeyPart > 0)
    .sort((one, other) => one.primaryKeyPart - other.primaryKeyPart)
    .map((column) => column.name);
}

function isIntegerKey(columns: readonly Column[], unique: readonly UniqueKey[], hasRowid: boolean): boolean {
  const key = columns.filter((column) => column.primaryKeyPart > 0);
  // INTEGER PRIMARY KEY DESC is no alias of the rowid: it has an index.
  return hasRowid && key.length === 1 && key[0]?.declaredType === "INTEGER" && !unique.some((index) => index.isPrimary);
}

function identityOf(
  columns: readonly Column[],
  unique: readonly UniqueKey[],
  shape: { readonly hasRowid: boolean; readonly integerKey: boolean },
): Identity | undefined {
  const key = primaryKey(columns);
  const notNull = new Set(columns.filter((column) => column.notNull).map((column) => column.name));
  const isNeverNull = !shape.hasRowid || shape.integerKey || key.every((name) => notNull.has(name));
  if (key.length > 0 && isNeverNull) return { kind: "columns", columns: key };
  const names = new Set(columns.map((column) => column.name.toLowerCase()));
  const alias = ["rowid", "_rowid_", "oid"].find((name) => !names.has(name));
  if (alias !== undefined) return { kind: "rowid", alias, ...(key.length > 0 ? { key } : {}) };
  const other = unique.find((index) => index.columns.every((name) => notNull.has(name)));
  if (other) return { kind: "columns", columns: other.columns };
  return key.length > 0 ? { kind: "columns", columns: key } : undefined;
}

/** SQL takes names for the same whatever their case. */
function isNamed(name: string): (column: Column) => boolean {
  return (column) => column.name.toLowerCase() === name.toLowerCase();
}

/** The keys with their names, which only the table's SQL has. */
function withNames(keys: readonly ForeignKey[], createTable: string): ForeignKey[] {
  const names = keys.length > 0 ? foreignKeyNames(createTable) : [];
  return keys.map((key, at) => {
    const name = names.length === keys.length ? names[at] : undefined;
    return name === undefined ? key : { ...key, name };
  });
}

function resolveReferences(tables: readonly Table[]): Table[] {
  const byName = new Map(tables.map((table) => [table.name.toLowerCase(), table]));
  return tables.map((table) => ({
    ...table,
    foreignKeys: table.foreignKeys.map(({ table: name, references, ...key }) => {
      const target = byName.get(name.toLowerCase());
      const primary = primaryKey(target?.columns ?? []);
      const named = references.map((column) => target?.columns.find(isNamed(column))?.name ?? column);
      return { ...key, table: target?.name ?? name, references: named.length > 0 ? named : primary };
    }),
  }));
}

/** Virtual tables and their own tables. What has no root page has no rows of its own. */
function readOthers(connection: Connection): LeftOut[] {
  const shadows = `SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'`;
  return connection
    .prepare(
      `SELECT name, CASE WHEN coalesce(rootpage, 0) = 0 THEN 'virtual' ELSE 'shadow' END
       FROM sqlite_schema WHERE type = 'table' AND (coalesce(rootpage, 0) = 0 OR name IN (${shadows}))
       AND lower(substr(name, 1, 8)) <> '_rocket_' ORDER BY rowid`,
    )
    .all()
    .map(([name, kind]) => ({ name: String(name), kind: kind as LeftOut["kind"] }));
}

function schemaVersion(connection: Connection): number {
  return Number(connection.prepare("PRAGMA schema_version").all()[0]?.[0]);
}

/**
 * Reads the ordinary tables and the views, all at one `schema_version`. A table whose rows nothing tells apart (no key, and columns
 * named like each name of the rowid) is left out, and so is one that this program can't read.
 *
 * It takes no lock for longer than one look, so that others can write and migrate meanwhile.
 */
export function readSchema(connection: Connection): Schema {
  for (let round = 1; ; round += 1) {
    try {
      // A read of sqlite_schema is what makes SQLite notice that another connection changed it.
      connection.prepare("SELECT count(*) FROM sqlite_schema").all();
      const version = schemaVersion(connection);
      const found = readTables(connection);
      if (schemaVersion(connection) === version) return { version, ...found };
    } catch (error) {
      if (round >= maxRounds || isBusy(error)) throw error;
    }
    if (round >= maxRounds) throw new RocketError("database-busy", "The database's schema is being changed.");
  }
}

/** Columns, with what a CREATE TABLE and the tables of full text say of them. */
function describe(table: string, columns: readonly Column[], sql: string, textIndexOf: FindTextIndex): Column[] {
  const json = jsonColumns(sql);
  const lists = listedValues(sql);
  return columns.map((column) => {
    const textIndex = textIndexOf(table, column.name);
    const listed = lists.get(column.name.toLowerCase());
    return {
      ...column,
      ...(json.has(column.name.toLowerCase()) ? { holdsJson: true as const } : {}),
      ...(listed ? { listed } : {}),
      ...(textIndex ? { textIndex } : {}),
    };
  });
}

function readTables(connection: Connection): Omit<Schema, "version"> {
  const listed = connection
    .prepare(`SELECT s.name, l.wr, l.strict, s.sql FROM ${ordinaryTables} ORDER BY s.rowid`)
    .all();
  const strict = new Set(listed.filter((row) => row[2] === 1).map((row) => String(row[0])));
  const columnsOf = readColumns(connection, strict);
  const foreignKeysOf = readForeignKeys(connection);
  const uniqueOf = readUniqueKeys(connection);
  const tables: Table[] = [];
  const leftOut = readOthers(connection);
  const textIndexOf = readTextIndexes(connection);
  const isUtf16 = String(connection.prepare("PRAGMA encoding").all()[0]?.[0]).startsWith("UTF-16");
  const texts = isUtf16 ? { utf16: true as const } : {};
  for (const [nameValue, withoutRowid, , sql] of listed) {
    const name = String(nameValue);
    const columns = describe(name, columnsOf.get(name) ?? [], String(sql), textIndexOf);
    const unique = uniqueOf.get(name) ?? [];
    const hasRowid = withoutRowid !== 1;
    const integerKey = isIntegerKey(columns, unique, hasRowid);
    const identity = identityOf(columns, unique, { hasRowid, integerKey });
    const detail = readTrouble(connection, name);
    if (detail !== undefined) leftOut.push({ name, kind: "unreadable", detail });
    else if (!identity) leftOut.push({ name, kind: "keyless" });
    if (detail !== undefined || !identity) continue;
    const names = columns.map((column) => column.name);
    const uncollated = uncollatedColumns(connection, name, names, String(sql));
    const binary = /\bcollate\b/i.test(String(sql)) ? {} : { binary: true as const };
    const table = {
      name,
      columns,
      identity,
      foreignKeys: withNames(foreignKeysOf.get(name) ?? [], String(sql)),
      integerKey,
      unique: [...unique.map((key) => key.columns), ...(integerKey ? [primaryKey(columns)] : [])],
      ...texts,
      ...binary,
    };
    tables.push(uncollated.length === 0 ? table : { ...table, uncollated });
  }
  const resolved = resolveReferences(tables);
  const found = readViews(connection, resolved);
  const views = found.views.map((view) => ({ ...view, ...texts }));
  return { tables: resolved, views, leftOut: [...leftOut, ...found.leftOut] };
}

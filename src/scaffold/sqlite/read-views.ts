import { affinityOf } from "./affinity.ts";
import type { Connection } from "./connection.ts";
import { readTrouble } from "./probe.ts";
import type { Column, LeftOut, RowEvent, Table } from "./schema.ts";
import { insteadOf } from "./sql-text.ts";
import { isBusy } from "./sqlite-error.ts";
import { viewOrigins } from "./view-origins.ts";
import { type RootPages, readRootPages, viewSources } from "./view-sources.ts";

/** What the views of a database are, and which can't be served. */
export interface FoundViews {
  readonly views: readonly Table[];
  readonly leftOut: readonly LeftOut[];
}

function readEvents(connection: Connection): Map<string, RowEvent[]> {
  const events = new Map<string, RowEvent[]>();
  // Those of tables may be many and long.
  const rows = connection
    .prepare(
      `SELECT lower(tbl_name), sql FROM sqlite_schema WHERE type = 'trigger'
       AND lower(tbl_name) IN (SELECT lower(name) FROM sqlite_schema WHERE type = 'view')`,
    )
    .all();
  for (const [view, sql] of rows) {
    const event = insteadOf(String(sql));
    if (event) events.set(String(view), [...(events.get(String(view)) ?? []), event]);
  }
  return events;
}

/** A column as the view shows it. SQLite calls what has no type in a table a BLOB in a view of it. */
function viewColumn(name: string, type: string, origin: Column | undefined): Column {
  const declaredType = /^BLOB$/i.test(type) ? "" : type.toUpperCase();
  const shown = origin ?? { declaredType, affinity: affinityOf(declaredType, false) };
  return { ...shown, name, notNull: false, defaultSql: null, primaryKeyPart: 0, generated: false };
}

/** What a view stands among. */
interface ViewContext {
  readonly find: (name: string) => Table | undefined;
  readonly events: readonly RowEvent[];
  readonly pages: RootPages;
}

function readView(
  connection: Connection,
  { name, sql }: { readonly name: string; readonly sql: string },
  { find, events, pages }: ViewContext,
): Table {
  const rows = connection.prepare("SELECT name, type FROM pragma_table_xinfo(?, 'main') ORDER BY cid").all(name);
  const origins = viewOrigins(sql, rows.length, find);
  const columns = rows.map(([column, type], at) => viewColumn(String(column), String(type ?? ""), origins.columns[at]));
  const key = (origins.key ?? []).flatMap((at) => columns[at]?.name ?? []);
  return {
    name,
    columns: columns.map((column) => {
      const part = key.indexOf(column.name) + 1;
      return part === 0 ? column : { ...column, primaryKeyPart: part, notNull: true };
    }),
    identity: { kind: "columns", columns: key },
    foreignKeys: [],
    integerKey: origins.integerKey,
    view: { sql, sources: viewSources(connection, name, pages), events },
  };
}

/** Reads the views. One that SQLite can't read, for what it is made of is gone, is left out. */
export function readViews(connection: Connection, tables: readonly Table[]): FoundViews {
  const known = new Map(tables.map((table) => [table.name.toLowerCase(), table]));
  const events = readEvents(connection);
  const views: Table[] = [];
  let pages: RootPages | undefined;
  const leftOut: LeftOut[] = [];
  // One is made of those that were made before, but where it was made anew.
  const found = connection
    .prepare(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'view' AND lower(substr(name, 1, 8)) <> '_rocket_' ORDER BY rowid",
    )
    .all();
  for (const [nameValue, sql] of found) {
    const name = String(nameValue);
    const detail = readTrouble(connection, name);
    if (detail !== undefined) {
      leftOut.push({ name, kind: "unreadable", detail });
      continue;
    }
    try {
      const own = events.get(name.toLowerCase()) ?? [];
      pages ??= readRootPages(connection);
      const context = { find: (other: string) => known.get(other), events: own, pages };
      const view = readView(connection, { name, sql: String(sql) }, context);
      views.push(view);
      known.set(name.toLowerCase(), view);
    } catch (error) {
      if (isBusy(error)) throw error;
      leftOut.push({ name, kind: "unreadable", detail: error instanceof Error ? error.message : String(error) });
    }
  }
  return { views, leftOut };
}

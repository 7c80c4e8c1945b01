import { uniqueIn } from "../engine/keys-of-views.ts";
import { affinityOf } from "./affinity.ts";
import type { Connection } from "./connection.ts";
import { readTrouble } from "./probe.ts";
import type { Column, LeftOut, RowEvent, Table, ViewOfTable } from "./schema.ts";
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

/** The table that a view's rows are from, through others that it may be made of. */
function viewOf(
  names: readonly string[],
  base: { readonly table: Table; readonly columns: readonly (string | undefined)[] } | undefined,
): ViewOfTable | undefined {
  if (!base) return undefined;
  const shown = new Map<string, string>();
  base.columns.forEach((column, at) => {
    if (column !== undefined && !shown.has(column)) shown.set(column, names[at] ?? "");
  });
  const { name, view } = base.table;
  if (!view) return { table: name, columns: shown };
  if (!view.of) return undefined;
  const columns = [...view.of.columns].flatMap(([column, between]) => {
    const own = shown.get(between);
    return own === undefined ? [] : [[column, own] as const];
  });
  return { table: view.of.table, columns: new Map(columns) };
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
  const of = viewOf(
    columns.map((column) => column.name),
    origins.base,
  );
  const unique = of ? uniqueIn(of, find(of.table.toLowerCase())?.unique ?? []) : [];
  return {
    name,
    columns: columns.map((column) => {
      const part = key.indexOf(column.name) + 1;
      return part === 0 ? column : { ...column, primaryKeyPart: part, notNull: true };
    }),
    identity: { kind: "columns", columns: key },
    foreignKeys: [],
    integerKey: origins.integerKey,
    unique,
    view: { sql, sources: viewSources(connection, name, pages), events, ...(of ? { of } : {}) },
  };
}

function asText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Reads views, each after those that it is made of. */
class ViewReader {
  readonly #connection: Connection;
  readonly #texts: ReadonlyMap<string, { readonly name: string; readonly sql: string }>;
  readonly #known: Map<string, Table>;
  readonly #events: ReadonlyMap<string, RowEvent[]>;
  readonly #pages: RootPages;
  readonly #leftOut: Map<string, LeftOut> = new Map();

  constructor(connection: Connection, tables: readonly Table[], found: readonly (readonly [string, string])[]) {
    this.#connection = connection;
    this.#texts = new Map(found.map(([name, sql]) => [name.toLowerCase(), { name, sql }]));
    this.#known = new Map(tables.map((table) => [table.name.toLowerCase(), table]));
    this.#events = readEvents(connection);
    this.#pages = readRootPages(connection);
  }

  all(): FoundViews {
    const views = [...this.#texts.keys()].flatMap((name) => this.#find(name) ?? []);
    return { views, leftOut: [...this.#leftOut.values()] };
  }

  /** A table or view; `undefined` where there is none that can be read. @param name - in lower case */
  #find(name: string): Table | undefined {
    const text = this.#texts.get(name);
    if (!text || this.#known.has(name) || this.#leftOut.has(name)) return this.#known.get(name);
    const detail = readTrouble(this.#connection, text.name) ?? this.#read(name, text);
    if (detail !== undefined) this.#leftOut.set(name, { name: text.name, kind: "unreadable", detail });
    return this.#known.get(name);
  }

  /** Why it can't be read; `undefined` where it was. */
  #read(name: string, text: { readonly name: string; readonly sql: string }): string | undefined {
    const find = (other: string): Table | undefined => this.#find(other);
    const context = { find, events: this.#events.get(name) ?? [], pages: this.#pages };
    try {
      this.#known.set(name, readView(this.#connection, text, context));
      return undefined;
    } catch (error) {
      if (isBusy(error)) throw error;
      return asText(error);
    }
  }
}

/** Reads the views. One that SQLite can't read, for what it is made of is gone, is left out. */
export function readViews(connection: Connection, tables: readonly Table[]): FoundViews {
  const found = connection
    .prepare(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'view' AND lower(substr(name, 1, 8)) <> '_rocket_' ORDER BY rowid",
    )
    .all()
    .map(([name, sql]) => [String(name), String(sql)] as const);
  if (found.length === 0) return { views: [], leftOut: [] };
  return new ViewReader(connection, tables, found).all();
}

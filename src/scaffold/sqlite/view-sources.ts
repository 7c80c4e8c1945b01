import type { Connection } from "./connection.ts";
import type { SqlValue, ViewSources } from "./schema.ts";
import { mentions, quoteName } from "./sql-text.ts";

/** Table-valued functions that read what they are given and nothing else. */
const pureFunctions: readonly string[] = ["json_each", "json_tree", "jsonb_each", "jsonb_tree", "generate_series"];

interface Relation {
  readonly name: string;
  readonly sql: string;
}

function relations(connection: Connection, where: string): Relation[] {
  return connection
    .prepare(`SELECT name, sql FROM sqlite_schema WHERE ${where}`)
    .all()
    .map(([name, sql]) => ({ name: String(name), sql: String(sql ?? "") }));
}

/** The SQL of a view and of all views that it is made of. */
function textsBehind(views: readonly Relation[], name: string): string[] {
  const reached = new Set<string>();
  const visit = (one: Relation): void => {
    if (reached.has(one.sql)) return;
    reached.add(one.sql);
    for (const other of views) if (mentions(one.sql, other.name)) visit(other);
  };
  for (const view of views) if (view.name === name) visit(view);
  return [...reached];
}

/** Whether a virtual table that a view opens may read what no trigger tells of: of few it is known that they don't. */
function readsUnseen(connection: Connection, name: string): boolean {
  const texts = textsBehind(relations(connection, "type = 'view'"), name);
  const virtual = relations(connection, "type = 'table' AND coalesce(rootpage, 0) = 0");
  if (virtual.some((table) => texts.some((sql) => mentions(sql, table.name)))) return true;
  const modules = connection
    .prepare("SELECT name FROM pragma_module_list")
    .all()
    .map(([module]) => String(module));
  const impure = modules.filter((module) => !pureFunctions.includes(module.toLowerCase()));
  const isPragma = (sql: string): boolean => /\bpragma_\w/i.test(sql);
  return texts.some((sql) => isPragma(sql) || impure.some((module) => mentions(sql, module)));
}

/** Tables by the root pages of themselves and of their indexes, in the order of the schema. */
export type RootPages = ReadonlyMap<number, string>;

/** Reads where tables and their indexes begin in the file. */
export function readRootPages(connection: Connection): RootPages {
  const rows = connection.prepare("SELECT rootpage, tbl_name FROM sqlite_schema WHERE rootpage > 0").all();
  return new Map(rows.map(([page, table]) => [Number(page), String(table)]));
}

/**
 * The tables that a view is read from, as SQLite itself opens them: by the root pages in the program that it makes of the
 * query. What is opened there and is no table of the file (a virtual table) can't be watched, unless it is a function of
 * what it is given.
 *
 * @throws an error of SQLite where the view can't be read
 */
export function viewSources(connection: Connection, name: string, tables: RootPages): ViewSources {
  const program = connection.prepare(`EXPLAIN SELECT * FROM ${quoteName(name)}`).all();
  const opened = (opcode: string): SqlValue[][] => program.filter(([, name]) => name === opcode);
  // `p2` is the root page, and `p3` the database: 0 is the file, others are this connection's own.
  const pages = new Set(opened("OpenRead").flatMap(([, , , page, database]) => (database === 0 ? [Number(page)] : [])));
  const isSchemaRead = pages.has(1);
  const isUnwatched = isSchemaRead || (opened("VOpen").length > 0 && readsUnseen(connection, name));
  const names = [...tables].flatMap(([page, table]) => (pages.has(page) ? [table] : []));
  return { tables: [...new Set(names)], isUnwatched };
}

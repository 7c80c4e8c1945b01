import { isGroup, partsOf } from "../../../filter/index.ts";
import type { Query } from "../../engine/query.ts";
import type { Member } from "../../engine/table.ts";
import { catalogOf, type IsServed } from "../../rest/catalog.ts";
import { Refusal } from "../../rest/refusal.ts";
import { findRoute } from "../../rest/route.ts";
import { parseSelectedQuery } from "../../rest/select-query.ts";
import type { Target } from "../../rest/target.ts";
import type { SqliteMember, SqliteTable } from "../engine/served.ts";
import type { SqliteSnapshot } from "../engine/snapshot.ts";
import type { Table } from "../schema.ts";
import { quoteName } from "../sql-text.ts";

/** When it may be asked again, in seconds: it will take as long, unless the database has changed. */
const retryAfter = "30";
/** And where it is not the read that took so long. */
const retrySoon = "2";
/** A table of fewer rows is small: what else runs on the machine is what takes long. */
const fewRows = 1_000;
/** An index of more columns is none to advise. */
const maxColumns = 6;

interface IndexColumn {
  readonly name: string;
  readonly descending: boolean;
}

/** A member's column as SQL has it. */
function columnOf(member: Member): string {
  return (member as SqliteMember).column;
}

/** The columns that have one of some values, and one that has a value in a range; all that an index can be asked for. */
function soughtColumns({ filter }: Query): { readonly fixed: readonly string[]; readonly range: string | undefined } {
  const fixed = new Set<string>();
  let range: string | undefined;
  for (const part of partsOf(filter)) {
    if (isGroup(part) || part.column.path) continue;
    if (part.kind === "in" && !part.isNot) fixed.add(columnOf(part.column));
    if (part.kind !== "compare" || part.relation === "neq") continue;
    if (part.relation === "eq") fixed.add(columnOf(part.column));
    else range ??= columnOf(part.column);
  }
  return { fixed: [...fixed], range: range !== undefined && fixed.has(range) ? undefined : range };
}

/** The columns that an index would need: those of filters, then those of the order where no range is before them. */
function wantedColumns(table: Table, query: Query): IndexColumn[] {
  const { fixed: filtered, range } = soughtColumns(query);
  if (range !== undefined) return [...filtered, range].map((name) => ({ name, descending: false }));
  const ordered = query.order
    .map(({ member, descending }) => ({ name: columnOf(member), descending }))
    .filter(({ name }) => !filtered.includes(name));
  const last = ordered.at(-1);
  const key = table.identity.kind === "rowid" ? table.identity.alias : table.identity.columns[0];
  const isRowid = table.integerKey || table.identity.kind === "rowid";
  // Each index ends with the rowid by itself.
  const rest = isRowid && last?.name === key && !last?.descending ? ordered.slice(0, -1) : ordered;
  return [...filtered.map((name) => ({ name, descending: false })), ...rest];
}

/** Whether there is an index whose columns begin with these; the first `free` of them in any order. */
function hasIndex(
  { connection }: SqliteSnapshot,
  table: string,
  wanted: readonly IndexColumn[],
  free: number,
): boolean {
  const rows = connection
    .prepare(
      `SELECT i.name, x.name FROM pragma_index_list(?, 'main') i, pragma_index_xinfo(i.name, 'main') x
       WHERE x.key AND NOT i.partial ORDER BY i.name, x.seqno`,
    )
    .all(table);
  const indexes = new Map<string, string[]>();
  for (const [index, column] of rows) {
    indexes.set(String(index), [...(indexes.get(String(index)) ?? []), String(column)]);
  }
  const shape = (names: readonly string[]): string =>
    JSON.stringify([...names.slice(0, free).sort(), ...names.slice(free, wanted.length)]);
  return [...indexes.values()].some((names) => shape(names) === shape(wanted.map(({ name }) => name)));
}

/** An index that would serve, as a statement. */
function createIndex({ connection }: SqliteSnapshot, table: string, columns: readonly IndexColumn[]): string {
  const [row] = connection.prepare("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?").all(table);
  // Lists are sorted byte for byte, whatever the column says.
  const collation = /\bCOLLATE\b/i.test(String(row?.[0])) ? " COLLATE BINARY" : "";
  const parts = columns.map(({ name, descending }) => quoteName(name) + collation + (descending ? " DESC" : ""));
  const name = [table, ...columns.map((column) => column.name)].join("_");
  return `CREATE INDEX ${quoteName(name)} ON ${quoteName(table)} (${parts.join(", ")})`;
}

/** Which index would make a read short, in a sentence; `undefined` where none would. */
function adviseIndex(snapshot: SqliteSnapshot, isServed: IsServed, target: Target): string | undefined {
  const catalog = catalogOf(snapshot.schema, isServed);
  const route = findRoute(catalog, target);
  if (route?.place !== "collection") return undefined;
  const { resource } = route;
  const { stored: table } = resource.table as SqliteTable;
  if (table.view) return undefined;
  const query = parseSelectedQuery(catalog, resource, target.parameters);
  // An index of a part of JSON serves just what is written as it is.
  if (query.order.some(({ member, of: other }) => member.path || other)) return undefined;
  const wanted = wantedColumns(table, query);
  if (wanted.length === 0 || wanted.length > maxColumns) return undefined;
  if (hasIndex(snapshot, table.name, wanted, soughtColumns(query).fixed.length)) return undefined;
  const names = wanted.map(({ name }) => JSON.stringify(name)).join(", ");
  return `No index serves ${names}; one would help: ${createIndex(snapshot, table.name, wanted)}`;
}

/** Whether records of other tables are read with these. */
function hasOthers({ parameters }: Target): boolean {
  return parameters.some(([name, value]) => name === "select" && value.includes("("));
}

/** Whether what is read is a table of few rows, or a record, with nothing else: if that takes long, the machine is busy. */
export function isSmall({ schema, connection }: SqliteSnapshot, isServed: IsServed, target: Target): boolean {
  if (hasOthers(target)) return false;
  const route = findRoute(catalogOf(schema, isServed), target);
  if (route?.place === "record") return !route.resource.table.isView;
  if (route?.place === "named") return !route.resource.table.isView && !route.parent.table.isView;
  if (route?.place !== "collection") return false;
  const { stored: table } = route.resource.table as SqliteTable;
  // A view may take long by itself.
  if (table.view) return false;
  const sql = `SELECT 1 FROM ${quoteName(table.name)} LIMIT 1 OFFSET ${fewRows - 1}`;
  return connection.prepare(sql).all().length === 0;
}

/**
 * The 503 for a read that took longer than it may, with the index that would help where one would.
 *
 * @param isBusy - whether it is the machine that made it long
 */
export function tooLong(
  snapshot: SqliteSnapshot,
  isServed: IsServed,
  target: Target,
  { limitMs, isBusy }: { readonly limitMs: number; readonly isBusy: boolean },
): Refusal {
  if (isBusy) {
    return new Refusal(
      503,
      `This read took longer than ${limitMs} ms, so it was ended. Little is read: the machine is busy.`,
      {
        fields: [["Retry-After", retrySoon]],
      },
    );
  }
  const advice =
    adviseIndex(snapshot, isServed, target) ??
    (hasOthers(target)
      ? 'Ask for less of it: embed fewer records, each with a "limit" of its own, or filter.'
      : "Ask for less of it: with a filter, or with a smaller offset.");
  return new Refusal(503, `This read took longer than ${limitMs} ms, so it was ended. ${advice}`, {
    fields: [["Retry-After", retryAfter]],
  });
}

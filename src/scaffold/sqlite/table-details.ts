import type { Connection } from "./connection.ts";
import type { Schema, SqlValue, Table } from "./schema.ts";
import { generatedExpressions, indexParts, mentions, triggerEvent, withStrings } from "./sql-text.ts";

/** What a unique index compares: a column under a collation, or an expression. */
export type IndexTerm =
  | { readonly kind: "column"; readonly name: string; readonly collation: string }
  | { readonly kind: "expression"; readonly sql: string };

/** A unique index, the primary key's own included. */
export interface UniqueIndex {
  readonly terms: readonly IndexTerm[];
  /** The condition of a partial index. */
  readonly where: string | undefined;
}

/** A table, with everything that decides which rows a write can touch. */
export interface TableDetails {
  readonly table: Table;
  readonly hasRowid: boolean;
  readonly uniqueIndexes: readonly UniqueIndex[];
  /** Generated columns and their expressions; each comes after those that it reads. */
  readonly generated: readonly (readonly [name: string, sql: string])[];
  /**
   * Whether a write to a row can, on its way, write other rows of the table: through its triggers, or through foreign
   * keys that lead back to it.
   */
  readonly isNested: boolean;
  /** Whether such a write can touch the very row that is being written. */
  readonly isReentrant: boolean;
}

interface Edge {
  readonly from: string;
  readonly to: string;
}

function text(value: SqlValue | undefined): string {
  return String(value ?? "");
}

function readUniqueIndexes(connection: Connection, { name: table, columns }: Table): UniqueIndex[] {
  const names = columns.map((column) => column.name);
  const indexes = connection
    .prepare(
      `SELECT i.name, (SELECT s.sql FROM sqlite_schema s WHERE s.type = 'index' AND s.name = i.name)
       FROM pragma_index_list(?, 'main') i WHERE i."unique" ORDER BY i.seq DESC`,
    )
    .all(table);
  return indexes.map(([name = null, sql]) => {
    const parts = typeof sql === "string" ? indexParts(sql) : undefined;
    const terms = connection
      .prepare("SELECT cid, name, coll FROM pragma_index_xinfo(?, 'main') WHERE key ORDER BY seqno")
      .all(name);
    return {
      terms: terms.map(([cid, column, collation], index): IndexTerm => {
        if (cid === -2) return { kind: "expression", sql: withStrings(parts?.terms[index] ?? "NULL", names) };
        return { kind: "column", name: text(column), collation: text(collation) };
      }),
      where: parts?.where === undefined ? undefined : withStrings(parts.where, names),
    };
  });
}

function sortedGenerated(expressions: ReadonlyMap<string, string>): [string, string][] {
  const sorted: [string, string][] = [];
  const waiting = new Map(expressions);
  while (waiting.size > 0) {
    const ready = [...waiting].filter(([name, sql]) => {
      return ![...waiting.keys()].some((other) => other !== name && mentions(sql, other));
    });
    // SQLite allows no loops, so this ends; a name in a string may look like one.
    const next = ready.length > 0 ? ready : [...waiting];
    for (const [name, sql] of next) {
      sorted.push([name, sql]);
      waiting.delete(name);
    }
  }
  return sorted;
}

function readGenerated(createTable: string, { columns }: Table): Map<string, string> {
  const names = columns.map(({ name }) => name);
  return new Map([...generatedExpressions(createTable)].map(([name, sql]) => [name, withStrings(sql, names)]));
}

/** Foreign keys that act: from the table whose write sets them off to the table that they write. */
function readEdges(connection: Connection, schema: Schema): Edge[] {
  return schema.tables.flatMap(({ name }) =>
    connection
      .prepare(
        `SELECT DISTINCT lower("table") FROM pragma_foreign_key_list(?, 'main')
         WHERE on_update NOT IN ('NO ACTION', 'RESTRICT') OR on_delete NOT IN ('NO ACTION', 'RESTRICT')`,
      )
      .all(name)
      .map(([parent]) => ({ from: text(parent), to: name.toLowerCase() })),
  );
}

function reachable(edges: readonly Edge[], start: string): Set<string> {
  const reached = new Set<string>();
  const visit = (name: string): void => {
    for (const { from, to } of edges) {
      if (from !== name || reached.has(to)) continue;
      reached.add(to);
      visit(to);
    }
  };
  visit(start);
  return reached;
}

/**
 * Reads what triggers on each table must know, inside the caller's transaction.
 *
 * @param isOurs - tells Rocket's own triggers by their names
 */
export function readDetails(
  connection: Connection,
  schema: Schema,
  isOurs: (trigger: string) => boolean,
): TableDetails[] {
  const edges = readEdges(connection, schema);
  const created = new Map(
    connection
      .prepare(
        "SELECT l.name, l.wr, s.sql FROM pragma_table_list l JOIN sqlite_schema s ON s.name = l.name AND s.type = 'table' WHERE l.schema = 'main'",
      )
      .all()
      .map(([name, withoutRowid, sql]) => [text(name), { hasRowid: withoutRowid !== 1, sql: text(sql) }]),
  );
  const events = connection
    .prepare("SELECT name, lower(tbl_name), sql FROM sqlite_schema WHERE type = 'trigger'")
    .all()
    .filter(([name]) => !isOurs(text(name)))
    .map(([, table, sql]) => ({ table: text(table), event: triggerEvent(text(sql)) }));
  const triggered = new Set(events.map(({ table }) => table));
  return schema.tables.map((table) => {
    const name = table.name.toLowerCase();
    const reached = reachable(edges, name);
    const isReentrant = reached.has(name) || [...reached].some((other) => triggered.has(other));
    const isInterposed = events.some((one) => one.table === name && !/^AFTER (?:INSERT|UPDATE)$/.test(one.event));
    return {
      table,
      hasRowid: created.get(table.name)?.hasRowid ?? true,
      uniqueIndexes: readUniqueIndexes(connection, table),
      generated: sortedGenerated(readGenerated(created.get(table.name)?.sql ?? "", table)),
      isNested: isReentrant || isInterposed,
      isReentrant,
    };
  });
}

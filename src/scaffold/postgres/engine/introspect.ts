import { type TableWrite, tableWrites } from "../../engine/table.ts";
import type { Session } from "../driver.ts";
import { keySql } from "../journal/sql-shapes.ts";
import { type Column, type ColumnType, isArrayType, type Table } from "../table.ts";
import { type Rule, rulesSql } from "./rules-sql.ts";
import { readTypes } from "./types.ts";
import { type BaseTable, readViewFacts, type ViewFacts } from "./view-keys.ts";

/** A column, with what a GET and a write need beside its type. */
export interface FullColumn extends Column {
  readonly isNotNull: boolean;
  /** Whether the database alone gives its value. */
  readonly isGenerated: boolean;
  /** Whether a new row has a value of it that nobody gave. */
  readonly hasDefault: boolean;
  /** The values that a check lists; `null` where none does. */
  readonly listed: readonly (string | number)[] | null;
  /** Whether its texts sort by code point. */
  readonly isCodePoint: boolean;
  /** Whether texts are equal only where they are the same. */
  readonly isExact: boolean;
  /** A composite type's name as SQL has it; `null` for any other. */
  readonly castTo: string | null;
  /** Whether the role may give it to a new row, and change it; true where rights don't count. */
  readonly isGivable: boolean;
  readonly isChangeable: boolean;
}

/** A table as GETs and writes know it. */
export interface FullTable extends Table {
  readonly columns: readonly FullColumn[];
  /**
   * Whether its own changes don't decide what the role is shown: row-level security does, it may not read each column, it is
   * a view, or nothing tells its rows apart.
   */
  readonly isPrivate: boolean;
  /** Whether row-level security is switched on for it, whomever that concerns. */
  readonly hasPolicies: boolean;
  /** Whether a query shows it. */
  readonly isView: boolean;
  /** What can be done to its rows; absent: everything. */
  readonly writes?: readonly TableWrite[];
  /** What the role may do to them. */
  readonly granted: readonly TableWrite[];
  /** Whether its rows can't be locked one by one. */
  readonly isUnlockable?: boolean;
  /** Whether something of the database's own may change a row once it is written: triggers, those of partitions, rules. */
  readonly mayChangeAfter?: boolean;
  /** Whether a write to it runs something of the database's own, here or where it leads to: triggers, rules; or it is a view. */
  readonly actsOnWrite?: boolean;
  readonly rules: readonly Rule[];
  /** The table that its rows are from, and its own names of that table's columns, where it is such a view. */
  readonly base?: { readonly table: BaseTable; readonly columns: ReadonlyMap<string, string> };
}

/**
 * Which rights decide what is there: none, for what there is at all; those of the session's role on whole tables; or those
 * on columns, too, so that a table is as the role may read it.
 */
export type Rights = "none" | "tables" | "columns";

/** What a schema has that is no collection. */
export interface LeftOutRelation {
  readonly schema: string;
  readonly name: string;
  readonly reason: string;
}

/** What some schemas of a database have. */
export interface Found {
  readonly tables: readonly FullTable[];
  readonly leftOut: readonly LeftOutRelation[];
  /** Tables that the role may not read, where rights on columns decide, with the columns that it may give to a record. */
  readonly denied: readonly FullTable[];
}

interface FoundColumn extends Omit<FullColumn, "type" | "listed"> {
  readonly type: string;
  /** A check of this column alone. */
  readonly check: string | null;
  readonly isReadable: boolean;
  /** What stands behind its type's name in brackets, as PostgreSQL keeps it; -1 where nothing does. */
  readonly modifier: number;
}

/** A type with what stands behind its name: of `numeric(10,2)`, the 2, in the lowest eleven bits. */
function modified(type: ColumnType, modifier: number): ColumnType {
  if (isArrayType(type)) return { ...type, element: modified(type.element, modifier) };
  if (type.kind !== "numeric" || modifier < 4) return type;
  return { ...type, scale: (((modifier - 4) & 0x7ff) ^ 0x400) - 0x400 };
}

/** Whether a collation sorts by code point: the database's own counts where a column says `default`. */
const codePointSql = `CASE WHEN coalesce(o.collname, '') = 'default' OR o.oid IS NULL THEN
    (SELECT (to_jsonb(d)->>'datlocprovider' = 'b' AND coalesce(to_jsonb(d)->>'datlocale', '') IN ('C', 'C.UTF-8', 'PG_UNICODE_FAST'))
        OR (coalesce(to_jsonb(d)->>'datlocprovider', 'c') = 'c' AND d.datcollate IN ('C', 'POSIX', 'C.UTF-8', 'C.utf8'))
      FROM pg_database d WHERE d.datname = current_database())
  ELSE o.collname IN ('C', 'POSIX', 'ucs_basic', 'pg_c_utf8', 'C.UTF-8', 'C.utf8') END`;

function columnRight(right: string): string {
  return `has_schema_privilege(c.relnamespace, 'USAGE') AND has_column_privilege(c.oid, a.attnum, '${right}')`;
}

/** What a view computes is given by the database alone, unless INSTEAD OF triggers (64) take it. */
const columnsSql = `SELECT json_agg(json_build_object('name', a.attname, 'type', a.atttypid::text,
    'isGivable', ${columnRight("INSERT")}, 'isChangeable', ${columnRight("UPDATE")}, 'isReadable', ${columnRight("SELECT")},
    'isNotNull', a.attnotnull, 'isGenerated', a.attgenerated <> '' OR a.attidentity = 'a'
      OR (c.relkind = 'v' AND NOT pg_column_is_updatable(c.oid, a.attnum, false)
        AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgtype & 64 <> 0)),
    'modifier', CASE WHEN a.atttypmod >= 0 THEN a.atttypmod ELSE y.typtypmod END, 'hasDefault', a.atthasdef OR a.attidentity <> '' OR y.typdefault IS NOT NULL,
    'check', (SELECT min(pg_get_constraintdef(k.oid)) FROM pg_constraint k
      WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]),
    'isCodePoint', coalesce(${codePointSql}, false), 'isExact', coalesce(o.collisdeterministic, true),
    'castTo', (SELECT quote_ident(n.nspname) || '.' || quote_ident(t.typname) FROM pg_type t
      JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = a.atttypid AND t.typtype = 'c')) ORDER BY a.attnum)
  FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_collation o ON o.oid = a.attcollation
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped`;

const keyColumnsSql = `SELECT json_agg(a.attname ORDER BY k.place) FROM pg_index i,
    unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, place), pg_attribute a
  WHERE i.indexrelid = (${keySql("c.oid")}) AND k.place <= i.indnkeyatts AND a.attrelid = c.oid AND a.attnum = k.attnum`;

/** What the role may do to a table's rows: bits at the numbers of PostgreSQL's commands. */
const grantedSql = `CASE WHEN has_schema_privilege(c.relnamespace, 'USAGE') THEN has_any_column_privilege(c.oid, 'INSERT')::int * 8
    + has_any_column_privilege(c.oid, 'UPDATE')::int * 4 + has_table_privilege(c.oid, 'DELETE')::int * 16 ELSE 0 END`;

/** What a write runs of the database's own: triggers and rules, those of partitions, and those of tables that a foreign key changes along. */
const actingSql = `WITH RECURSIVE acting (oid) AS (
    SELECT t.tgrelid FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgname NOT LIKE '!rocket%'
    UNION SELECT c.oid FROM pg_class c WHERE c.relhasrules AND c.relkind IN ('r', 'p')
    UNION SELECT more.oid FROM acting a, LATERAL (
      SELECT i.inhparent AS oid FROM pg_inherits i WHERE i.inhrelid = a.oid
      UNION ALL SELECT f.confrelid FROM pg_constraint f WHERE f.conrelid = a.oid AND f.contype = 'f'
        AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd'))) more)`;

/**
 * The commands that a table takes, as bits at their numbers: not those that a rule does something else for and gives back no
 * rows, as none does that is for some rows only. PostgreSQL refuses to tell what these have written.
 */
const ruledSql = `(SELECT 28 - coalesce(sum(DISTINCT 1 << w.ev_type::text::int), 0) FROM pg_rewrite w
    WHERE w.ev_class = c.oid AND w.is_instead AND w.ev_type IN ('2', '3', '4') AND pg_get_ruledef(w.oid) NOT LIKE '%RETURNING%')`;

const relationsSql = `${actingSql} SELECT n.nspname, c.relname, c.relkind::text, has_table_privilege(c.oid, 'SELECT'),
    (${columnsSql}), (${keyColumnsSql}), (${rulesSql}),
    row_security_active(c.oid) OR NOT has_table_privilege(c.oid, 'SELECT'), c.oid, c.relrowsecurity, ${grantedSql},
    c.relkind <> 'r' OR c.relhasrules OR EXISTS (SELECT FROM pg_trigger t
      WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgtype & 2 = 0 AND t.tgname NOT LIKE '!rocket%'),
    c.relkind IN ('v', 'm') OR c.oid IN (SELECT a.oid FROM acting a),
    CASE c.relkind WHEN 'v' THEN pg_relation_is_updatable(c.oid, true) ELSE ${ruledSql} END,
    CASE c.relkind WHEN 'v' THEN pg_relation_is_updatable(c.oid, false) ELSE 0 END
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
  ORDER BY array_position($1, n.nspname::text), c.oid`;

function reasonOf(kind: string | null, mayRead: boolean): string | undefined {
  if (kind === "f") return "foreign tables are not served";
  return mayRead ? undefined : "this role may not read it";
}

/** What can be done to rows, by bits at the numbers of PostgreSQL's commands. */
function writesOf(commandBits: string | null | undefined): TableWrite[] {
  const commands = [
    [8, "create"],
    [4, "update"],
    [16, "destroy"],
  ] as const;
  return commands.flatMap(([bit, write]) => (Number(commandBits) & bit ? [write] : []));
}

/** A table that takes all writes says nothing of it. */
function factsOf([updatable]: readonly (string | null | undefined)[]): Pick<FullTable, "writes"> {
  const writes = writesOf(updatable);
  return writes.length === tableWrites.length ? {} : { writes };
}

/** What a view is beside a table, and which of its columns are its key. */
function viewOf(
  [updatable, plainly]: readonly (string | null | undefined)[],
  columns: readonly FoundColumn[],
  { key, generated, base, shown }: ViewFacts,
): {
  readonly facts: Pick<FullTable, "writes" | "isUnlockable" | "base">;
  readonly key: string[];
  readonly columns: FoundColumn[];
} {
  const own = [...shown].map(([name, at]) => [name, columns[at]?.name ?? ""] as const);
  return {
    facts: {
      writes: writesOf(updatable),
      isUnlockable: !writesOf(plainly).includes("update"),
      ...(base ? { base: { table: base, columns: new Map(own) } } : {}),
    },
    key: key.flatMap((at) => columns[at]?.name ?? []),
    columns: columns.map((column, at) => (generated.includes(at) ? { ...column, isGenerated: true } : column)),
  };
}

/** The values that a check lists, where it asks nothing else, as PostgreSQL writes it: `CHECK ((kind = ANY (ARRAY['a'::text, 'b'::text])))`. */
function listedValues(check: string | null): (string | number)[] | null {
  const [, list] = /^CHECK \([^'=]* = ANY \(+ARRAY\[([^\]]*)\][a-z)[\]: ]*$/.exec(check ?? "") ?? [];
  if (
    list === undefined ||
    !/^(?:'(?:[^']|'')*'(?:::[a-z ]+)?|\d{1,15})(?:, (?:'(?:[^']|'')*'(?:::[a-z ]+)?|\d{1,15}))*$/.test(list)
  )
    return null;
  return [...list.matchAll(/'((?:[^']|'')*)'|\d+/g)].map(([all, text]) =>
    text === undefined ? Number(all) : text.replaceAll("''", "'"),
  );
}

const noFacts: ViewFacts = { key: [], generated: [], shown: new Map() };

/** Reads what the tables of some schemas are to the session's role, in the order of the schemas. */
export async function introspect(session: Session, schemas: readonly string[], rights: Rights): Promise<Found> {
  const rows = await session.query(relationsSql, [schemas]);
  const typeOf = await readTypes(session);
  const viewFacts = await readViewFacts(
    session,
    rows.flatMap((row) => (row[2] === "v" ? [row[8] ?? ""] : [])),
  );
  const tables: FullTable[] = [];
  const leftOut: LeftOutRelation[] = [];
  const denied: FullTable[] = [];
  for (const [schemaText, nameText, kind = null, isReadable = null, columnsText, keyText, rulesText, ...more] of rows) {
    const [isLess, oid, hasPolicies, grantedBits, mayChange, acts, ...updatable] = more;
    const [schema, name] = [schemaText ?? "", nameText ?? ""];
    const reason = reasonOf(kind, rights !== "tables" || isReadable === "t");
    if (reason !== undefined) {
      leftOut.push({ schema, name, reason });
      continue;
    }
    const isView = kind === "v" || kind === "m";
    const stored = JSON.parse(columnsText ?? "[]") as FoundColumn[];
    const view = kind === "v" ? viewOf(updatable, stored, viewFacts.get(oid ?? "") ?? noFacts) : undefined;
    const all = view?.columns ?? stored;
    const readable = all.filter((column) => rights !== "columns" || column.isReadable);
    const isShown = (part: string): boolean => readable.some((column) => column.name === part);
    // A view is read without its key, too.
    const key = view ? (view.key.every(isShown) ? view.key : []) : (JSON.parse(keyText ?? "[]") as string[]);
    const mayRead = readable.length > 0 && key.every(isShown);
    const columns = (mayRead ? readable : all.filter((column) => column.isGivable)).map(
      ({ isReadable: _, check, modifier, ...column }): FullColumn => ({
        ...column,
        listed: listedValues(check),
        ...(rights === "none" ? { isGivable: true, isChangeable: true } : {}),
        type: modified(typeOf(column.type), modifier),
      }),
    );
    if (all.length === 0) {
      leftOut.push({ schema, name, reason: "it has no columns" });
      continue;
    }
    const rules = JSON.parse(rulesText ?? "[]") as Rule[];
    const access = {
      isPrivate: isLess === "t" || key.length === 0 || isView,
      hasPolicies: hasPolicies === "t",
      mayChangeAfter: mayChange === "t",
      actsOnWrite: acts === "t",
    };
    const facts = view?.facts ?? (isView ? { writes: [] } : factsOf(updatable));
    const granted = rights === "none" ? tableWrites : writesOf(grantedBits);
    const table = { schema, name, columns, rules, isView, granted, ...access, isKeyDeferrable: false, ...facts };
    if (mayRead) tables.push({ ...table, key });
    else if (!isView || facts.writes?.includes("create")) denied.push({ ...table, key: [] });
    else denied.push({ ...table, columns: [], key: [] });
  }
  return { tables, leftOut, denied };
}

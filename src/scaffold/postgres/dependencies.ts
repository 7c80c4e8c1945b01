import type { Session } from "./driver.ts";
import type { NamedTable } from "./journal/watch-list.ts";

/** Numbers below are those of what PostgreSQL itself brought. */
const firstOwn = 16_384;

/** What a query depends on, as the catalogue has it. */
export interface Dependencies {
  /** Tables, each with all its partitions. */
  readonly tables: readonly NamedTable[];
  /** Relations that nobody tells of when they change: foreign tables, materialized views. */
  readonly unwatchable: readonly NamedTable[];
  /**
   * Functions of which nobody knows what they read. A function in C that is immutable reads nothing, and of one with a body
   * in `BEGIN ATOMIC` the catalogue knows what it reads.
   */
  readonly unclear: readonly UnclearFunction[];
}

/** A function of which nobody knows what it reads. */
export interface UnclearFunction {
  readonly name: string;
  /** Whether it stands behind an operator or a cast, so that no text has its name. */
  readonly isHidden: boolean;
}

const relation = "'pg_class'::regclass";
const routine = "'pg_proc'::regclass";
const operator = "'pg_operator'::regclass";

/** From relations and functions to what their policies, their views' queries and their bodies refer to, and so on. */
const dependenciesSql = `
WITH RECURSIVE found (class, id) AS (
  SELECT s.class, s.id FROM (
    SELECT ${relation}::oid, c.oid FROM unnest($1::text[], $2::text[]) named (schema, name)
      JOIN pg_namespace n ON n.nspname = named.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = named.name
    UNION ALL SELECT ${routine}::oid, p.oid FROM pg_proc p WHERE p.proname = ANY ($3::text[])) s (class, id)
  WHERE s.id >= ${firstOwn}
  UNION
  SELECT t.class, t.id FROM found f CROSS JOIN LATERAL (
    SELECT d.refclassid, d.refobjid FROM pg_policy p
      JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
      WHERE f.class = ${relation} AND p.polrelid = f.id AND p.polcmd IN ('r', '*')
    UNION ALL
    SELECT d.refclassid, d.refobjid FROM pg_rewrite w
      JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
      WHERE f.class = ${relation} AND w.ev_class = f.id
    UNION ALL
    SELECT d.refclassid, d.refobjid FROM pg_depend d WHERE f.class = ${routine} AND d.classid = f.class AND d.objid = f.id
    UNION ALL
    SELECT ${routine}::oid, o.oprcode::oid FROM pg_operator o WHERE f.class = ${operator} AND o.oid = f.id
    UNION ALL
    SELECT f.class, pg_partition_root(f.id)::oid WHERE f.class = ${relation}
  ) t (class, id)
  WHERE t.class IN (${relation}, ${routine}, ${operator}) AND t.id >= ${firstOwn}
)
SELECT c.relkind::text, n.nspname, c.relname, NULL FROM found f
  JOIN pg_class c ON f.class = ${relation} AND c.oid = f.id JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'f', 'm') AND NOT c.relispartition AND n.nspname <> 'rocket'
UNION ALL
SELECT 'function', n.nspname, p.proname,
  EXISTS (SELECT FROM pg_cast c WHERE c.castfunc = p.oid)
    OR EXISTS (SELECT FROM pg_operator o JOIN found g ON g.class = ${operator} AND g.id = o.oid WHERE o.oprcode = p.oid)
  FROM found f JOIN pg_proc p ON f.class = ${routine} AND p.oid = f.id JOIN pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_language l ON l.oid = p.prolang
  WHERE p.prosqlbody IS NULL AND NOT (l.lanname IN ('c', 'internal') AND p.provolatile = 'i' AND p.prokind <> 'a')
    AND n.nspname <> 'rocket'`;

/** What some relations and functions depend on. @param names - of functions; of equal names all count */
export async function readDependencies(
  session: Session,
  relations: readonly NamedTable[],
  names: readonly string[],
): Promise<Dependencies> {
  const rows = await session.query(dependenciesSql, [
    relations.map(({ schema }) => schema),
    relations.map(({ name }) => name),
    names,
  ]);
  const ofKinds = (kinds: readonly string[]): NamedTable[] =>
    rows.flatMap(([kind, schema, name]) =>
      kinds.includes(kind ?? "") ? [{ schema: schema ?? "", name: name ?? "" }] : [],
    );
  return {
    tables: ofKinds(["r", "p"]),
    unwatchable: ofKinds(["f", "m"]),
    unclear: rows.flatMap(([kind, , name, isHidden]) =>
      kind === "function" ? [{ name: name ?? "", isHidden: isHidden === "t" }] : [],
    ),
  };
}

const namedSql = `SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN (SELECT lower(string_agg(p.prosrc, ' ')) AS sources FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
    WHERE p.oid >= ${firstOwn} AND l.lanname NOT IN ('c', 'internal') 
      AND p.pronamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname = 'rocket')) f
  WHERE c.oid >= ${firstOwn} AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
    AND n.nspname <> 'rocket' AND strpos(f.sources, lower(c.relname)) > 0`;

/** The tables whose names are in the texts of the database's functions: more than these read. */
export async function readNamedInFunctions(session: Session): Promise<NamedTable[]> {
  const rows = await session.query(namedSql);
  return rows.map(([schema, name]) => ({ schema: schema ?? "", name: name ?? "" }));
}

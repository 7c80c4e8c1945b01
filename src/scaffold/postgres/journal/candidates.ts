import type { Session } from "../driver.ts";
import { keySql, partsSql } from "./sql-shapes.ts";
import { rowTrigger, truncateTrigger } from "./trigger-names.ts";

/** A table that could be watched. */
export interface Candidate {
  readonly schema: string;
  readonly name: string;
  /** Why its rows can't be told; `undefined` where they can. */
  readonly obstacle: string | undefined;
  /** Why it can't even be told that something was written to it; `undefined` where it can. */
  readonly touchObstacle: string | undefined;
  /** Itself and its partitions, as SQL has their names; itself first. */
  readonly parts: readonly string[];
  /** Whether it is watched, and all of its triggers are there and switched on: for its rows, or only for touches. */
  readonly armed: "rows" | "touch" | "no";
}

const touchObstacleSql = `CASE
  WHEN bool_or(p.relpersistence = 'u')
    THEN 'it is UNLOGGED: a crash empties it, and nothing tells so. Type: ALTER TABLE … SET LOGGED'
  WHEN r.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = r.oid)
    THEN 'other tables inherit from it, and what is written to them changes what it shows.'
  WHEN bool_or(p.relkind = 'f')
    THEN 'a partition is a foreign table, which may be written to at its own server.'
  END`;

const obstacleSql = `coalesce(${touchObstacleSql}, CASE WHEN (${keySql("r.oid")}) IS NULL
    THEN 'nothing tells its rows apart: it has no primary key, and no unique index over columns that are NOT NULL.'
  END)`;

const armedSql = `CASE WHEN EXISTS (SELECT FROM rocket.watched w WHERE w.relid::oid = r.oid) AND bool_and((
  SELECT count(*) FROM pg_trigger t JOIN rocket.watched w ON w.relid::oid = r.oid
  WHERE t.tgrelid = p.oid AND t.tgenabled = 'A' AND t.tgname IN ('${rowTrigger} ' || w.id, '${truncateTrigger}')) = 2)
  AND NOT bool_or(EXISTS (
    SELECT FROM pg_trigger t WHERE t.tgrelid = p.oid AND p.oid <> r.oid AND t.tgname LIKE '${rowTrigger}%' AND t.tgparentid = 0))
  THEN (SELECT CASE WHEN w.has_rows THEN 'rows' ELSE 'touch' END FROM rocket.watched w WHERE w.relid::oid = r.oid) ELSE 'no' END`;

const candidatesSql = (armed: string): string => `
SELECT r.nspname, r.relname, ${obstacleSql}, ${touchObstacleSql},
  json_agg(quote_ident(s.nspname) || '.' || quote_ident(p.relname) ORDER BY p.oid <> r.oid, p.oid), ${armed}
FROM (
  SELECT c.oid, c.relkind, c.relname, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't') r
CROSS JOIN LATERAL (${partsSql("r.oid")}) part (oid)
JOIN pg_class p ON p.oid = part.oid JOIN pg_namespace s ON s.oid = p.relnamespace
GROUP BY r.oid, r.relkind, r.relname, r.nspname ORDER BY r.nspname, r.relname`;

/**
 * The tables of some schemas that could be watched.
 *
 * @param hasJournal - whether the schema `rocket` may be read; without, none counts as armed
 */
export async function readCandidates(
  session: Session,
  schemas: readonly string[],
  hasJournal = true,
): Promise<Candidate[]> {
  const rows = await session.query(candidatesSql(hasJournal ? armedSql : "'no'"), [schemas]);
  return rows.map(([schema, name, obstacle, touchObstacle, parts, armed]) => ({
    schema: schema ?? "",
    name: name ?? "",
    obstacle: obstacle ?? undefined,
    touchObstacle: touchObstacle ?? undefined,
    parts: JSON.parse(parts ?? "[]") as string[],
    armed: armed === "rows" || armed === "touch" ? armed : "no",
  }));
}

import { readDependencies, readNamedInFunctions } from "../dependencies.ts";
import type { Pool } from "../driver.ts";
import { readingSession } from "../own-transaction.ts";
import { quoteName } from "../sql-text.ts";
import { armSql } from "./arm.ts";
import { type Candidate, readCandidates } from "./candidates.ts";
import { journalSql } from "./sql-journal.ts";
import { eventTriggerSql } from "./sql-notes.ts";
import { journalVersion } from "./sql-tables.ts";
import { nameOf } from "./watch-list.ts";

/** What a script is for. */
export interface ScriptOptions {
  /** The schemas whose tables are to be watched. Default `public`. */
  readonly schemas?: readonly string[];
  /** Which of their tables. Default: all. */
  readonly tables?: (schema: string, name: string) => boolean;
  /** The role that Rocket connects as. Default: the one of the connection. */
  readonly role?: string;
}

const grants = (role: string): string =>
  [
    `GRANT USAGE ON SCHEMA rocket TO ${role}`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON rocket.answers TO ${role}`,
    // Whether the schema is being changed, and nothing of what rows hold.
    `GRANT SELECT (kind) ON rocket.outbox TO ${role}`,
    `GRANT SELECT ON rocket.state, rocket.journal, rocket.shape, rocket.watched TO ${role}`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON rocket.answers TO ${role}`,
    `GRANT EXECUTE ON FUNCTION rocket.tick(int, boolean, boolean), rocket.stand(), rocket.begin_segment(text),
  rocket.trim(bigint, bigint, interval, int) TO ${role}`,
  ].join(";\n");

function section(title: string, sql: string): string {
  return `-- ${title}\n${sql.trim()}\n`;
}

/**
 * Tables that decide what is shown of others, by policies and the functions that these call: it has to be told when something
 * is written to them. Gives those that are not watched anyway.
 */
async function readDeciding(pool: Pool, chosen: readonly Candidate[]): Promise<Candidate[]> {
  const { tables, unclear } = await readDependencies(pool, chosen, []);
  const all = unclear.length > 0 ? [...tables, ...(await readNamedInFunctions(pool))] : tables;
  const watched = new Set(chosen.filter(({ obstacle }) => obstacle === undefined).map(nameOf));
  const names = new Set(all.map(nameOf).filter((name) => !watched.has(name)));
  const candidates = await readCandidates(pool, [...new Set(all.map(({ schema }) => schema))], false);
  return candidates.filter((candidate) => names.has(nameOf(candidate)) && candidate.touchObstacle === undefined);
}

function tableSection(candidate: Candidate): string {
  const [table = ""] = candidate.parts;
  if (candidate.obstacle !== undefined) return `-- ${table} can't be watched: ${candidate.obstacle}\n`;
  return section(table, `${armSql(candidate)};`);
}

/**
 * The SQL that an administrator runs where Rocket's role may not make the journal itself, or not put triggers on tables. It
 * changes nothing but the schema `rocket` and the tables' triggers, and can be run again: for tables that came later.
 */
export async function journalScript(pool: Pool, options: ScriptOptions = {}): Promise<string> {
  const { schemas = ["public"], tables = () => true } = options;
  const session = readingSession(pool);
  const [row] = await session.query("SELECT current_user");
  const role = quoteName(options.role ?? row?.[0] ?? "");
  const candidates = await readCandidates(session, schemas, false);
  const chosen = candidates.filter(({ schema, name }) => tables(schema, name));
  const deciding = await readDeciding(pool, chosen);
  return [
    "-- Rocket's journal of changes: run this as the owner of the tables, or as a superuser. It can be run again.",
    "BEGIN;\n",
    section(
      "The journal",
      `DO $rocket$ BEGIN
  IF to_regclass('rocket.state') IS NOT NULL THEN
    IF EXISTS (SELECT FROM rocket.state WHERE version <> ${journalVersion}) THEN DROP SCHEMA rocket CASCADE; END IF;
  END IF;
  IF to_regclass('rocket.state') IS NULL THEN EXECUTE $sql$${journalSql}$sql$; END IF;
END $rocket$;`,
    ),
    section(
      "Changes of the schema, where that may be watched",
      `DO $rocket$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'rocket_schema') THEN EXECUTE $sql$${eventTriggerSql}$sql$; END IF;
EXCEPTION WHEN insufficient_privilege THEN RAISE NOTICE 'Changes of the schema will be noticed a second later.';
END $rocket$;`,
    ),
    ...chosen.map(tableSection),
    ...deciding.map((candidate) =>
      section(`${candidate.parts[0]} decides what is shown of others`, `${armSql(candidate, "touch")};`),
    ),
    section("Rocket's role", `${grants(role)};`),
    "COMMIT;",
  ].join("\n");
}

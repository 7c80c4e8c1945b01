import { RocketError } from "../../../protocol/index.ts";
import type { Clock } from "../../../server/index.ts";
import type { Names } from "../../engine/names.ts";
import type { IsServed } from "../../rest/catalog.ts";
import { collectionPath } from "../../rest/resource.ts";
import { openPool, type Pool } from "../driver.ts";
import { createPostgresJournal } from "../journal/journal.ts";
import type { PostgresJournal, Retention } from "../journal/options.ts";
import { PostgresEngine } from "./engine.ts";
import { failedOf } from "./failure.ts";
import { Reader } from "./reader.ts";
import { recordFormatBelow } from "./record-format.ts";
import { SchemaSource } from "./schema-source.ts";
import { type PostgresSchema, Served } from "./served.ts";
import { SourceFinder } from "./source-finder.ts";
import { Writer } from "./writer.ts";

/** How a PostgreSQL database is opened as an engine; every default filled in. */
export interface PostgresEngineOptions {
  /** Where it is: `postgres://user@host/database`. */
  readonly connect: string;
  /** The schemas whose tables are served; the tables of the first one are named without it. */
  readonly schemas: readonly string[];
  readonly retention: Retention | undefined;
  /** How long a statement of a read may take, in milliseconds. */
  readonly readTimeoutMs: number;
  readonly clock: Clock;
  readonly reportError: (error: unknown, stage: string) => void;
  /** Whether requests act as roles of their own. */
  readonly hasRoles: boolean;
  /** Which tables are watched, and what stands before their names in URLs. */
  readonly isServed: IsServed;
  /** What models call what the database has; `undefined` where there are none. */
  readonly names: Names | undefined;
  /** Told of each schema that comes later. Must not throw. */
  readonly onSchema: (schema: PostgresSchema) => void;
}

/** How many connections there are at most: for the journal's own, for reads, and for writes. */
const poolSizes = { journal: 2, reads: 5, writes: 3 };

async function openPools({
  connect,
  readTimeoutMs,
  reportError,
}: PostgresEngineOptions): Promise<Record<keyof typeof poolSizes, Pool>> {
  const open = (max: number, answerMs: number): Promise<Pool> =>
    openPool({ connect, max, answerMs, onError: (error) => reportError(error, "connection") });
  return {
    journal: await open(poolSizes.journal, answerMs.journal),
    reads: await open(poolSizes.reads, Math.max(answerMs.others, readTimeoutMs + answerMs.journal)),
    writes: await open(poolSizes.writes, answerMs.others),
  };
}

/** How long an answer is waited for, in milliseconds. What the journal asks is carried out whether it waits or not. */
const answerMs = { journal: 10_000, others: 60_000 };

/** The journal; `undefined` where the role may have none, or the server is a standby. */
async function openJournal(
  options: PostgresEngineOptions,
  { journal: pool, reads, writes }: Record<keyof typeof poolSizes, Pool>,
  served: Served,
  onSchema: () => void,
): Promise<PostgresJournal | undefined> {
  const { schemas, retention, clock, reportError, isServed } = options;
  try {
    return await createPostgresJournal({
      ...{ pool, schemas, clock },
      format: recordFormatBelow(served, isServed.basePath),
      tables: (schema, name) => served.isShown({ schema, name }) && isServed(served.nameOf({ schema, name })),
      onError: (error, { stage }) => reportError(error, stage),
      // Theirs may lead to the server that was there before.
      onSegment: () => [reads, writes].forEach((other) => void other.renew()),
      onSchema,
      ...(retention ? { retention } : {}),
    });
  } catch (error) {
    const isLess = error instanceof RocketError && ["journal-denied", "journal-readonly"].includes(error.code);
    if (!isLess) throw error;
    reportError(error, "open");
    return undefined;
  }
}

/** @throws RocketError where the database has no schema of a name that is to be served */
async function requireSchemas(pool: Pool, schemas: readonly string[]): Promise<void> {
  const rows = await pool.query(`SELECT nspname FROM pg_namespace
    WHERE left(nspname, 3) <> 'pg_' AND nspname NOT IN ('information_schema', 'rocket') ORDER BY nspname`);
  const known = rows.map(([name]) => name ?? "");
  const missing = schemas.find((schema) => !known.includes(schema));
  if (missing === undefined) return;
  const there = known.length === 0 ? "it has none of its own" : `it has ${known.join(", ")}`;
  throw new RocketError("database-invalid", `The PostgreSQL database has no schema ${missing}; ${there}.`);
}

/** What pg says where it is asked for a password and has none. */
const lacksPassword = /^SASL: .*password must be a/;

/** What keeps the database from being opened, in a sentence for a person. */
function openFailure(error: unknown): RocketError {
  if (error instanceof RocketError) return error;
  const reason = error instanceof Error ? error.message || String((error as { code?: unknown }).code) : String(error);
  if (lacksPassword.test(reason)) {
    const message =
      "The PostgreSQL server asks for a password, and there is none: postgres://user:password@host/database has one, or PGPASSWORD.";
    return new RocketError("database-invalid", message, { cause: error });
  }
  const code = failedOf(error)?.code === "3D000" ? "database-missing" : "database-invalid";
  return new RocketError(code, `The PostgreSQL database can't be opened: ${reason.replace(/\.$/, "")}.`, {
    cause: error,
  });
}

/**
 * Opens a PostgreSQL database as an engine: with a journal, where the role may have one; else for reading.
 *
 * @throws RocketError where it can't be opened
 */
export async function openPostgres(options: PostgresEngineOptions): Promise<PostgresEngine> {
  const { schemas, clock, readTimeoutMs, reportError, onSchema, hasRoles, isServed } = options;
  const served = new Served(schemas, options.names);
  const pools = await openPools(options);
  const all = Object.values(pools);
  let journal: PostgresJournal | undefined;
  try {
    // What is wrong with the URL is said as PostgreSQL says it.
    await requireSchemas(pools.reads, schemas);
    const source = new SchemaSource({
      ...{ pool: pools.reads, served, schemas, hasRoles, onSchema },
      journal: () => journal,
      now: () => clock.now(),
      onLess: (tables) => journal?.reset(tables.map(({ name }) => collectionPath(name, isServed.basePath))),
    });
    journal = await openJournal(options, pools, served, () => void source.recheck());
    await source.refresh();
    const finder = new SourceFinder({ served, journal, reportError });
    const reader = new Reader({ pool: pools.reads, source, journal, finder, clock, limitMs: readTimeoutMs });
    if (!journal) return new PostgresEngine({ pools: all, source, reader });
    const writer = new Writer({ pool: pools.writes, source, journal, finder, clock, onError: reportError });
    return new PostgresEngine({ pools: all, source, reader, live: { journal, writer } });
  } catch (error) {
    await journal?.close();
    await Promise.all(all.map((pool) => pool.close()));
    throw openFailure(error);
  }
}

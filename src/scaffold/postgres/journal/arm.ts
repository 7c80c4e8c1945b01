import { RocketError } from "../../../protocol/index.ts";
import type { Clock } from "../../../server/index.ts";
import type { Pool } from "../driver.ts";
import { beginWrite, readingSession } from "../own-transaction.ts";
import { isDenied, isLockFailure, isUndefined } from "../sql-state.ts";
import { quoteText } from "../sql-text.ts";
import { type Candidate, readCandidates } from "./candidates.ts";
import { nameOf, type Watching, type WatchList } from "./watch-list.ts";

/** How long a table's lock is waited for: writers wait behind the one who waits. */
const lockTimeoutMs = 1_000;
/** How often, and how far apart. */
const attempts = 10;
const pauseMs = 200;

/** How tables are armed. */
export interface ArmOptions {
  readonly schemas: readonly string[];
  readonly watchList: WatchList;
  readonly clock: Clock;
}

/** The statement that puts triggers on a table. It can be run again. @param watching - for its rows, or only for touches */
export function armSql({ parts: [table = ""] }: Pick<Candidate, "parts">, watching: Watching = "rows"): string {
  return `SELECT rocket.arm(${quoteText(table)}, ${watching === "rows"})`;
}

/** Runs `attempt` until it gets its lock. */
async function withRetries(attempt: () => Promise<unknown>, clock: Clock): Promise<void> {
  for (let left = attempts; ; left -= 1) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (!isLockFailure(error) || left === 1) throw error;
      await new Promise<void>((resolve) => clock.setTimer(resolve, pauseMs));
    }
  }
}

/** Runs statements in a transaction that waits for no lock for long, until it has its locks. */
export async function inShort(pool: Pool, sql: string, clock: Clock): Promise<void> {
  const script = `${beginWrite}; SET LOCAL lock_timeout = ${lockTimeoutMs}; ${sql}; COMMIT`;
  await withRetries(() => pool.script(script), clock);
}

function whyNotArmed(error: unknown): string {
  if (isDenied(error)) {
    return "this role may not put triggers on it. The command rocket sql prints what its owner has to run.";
  }
  if (isLockFailure(error)) return "another transaction keeps it locked.";
  return error instanceof Error ? error.message : String(error);
}

/** The watched tables of which something can't be told, as `schema.name`, and why. */
export interface Missed {
  /** Those whose rows can't be. */
  readonly unwatched: ReadonlyMap<string, string>;
  /** Those that are to be touched, and of which not even that is told. */
  readonly untouched: ReadonlyMap<string, string>;
  /** Those of the first of which nothing at all can be told. */
  readonly silent: ReadonlyMap<string, string>;
}

/** What a table is to be armed for, as far as that can be; `undefined`: nothing. */
function watchingOf(watchList: WatchList, candidate: Candidate): Watching | undefined {
  if (watchList.hasRows(candidate) && candidate.obstacle === undefined) return "rows";
  return watchList.isTouched(candidate) && candidate.touchObstacle === undefined ? "touch" : undefined;
}

/**
 * Puts triggers on the watched tables where they are missing or switched off. Each that gets new ones gets a reset in the
 * journal: what happened to it until now may be missing there.
 *
 * @throws RocketError `journal-detached` where there is no journal
 */
export async function armTables(pool: Pool, { schemas, watchList, clock }: ArmOptions): Promise<Missed> {
  const unwatched = new Map<string, string>();
  const silent = new Map<string, string>();
  const untouched = new Map(
    watchList.touched.map((table) => [nameOf(table), "it is no table that can have triggers."]),
  );
  const all = new Set([...schemas, ...watchList.touched.map(({ schema }) => schema)]);
  for (const candidate of await findCandidates(pool, [...all])) {
    const name = nameOf(candidate);
    const { obstacle, touchObstacle, armed } = candidate;
    untouched.delete(name);
    if (watchList.hasRows(candidate) && obstacle !== undefined) unwatched.set(name, obstacle);
    if (watchList.hasRows(candidate) && touchObstacle !== undefined) silent.set(name, touchObstacle);
    if (watchList.isTouched(candidate) && touchObstacle !== undefined) untouched.set(name, touchObstacle);
    const watching = watchingOf(watchList, candidate);
    if (!watching || armed === "rows" || armed === watching) continue;
    try {
      await inShort(pool, armSql(candidate, watching), clock);
    } catch (error) {
      const reason = whyNotArmed(error);
      if (watchList.hasRows(candidate)) {
        unwatched.set(name, reason);
        silent.set(name, reason);
      }
      if (watchList.isTouched(candidate)) untouched.set(name, reason);
    }
  }
  return { unwatched, untouched, silent };
}

async function findCandidates(pool: Pool, schemas: readonly string[]): Promise<Candidate[]> {
  try {
    return await readCandidates(readingSession(pool), schemas);
  } catch (error) {
    if (!isUndefined(error)) throw error;
    throw new RocketError("journal-detached", "The schema rocket was removed from the database.", { cause: error });
  }
}

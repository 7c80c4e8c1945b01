import { RocketError } from "../../../protocol/index.ts";
import type { Clock } from "../../../server/index.ts";
import type { Pool } from "../driver.ts";
import { beginWrite, readingSession } from "../own-transaction.ts";
import { isDenied, isLockFailure, isUndefined } from "../sql-state.ts";
import { quoteText } from "../sql-text.ts";
import { type Candidate, readCandidates } from "./candidates.ts";

/** How long a table's lock is waited for: writers wait behind the one who waits. */
const lockTimeoutMs = 1_000;
/** How often, and how far apart. */
const attempts = 10;
const pauseMs = 200;

/** How tables are armed. */
export interface ArmOptions {
  readonly schemas: readonly string[];
  readonly isWatched: (schema: string, name: string) => boolean;
  readonly clock: Clock;
}

/** The statement that puts triggers on a table. It can be run again. */
export function armSql({ parts: [table = ""] }: Pick<Candidate, "parts">): string {
  return `SELECT rocket.arm(${quoteText(table)})`;
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

/**
 * Puts triggers on the watched tables where they are missing or switched off. Each that gets new ones gets a reset in the
 * journal: what happened to it until now may be missing there. Gives those that can't be watched, as `schema.name`, and why.
 *
 * @throws RocketError `journal-detached` where there is no journal
 */
export async function armTables(pool: Pool, options: ArmOptions): Promise<Map<string, string>> {
  const unwatched = new Map<string, string>();
  for (const candidate of await findCandidates(pool, options.schemas)) {
    const { schema, name, obstacle, isArmed } = candidate;
    if (!options.isWatched(schema, name)) continue;
    if (obstacle !== undefined) unwatched.set(`${schema}.${name}`, obstacle);
    if (obstacle !== undefined || isArmed) continue;
    try {
      await inShort(pool, armSql(candidate), options.clock);
    } catch (error) {
      unwatched.set(`${schema}.${name}`, whyNotArmed(error));
    }
  }
  return unwatched;
}

async function findCandidates(pool: Pool, schemas: readonly string[]): Promise<Candidate[]> {
  try {
    return await readCandidates(readingSession(pool), schemas);
  } catch (error) {
    if (!isUndefined(error)) throw error;
    throw new RocketError("journal-detached", "The schema rocket was removed from the database.", { cause: error });
  }
}

import { RocketError } from "../../../protocol/index.ts";
import type { Pool, Session } from "../driver.ts";
import { beginWrite, readingSession } from "../own-transaction.ts";
import { isDenied, isNameTaken } from "../sql-state.ts";
import { journalFailure } from "./failure.ts";
import { journalSql } from "./sql-journal.ts";
import { eventTriggerSql } from "./sql-notes.ts";
import { journalVersion } from "./sql-tables.ts";

/** Two processes that begin at once make one journal. The number means nothing else. */
const setUpLock = "SELECT pg_advisory_xact_lock(5291172)";

async function readVersion(session: Session): Promise<number | undefined> {
  // A look at the catalogue itself: a name that was looked up in vain is remembered for a while.
  const sql = `SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'rocket' AND c.relname = 'state'`;
  if ((await session.query(sql)).length === 0) return undefined;
  const [row] = await session.query("SELECT version FROM rocket.state");
  return Number(row?.[0] ?? 0);
}

function failure(error: unknown): unknown {
  if (isNameTaken(error)) {
    const message =
      "The database has a schema named rocket that is not Rocket's own. Rename it: ALTER SCHEMA rocket RENAME TO …";
    return new RocketError("database-invalid", message, { cause: error });
  }
  if (!isDenied(error)) return journalFailure(error);
  const message =
    "This role may not make the schema rocket. The command rocket sql prints what an administrator has to run.";
  return new RocketError("journal-denied", message, { cause: error });
}

/**
 * Makes the schema `rocket` where it is missing, and the event trigger where the role may.
 *
 * @throws RocketError `journal-denied`, `journal-readonly`
 */
export async function setUp(pool: Pool): Promise<void> {
  try {
    if ((await readVersion(readingSession(pool))) === journalVersion) return;
    await pool.transaction(beginWrite, async (session) => {
      await session.query(setUpLock);
      const version = await readVersion(session);
      if (version === journalVersion) return;
      if (version !== undefined) await session.script("DROP SCHEMA rocket CASCADE");
      await session.script(journalSql);
      await session.script("SAVEPOINT event_trigger");
      try {
        await session.script(eventTriggerSql);
      } catch (error) {
        if (!isDenied(error)) throw error;
        await session.script("ROLLBACK TO SAVEPOINT event_trigger");
      }
    });
  } catch (error) {
    throw failure(error);
  }
}

import { RocketError } from "../../../protocol/index.ts";
import type { Additions } from "../additions.ts";
import { type BusyOptions, retryWhenBusy } from "../busy.ts";
import type { Connection } from "../connection.ts";
import { openConnection } from "../driver.ts";
import { isBusy, isReadOnly } from "../sqlite-error.ts";

/** How many times a commit is tried that readers stand in the way of, and how long they are given between, in milliseconds. */
const commitTries = 8;
const commitPauseMs = 1;

/**
 * Commits. Outside of WAL, readers that have begun have to end first; no others begin meanwhile. Rolled back and done again,
 * a write might never find a moment without readers.
 */
function commit(connection: Connection): void {
  for (let tries = 1; ; tries += 1) {
    try {
      connection.exec("COMMIT");
      return;
    } catch (error) {
      if (tries === commitTries || !isBusy(error)) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, commitPauseMs);
  }
}

/**
 * Runs `write` in a transaction that takes the write lock at once; rolls back what it did when it throws. Throws an
 * error that `isBusy` tells where another connection has the lock.
 */
export function inWrite<Result>(connection: Connection, write: () => Result): Result {
  connection.exec("BEGIN IMMEDIATE");
  try {
    const result = write();
    commit(connection);
    return result;
  } catch (error) {
    try {
      connection.exec("ROLLBACK");
    } catch {
      // Some errors have rolled back already.
    }
    throw error;
  }
}

/**
 * Has a connection's commits not wait for the disk, in WAL, where others would wait with it. What a power cut takes back is
 * Rocket's own upkeep, which is done anew; what others commit later has it on disk before.
 */
function withoutSync(connection: Connection): Connection {
  const [mode] = connection.prepare("PRAGMA journal_mode").all();
  // Nobody changes the mode while this connection is open.
  if (mode?.[0] === "wal") connection.exec("PRAGMA synchronous = NORMAL");
  return connection;
}

/** Opens a connection for Rocket's own upkeep. @throws what `openConnection` throws */
export function openForUpkeep(path: string, additions?: Additions): Connection {
  const connection = openConnection(path, { additions });
  try {
    return withoutSync(connection);
  } catch (error) {
    connection.close();
    throw error;
  }
}

/**
 * Opens a database to write to it. Waits where it is locked, and tries often: others may have it locked nearly all the time.
 *
 * @throws RocketError `database-busy`, `journal-readonly`, those of `openConnection`, and what `action` throws
 */
export async function withWriter<Result>(
  path: string,
  options: BusyOptions,
  action: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await retryWhenBusy(() => openForUpkeep(path), { isEager: true, ...options });
  try {
    return await action(connection);
  } catch (error) {
    if (!isReadOnly(error)) throw error;
    throw new RocketError("journal-readonly", `${JSON.stringify(path)} can't be written.`, { cause: error });
  } finally {
    connection.close();
  }
}

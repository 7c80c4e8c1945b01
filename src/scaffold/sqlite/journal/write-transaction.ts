import type { Connection } from "../connection.ts";

/**
 * Runs `write` in a transaction that takes the write lock at once; rolls back what it did when it throws. Throws an
 * error that `isBusy` tells where another connection has the lock.
 */
export function inWrite<Result>(connection: Connection, write: () => Result): Result {
  connection.exec("BEGIN IMMEDIATE");
  try {
    const result = write();
    connection.exec("COMMIT");
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

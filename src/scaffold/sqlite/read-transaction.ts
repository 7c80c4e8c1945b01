import type { Connection } from "./connection.ts";

/** Runs `read` against one state of the database, inside a transaction that is open already or in one of its own. */
export function inRead<Result>(connection: Connection, read: () => Result): Result {
  connection.exec("SAVEPOINT rocket_read");
  try {
    return read();
  } finally {
    connection.exec("RELEASE rocket_read");
  }
}

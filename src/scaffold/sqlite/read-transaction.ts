import type { Connection } from "./connection.ts";

/** Runs `read` against one state of the database, inside a transaction that is open already or in one of its own. */
export function inRead<Result>(connection: Connection, read: () => Result): Result {
  connection.prepare("SAVEPOINT rocket_read").run();
  try {
    return read();
  } finally {
    connection.prepare("RELEASE rocket_read").run();
  }
}

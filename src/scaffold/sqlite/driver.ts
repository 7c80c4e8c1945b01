import { existsSync } from "node:fs";
import { RocketError } from "../../protocol/index.ts";
import type { Additions } from "./additions.ts";
import { openBetterSqlite } from "./better-sqlite.ts";
import type { Connection } from "./connection.ts";
import { openNodeSqlite } from "./node-sqlite.ts";
import { isOutOfReach, openFailure } from "./open-failure.ts";
import { isBusy } from "./sqlite-error.ts";

export type { Connection } from "./connection.ts";

/** How a database is opened. */
export interface ConnectionOptions {
  /** Whether writes are refused. Default false. */
  readonly readOnly?: boolean;
  /** Whether a missing file is made. Default false. */
  readonly create?: boolean;
  /** Functions, collations and the like that the database's own program has. Default none. */
  readonly additions?: Additions | undefined;
}

function openFile(path: string, readOnly: boolean, additions: Additions): Connection {
  const options = { readOnly, additions };
  const exact = openNodeSqlite(path, options, true);
  if (exact) return exact;
  try {
    return openBetterSqlite(path, readOnly, additions);
  } catch (error) {
    const isMissing = error instanceof RocketError && error.code === "driver-missing";
    const other = isMissing ? openNodeSqlite(path, options, false) : undefined;
    if (!other) throw error;
    return other;
  }
}

/**
 * Opens a SQLite file: with `node:sqlite` where Node has it, else with `better-sqlite3`; on Node 22, whose own
 * driver cuts text at a NUL, with `better-sqlite3` if that is there. Foreign keys are enforced,
 * each commit is synced (`synchronous=FULL`), and a locked database is an error at once: see `retryWhenBusy`.
 *
 * @throws RocketError `database-missing`, `database-invalid`, `driver-missing`; an error that `isBusy` tells where
 * another program has the database locked
 */
export function openConnection(path: string, options: ConnectionOptions = {}): Connection {
  const { readOnly = false, create = false, additions = {} } = options;
  if (!create && path !== ":memory:" && !existsSync(path) && !isOutOfReach(path)) {
    throw new RocketError("database-missing", `There is no database ${JSON.stringify(path)}.`);
  }
  let connection: Connection | undefined;
  try {
    connection = openFile(path, readOnly, additions);
    connection.exec("PRAGMA busy_timeout = 0; PRAGMA foreign_keys = ON");
    // The first real read, which finds out whether this is a database at all. What comes after it knows the schema, and
    // needs no other moment in which nobody has the lock.
    connection.prepare("SELECT count(*) FROM sqlite_schema").all();
    if (!readOnly) connection.exec("PRAGMA synchronous = FULL");
    return connection;
  } catch (error) {
    connection?.close();
    if (error instanceof RocketError || isBusy(error)) throw error;
    throw new RocketError("database-invalid", openFailure(path, error), { cause: error });
  }
}

import type { Additions } from "../additions.ts";
import { type Connection, openConnection } from "../driver.ts";

/**
 * Opens a connection that only reads.
 *
 * @param isReadOnly - whether the file is opened so, too; else a database can be put right whose writer was killed
 * @throws what `openConnection` throws
 */
export function openReader(path: string, isReadOnly: boolean, additions: Additions): Connection {
  const connection = openConnection(path, { readOnly: isReadOnly, additions });
  connection.exec("PRAGMA query_only = ON");
  return connection;
}

/** The `schema_version` that the connection's transaction sees. */
export function schemaVersion(connection: Connection): number {
  return Number(connection.prepare("PRAGMA schema_version").all()[0]?.[0]);
}

import type { Clock } from "../../../server/index.ts";
import { retryWhenBusy } from "../busy.ts";
import type { Connection } from "../connection.ts";
import { openConnection } from "../driver.ts";
import { quoteName } from "../sql-text.ts";
import { isRocketTrigger } from "./names.ts";
import { dropTables } from "./tables.ts";
import { inWrite } from "./write-transaction.ts";

/** The names of the triggers that Rocket made. */
export function rocketTriggers(connection: Connection): string[] {
  return connection
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    .all()
    .map(([name]) => String(name))
    .filter(isRocketTrigger);
}

/**
 * Removes everything that Rocket added to a database: its triggers and its `_rocket_` tables, and with them the
 * history. Running servers on it report `journal-detached` until they are started again.
 *
 * @throws RocketError `database-missing`, `database-invalid`, `database-busy`
 */
export async function detach(path: string, options: { readonly clock?: Clock } = {}): Promise<void> {
  const connection = await retryWhenBusy(() => openConnection(path), options);
  try {
    await retryWhenBusy(() => removeAll(connection), options);
  } finally {
    connection.close();
  }
}

function removeAll(connection: Connection): void {
  inWrite(connection, () => {
    for (const name of rocketTriggers(connection)) connection.exec(`DROP TRIGGER ${quoteName(name)}`);
    const others = connection
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 8) = '_rocket_'")
      .all();
    dropTables(connection);
    for (const [name] of others) connection.exec(`DROP TABLE IF EXISTS ${quoteName(String(name))}`);
  });
}

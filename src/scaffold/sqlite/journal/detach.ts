import type { Clock } from "../../../server/index.ts";
import type { Connection } from "../connection.ts";
import { quoteName } from "../sql-text.ts";
import { refuseInMigration } from "./migration.ts";
import { dropTables, rocketTriggers } from "./tables.ts";
import { writeOnce } from "./write-transaction.ts";

/**
 * Removes everything that Rocket added to a database: its triggers and its `_rocket_` tables, and with them the
 * history. Journals that follow it report `journal-detached` until they are made anew.
 *
 * @throws RocketError `database-missing`, `database-invalid`, `database-busy`, `journal-migrating`, `journal-readonly`
 */
export async function detach(path: string, options: { readonly clock?: Clock } = {}): Promise<void> {
  await writeOnce(path, options, removeAll);
}

function removeAll(connection: Connection): void {
  refuseInMigration(connection);
  for (const name of rocketTriggers(connection)) connection.exec(`DROP TRIGGER ${quoteName(name)}`);
  const others = connection
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 8) = '_rocket_'")
    .all();
  dropTables(connection);
  for (const [name] of others) connection.exec(`DROP TABLE IF EXISTS ${quoteName(String(name))}`);
}

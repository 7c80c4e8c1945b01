import type { Clock } from "../../../server/index.ts";
import { refuseInMigration } from "./migration.ts";
import { removeAll } from "./tables.ts";
import { writeOnce } from "./write-transaction.ts";

/**
 * Removes everything that Rocket added to a database: its triggers and its `_rocket_` tables, and with them the
 * history. Journals that follow it report `journal-detached` until they are made anew.
 *
 * @throws RocketError `database-missing`, `database-invalid`, `database-busy`, `journal-migrating`, `journal-readonly`
 */
export async function detach(path: string, options: { readonly clock?: Clock } = {}): Promise<void> {
  await writeOnce(path, options, (connection) => {
    refuseInMigration(connection);
    removeAll(connection);
  });
}

import { type Clock, systemClock } from "../../../server/index.ts";
import { forgetMigration, refuseInMigration } from "./migration.ts";
import { removeInSlices } from "./removal.ts";
import { withWriter } from "./write-transaction.ts";

/**
 * Removes everything that Rocket added to a database: its triggers and its `_rocket_` tables, and with them the
 * history, in short write transactions, so that others can write meanwhile. Journals that follow it report
 * `journal-detached` until they are made anew.
 *
 * @throws RocketError `database-missing`, `database-invalid`, `database-busy`, `journal-migrating`, `journal-readonly`
 */
export async function detach(path: string, { clock = systemClock }: { readonly clock?: Clock } = {}): Promise<void> {
  await withWriter(path, { clock }, (connection) =>
    removeInSlices(connection, { clock }, () => {
      refuseInMigration(connection);
      forgetMigration(connection);
      return true;
    }),
  );
}

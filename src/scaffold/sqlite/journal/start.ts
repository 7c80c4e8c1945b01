import type { Connection } from "../connection.ts";
import { isReadOnly } from "../sqlite-error.ts";
import { armInSlices } from "./arm-in-slices.ts";
import { refuseInMigration } from "./migration.ts";
import { removeInSlices } from "./removal.ts";
import type { ResolvedJournalOptions } from "./resolve-options.ts";
import { countSegments } from "./segments.ts";
import { hasTables } from "./tables.ts";

/**
 * Puts triggers on all watched tables before the journal begins: until its first segment there are no positions, and
 * nobody follows it. Nothing where the file can't be written, of which the journal's own beginning tells.
 *
 * @throws RocketError `database-busy`, `journal-migrating`
 */
export async function armFirst(connection: Connection, options: ResolvedJournalOptions): Promise<void> {
  try {
    await armInSlices(connection, options.isWatched, options, () => refuseInMigration(connection));
  } catch (error) {
    if (!isReadOnly(error)) throw error;
  }
}

/** Takes out what a start that failed has left, where no journal was ever begun. @throws RocketError `database-busy` */
export async function undoArming(connection: Connection, options: ResolvedJournalOptions): Promise<void> {
  const isUnused = (): boolean => hasTables(connection) && countSegments(connection) === 0;
  if (isUnused()) await removeInSlices(connection, options, isUnused);
}

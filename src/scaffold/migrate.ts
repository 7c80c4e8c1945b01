import { existsSync } from "node:fs";
import { readMigrations } from "./migrations/folder.ts";
import { withMigratedDatabase } from "./migrations/postgres.ts";
import { type RunMigrations, runMigrations } from "./migrations/run-migrations.ts";
import { withMigratedFile } from "./migrations/sqlite.ts";
import { isPostgresUrl } from "./postgres-url.ts";
import { pauseJournal } from "./sqlite/journal.ts";

export type { RunMigrations } from "./migrations/run-migrations.ts";

/**
 * Runs the migrations of a folder that a database has not had yet, as `prisma migrate deploy` and `drizzle-kit migrate` do, and
 * notes them in the tool's own table. Each is one transaction, where the database can do that. Of SQLite, Rocket's triggers
 * are taken off meanwhile, and a file is made where there is none.
 *
 * @param database - a SQLite file, or the URL of one of PostgreSQL
 * @param folder - as Prisma or Drizzle writes it: `prisma/migrations`, `drizzle`
 * @throws RocketError `migration-invalid`, `migration-failed`, `database-busy`, `database-invalid`, `driver-missing`,
 * `journal-migrating`
 */
export async function migrate(database: string, folder: string): Promise<RunMigrations> {
  if (isPostgresUrl(database)) {
    const migrations = readMigrations(folder, "postgres");
    return withMigratedDatabase(database, (one) => runMigrations(one, migrations));
  }
  const migrations = readMigrations(folder, "sqlite");
  const paused = existsSync(database) ? await pauseJournal(database) : undefined;
  try {
    return await withMigratedFile(database, (one) => runMigrations(one, migrations));
  } finally {
    await paused?.resume();
  }
}

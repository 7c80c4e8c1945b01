import { detachPostgres, openPool } from "./postgres/index.ts";
import { isPostgresUrl } from "./postgres-url.ts";
import { detach as detachSqlite } from "./sqlite/journal.ts";

/**
 * Removes everything that Rocket has added to a database, and with it the history. What serves it ends.
 *
 * @param database - a SQLite file, or the URL of one of PostgreSQL
 * @throws RocketError `database-missing`, `database-invalid`, `database-busy`, `driver-missing`
 */
export async function detach(database: string): Promise<void> {
  if (!isPostgresUrl(database)) return detachSqlite(database);
  const pool = await openPool({ connect: database, max: 1, onError: () => undefined });
  try {
    await detachPostgres(pool);
  } finally {
    await pool.close();
  }
}

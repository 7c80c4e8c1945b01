import { journalScript, openPool, type ScriptOptions } from "./postgres/index.ts";

/**
 * The SQL that an administrator runs where the role of a PostgreSQL URL may not make the journal itself.
 *
 * @param database - `postgres://user@host/database`; nothing is changed there
 * @throws RocketError `driver-missing`; what the connection throws
 */
export async function administratorSql(database: string, options: ScriptOptions = {}): Promise<string> {
  const pool = await openPool({ connect: database, max: 1, onError: () => undefined });
  try {
    return await journalScript(pool, options);
  } finally {
    await pool.close();
  }
}

import { openPool, type Pool } from "../postgres/index.ts";
import type { Migrated } from "./migrated.ts";

/** The lock under which Prisma migrates. */
const lockSql = "SELECT pg_advisory_xact_lock(72707369)";

/** A migration may take long: nobody waits for an answer in vain meanwhile. */
const answerMs = 24 * 60 * 60 * 1000;

/** A PostgreSQL database while migrations are run on it. */
class MigratedDatabase implements Migrated {
  readonly isPostgres = true;
  readonly #pool: Pool;
  /** The transaction that is open. */
  #session: Pick<Pool, "query" | "script"> | undefined;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async script(sql: string): Promise<void> {
    await (this.#session ?? this.#pool).script(sql);
  }

  async query(sql: string, parameters: readonly (string | number | null)[] = []): Promise<(string | null)[][]> {
    const rows = await (this.#session ?? this.#pool).query(sql, parameters);
    return rows.map((row) => [...row]);
  }

  async inTransaction<Result>(_migration: unknown, action: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#pool.transaction(`BEGIN; ${lockSql}`, (session) => {
        this.#session = session;
        return action();
      });
    } finally {
      this.#session = undefined;
    }
  }
}

/** Does something with a PostgreSQL database. @throws RocketError `driver-missing`; what the connection throws */
export async function withMigratedDatabase<Result>(
  url: string,
  action: (database: Migrated) => Promise<Result>,
): Promise<Result> {
  const pool = await openPool({ connect: url, max: 1, answerMs, onError: () => undefined });
  try {
    return await action(new MigratedDatabase(pool));
  } finally {
    await pool.close();
  }
}

import { existsSync } from "node:fs";
import { RocketError } from "../../protocol/index.ts";
import { retryWhenBusy } from "../sqlite/busy.ts";
import { type Connection, openConnection } from "../sqlite/driver.ts";
import { isEmptyFile } from "../sqlite/open-failure.ts";
import type { Migration } from "./folder.ts";
import type { Migrated } from "./migrated.ts";

/** Whether a migration asks for foreign keys not to be looked at, as one that rebuilds a table does. */
function letsKeysBe({ statements }: Migration): boolean {
  return statements.some(({ text }) => /^PRAGMA\s+foreign_keys\s*=\s*(?:OFF|0|FALSE|NO)\b/i.test(text));
}

/** The foreign keys that name nothing. */
function brokenKeys(connection: Connection): Set<string> {
  return new Set(
    connection
      .prepare("PRAGMA foreign_key_check")
      .all()
      .map((row) => row.join(" ")),
  );
}

/** A SQLite file while migrations are run on it. */
class MigratedFile implements Migrated {
  readonly isPostgres = false;
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async script(sql: string): Promise<void> {
    await retryWhenBusy(() => this.#connection.exec(sql));
  }

  async query(
    sql: string,
    parameters: readonly (string | number | null)[] = [],
  ): Promise<(string | number | null)[][]> {
    // Parameters are numbered in their order.
    const statement = sql.replace(/\$\d+/g, "?");
    const rows = await retryWhenBusy(() => {
      if (/^SELECT\b/.test(sql)) return this.#connection.prepare(statement).all(...parameters);
      this.#connection.prepare(statement).run(...parameters);
      return [];
    });
    return rows.map((row) => row.map((value) => (typeof value === "string" || value === null ? value : Number(value))));
  }

  async inTransaction<Result>(migration: Migration, action: () => Promise<Result>): Promise<Result> {
    const connection = this.#connection;
    const isFree = letsKeysBe(migration);
    // In a transaction SQLite does not hear of it.
    if (isFree) connection.exec("PRAGMA foreign_keys = OFF");
    try {
      await retryWhenBusy(() => connection.exec("BEGIN IMMEDIATE"));
      try {
        const before = isFree ? brokenKeys(connection) : undefined;
        const result = await action();
        if (before) this.#requireKeys(migration, before);
        await retryWhenBusy(() => connection.exec("COMMIT"));
        return result;
      } catch (error) {
        this.#rollBack();
        throw error;
      }
    } finally {
      connection.exec("PRAGMA foreign_keys = ON");
    }
  }

  #rollBack(): void {
    try {
      this.#connection.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself.
    }
  }

  /** @throws RocketError `migration-failed` where rows name nothing that named something before */
  #requireKeys({ path }: Migration, before: ReadonlySet<string>): void {
    const broken = [...brokenKeys(this.#connection)].filter((key) => !before.has(key));
    const [table = ""] = broken[0]?.split(" ") ?? [];
    if (broken.length === 0) return;
    const rows = `${broken.length} ${broken.length === 1 ? "row has" : "rows have"} a foreign key that names nothing`;
    throw new RocketError(
      "migration-failed",
      `${path}: after it, ${rows}, as of the table ${JSON.stringify(table)}.\nNothing of this file was done.`,
    );
  }
}

/** Does something with a SQLite file, which is made where there is none. @throws RocketError where it can't be opened */
export async function withMigratedFile<Result>(
  path: string,
  action: (database: Migrated) => Promise<Result>,
): Promise<Result> {
  const isNew = !existsSync(path) || isEmptyFile(path);
  const connection = await retryWhenBusy(() => openConnection(path, { create: true }));
  try {
    if (isNew) connection.exec("PRAGMA journal_mode = WAL");
    return await action(new MigratedFile(connection));
  } finally {
    connection.close();
  }
}

import { randomUUID } from "node:crypto";
import { RocketError } from "../../protocol/index.ts";
import type { Migration, MigrationFolder } from "./folder.ts";
import type { Migrated } from "./migrated.ts";

/** The book that a tool keeps in the database of the migrations that it has run. */
export interface Book {
  /** Makes it where there is none. */
  open(): Promise<void>;
  /** What is odd about it, in sentences. @throws RocketError `migration-invalid` where the tool would not go on */
  compare(migrations: readonly Migration[]): Promise<string[]>;
  has(migration: Migration): Promise<boolean>;
  /** Notes that one begins. */
  begin(migration: Migration): Promise<void>;
  /** Notes that it is done. */
  end(migration: Migration): Promise<void>;
  /** Notes why it failed, where it can't be undone. */
  fail(migration: Migration, words: string): Promise<void>;
}

const prismaTables = {
  sqlite: `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                    TEXT PRIMARY KEY NOT NULL,
    "checksum"              TEXT NOT NULL,
    "finished_at"           DATETIME,
    "migration_name"        TEXT NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        DATETIME,
    "started_at"            DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count"   INTEGER UNSIGNED NOT NULL DEFAULT 0
)`,
  postgres: `CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
)`,
} as const;

/** `_prisma_migrations`, in which each attempt has a row. */
class PrismaBook implements Book {
  readonly #database: Migrated;
  readonly #ids: Map<Migration, string> = new Map();

  constructor(database: Migrated) {
    this.#database = database;
  }

  async open(): Promise<void> {
    await this.#database.script(prismaTables[this.#database.isPostgres ? "postgres" : "sqlite"]);
  }

  async compare(migrations: readonly Migration[]): Promise<string[]> {
    const rows = await this.#database.query(
      "SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL",
    );
    const failed = rows.find(([, , finished]) => finished === null);
    if (failed) {
      const advice = "see to it, then: npx prisma migrate resolve --applied, or --rolled-back, with its name";
      throw new RocketError("migration-invalid", `The migration ${failed[0]} failed before, half way: ${advice}.`);
    }
    const hashes = new Map(rows.map(([name, hash]) => [name, hash]));
    const edited = migrations.filter(({ name, hash }) => hashes.has(name) && hashes.get(name) !== hash);
    const names = new Set(migrations.map(({ name }) => name));
    return [
      ...edited.map(({ path }) => `${path} is not as it was when it was run.`),
      ...[...hashes.keys()]
        .filter((name) => !names.has(String(name)))
        .map((name) => `${name} was run, and the folder does not have it.`),
    ];
  }

  async has({ name }: Migration): Promise<boolean> {
    const sql =
      "SELECT 1 FROM _prisma_migrations WHERE migration_name = $1 AND finished_at IS NOT NULL AND rolled_back_at IS NULL";
    return (await this.#database.query(sql, [name])).length > 0;
  }

  async begin(migration: Migration): Promise<void> {
    const id = randomUUID();
    this.#ids.set(migration, id);
    const sql = `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at) VALUES ($1, $2, $3, ${this.#now(4)})`;
    await this.#database.query(sql, [id, migration.hash, migration.name, Date.now()]);
  }

  async end(migration: Migration): Promise<void> {
    const sql = `UPDATE _prisma_migrations SET finished_at = ${this.#now(1)}, applied_steps_count = 1 WHERE id = $2`;
    await this.#database.query(sql, [Date.now(), this.#ids.get(migration) ?? ""]);
  }

  async fail(migration: Migration, words: string): Promise<void> {
    const sql = "UPDATE _prisma_migrations SET logs = $1 WHERE id = $2";
    await this.#database.query(sql, [words, this.#ids.get(migration) ?? ""]);
  }

  /** A moment that is given in milliseconds, as Prisma has them. */
  #now(place: number): string {
    return this.#database.isPostgres ? `to_timestamp($${place}::float8 / 1000)` : `$${place}`;
  }
}

/** `__drizzle_migrations`, in which the last one that was run counts. */
class DrizzleBook implements Book {
  readonly #database: Migrated;
  readonly #table: string;

  constructor(database: Migrated) {
    this.#database = database;
    this.#table = database.isPostgres ? '"drizzle"."__drizzle_migrations"' : '"__drizzle_migrations"';
  }

  async open(): Promise<void> {
    const { isPostgres } = this.#database;
    if (isPostgres) await this.#database.script('CREATE SCHEMA IF NOT EXISTS "drizzle"');
    const moment = isPostgres ? "bigint" : "numeric";
    await this.#database.script(
      `CREATE TABLE IF NOT EXISTS ${this.#table} (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at ${moment})`,
    );
  }

  async compare(migrations: readonly Migration[]): Promise<string[]> {
    const rows = await this.#database.query(`SELECT created_at, hash FROM ${this.#table}`);
    const hashes = new Map(rows.map(([when, hash]) => [Number(when), hash]));
    const edited = migrations.filter(({ when = 0, hash }) => hashes.has(when) && hashes.get(when) !== hash);
    return edited.map(({ path }) => `${path} is not as it was when it was run.`);
  }

  async has({ when = 0 }: Migration): Promise<boolean> {
    const rows = await this.#database.query(`SELECT 1 FROM ${this.#table} WHERE created_at >= $1 LIMIT 1`, [when]);
    return rows.length > 0;
  }

  async begin(): Promise<void> {
    // It is noted when it is done.
  }

  async end({ hash, when = 0 }: Migration): Promise<void> {
    const sql = `INSERT INTO ${this.#table} ("hash", "created_at") VALUES ($1, $2)`;
    await this.#database.query(sql, [hash, when]);
  }

  async fail(): Promise<void> {
    // Drizzle notes none that failed.
  }
}

/** The book of a tool in a database. */
export function bookOf(tool: MigrationFolder["tool"], database: Migrated): Book {
  return tool === "prisma" ? new PrismaBook(database) : new DrizzleBook(database);
}

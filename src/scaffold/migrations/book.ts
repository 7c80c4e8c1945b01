import { randomUUID } from "node:crypto";
import { RocketError } from "../../protocol/index.ts";
import type { Migration, MigrationFolder } from "./folder.ts";
import type { Migrated } from "./migrated.ts";

/** What is to be done of a folder of migrations. */
interface Plan {
  /** Those that are to be run, in their order. */
  readonly due: readonly Migration[];
  /** How many are noted as done. */
  readonly known: number;
  /** What is odd, in sentences for a person. */
  readonly notes: readonly string[];
}

/** The book that a tool keeps in the database of the migrations that it has run. */
export interface Book {
  /** Makes it where there is none. */
  open(): Promise<void>;
  /** What is to be done. @throws RocketError `migration-invalid` where the tool would not go on, or would leave one out for good */
  plan(migrations: readonly Migration[]): Promise<Plan>;
  /** Whether it is noted as done. */
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

  async plan(migrations: readonly Migration[]): Promise<Plan> {
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
    const notes = [
      ...edited.map(changedSince),
      ...[...hashes.keys()]
        .filter((name) => !names.has(String(name)))
        .map((name) => `${name} was run, and the folder does not have it.`),
    ];
    const due = migrations.filter(({ name }) => !hashes.has(name));
    return { due, known: migrations.length - due.length, notes };
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

function changedSince({ path }: Migration): string {
  return `${path} is not as it was when it was run.`;
}

function sharedMoments(migrations: readonly Migration[]): Set<number> {
  const moments = migrations.map(({ when = 0 }) => when);
  return new Set(moments.filter((when, at) => moments.indexOf(when) !== at));
}

/** Of one that came into the folder late, as where branches were merged. */
function leftOut({ path, when }: Migration, last: number): string {
  const what = `${path} was never run here, and Drizzle would leave it out for good: its "when" (${when}) is not after that of the last one that was run (${last})`;
  return `${what}. Give it a later one in meta/_journal.json, or note it in __drizzle_migrations where the database has what it does.\nNothing was run.`;
}

/** `__drizzle_migrations`, in which the last one that was run counts: what is later is to be run. */
class DrizzleBook implements Book {
  readonly #database: Migrated;
  readonly #table: string;
  /** The moments that several migrations have. */
  #shared: ReadonlySet<number> = new Set();

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

  async plan(migrations: readonly Migration[]): Promise<Plan> {
    const rows = await this.#rows();
    this.#shared = sharedMoments(migrations);
    const last = rows.reduce((most, [when]) => Math.max(most, Number(when)), Number.NEGATIVE_INFINITY);
    const isDone = migrations.map((migration) => this.#isIn(rows, migration));
    const due = migrations.filter(({ when = 0 }, at) => !isDone[at] && when > last);
    const missed = migrations.filter(({ when = 0 }, at) => !isDone[at] && when <= last);
    // Where somebody noted that a database had all up to one, none before it is noted; another one came in later.
    const first = isDone.indexOf(true);
    const late = missed.find((migration) => first >= 0 && migrations.indexOf(migration) > first);
    if (late) throw new RocketError("migration-invalid", leftOut(late, last));
    const edited = migrations.filter(({ when, hash }, at) => {
      return isDone[at] && !rows.some((row) => Number(row[0]) === when && row[1] === hash);
    });
    const skipped = missed.map(
      ({ path }) => `${path} is not noted as run, and left out: a later one is, and Drizzle goes on behind it.`,
    );
    return { due, known: isDone.filter(Boolean).length, notes: [...edited.map(changedSince), ...skipped] };
  }

  async has(migration: Migration): Promise<boolean> {
    return this.#isIn(await this.#rows(), migration);
  }

  #rows(): ReturnType<Migrated["query"]> {
    return this.#database.query(`SELECT created_at, hash FROM ${this.#table}`);
  }

  /** By its moment; where others have the same one, by its hash, too. */
  #isIn(rows: Awaited<ReturnType<Migrated["query"]>>, { when = 0, hash }: Migration): boolean {
    return rows.some((row) => Number(row[0]) === when && (row[1] === hash || !this.#shared.has(when)));
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

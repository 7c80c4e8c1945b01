import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { RocketError } from "../../protocol/index.ts";
import { type Sql, type Statement, splitStatements } from "./statements.ts";

/** A migration of a folder. */
export interface Migration {
  /** What the tool calls it. */
  readonly name: string;
  /** The file that it is. */
  readonly path: string;
  readonly statements: readonly Statement[];
  /** The file's SHA-256, in hexadecimal digits. */
  readonly hash: string;
  /** When it was made, in milliseconds since 1970; only of Drizzle's. */
  readonly when?: number;
}

/** Migrations in their order, and the tool whose they are. */
export interface MigrationFolder {
  readonly tool: "prisma" | "drizzle";
  readonly migrations: readonly Migration[];
}

interface DrizzleJournal {
  readonly dialect?: unknown;
  readonly entries: readonly { readonly tag: string; readonly when: number }[];
}

const drizzleMark = "--> statement-breakpoint";

function invalid(detail: string, cause?: unknown): never {
  throw new RocketError("migration-invalid", detail, { cause });
}

function shown(path: string): string {
  return JSON.stringify(path);
}

/** What Prisma and Drizzle call the databases. */
const ownDialects: Readonly<Record<Sql, ReadonlySet<string>>> = {
  postgres: new Set(["postgresql", "postgres", "pg"]),
  sqlite: new Set(["sqlite", "turso"]),
};
const databases: Readonly<Record<Sql, string>> = { postgres: "PostgreSQL", sqlite: "SQLite" };

/**
 * @param dialect - the database that a file of the folder names; `undefined` where it names none
 * @throws RocketError `migration-invalid` where that is another one
 */
function requireDialect(path: string, dialect: string | undefined, sql: Sql): void {
  if (dialect === undefined || ownDialects[sql].has(dialect)) return;
  const named = JSON.stringify(dialect.slice(0, 100));
  invalid(
    `${shown(path)} says that the migrations are for ${named}, and the database is ${databases[sql]}. Nothing was run.`,
  );
}

function readMigration(path: string, name: string, sql: Sql): Migration {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    return invalid(`${shown(path)} can't be read: ${error instanceof Error ? error.message : String(error)}.`, error);
  }
  const hash = createHash("sha256").update(bytes).digest("hex");
  // The mark is a comment to the database; where it stands, a statement may lack its semicolon.
  const text = bytes.toString("utf8").replaceAll(drizzleMark, `;${" ".repeat(drizzleMark.length - 1)}`);
  return { name, path, statements: splitStatements(text, sql), hash };
}

function drizzleMigrations(folder: string, journal: string, sql: Sql): Migration[] {
  let entries: DrizzleJournal["entries"];
  let dialect: DrizzleJournal["dialect"];
  try {
    ({ entries, dialect } = JSON.parse(readFileSync(journal, "utf8")) as DrizzleJournal);
  } catch (error) {
    return invalid(`${shown(journal)} is none of Drizzle's journals: it is no JSON.`, error);
  }
  if (!Array.isArray(entries)) return invalid(`${shown(journal)} is none of Drizzle's journals: it has no entries.`);
  if (!entries.every(({ tag, when }) => typeof tag === "string" && Number.isFinite(when))) {
    return invalid(`${shown(journal)} is none of Drizzle's journals: an entry has no "tag" or no "when".`);
  }
  requireDialect(journal, typeof dialect === "string" ? dialect : undefined, sql);
  return entries.map(({ tag, when }) => ({ ...readMigration(join(folder, `${tag}.sql`), tag, sql), when }));
}

/**
 * Reads a folder of migrations, as `prisma migrate` and `drizzle-kit generate` write them.
 *
 * @param sql - whose SQL they have to be
 * @throws RocketError `migration-invalid`
 */
export function readMigrations(folder: string, sql: Sql): MigrationFolder {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    return invalid(`There is no folder ${shown(folder)}; a command stands behind --.`);
  }
  const journal = join(folder, "meta", "_journal.json");
  if (existsSync(journal)) return { tool: "drizzle", migrations: drizzleMigrations(folder, journal, sql) };
  const names = readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, "migration.sql")))
    .sort();
  const lock = join(folder, "migration_lock.toml");
  const isPrisma = existsSync(lock);
  if (!isPrisma && names.some((name) => existsSync(join(folder, name, "snapshot.json")))) {
    return invalid(
      `${shown(folder)} is of Drizzle 1.0 or later, which notes what it did in a way of its own: put "-- npx drizzle-kit migrate" in its place.`,
    );
  }
  if (!isPrisma && names.length === 0) {
    return invalid(
      `${shown(folder)} has no migrations of Prisma (…/migration.sql) or Drizzle (meta/_journal.json); others are run as a command, behind --.`,
    );
  }
  if (isPrisma)
    requireDialect(lock, /^[ \t]*provider[ \t]*=[ \t]*["']([^"']*)/m.exec(readFileSync(lock, "utf8"))?.[1], sql);
  const migrations = names.map((name) => readMigration(join(folder, name, "migration.sql"), name, sql));
  return { tool: "prisma", migrations };
}

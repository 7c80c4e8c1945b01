import { RocketError } from "../../protocol/index.ts";
import { bookOf } from "./book.ts";
import type { Migration, MigrationFolder } from "./folder.ts";
import type { Migrated } from "./migrated.ts";
import type { Statement } from "./statements.ts";

/** What was done. */
export interface RunMigrations {
  /** The migrations that were run, by name, in their order. */
  readonly run: readonly string[];
  /** How many had been run before. */
  readonly known: number;
  /** What is odd, in sentences for a person. */
  readonly notes: readonly string[];
}

/** What a database carries out in no transaction, or ends one. */
const alone =
  /^(?:BEGIN|START\s+TRANSACTION|COMMIT|END|ROLLBACK|VACUUM|PRAGMA\s+journal_mode|(?:CREATE\s+(?:UNIQUE\s+)?|DROP\s+)INDEX\s+CONCURRENTLY|REINDEX\b.*\bCONCURRENTLY|(?:CREATE|DROP)\s+(?:DATABASE|TABLESPACE)|ALTER\s+SYSTEM)\b/i;

/** Whether all of it can be one transaction. */
function isOneTransaction({ statements }: Migration): boolean {
  return !statements.some(({ text }) => alone.test(text));
}

function firstLine(text: string): string {
  const [line = ""] = text.split("\n");
  return line.length < text.length || line.length > 120 ? `${line.slice(0, 120)} …` : line;
}

function failure({ path }: Migration, { text, line }: Statement, isUndone: boolean, cause: unknown): RocketError {
  const words = (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, "");
  const rest = isUndone
    ? "Nothing of this file was done."
    : "It is not one transaction (it has statements that can't be in one), so what stands before this in it was done.";
  const message = `${path}, line ${line}: ${words}. The statement: ${firstLine(text)}\n${rest}`;
  return new RocketError("migration-failed", message, { cause });
}

async function runStatements(database: Migrated, migration: Migration, isUndone: boolean): Promise<void> {
  for (const statement of migration.statements) {
    try {
      await database.script(statement.text);
    } catch (error) {
      throw failure(migration, statement, isUndone, error);
    }
  }
}

/**
 * Runs those migrations of a folder that a database has not had yet, in their order, and notes them as their tool does.
 *
 * @throws RocketError `migration-failed`, with the file, the line and the database's words; `migration-invalid`
 */
export async function runMigrations(database: Migrated, { tool, migrations }: MigrationFolder): Promise<RunMigrations> {
  const book = bookOf(tool, database);
  await book.open();
  const notes = await book.compare(migrations);
  const run: string[] = [];
  for (const migration of migrations) {
    const isUndone = isOneTransaction(migration);
    const isRun = isUndone
      ? await database.inTransaction(migration, async () => {
          // Another process may have run it meanwhile.
          if (await book.has(migration)) return false;
          await book.begin(migration);
          await runStatements(database, migration, true);
          await book.end(migration);
          return true;
        })
      : await runAlone(database, migration);
    if (isRun) run.push(migration.name);
  }
  return { run, known: migrations.length - run.length, notes };

  async function runAlone(one: Migrated, migration: Migration): Promise<boolean> {
    if (await book.has(migration)) return false;
    await book.begin(migration);
    try {
      await runStatements(one, migration, false);
    } catch (error) {
      await book.fail(migration, error instanceof Error ? error.message : String(error)).catch(() => undefined);
      throw error;
    }
    await book.end(migration);
    return true;
  }
}

import { RocketError } from "../../protocol/index.ts";
import { isAnswer } from "../postgres/index.ts";
import { type Book, bookOf } from "./book.ts";
import type { Migration, MigrationFolder } from "./folder.ts";
import type { Migrated } from "./migrated.ts";
import { isOneTransaction, openedBy, troubleOf } from "./own-transactions.ts";
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

function firstLine(text: string): string {
  const [line = ""] = text.split("\n");
  return line.length < text.length || line.length > 120 ? `${line.slice(0, 120)} …` : line;
}

function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
}

const nothingDone = "Nothing of this file was done.";

/** What is done of a file that is not one transaction, where a statement of it has failed. */
function doneBefore(statements: readonly Statement[], failed: number): string {
  const opened = openedBy(statements.slice(0, failed));
  if (opened && opened === statements[0]) return nothingDone;
  const why = "It is not one transaction (it has statements that can't be in one)";
  return opened
    ? `${why}: what stands before line ${opened.line} in it was done, and nothing from there on.`
    : `${why}, so what stands before this in it was done.`;
}

async function runStatements(database: Migrated, migration: Migration, isUndone: boolean): Promise<void> {
  const { path, statements } = migration;
  for (const [at, { text, line }] of statements.entries()) {
    try {
      await database.script(text);
    } catch (error) {
      const rest = isUndone ? nothingDone : doneBefore(statements, at);
      const message = `${path}, line ${line}: ${wordsOf(error)}. The statement: ${firstLine(text)}\n${rest}`;
      throw new RocketError("migration-failed", message, { cause: error });
    }
  }
}

/** What goes wrong before the first statement or after the last one, as where a foreign key is looked at by COMMIT. */
function failureAround({ path }: Migration, place: string, isKnown: boolean, cause: unknown): RocketError {
  const rest = isKnown
    ? nothingDone
    : "Whether it was done is not known: run this again, and what was done is not run twice.";
  return new RocketError("migration-failed", `${path}${place}: ${wordsOf(cause)}.\n${rest}`, { cause });
}

/** Runs one migration as one transaction; false where another process has run it meanwhile. */
async function runWhole(database: Migrated, book: Book, migration: Migration): Promise<boolean> {
  let place = "";
  try {
    return await database.inTransaction(migration, async () => {
      if (await book.has(migration)) return false;
      await book.begin(migration);
      await runStatements(database, migration, true);
      place = ", at its end";
      await book.end(migration);
      return true;
    });
  } catch (error) {
    if (error instanceof RocketError) throw error;
    throw failureAround(migration, place, place === "" || !database.isPostgres || isAnswer(error), error);
  }
}

/** Runs one that can't be one transaction. */
async function runAlone(database: Migrated, book: Book, migration: Migration): Promise<boolean> {
  if (await book.has(migration)) return false;
  await book.begin(migration);
  try {
    await runStatements(database, migration, false);
  } catch (error) {
    // What the file has begun by itself must not take the note with it; mostly, nothing is open.
    await database.script("ROLLBACK").catch(() => undefined);
    await book.fail(migration, wordsOf(error)).catch(() => undefined);
    throw error;
  }
  await book.end(migration);
  return true;
}

/**
 * Runs those migrations of a folder that a database has not had yet, in their order, and notes them as their tool does.
 * Nothing is run where one of them can't be.
 *
 * @throws RocketError `migration-failed`, with the file, the line and the database's words; `migration-invalid`
 */
export async function runMigrations(database: Migrated, { tool, migrations }: MigrationFolder): Promise<RunMigrations> {
  const book = bookOf(tool, database);
  await book.open();
  const { due, known, notes } = await book.plan(migrations);
  const trouble = due.flatMap((migration) => troubleOf(migration) ?? [])[0];
  if (trouble !== undefined) throw new RocketError("migration-invalid", `${trouble}\nNothing was run.`);
  const run: string[] = [];
  for (const migration of due) {
    const action = isOneTransaction(migration) ? runWhole : runAlone;
    if (await action(database, book, migration)) run.push(migration.name);
  }
  return { run, known: known + due.length - run.length, notes };
}

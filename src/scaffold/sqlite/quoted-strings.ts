import type { Connection } from "./connection.ts";
import { compileTrouble } from "./probe.ts";
import { asStrings, quotedWords, quoteName, type SqlToken, triggerParts, unquote } from "./sql-text.ts";

/**
 * `"text"` in a trigger is a string where no column has that name: so the sqlite3 shell and most programs take it, and
 * so it was made. Drivers for Node are compiled to refuse it. What was meant is found out with temporary triggers, and
 * put into the schema that the connection holds in memory: nothing of it reaches the file.
 */

const temporary = "_rocket_try";

/** The name that no column has, of an error about one. */
function unknownName(trouble: string | undefined): string | undefined {
  if (trouble === undefined) return undefined;
  const quoted = /^no such column: "(.*)" - should this be a string literal/s.exec(trouble)?.[1];
  return quoted ?? /^no such column: (.*)$/s.exec(trouble)?.[1];
}

interface Trigger {
  readonly name: string;
  readonly table: string;
  readonly sql: string;
}

/** Compiles variants of one trigger. */
class Trial {
  readonly #connection: Connection;
  readonly #write: string;

  constructor(connection: Connection, table: string, event: string) {
    this.#connection = connection;
    const name = quoteName(table);
    const columns = connection
      .prepare("SELECT name FROM pragma_table_xinfo(?, 'main') WHERE hidden = 0")
      .all(table)
      .map(([column]) => quoteName(String(column)));
    const changes = columns.map((column) => `${column} = ${column}`).join(", ");
    if (event.endsWith("INSERT")) this.#write = `INSERT INTO ${name} DEFAULT VALUES`;
    else this.#write = event.endsWith("DELETE") ? `DELETE FROM ${name}` : `UPDATE ${name} SET ${changes}`;
  }

  /** The quoted name that is no column, where there is one. */
  unknownIn(rest: string): string | undefined {
    try {
      this.#connection.exec(`CREATE TEMP TRIGGER ${temporary} ${rest}`);
    } catch {
      // A trigger that can't be made says nothing about its words.
      return undefined;
    }
    try {
      return unknownName(compileTrouble(this.#connection, this.#write));
    } finally {
      this.#connection.exec(`DROP TRIGGER temp.${temporary}`);
    }
  }
}

/** The words of a trigger that can only be strings. */
function stringsIn(rest: string, trial: Trial): SqlToken[] {
  const words = quotedWords(rest);
  const named = (names: ReadonlySet<string>): SqlToken[] => words.filter(({ text }) => names.has(unquote(text)));
  const suspects = new Set<string>();
  for (let left = words.length; left > 0; left -= 1) {
    const unknown = trial.unknownIn(asStrings(rest, named(suspects)));
    if (unknown === undefined || suspects.has(unknown) || !words.some(({ text }) => unquote(text) === unknown)) break;
    suspects.add(unknown);
  }
  // The same word may be a column elsewhere in the trigger: each is asked about while the others are strings.
  const all = named(suspects);
  return all.filter((word) => {
    const others = asStrings(
      rest,
      all.filter((other) => other !== word),
      // Columns have no case, errors keep it: so it is sure that the error is about this very word.
      { word, text: swapCase(word.text) },
    );
    return trial.unknownIn(others) === unquote(swapCase(word.text));
  });
}

function swapCase(text: string): string {
  return text.replace(/[a-z]/gi, (letter) => {
    const lower = letter.toLowerCase();
    return letter === lower ? letter.toUpperCase() : lower;
  });
}

function revise(connection: Connection, { table, sql }: Trigger): string {
  const parts = triggerParts(sql);
  if (!parts) return sql;
  const words = stringsIn(parts.rest, new Trial(connection, table, parts.event));
  return parts.head + asStrings(parts.rest, words);
}

function readTriggers(connection: Connection): Trigger[] {
  return connection
    .prepare("SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger'")
    .all()
    .map(([name, table, sql]) => ({ name: String(name), table: String(table), sql: String(sql) }));
}

/** The triggers that say a string with double quotes, by name, as SQL that says it with single ones. */
function revisions(connection: Connection, triggers: readonly Trigger[]): Map<string, string> {
  connection.exec("BEGIN IMMEDIATE");
  try {
    // Each is looked at alone: what others say must not be taken for its own trouble.
    for (const { name } of readTriggers(connection)) connection.exec(`DROP TRIGGER ${quoteName(name)}`);
    const revised = triggers.map((trigger) => [trigger, revise(connection, trigger)] as const);
    return new Map(revised.filter(([{ sql }, text]) => text !== sql).map(([{ name }, text]) => [name, text]));
  } finally {
    connection.exec("ROLLBACK");
  }
}

/**
 * Has a connection take strings in double quotes, in triggers, for strings; until the schema changes.
 *
 * @param isOurs - tells Rocket's own triggers by their names
 * @throws an error that `isBusy` tells
 */
export function allowQuotedStrings(connection: Connection, isOurs: (trigger: string) => boolean): void {
  if (!connection.redefineTriggers) return;
  const quoting = readTriggers(connection).filter(({ name, sql }) => !isOurs(name) && quotedWords(sql).length > 0);
  const found = quoting.length === 0 ? new Map<string, string>() : revisions(connection, quoting);
  if (found.size > 0) connection.redefineTriggers(found);
}

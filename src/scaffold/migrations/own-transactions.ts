import type { Migration } from "./folder.ts";
import type { Statement } from "./statements.ts";

/** What begins a transaction, and what ends one; ROLLBACK TO goes back in one. */
const begins = /^(?:BEGIN|START TRANSACTION)\b/;
const ends = /^(?:COMMIT|END|ABORT|PREPARE TRANSACTION|ROLLBACK(?!(?: TRANSACTION| WORK)? TO\b))\b/;
const chains = /^\w+(?: TRANSACTION| WORK)? AND CHAIN\b/;

/** What a database carries out in no transaction. */
const alone =
  /^(?:VACUUM|PRAGMA (?:\S+ ' )?JOURNAL_MODE|(?:CREATE (?:UNIQUE )?|DROP )INDEX CONCURRENTLY|REINDEX\b.*\bCONCURRENTLY|(?:CREATE|DROP) (?:DATABASE|TABLESPACE)|ALTER SYSTEM)\b/;

/** Whether all of it can be one transaction. */
export function isOneTransaction({ statements }: Pick<Migration, "statements">): boolean {
  return !statements.some(({ words }) => alone.test(words) || begins.test(words) || ends.test(words));
}

/** The statement that began the transaction that is open after some; `undefined` where none is. */
export function openedBy(statements: readonly Statement[]): Statement | undefined {
  let opened: Statement | undefined;
  for (const statement of statements) {
    if (begins.test(statement.words)) opened ??= statement;
    else if (ends.test(statement.words)) opened = chains.test(statement.words) ? statement : undefined;
  }
  return opened;
}

/** The line of a NUL character that a database would take for a statement's end. */
function lineOfNul(statements: readonly Statement[]): number | undefined {
  const statement = statements.find(({ text }) => text.includes("\0"));
  return statement && statement.line + (statement.text.split("\0")[0] ?? "").split("\n").length - 1;
}

/** Why a migration can't be run as it stands, as a sentence; `undefined` where it can. */
export function troubleOf(migration: Migration): string | undefined {
  const { path, statements } = migration;
  const nul = lineOfNul(statements);
  if (nul !== undefined) return `${path}, line ${nul}: there is a NUL character, which ends what is read: take it out.`;
  if (isOneTransaction(migration)) return undefined;
  const opened = openedBy(statements);
  if (opened) {
    return `${path}, line ${opened.line}: this begins a transaction that the file does not end: add COMMIT, or have no BEGIN.`;
  }
  const outside = statements.find(
    ({ words }, at) => /^SAVEPOINT\b/.test(words) && openedBy(statements.slice(0, at)) === undefined,
  );
  return (
    outside &&
    `${path}, line ${outside.line}: SAVEPOINT stands in no transaction, and the file has statements that are in none: have BEGIN before it, and COMMIT behind what it is for.`
  );
}

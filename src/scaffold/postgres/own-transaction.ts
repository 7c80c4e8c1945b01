import type { Pool, Session } from "./driver.ts";
import { valueSettings } from "./value-settings.ts";

/** How long a transaction of Rocket's may wait for its next statement: this process stands still, or the way to it is cut. */
const idleMs = 60_000;

/** How long things may take in a transaction, in milliseconds; 0: any time. */
export interface OwnLimits {
  readonly statementMs: number;
  readonly lockMs: number;
}

/** What a role or a database may have set in a way that ends Rocket's statements, has them read something else, or slows them. */
function settingsOf({ statementMs, lockMs }: OwnLimits): Readonly<Record<string, string>> {
  return {
    statement_timeout: String(Math.ceil(statementMs)),
    lock_timeout: String(Math.ceil(lockMs)),
    idle_in_transaction_session_timeout: String(idleMs),
    row_security: "on",
    // Of a list all is fetched that it is asked for: a plan that is quick to begin only may read the whole table.
    cursor_tuple_fraction: "1",
    jit: "off",
  };
}

/** Only newer servers have it. */
const noTransactionTimeout =
  "SELECT set_config(name, '0', true) FROM (VALUES ('transaction_timeout')) one (name) WHERE current_setting(name, true) IS NOT NULL";

/** Statements that set, for the rest of a transaction, what is to hold in one of Rocket's own. */
export function ownSettings(limits: OwnLimits): string {
  const settings = Object.entries(settingsOf(limits));
  return [...settings.map(([name, value]) => `SET LOCAL ${name} = ${value}`), noTransactionTimeout].join("; ");
}

/** As {@link ownSettings}, and how values are written as text: columns of a query, for the statements behind it. */
export function allSettings(limits: OwnLimits): string {
  const settings = Object.entries({ ...valueSettings, ...settingsOf(limits) });
  const calls = settings.map(([name, value]) => `set_config('${name}', '${value}', true)`);
  return `${calls.join(", ")}, (${noTransactionTimeout})`;
}

/** Begins a transaction that writes, whatever the defaults of its role are. */
export const beginWriting = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
const anyTime = ownSettings({ statementMs: 0, lockMs: 0 });

/**
 * Begins a transaction of Rocket's own, whatever the defaults of its role are: it writes, each statement has a snapshot of
 * its own, and it has time enough.
 */
export const beginWrite: string = `${beginWriting}; ${anyTime}`;

/** As {@link beginWrite}, each statement by itself. */
export function writeStatements(limits: OwnLimits): readonly string[] {
  return [beginWriting, `SELECT ${allSettings(limits)}`];
}

const beginRead = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY";
/** The statements that begin a transaction of Rocket's own that reads. */
export const readStatements: readonly string[] = [beginRead, `SELECT ${allSettings({ statementMs: 0, lockMs: 0 })}`];

/** A session each of whose statements is a transaction that reads, whatever the defaults of its role are. */
export function readingSession(pool: Pool): Session {
  return {
    query: (sql, parameters, keeping) =>
      pool.reading(readStatements, (session) => session.query(sql, parameters, keeping)),
    script: (sql) => pool.script(`${beginRead}; ${anyTime}; ${sql}; COMMIT`),
  };
}

import type { Pool, Session } from "./driver.ts";

/** How long a transaction of Rocket's may wait for its next statement: this process stands still, or the way to it is cut. */
const idleMs = 60_000;

/** How long things may take in a transaction, in milliseconds; 0: any time. */
export interface OwnLimits {
  readonly statementMs: number;
  readonly lockMs: number;
}

/**
 * Statements that set, for the rest of a transaction, what a role or a database may have set in a way that ends Rocket's
 * statements, or has them read something else. Only newer servers have `transaction_timeout`.
 */
export function ownSettings({ statementMs, lockMs }: OwnLimits): string {
  const settings = {
    statement_timeout: Math.ceil(statementMs),
    lock_timeout: Math.ceil(lockMs),
    idle_in_transaction_session_timeout: idleMs,
    row_security: "on",
    // Of a list all is fetched that it is asked for: a plan that is quick to begin only may read the whole table.
    cursor_tuple_fraction: 1,
  };
  return [
    ...Object.entries(settings).map(([name, value]) => `SET LOCAL ${name} = ${value}`),
    "SELECT set_config(name, '0', true) FROM (VALUES ('transaction_timeout')) one (name) WHERE current_setting(name, true) IS NOT NULL",
  ].join("; ");
}

const anyTime = ownSettings({ statementMs: 0, lockMs: 0 });

/**
 * Begins a transaction of Rocket's own, whatever the defaults of its role are: it writes, each statement has a snapshot of
 * its own, and it has time enough.
 */
export const beginWrite: string = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; ${anyTime}`;

const beginRead = `BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; ${anyTime}`;

/** A session each of whose statements is a transaction that reads, whatever the defaults of its role are. */
export function readingSession(pool: Pool): Session {
  return {
    query: (sql, parameters) => pool.transaction(beginRead, (session) => session.query(sql, parameters)),
    script: (sql) => pool.script(`${beginRead}; ${sql}; COMMIT`),
  };
}

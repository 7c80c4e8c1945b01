/**
 * Begins a transaction of Rocket's own, whatever the defaults of its role are: it writes, each statement has a snapshot of
 * its own, and it has time enough.
 */
export const beginWrite =
  "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0";

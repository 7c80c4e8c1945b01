import type { Connection } from "../driver.ts";
import { isBusy } from "../sqlite-error.ts";

/** What an action gave or threw. */
export type Outcome<Result> = { readonly result: Result } | { readonly error: unknown };

/** Rolls back what is open, if something is. */
export function rollBack(connection: Connection): void {
  try {
    connection.prepare("ROLLBACK").run();
  } catch {
    // SQLite has rolled back by itself.
  }
}

/** Runs an action in a savepoint; `undefined` where its failure rolled back the whole transaction. */
function runInSavepoint<Result>(
  connection: Connection,
  action: () => Result,
  onLost: (error: unknown) => void,
): Outcome<Result> | undefined {
  connection.prepare("SAVEPOINT rocket_write").run();
  try {
    const result = action();
    connection.prepare("RELEASE rocket_write").run();
    return { result };
  } catch (error) {
    if (isBusy(error)) throw error;
    try {
      connection.exec("ROLLBACK TO rocket_write; RELEASE rocket_write");
      return { error };
    } catch {
      onLost(error);
      return undefined;
    }
  }
}

function runAll<Result>(
  connection: Connection,
  actions: readonly (() => Result)[],
  failed: Map<number, unknown>,
): Outcome<Result>[] | undefined {
  const outcomes: Outcome<Result>[] = [];
  for (const [at, action] of actions.entries()) {
    const outcome: Outcome<Result> | undefined = failed.has(at)
      ? { error: failed.get(at) }
      : runInSavepoint(connection, action, (error) => failed.set(at, error));
    if (!outcome) return undefined;
    outcomes.push(outcome);
  }
  return outcomes;
}

/**
 * Begins a write transaction and runs each action in a savepoint of its own. An action whose failure takes the whole
 * transaction with it (ON CONFLICT ROLLBACK) is left out, and the others run again. The transaction is left open.
 *
 * @param end - runs last in the transaction
 * @throws what `end` throws and, with the transaction rolled back, that the database is busy
 */
export function beginGroup<Result, End>(
  connection: Connection,
  actions: readonly (() => Result)[],
  end: (outcomes: readonly Outcome<Result>[]) => End,
): { readonly outcomes: readonly Outcome<Result>[]; readonly end: End } {
  const failed = new Map<number, unknown>();
  for (;;) {
    connection.prepare("BEGIN IMMEDIATE").run();
    try {
      const outcomes = runAll(connection, actions, failed);
      if (outcomes) return { outcomes, end: end(outcomes) };
    } catch (error) {
      rollBack(connection);
      throw error;
    }
    rollBack(connection);
  }
}

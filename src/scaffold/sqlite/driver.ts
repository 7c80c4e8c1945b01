import type { SqlValue } from "./schema.ts";

/** A prepared statement. Rows are arrays, in the order of the selected columns. */
export interface Statement {
  /** Runs it and gives every row. */
  all(...parameters: readonly SqlValue[]): SqlValue[][];
  /** Runs it and gives how many rows were changed. */
  run(...parameters: readonly SqlValue[]): number;
}

/** One connection to a SQLite database, over whichever driver this Node has. Its busy timeout is 0. */
export interface Connection {
  /** Runs one or more statements without results. */
  exec(sql: string): void;
  /** Prepares a statement, or gives the one prepared before for the same text. */
  prepare(sql: string): Statement;
  /** Closes it; twice is fine. */
  close(): void;
}

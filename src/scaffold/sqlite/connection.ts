import type { Brake } from "./brake.ts";
import type { SqlValue } from "./schema.ts";

/** A prepared statement. Rows are arrays, in the order of the selected columns. */
export interface Statement {
  /** Runs it and gives every row. */
  all(...parameters: readonly SqlValue[]): SqlValue[][];
  /** Runs it and gives row by row, until `visit` says false. `visit` must not use the connection. */
  each(visit: (row: SqlValue[]) => boolean, ...parameters: readonly SqlValue[]): void;
  /** Runs it and gives how many rows were changed. */
  run(...parameters: readonly SqlValue[]): number;
}

/** One connection to a SQLite database, over whichever driver this Node has. Its busy timeout is 0. */
export interface Connection {
  /** Ends statements that have `brakeCondition` in their SQL. */
  readonly brake: Brake;
  /** Runs one or more statements without results. */
  exec(sql: string): void;
  /** Prepares a statement, or gives the one prepared before for the same text. */
  prepare(sql: string): Statement;
  /**
   * Has this connection know triggers by other SQL than the file has, until the schema changes; absent where it needs
   * that for no string in double quotes. It takes the write lock for a moment, and writes nothing.
   */
  readonly redefineTriggers?: (sql: ReadonlyMap<string, string>) => void;
  /** Closes it; twice is fine. */
  close(): void;
}

/** A function of SQL over a driver's values. */
export function driverFunction(call: (...values: SqlValue[]) => SqlValue): (...values: SqlValue[]) => SqlValue {
  return (...values) => toDriver(call(...(fromDriver([values])[0] ?? [])));
}

/** How many statements a connection keeps prepared. */
const maxStatements = 256;

/** Prepares by text and keeps the statements used last. */
export class StatementCache {
  readonly #prepare: (sql: string) => Statement;
  readonly #statements: Map<string, Statement> = new Map();

  constructor(prepare: (sql: string) => Statement) {
    this.#prepare = prepare;
  }

  get(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known) {
      this.#statements.delete(sql);
      this.#statements.set(sql, known);
      return known;
    }
    const statement = this.#prepare(sql);
    // SQLite never compiles an EXPLAIN anew: after a change of the schema it would read freed memory.
    if (/^\s*EXPLAIN\b/i.test(sql)) return statement;
    this.#statements.set(sql, statement);
    if (this.#statements.size > maxStatements) {
      const [oldest] = this.#statements.keys();
      if (oldest !== undefined) this.#statements.delete(oldest);
    }
    return statement;
  }

  /** Forgets the statement of a text. */
  delete(sql: string): void {
    this.#statements.delete(sql);
  }

  clear(): void {
    this.#statements.clear();
  }
}

/** A parameter as drivers bind it: they take each number for a double, so whole numbers go as bigints. */
export function toDriver(value: SqlValue): SqlValue {
  return typeof value === "number" && Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value;
}

/** Turns the bigints of a driver's rows into numbers where that is exact. Changes the rows in place. */
export function fromDriver(rows: SqlValue[][]): SqlValue[][] {
  for (const row of rows) rowFromDriver(row);
  return rows;
}

/** As {@link fromDriver}, of one row. */
export function rowFromDriver(row: SqlValue[]): SqlValue[] {
  for (let index = 0; index < row.length; index += 1) {
    const value = row[index];
    if (typeof value === "bigint" && value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER) {
      row[index] = Number(value);
    }
  }
  return row;
}

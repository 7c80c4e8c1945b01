/** A value of a statement. */
export type SqlParameter = string | number | null;

/** A row's values as texts, in the order of the statement's columns; null is null. */
export type SqlRow = readonly (string | null)[];

/** Where users are kept: statements that SQLite and PostgreSQL both read. */
export interface UserDatabase {
  /** The tables' names in SQL. */
  readonly tables: { readonly users: string; readonly sessions: string; readonly keys: string };
  /** What makes the place of the tables. */
  readonly placeSql: string;
  /** Runs statements without parameters. */
  script(sql: string): Promise<void>;
  /** Runs one statement that gives rows, and has `?` for each parameter. */
  query(sql: string, parameters?: readonly SqlParameter[]): Promise<readonly SqlRow[]>;
  /** Twice is fine. */
  close(): Promise<void>;
}

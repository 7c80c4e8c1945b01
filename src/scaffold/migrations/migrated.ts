import type { Migration } from "./folder.ts";

/** A value that is bound to a statement, or read. */
type Value = string | number | null;

/** A database while migrations are run on it: what is asked of it happens in that order. */
export interface Migrated {
  /** Whether it is PostgreSQL. */
  readonly isPostgres: boolean;
  /** Runs statements that have no parameters. */
  script(sql: string): Promise<void>;
  query(sql: string, parameters?: readonly Value[]): Promise<readonly (readonly Value[])[]>;
  /** Runs `action` in a transaction that is rolled back where it throws. Nobody else runs migrations meanwhile. */
  inTransaction<Result>(migration: Migration, action: () => Promise<Result>): Promise<Result>;
}

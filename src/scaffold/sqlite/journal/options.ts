import type { Bookmark, Clock, Journal } from "../../../server/index.ts";
import type { Additions } from "../additions.ts";
import type { Connection } from "../connection.ts";
import type { RecordFormat } from "../record-format.ts";
import type { Schema } from "../schema.ts";

/** How much of the past a journal keeps. */
export interface Retention {
  /** How many changes are kept at least, unless they hold more than `maxBytes`. Default 100,000; at least 1. */
  readonly maxChanges?: number;
  /**
   * How many bytes of records, before and after, are kept at least, unless they are more than `maxChanges`. Default
   * 256 MiB; at least 1. What is removed leaves room in the file that is used again.
   */
  readonly maxBytes?: number;
  /** How old a change may grow, in milliseconds, counted from when this process saw it. Default: any age. */
  readonly maxAgeMs?: number;
}

/** How a SQLite journal is made. */
export interface SqliteJournalOptions {
  /** The database file. */
  readonly path: string;
  /** How rows look from outside. */
  readonly format: RecordFormat;
  /** Functions, collations and the like that the database's own program has. Default none. */
  readonly additions?: Additions | undefined;
  /** Time and chance. Default: the platform's. */
  readonly clock?: Clock;
  /** How often commits of other connections are looked for while the tail has listeners, in milliseconds. Default 2. */
  readonly pollMs?: number;
  /**
   * How long nothing must have been committed after a change of the schema, in milliseconds, before the triggers are made
   * to fit it: so that the next step of a migration doesn't find the database locked. It is three times as long as such
   * steps are apart, where that is longer, up to 3 seconds. After 30 seconds they are in any case, and before a write of
   * Rocket's own. Default 1,000.
   */
  readonly quietMs?: number;
  /** What is kept for those who resume. */
  readonly retention?: Retention;
  /** Which tables are watched. Default: all ordinary ones. What other processes have armed stays armed. */
  readonly tables?: (name: string) => boolean;
  /** Told, while the journal is being made, that another program keeps the database locked. Must not throw. */
  readonly onWait?: () => void;
  /** Told of errors that have no caller: those of the timers. Must not throw. */
  readonly onError: (error: unknown, context: { readonly stage: string }) => void;
  /** Told of a new schema, before the changes that follow it are given to the tail. Must not throw. */
  readonly onSchema?: (schema: Schema) => void;
  /** Told that another file has taken the database's place: connections to it must be opened anew. Must not throw. */
  readonly onReplaced?: () => void;
}

/** A journal that triggers write inside the database, in each writer's own transaction. */
export interface SqliteJournal extends Journal {
  /** The schema as last seen. */
  readonly schema: Schema;
  /** The `schema_version` that the triggers were last checked against. */
  readonly armedVersion: number;
  /** The name of the current segment. */
  readonly segment: string;
  /** The tables whose changes can't be watched, and why. */
  readonly unwatched: ReadonlyMap<string, string>;
  /**
   * The journal's head as `connection` sees it: inside a read transaction the position of exactly what else is read in
   * it. `schemaVersion` is that state's `schema_version`.
   */
  bookmarkIn(connection: Connection): Bookmark & { readonly schemaVersion: number };
  /**
   * Makes the triggers fit the schema at once, and gives everything committed to the tail: before a write of Rocket's own.
   *
   * @throws RocketError `journal-busy`, `journal-detached`
   */
  arm(): Promise<void>;
  /** Ends the timers and closes the connections; twice is fine. The triggers stay and go on writing. */
  close(): Promise<void>;
  /**
   * Closes, and takes out what its making added to a database that had nothing of Rocket's before, unless another
   * process uses it by now: for a start that fails later on.
   *
   * @throws RocketError `journal-busy` where the database stays locked; the journal is closed then, too
   */
  abandon(): Promise<void>;
}

import type { Bookmark, Clock, Journal } from "../../../server/index.ts";
import type { Pool, Session } from "../driver.ts";
import type { RecordFormat } from "../record-format.ts";
import type { Opening } from "./opening.ts";
import type { NamedTable } from "./watch-list.ts";

/** How much of the past a journal keeps. */
export interface Retention {
  /** How many changes are kept at least, unless they hold more than `maxBytes`. Default 100,000; at least 1. */
  readonly maxChanges?: number;
  /** How many bytes of records, before and after, are kept at least, unless they are more changes. Default 256 MiB; at least 1. */
  readonly maxBytes?: number;
  /** How old a change may grow, in milliseconds. Default: any age. */
  readonly maxAgeMs?: number;
}

/** How a PostgreSQL journal is made. */
export interface PostgresJournalOptions {
  /** Connections to the database. They stay the caller's: closing the journal leaves them open. */
  readonly pool: Pool;
  /** How rows look from outside. */
  readonly format: RecordFormat;
  /** The schemas whose tables are watched. Default `public`. */
  readonly schemas?: readonly string[];
  /** Which of their tables are watched. Default: all. What other processes have armed stays armed. */
  readonly tables?: (schema: string, name: string) => boolean;
  /** Time and chance. Default: the platform's. */
  readonly clock?: Clock;
  /** How often commits of others are looked for while there is traffic, in milliseconds. Default 5; above 0. */
  readonly pollMs?: number;
  /** And how often while there is none. Default 200; at least `pollMs`. */
  readonly idlePollMs?: number;
  /** How often the tables' definitions are looked at, in milliseconds. Default 1,000; above 0. */
  readonly lookMs?: number;
  /** Whether other processes' hints are listened to, on a connection of its own. Without, news are only later. Default true. */
  readonly hints?: boolean;
  /** How many changes are given positions at once, about. Default 10,000; at least 1. */
  readonly maxTickChanges?: number;
  /**
   * How long another process's tick is waited for, in milliseconds, where somebody asks for everything that was committed.
   * Default 5,000; above 0.
   */
  readonly waitMs?: number;
  /** What is kept for those who resume. */
  readonly retention?: Retention;
  /** Told of errors that have no caller. Must not throw. */
  readonly onError: (error: unknown, context: { readonly stage: string }) => void;
  /**
   * Told that tables were made, changed or dropped, or something that decides who may read them, before the changes that
   * follow it are given to the tail. Must not throw.
   */
  readonly onSchema?: () => void;
  /** Told that the database is another one, or has another history, than until now. Must not throw. */
  readonly onSegment?: () => void;
}

/** A tick that a writer asks for at the end of its transaction. */
export interface Ticking {
  /**
   * Resolves once it was answered, with a place at or after all that the transaction wrote, or `undefined` where none was given;
   * rejects where it failed, and with it the transaction. Nothing of it is so before the transaction is committed.
   */
  readonly asked: Promise<Bookmark | undefined>;
  /** Gives the tail what it found: to be called once the transaction is committed. Whether that was all. */
  take(): Promise<boolean>;
  /** To be called in the end, whatever became of the transaction. */
  end(): void;
}

/** A journal that triggers write inside the database, in each writer's own transaction, and that any number of processes tail. */
export interface PostgresJournal extends Journal {
  /** The name of the current segment: the same in all processes. */
  readonly segment: string;
  /** The tables whose changes can't be watched, as `schema.name`, and why. */
  readonly unwatched: ReadonlyMap<string, string>;
  /**
   * Where a GET's transaction stands: asked in a REPEATABLE READ transaction, it tells of exactly what else is read in it.
   */
  standIn(session: Session): Promise<Opening>;
  /**
   * Gives positions to what a transaction has written, inside of it: nothing but its commit may follow, in the same message.
   * Where another process is doing that just now, it is not waited for.
   */
  tickIn(session: Session): Ticking;
  /** Something was written: it is looked for at once. */
  nudge(): void;
  /**
   * A position at or after everything that is committed now; `undefined` where it can't be had within `timeoutMs`.
   *
   * @param ticking - what gave a position to what is asked about: that one counts then, and the tail has it as far as can be
   */
  settle(timeoutMs: number, ticking?: Ticking): Promise<Bookmark | undefined>;
  /**
   * Has it told when something is written to these tables, of whatever schema: a reset of each, once per transaction.
   *
   * @throws RocketError where the database can't be looked at
   */
  touch(tables: readonly NamedTable[]): Promise<void>;
  /** Those of these tables for which {@link PostgresJournal.touch} is still to be called. */
  unasked(tables: readonly NamedTable[]): readonly NamedTable[];
  /** The tables of which it can't be told when something is written to them, as `schema.name`, and why. */
  readonly untouched: ReadonlyMap<string, string>;
  /** Tells that collections are to be asked for anew, for a reason that is in no table. Only this process's tail hears it. */
  reset(collections: readonly string[]): void;
  /** Puts triggers on tables that lack them. @throws RocketError `journal-detached` */
  arm(): Promise<void>;
  /** Ends the timers and the hints; twice is fine. The triggers stay and go on writing. */
  close(): Promise<void>;
}

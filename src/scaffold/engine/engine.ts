import type { Bookmark, Journal } from "../../server/index.ts";
import type { Snapshot, Transaction } from "./snapshot.ts";
import type { Steps } from "./steps.ts";
import type { ServedSchema, ServedTable } from "./table.ts";
import type { Viewer } from "./viewer.ts";

/** What a write gave, and where the journal stood at the end of its transaction, where that is known. */
export interface Written<Result> {
  readonly result: Result;
  readonly bookmark: Bookmark | undefined;
}

/** What an engine's error is to the peer. */
export interface Trouble {
  /** 503 where it passes by itself: the peer is asked to come again, and nobody else is told. */
  readonly status: number;
  /** In a sentence for the peer; nothing of the error's own text, nor of SQL. */
  readonly detail: string;
}

/**
 * A database, as the REST service needs it. An engine carries steps out in transactions, and runs them again by itself where
 * the database was busy, or had another schema than was known.
 */
export interface Engine {
  /** What there is to serve, as last seen, whoever may read it. */
  readonly schema: ServedSchema;
  /** Where changes come from; `undefined` where nothing can be followed. */
  readonly journal: Journal | undefined;
  readonly canWrite: boolean;
  /**
   * What a viewer may be served, as last seen; a promise where it has to be read first. Who asks first goes on first.
   *
   * @throws (the promise) as `read`
   */
  schemaFor(viewer: Viewer): ServedSchema | Promise<ServedSchema>;
  /**
   * Carries steps out in one read transaction, as a viewer: all of it sees one state of the database, and the bookmark is
   * that state's.
   *
   * @throws what the steps throw; Denied; Refusal 401 or 403 where the viewer's role can't be taken on, 503 where the
   * database stays busy, or after `close`
   */
  read<Result>(steps: (snapshot: Snapshot) => Steps<Result>, viewer: Viewer): Promise<Result>;
  /**
   * Carries steps out as a viewer and resolves once that is committed. Writes asked for in one turn of the event loop happen
   * in that order, each as its own viewer. One that fails takes no other with it.
   *
   * @throws what the steps throw; BrokenRule where the commit finds one; Refusal 503 as `read`, or where nothing can be
   * written
   */
  write<Result>(steps: (transaction: Transaction) => Steps<Result>, viewer: Viewer): Promise<Written<Result>>;
  /**
   * How many records a table has now, up to `limit`; `undefined` where only viewers may read it.
   *
   * @throws RocketError where the database can't be read
   */
  count(table: ServedTable, limit: number): Promise<number | undefined>;
  /** What an error of the engine is to the peer; `undefined` for one that is none of its own. */
  troubleOf(error: unknown): Trouble | undefined;
  /** Finishes what is being written, and lets go of the database. Twice is fine. */
  close(): Promise<void>;
  /** As `close`, and takes out what its opening added to a database that had nothing of Rocket's. */
  abandon(): Promise<void>;
}

/** A database value as a journal's images hold it. */
export type Value = null | number | bigint | string | boolean | Uint8Array;

/** A record's columns by name, before or after a change. */
export type Image = Readonly<Record<string, Value>>;

/**
 * One committed write.
 *
 * A `reset` says that a collection changed in a way the journal can't tell row by row (its schema was rebuilt, say):
 * everyone who watches it gets a fresh 200.
 */
export interface Change {
  /** Where in the journal; grows by at least one from change to change. */
  readonly position: number;
  readonly kind: "create" | "update" | "delete" | "reset";
  /** The collection's path: `/artists`. */
  readonly collection: string;
  /** The record's URL: `/artists/1`; empty for a reset. A change of the key is a delete and a create. */
  readonly url: string;
  /** The record before an update or delete. What is too long for a URL to filter by may be missing. */
  readonly before?: Image | undefined;
  /** The record after a create or update. */
  readonly after?: Image | undefined;
  /** About how many bytes the change holds. Absent: it is told by its images. */
  readonly bytes?: number;
  /**
   * The record as a GET would show it after this create or update; no other change is asked. It is asked for by each
   * reader who catches up, so a change keeps what it made.
   */
  represent(): Representation;
  /**
   * The record as a GET would have shown it before this update; `undefined` where that is not known. Who asks for deltas is
   * told the difference, so it is there only where each row of a list's document is, as a JSON value, the record that
   * {@link Change.represent} shows, and that one's body has nothing beside the record [R-DELTA-7]. It is asked for once,
   * and need not be kept. Absent: nothing is told by deltas.
   */
  representBefore?(): Representation | undefined;
}

/** What a GET on the record answers: the body of its 201 and 202. */
export interface Representation {
  /** The value of Content-Type: `application/json`. */
  readonly contentType: string;
  readonly body: string | Uint8Array;
  /** The record's entity tag with its quotes, where the origin knows it. */
  readonly etag?: string;
}

/** A place in the journal that no transaction straddles, and its name on the wire. */
export interface Bookmark {
  readonly position: number;
  /** The position as the wire has it: `segment:position.check`. */
  readonly eventId: string;
}

/** One or more whole transactions, in commit order, up to a bookmark. */
export interface Batch extends Bookmark {
  /** The position that the batch follows: its changes lie in (`after`, `position`]. */
  readonly after: number;
  readonly changes: readonly Change[];
  /** Set where the journal lost its thread (restored, replaced): nothing before `position` can be resumed from. */
  readonly lost?: boolean;
}

/** A stretch of history. It ends at a bookmark unless there is `more`: then the next page goes on with the same batch. */
export interface Page extends Batch {
  /** True where the page was cut before the journal's head: its end may lie within a transaction. */
  readonly more: boolean;
}

/**
 * An ordered, resumable log of committed changes: the hub's source for direct views.
 *
 * A journal gives changes to its tail's listeners in order, each once, never a part of a transaction.
 */
export interface Journal {
  /** The end of what the tail has been given. */
  readonly head: Bookmark;
  /**
   * True while the tail may lack what was committed: the database can't be reached, or is kept locked. It is asked once a
   * second; where that goes on, those who follow are told that what they have may be older [R-HB-5]. Absent: it never does.
   */
  readonly isAway?: boolean;
  /**
   * Calls `listener` with each batch that is committed from now on, starting after `head`. Listeners must not throw.
   * Returns a function that ends it.
   */
  tail(listener: (batch: Batch) => void): () => void;
  /** Brings the tail up to everything committed before the call. @throws RocketError `journal-busy` when it can't be read in time. */
  poll(): Promise<void>;
  /** The position that `eventId` names, if everything after it is still known; else `undefined`: unknown, trimmed, malformed, beyond the end. */
  locate(eventId: string): Promise<number | undefined>;
  /**
   * The changes after `position`, at most about `limit` of them, and fewer where they are large; `undefined` when some of
   * them were trimmed.
   */
  read(position: number, limit: number): Promise<Page | undefined>;
}

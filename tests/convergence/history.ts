/** A record as the runs write it: `version` is unique to each write, those that were rolled back included. */
export type Row = Readonly<Record<string, unknown>> & { readonly version: number };

/** One committed change of one record. */
export interface CommittedChange {
  readonly position: number;
  readonly collection: string;
  readonly url: string;
  readonly before?: Row;
  readonly after?: Row;
  /** True where the journal told of it by a reset only, so that it has no notification of its own. */
  readonly isHidden?: boolean;
}

/** One transaction: its changes have the positions from `first` to `last`. */
export interface Transaction {
  readonly at: number;
  readonly first: number;
  readonly last: number;
  readonly changes: readonly CommittedChange[];
  /** Collections that the journal reset in it. */
  readonly resets: readonly string[];
}

/** What a subscription is to, in terms of rows. */
export interface ViewDescription {
  /** The canonical URL. */
  readonly url: string;
  readonly collection: string;
  readonly record?: string;
  readonly equals: readonly (readonly [column: string, value: unknown])[];
}

/** Where a client stands: its position's epoch tells whether it can be compared. */
export interface Mark {
  /** Counts the journal's histories: positions of two epochs can't be compared. */
  readonly epoch: number;
  readonly position: number;
}

/** One message of one subscription, as the client got it. */
export interface Entry {
  readonly at: number;
  /** The store's last position when it was received. */
  readonly head: number;
  readonly status: number;
  /** Content-Location. */
  readonly url?: string;
  /** The record of a 201 or 202. */
  readonly row?: Row;
  /** The records of a 200 by URL. */
  readonly rows?: ReadonlyMap<string, Row>;
  /** Event-ID as it was. */
  readonly eventId?: string;
  /** Event-ID as the test knows it; absent where the test never heard of its segment. */
  readonly mark?: Mark;
  /** True on a 304 that speaks for the connection. */
  readonly isShared?: boolean;
  /** True on the answer to a later SUBSCRIBE of the same URL. */
  readonly isAnswer?: boolean;
}

/** What the client wanted when it subscribed. */
export interface Asked {
  readonly at: number;
  readonly head: number;
  readonly epoch: number;
  readonly lastEventId?: string;
  readonly lastMark?: Mark;
  readonly isStrict?: boolean;
  /** Whether the journal could tell what followed `lastEventId`; absent where that changed while it was asked. */
  readonly isKnown?: boolean;
  /** What the client held by URL, where it held something. */
  readonly held?: ReadonlyMap<string, Row>;
}

/** One subscription during one connection. */
export interface Stream {
  readonly name: string;
  readonly level: 0 | 1;
  readonly connection: ConnectionHistory;
  readonly view: ViewDescription;
  readonly asked: Asked;
  readonly entries: readonly Entry[];
  /** Level 0: the store's last position when the 101 came. */
  readonly openedHead?: number;
  /** True where it was there, and read from, until everything had come to rest. */
  readonly isOpenAtEnd: boolean;
}

/** One connection. */
export interface ConnectionHistory {
  readonly name: string;
  readonly level: 0 | 1;
  /** Times of everything received, messages and pings. */
  readonly signs: readonly number[];
  /** How far apart samples of pings are: their times are that much too late at most. */
  readonly graceMs: number;
  /** Whether the client read all the time and had its opening answered. */
  readonly isSteady: boolean;
  readonly openedAt: number;
  readonly endedAt: number;
  readonly peakUnsentBytes: number;
  readonly largestSnapshotBytes: number;
  /** How many changes were told by deltas. */
  readonly deltas: number;
  /** The code of the server's close, where it closed. */
  readonly closeCode?: number;
  /** Messages that belong to no subscription of the connection. */
  readonly strays: readonly string[];
}

/** Everything that a run leaves for the validators. */
export interface History {
  readonly transactions: readonly Transaction[];
  /** Versions that were written and rolled back. */
  readonly aborted: ReadonlySet<number>;
  readonly finalEpoch: number;
  /** Whether a 200 may show what has no position yet, and have none itself [R-POS-3]. */
  readonly showsAhead?: boolean;
  readonly maxUnsentBytes: number;
  /** What one turn may add to a connection's unsent bytes beyond the limit and a snapshot. */
  readonly overshootBytes: number;
  readonly streams: readonly Stream[];
  readonly connections: readonly ConnectionHistory[];
}

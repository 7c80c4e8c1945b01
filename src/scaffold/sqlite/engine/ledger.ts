import type { Bookmark, Clock } from "../../../server/index.ts";
import { busyWaitMs, retryWhenBusy } from "../busy.ts";
import type { Connection } from "../driver.ts";
import { readSchema } from "../introspect.ts";
import type { SqliteJournal } from "../journal.ts";
import type { Schema } from "../schema.ts";
import { schemaVersion } from "./open-reader.ts";

/** What knows where the database stands: its journal or, without one, its schema alone. */
export interface Ledger {
  /** The schema as last seen. */
  readonly schema: Schema;
  /** The tables whose changes the journal misses, and why. */
  readonly unwatched: ReadonlyMap<string, string>;
  /** The journal's segment; `undefined` where there is no journal. */
  readonly segment: string | undefined;
  /** Where the connection's transaction stands. */
  standIn(connection: Connection): { readonly schemaVersion: number; readonly bookmark?: Bookmark };
  /** Whether writes at that `schema_version` are journalled as they should be. */
  isReady(schemaVersion: number): boolean;
  /** Brings `schema` up to date, and the journal with it. */
  poll(): Promise<void>;
  /** Makes ready for writes. */
  prepare(): Promise<void>;
}

/** Where a database with a journal stands. */
export function journalLedger(journal: SqliteJournal): Ledger {
  return {
    get schema() {
      return journal.schema;
    },
    get unwatched() {
      return journal.unwatched;
    },
    get segment() {
      return journal.segment;
    },
    standIn(connection) {
      const { schemaVersion, position, eventId } = journal.bookmarkIn(connection);
      return { schemaVersion, bookmark: { position, eventId } };
    },
    isReady: (version) => version === journal.schema.version && version === journal.armedVersion,
    poll: () => journal.poll(),
    prepare: () => journal.arm(),
  };
}

/** Where a database without a journal stands: its schema is all there is to know. */
export async function schemaLedger(connection: Connection, clock: Clock): Promise<Ledger> {
  const readAgain = (): Promise<Schema> => retryWhenBusy(() => readSchema(connection), { clock, waitMs: busyWaitMs });
  let schema = await readAgain();
  return {
    get schema() {
      return schema;
    },
    unwatched: new Map(),
    segment: undefined,
    standIn(one) {
      return { schemaVersion: schemaVersion(one) };
    },
    isReady: (version) => version === schema.version,
    async poll() {
      schema = await readAgain();
    },
    async prepare() {
      schema = await readAgain();
    },
  };
}

import type { Clock } from "../../server/index.ts";
import { retryWhenBusy } from "../sqlite/busy.ts";
import type { Connection } from "../sqlite/driver.ts";
import { readSchema } from "../sqlite/introspect.ts";
import type { SqliteJournal } from "../sqlite/journal.ts";
import type { Schema } from "../sqlite/schema.ts";
import { schemaVersion } from "./open-reader.ts";
import { busyWaitMs } from "./reader.ts";
import type { Ledger } from "./snapshot.ts";

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

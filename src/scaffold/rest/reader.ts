import type { Clock } from "../../server/index.ts";
import { retryWhenBusy } from "../sqlite/busy.ts";
import type { Connection } from "../sqlite/driver.ts";
import { type Catalog, catalogOf, type IsServed } from "./catalog.ts";
import type { Link } from "./link.ts";
import { unavailable } from "./refusal.ts";
import type { Resource } from "./resource.ts";
import type { Ledger, Snapshot } from "./snapshot.ts";
import { countRecords } from "./sql.ts";
import { rollBack } from "./transaction.ts";

/** How long a request waits for a database that others hold locked. */
export const busyWaitMs = 5000;

const maxSchemaChanges = 5;

/** Thrown where a read takes longer than it was given. */
export class Overrun extends Error {}

/** Reads in short transactions on a connection of its own, each at a known position and a known schema. */
export class Reader {
  readonly #link: Link;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #isServed: IsServed;
  #isClosed = false;

  constructor(link: Link, ledger: Ledger, clock: Clock, isServed: IsServed) {
    this.#link = link;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#isServed = isServed;
  }

  /** The collections as last seen. */
  get catalog(): Catalog {
    return catalogOf(this.#ledger.schema, this.#isServed);
  }

  /**
   * Runs `action` in one read transaction; again where the database was busy or its schema new.
   *
   * @param limitMs - how long it may take, in milliseconds. Default: any time
   * @throws Refusal 503 where the schema changes faster than it can be read, or after `close`; Overrun
   */
  async read<Result>(
    action: (snapshot: Snapshot) => Result,
    limitMs: number = Number.POSITIVE_INFINITY,
  ): Promise<Result> {
    for (let attempt = 0; attempt < maxSchemaChanges; attempt += 1) {
      const outcome = await retryWhenBusy(() => this.#attempt(action, limitMs), {
        clock: this.#clock,
        waitMs: busyWaitMs,
      });
      if (outcome) return outcome.result;
      await this.#ledger.poll();
    }
    throw unavailable("The database's schema is being changed.");
  }

  /**
   * How many records a collection has now, up to `limit`, in a turn of the event loop of its own.
   *
   * @throws RocketError `database-busy`
   */
  async count(resource: Resource, limit: number): Promise<number> {
    const { text, values } = countRecords(resource, limit);
    const count = (): number =>
      Number(
        this.#link
          .current()
          .prepare(text)
          .all(...values)[0]?.[0] ?? 0,
      );
    await new Promise<void>((resolve) => this.#clock.defer(resolve));
    return retryWhenBusy(count, { clock: this.#clock, waitMs: busyWaitMs });
  }

  /** Whether nobody can commit while somebody reads: in all journal modes but WAL. @throws Refusal 503 after `close` */
  locksWriters(): boolean {
    if (this.#isClosed) throw unavailable("The service is stopping.");
    return this.#link.current().prepare("PRAGMA journal_mode").all()[0]?.[0] !== "wal";
  }

  /** Ends reading, and closes the connection. */
  close(): void {
    this.#isClosed = true;
    this.#link.close();
  }

  #inTime<Result>({ brake }: Connection, action: () => Result, limitMs: number): Result {
    if (limitMs === Number.POSITIVE_INFINITY) return action();
    const deadline = this.#clock.now() + limitMs;
    let overrun: Overrun | undefined;
    const look = (): void => {
      if (this.#clock.now() < deadline) return;
      overrun = new Overrun();
      throw overrun;
    };
    try {
      return brake.guard(look, action);
    } catch (error) {
      throw overrun ?? error;
    }
  }

  #attempt<Result>(action: (snapshot: Snapshot) => Result, limitMs: number): { readonly result: Result } | undefined {
    if (this.#isClosed) throw unavailable("The service is stopping.");
    const connection = this.#link.current();
    connection.exec("BEGIN");
    try {
      const { schemaVersion, bookmark } = this.#ledger.standIn(connection);
      if (schemaVersion !== this.#ledger.schema.version) return undefined;
      const { unwatched } = this.#ledger;
      const snapshot: Snapshot = { connection, catalog: this.catalog, bookmark, unwatched };
      return { result: this.#inTime(connection, () => action(snapshot), limitMs) };
    } finally {
      rollBack(connection);
    }
  }
}

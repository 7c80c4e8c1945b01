import type { Clock } from "../../server/index.ts";
import { retryWhenBusy } from "../sqlite/busy.ts";
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
   * @throws Refusal 503 where the schema changes faster than it can be read, or after `close`
   */
  async read<Result>(action: (snapshot: Snapshot) => Result): Promise<Result> {
    for (let attempt = 0; attempt < maxSchemaChanges; attempt += 1) {
      const outcome = await retryWhenBusy(() => this.#attempt(action), { clock: this.#clock, waitMs: busyWaitMs });
      if (outcome) return outcome.result;
      await this.#ledger.poll();
    }
    throw unavailable("The database's schema is being changed.");
  }

  /**
   * How many records a collection has now.
   *
   * @throws RocketError `database-busy`
   */
  count(resource: Resource): Promise<number> {
    const { text } = countRecords(resource);
    const count = (): number => Number(this.#link.current().prepare(text).all()[0]?.[0] ?? 0);
    return retryWhenBusy(count, { clock: this.#clock, waitMs: busyWaitMs });
  }

  /** Ends reading, and closes the connection. */
  close(): void {
    this.#isClosed = true;
    this.#link.close();
  }

  #attempt<Result>(action: (snapshot: Snapshot) => Result): { readonly result: Result } | undefined {
    if (this.#isClosed) throw unavailable("The service is stopping.");
    const connection = this.#link.current();
    connection.exec("BEGIN");
    try {
      const { schemaVersion, bookmark } = this.#ledger.standIn(connection);
      if (schemaVersion !== this.#ledger.schema.version) return undefined;
      const { unwatched } = this.#ledger;
      return { result: action({ connection, catalog: this.catalog, bookmark, unwatched }) };
    } finally {
      rollBack(connection);
    }
  }
}

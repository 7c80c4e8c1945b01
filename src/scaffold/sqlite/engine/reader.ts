import type { Clock } from "../../../server/index.ts";
import type { Steps } from "../../engine/steps.ts";
import { unavailable } from "../../rest/refusal.ts";
import { busyWaitMs, retryWhenBusy } from "../busy.ts";
import type { Connection } from "../driver.ts";
import { runAtOnce } from "./at-once.ts";
import type { Ledger } from "./ledger.ts";
import type { Link } from "./link.ts";
import type { Served, SqliteTable } from "./served.ts";
import { SqliteSnapshot } from "./snapshot.ts";
import { countRecords } from "./sql.ts";
import { rollBack } from "./transaction.ts";

const maxSchemaChanges = 5;

type Stand = ReturnType<Ledger["standIn"]>;

/** Thrown where a read takes longer than it was given. */
export class Overrun extends Error {}

/** Reads in short transactions on a connection of its own, each at a known position and a known schema. */
export class Reader {
  readonly #link: Link;
  readonly #ledger: Ledger;
  readonly #served: Served;
  readonly #clock: Clock;
  #isClosed = false;
  /** Where a connection stood that nobody has committed anything since. */
  #known:
    | {
        readonly connection: Connection;
        readonly dataVersion: unknown;
        readonly segment: string | undefined;
        readonly stand: Stand;
      }
    | undefined;

  constructor(link: Link, ledger: Ledger, served: Served, clock: Clock) {
    this.#link = link;
    this.#ledger = ledger;
    this.#served = served;
    this.#clock = clock;
  }

  /**
   * Carries steps out in one read transaction; again where the database was busy or its schema new.
   *
   * @param limitMs - how long it may take, in milliseconds. Default: any time
   * @throws Refusal 503 where the schema changes faster than it can be read, or after `close`; Overrun
   */
  async read<Result>(
    steps: (snapshot: SqliteSnapshot) => Steps<Result>,
    limitMs: number = Number.POSITIVE_INFINITY,
  ): Promise<Result> {
    for (let attempt = 0; attempt < maxSchemaChanges; attempt += 1) {
      const outcome = await retryWhenBusy(() => this.#attempt(steps, limitMs), {
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
  async count(table: SqliteTable, limit: number): Promise<number> {
    const { text, values } = countRecords(table, limit);
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

  /** Where the transaction stands, which it begins with: where it stood last, unless somebody has committed since. */
  #standIn(connection: Connection): Stand {
    const [version] = connection.prepare("PRAGMA data_version").all();
    const dataVersion = version?.[0];
    const { segment } = this.#ledger;
    const known = this.#known;
    if (known?.connection === connection && known.dataVersion === dataVersion && known.segment === segment) {
      return known.stand;
    }
    const stand = this.#ledger.standIn(connection);
    this.#known = { connection, dataVersion, segment, stand };
    return stand;
  }

  #inTime<Result>({ brake }: Connection, action: () => Result, limitMs: number): Result {
    if (limitMs === Number.POSITIVE_INFINITY) return action();
    return brake.within(this.#clock, limitMs, () => new Overrun(), action);
  }

  #attempt<Result>(
    steps: (snapshot: SqliteSnapshot) => Steps<Result>,
    limitMs: number,
  ): { readonly result: Result } | undefined {
    if (this.#isClosed) throw unavailable("The service is stopping.");
    const connection = this.#link.current();
    connection.prepare("BEGIN").run();
    try {
      const { schemaVersion, bookmark } = this.#standIn(connection);
      const { schema, unwatched } = this.#ledger;
      if (schemaVersion !== schema.version) return undefined;
      const snapshot = new SqliteSnapshot(connection, { ...this.#served.state(schema, unwatched), bookmark });
      return { result: this.#inTime(connection, () => runAtOnce(steps(snapshot)), limitMs) };
    } finally {
      rollBack(connection);
    }
  }
}

import { RocketError } from "../../../protocol/index.ts";
import type { Pool } from "../driver.ts";
import { type ArmOptions, armTables, type Missed } from "./arm.ts";
import { journalFailure } from "./failure.ts";
import { type NamedTable, nameOf } from "./watch-list.ts";

/** How tables are kept armed, and who is told of those that can't be. */
export interface ArmingOptions extends ArmOptions {
  readonly onError: (error: unknown, context: { readonly stage: string }) => void;
}

/** Keeps the watched tables armed: one go at a time, and nobody waits for locks who does not have to. */
export class Arming {
  readonly #pool: Pool;
  readonly #options: ArmingOptions;
  #missed: Missed;
  #running: Promise<void> | undefined;
  /** Begins when the running go has ended: for all who asked meanwhile. */
  #next: Promise<void> | undefined;

  /** @param missed - what the first go gave */
  constructor(pool: Pool, options: ArmingOptions, missed: Missed) {
    this.#pool = pool;
    this.#options = options;
    this.#missed = missed;
    this.#tell(missed, new Map());
  }

  get missed(): Missed {
    return this.#missed;
  }

  /** Puts triggers where they are missing. @throws RocketError `journal-detached` */
  run(): Promise<void> {
    if (!this.#running) return this.#start();
    const start = (): Promise<void> => {
      this.#next = undefined;
      return this.run();
    };
    this.#next ??= this.#running.then(start, start);
    return this.#next;
  }

  /** Resolves once nothing runs that was begun until now. */
  async ended(): Promise<void> {
    await Promise.allSettled([this.#running, this.#next]);
  }

  /** Those of some tables of which it is not told when something is written to them. */
  unasked(tables: readonly NamedTable[]): readonly NamedTable[] {
    const { watchList } = this.#options;
    const { unwatched } = this.#missed;
    const isTold = (table: NamedTable): boolean => watchList.hasRows(table) && !unwatched.has(nameOf(table));
    return tables.filter((table) => !watchList.isTouched(table) && !isTold(table));
  }

  /**
   * Has it told from now on when something is written to these tables; gives those that were new.
   *
   * @throws RocketError where the tables can't be looked at
   */
  async touch(tables: readonly NamedTable[]): Promise<readonly NamedTable[]> {
    const fresh = this.unasked(tables);
    if (fresh.length === 0) return fresh;
    for (const table of fresh) this.#options.watchList.touch(table);
    await this.run();
    return fresh;
  }

  /** Says which tables can't be followed, where that is news. */
  #tell({ silent }: Missed, told: Missed["silent"]): void {
    for (const [name, reason] of silent) {
      if (told.get(name) === reason) continue;
      const message = `Changes of table ${JSON.stringify(name)} can't be watched, so it can't be followed: ${reason}`;
      this.#options.onError(new RocketError("table-not-live", message), { stage: "arm" });
    }
  }

  #start(): Promise<void> {
    const running = armTables(this.#pool, this.#options)
      .then(
        (missed) => {
          this.#tell(missed, this.#missed.silent);
          this.#missed = missed;
        },
        (error) => {
          throw journalFailure(error);
        },
      )
      .finally(() => {
        this.#running = undefined;
      });
    this.#running = running;
    return running;
  }
}

import type { Clock } from "../../../server/index.ts";
import type { Pool } from "../driver.ts";
import { beginWrite } from "../own-transaction.ts";

/** How many changes one step removes: little enough not to be noticed by those who wait for a tick. */
const stepChanges = 1_000;
const stepPauseMs = 20;
const pauseMs = 1_000;

/** What {@link Trimmer} needs. */
export interface TrimOptions {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly maxChanges: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number | undefined;
  readonly onError: (error: unknown) => void;
}

/** Removes the journal's oldest changes, in small steps on a timer. */
export class Trimmer {
  readonly #options: TrimOptions;
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;
  /** Whether the step before failed: why is told once, however long the database is away. */
  #isFailing = false;

  constructor(options: TrimOptions) {
    this.#options = options;
    this.#wake(pauseMs);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await this.#running;
  }

  #wake(ms: number): void {
    if (this.#isClosed) return;
    this.#cancel = this.#options.clock.setTimer(() => {
      this.#running = this.#step();
    }, ms);
  }

  async #step(): Promise<void> {
    const { pool, maxChanges, maxBytes, maxAgeMs, onError } = this.#options;
    let removed = 0;
    try {
      const age = maxAgeMs === undefined ? "NULL" : `interval '${maxAgeMs} milliseconds'`;
      const sql = `SELECT rocket.trim(${maxChanges}, ${maxBytes}, ${age}, ${stepChanges})`;
      const [row] = await pool.script(`${beginWrite}; ${sql}; COMMIT`);
      removed = Number(row?.[0] ?? 0);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) onError(error);
      this.#isFailing = true;
    }
    this.#wake(removed === stepChanges ? stepPauseMs : pauseMs);
  }
}

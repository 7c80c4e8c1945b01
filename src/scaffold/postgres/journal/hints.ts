import type { Clock } from "../../../server/index.ts";
import type { Listening, Pool } from "../driver.ts";

/** How long after a loss the channel is listened to again. */
const retryMs = 1_000;

/** Hears from other processes' ticks. What is missed is found by looking: this only makes it sooner. */
export class Hints {
  readonly #pool: Pool;
  readonly #clock: Clock;
  readonly #onHint: (position: number) => void;
  #listening: Listening | undefined;
  #opening: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  constructor(pool: Pool, clock: Clock, onHint: (position: number) => void) {
    this.#pool = pool;
    this.#clock = clock;
    this.#onHint = onHint;
    this.#open();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await this.#opening;
    await this.#listening?.close();
  }

  #open(): void {
    this.#opening = this.#listen();
  }

  async #listen(): Promise<void> {
    try {
      this.#listening = await this.#pool.listen(
        "rocket",
        (payload) => this.#onHint(Number(payload)),
        () => this.#retry(),
      );
      // Whatever was missed until now.
      this.#onHint(Number.POSITIVE_INFINITY);
    } catch {
      this.#retry();
    }
  }

  #retry(): void {
    this.#listening = undefined;
    if (this.#isClosed) return;
    this.#cancel = this.#clock.setTimer(() => this.#open(), retryMs);
  }
}

import { retryWaitMs } from "../protocol/index.ts";
import type { ClientClock } from "./clock.ts";

/** How long to wait before each of several retries in a row [R-CLOSE-5]. */
export class Backoff {
  readonly #clock: ClientClock;
  #tries = 0;

  constructor(clock: ClientClock) {
    this.#clock = clock;
  }

  /** The next wait in milliseconds; at least `leastMs`, which a server may have asked for. */
  next(leastMs = 0): number {
    const waitMs = retryWaitMs(this.#tries, this.#clock.random());
    this.#tries += 1;
    return Math.max(waitMs, leastMs);
  }

  /** Begins again, after a connection that was stable. */
  reset(): void {
    this.#tries = 0;
  }
}

import { retryWaitMs, triesAfter } from "../protocol/index.ts";
import { Timer } from "./clock.ts";

/** How long to wait before each of several retries in a row [R-CLOSE-5], and the timer of the next one. */
export class Backoff extends Timer {
  #tries = 0;

  /** The next wait in milliseconds; at least `leastMs`, which a server may have asked for. */
  next(leastMs = 0): number {
    const waitMs = retryWaitMs(this.#tries, this.clock.random());
    this.#tries += 1;
    return Math.max(waitMs, leastMs);
  }

  /** Calls `retry` after the next wait, in the place of what was waited for before. */
  wait(retry: () => void, leastMs = 0): void {
    this.set(retry, this.next(leastMs));
  }

  /** Counts on after a connection that was ready for so long. */
  lasted(ms: number): void {
    this.#tries = triesAfter(this.#tries, ms);
  }

  /** Begins again. */
  reset(): void {
    this.#tries = 0;
  }
}

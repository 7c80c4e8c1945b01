import { retryWaitMs, triesAfter } from "../protocol/index.ts";

const nearCapMs = 2_000;

/**
 * How long to wait before each reconnect: full jitter, `random(0, min(30 s, 0.5 s·2ⁿ))` [R-CLOSE-5]. A server on this
 * machine is asked at least every 2 s: no crowd comes back to it, and a person may be waiting.
 */
export class Backoff {
  readonly #random: () => number;
  readonly #lastCapMs: number | undefined;
  #tries = 0;

  /**
   * @param random - gives a number in [0, 1)
   * @param isNear - whether the server is on this machine
   */
  constructor(random: () => number, isNear: boolean) {
    this.#random = random;
    this.#lastCapMs = isNear ? nearCapMs : undefined;
  }

  /** The next wait in milliseconds. */
  next(): number {
    const waitMs = retryWaitMs(this.#tries, this.#random(), this.#lastCapMs);
    this.#tries += 1;
    return waitMs;
  }

  /** Counts on after a connection that was ready for so long. */
  lasted(ms: number): void {
    this.#tries = triesAfter(this.#tries, ms);
  }
}

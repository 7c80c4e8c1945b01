import type { ClientClock } from "./clock.ts";

const firstCapMs = 500;
const lastCapMs = 30_000;

/** How long to wait before each retry: full jitter, `random(0, min(30 s, 0.5 s·2ⁿ))`, n from 0 [R-CLOSE-5]. */
export class Backoff {
  readonly #clock: ClientClock;
  #tries = 0;

  constructor(clock: ClientClock) {
    this.#clock = clock;
  }

  /** The next wait in milliseconds; at least `leastMs`, which a server may have asked for. */
  next(leastMs = 0): number {
    const capMs = Math.min(lastCapMs, firstCapMs * 2 ** this.#tries);
    this.#tries += 1;
    return Math.max(this.#clock.random() * capMs, leastMs);
  }

  /** Begins again, after a connection that was stable. */
  reset(): void {
    this.#tries = 0;
  }
}

const firstCapMs = 500;
const lastCapMs = 30_000;

/** How long to wait before each reconnect: full jitter, `random(0, min(30 s, 0.5 s·2ⁿ))` [R-CLOSE-5]. */
export class Backoff {
  readonly #random: () => number;
  #tries = 0;

  /** @param random - gives a number in [0, 1) */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The next wait in milliseconds. */
  next(): number {
    const capMs = Math.min(lastCapMs, firstCapMs * 2 ** this.#tries);
    this.#tries += 1;
    return this.#random() * capMs;
  }

  /** Begins again, after a connection that was stable. */
  reset(): void {
    this.#tries = 0;
  }
}

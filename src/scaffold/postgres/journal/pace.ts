/** How fast looks become rarer while nothing is found. */
const slowing = 1.5;

/** How long to wait until the next look: short while there is traffic, longer and longer while there is none. */
export class Pace {
  readonly #shortMs: number;
  readonly #longMs: number;
  #waitMs: number;

  constructor(shortMs: number, longMs: number) {
    this.#shortMs = shortMs;
    this.#longMs = longMs;
    this.#waitMs = shortMs;
  }

  get waitMs(): number {
    return this.#waitMs;
  }

  /** A look found something, or somebody says that there is something. */
  quicken(): void {
    this.#waitMs = this.#shortMs;
  }

  /** A look found nothing. */
  slow(): void {
    this.#waitMs = Math.min(this.#waitMs * slowing, this.#longMs);
  }

  /** A look failed. */
  rest(): void {
    this.#waitMs = this.#longMs;
  }
}

/** Says that an exchange has no use for its place any more. Twice is fine. */
export type FreePlace = () => void;

/** A bounded number of places for exchanges with the upstream; a bounded number more may wait for one, in order. */
export class Places {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #waiting: ((free: FreePlace) => void)[] = [];
  #taken = 0;

  constructor(most: number, mostWaiting: number) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  /** Calls `begin` when there is a place. False, and it is never called, where too many wait. `begin` must not throw. */
  take(begin: (free: FreePlace) => void): boolean {
    if (this.#taken < this.#most) this.#give(begin);
    else if (this.#waiting.length < this.#mostWaiting) this.#waiting.push(begin);
    else return false;
    return true;
  }

  #give(begin: (free: FreePlace) => void): void {
    this.#taken += 1;
    let isFree = false;
    begin(() => {
      if (isFree) return;
      isFree = true;
      this.#taken -= 1;
      const next = this.#waiting.shift();
      if (next) this.#give(next);
    });
  }
}

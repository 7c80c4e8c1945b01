/** Puts questions in order: what was asked for later shows no less, where an origin never goes back. */
export class Moments {
  #last = 0;

  /** A moment after all that there were so far. */
  next(): number {
    this.#last += 1;
    return this.#last;
  }
}

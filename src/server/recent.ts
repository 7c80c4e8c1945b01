import type { Batch } from "./journal.ts";

/** The last batches, kept so that catching up rarely reads the journal. Bounded by the number of changes. */
export class RecentBatches {
  readonly #maxChanges: number;
  #batches: (Batch | undefined)[] = [];
  /** How many at the front are given up. They are cut off in steps, so that a push costs what it adds. */
  #givenUp = 0;
  #changes = 0;

  /** @param maxChanges - how many changes are kept; the newest batch is kept if it alone has no more */
  constructor(maxChanges: number) {
    this.#maxChanges = maxChanges;
  }

  push(batch: Batch): void {
    if (batch.changes.length > this.#maxChanges) {
      this.clear();
      return;
    }
    this.#batches.push(batch);
    this.#changes += batch.changes.length;
    while (this.#changes > this.#maxChanges) {
      this.#changes -= this.#batches[this.#givenUp]?.changes.length ?? 0;
      this.#batches[this.#givenUp++] = undefined;
    }
    if (this.#givenUp * 2 <= this.#batches.length) return;
    this.#batches = this.#batches.slice(this.#givenUp);
    this.#givenUp = 0;
  }

  clear(): void {
    this.#batches = [];
    this.#givenUp = 0;
    this.#changes = 0;
  }

  /** The oldest batch with something after `position`; `undefined` if the batches kept do not reach back to it. */
  next(position: number): Batch | undefined {
    const batches = this.#batches;
    let low = this.#givenUp;
    if ((batches[low]?.after ?? Number.POSITIVE_INFINITY) > position) return undefined;
    let high = batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((batches[middle]?.position ?? 0) > position) high = middle;
      else low = middle + 1;
    }
    return batches[low];
  }
}

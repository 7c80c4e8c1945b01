import { batchBytes } from "../change-size.ts";
import type { Batch } from "../ports/journal.ts";

interface Kept {
  readonly batch: Batch;
  readonly bytes: number;
}

/** The last batches, kept so that catching up rarely reads the journal. Bounded by the number of changes and their bytes. */
export class RecentBatches {
  readonly #maxChanges: number;
  readonly #maxBytes: number;
  #batches: (Kept | undefined)[] = [];
  /** How many at the front are given up. They are cut off in steps, so that a push costs what it adds. */
  #givenUp = 0;
  #changes = 0;
  #bytes = 0;

  /**
   * @param maxChanges - how many changes are kept; the newest batch is kept if it alone has no more
   * @param maxBytes - how many bytes they hold, about, and what they are shown as
   */
  constructor(maxChanges: number, maxBytes: number) {
    this.#maxChanges = maxChanges;
    this.#maxBytes = maxBytes;
  }

  push(batch: Batch): void {
    const bytes = batchBytes(batch);
    if (batch.changes.length > this.#maxChanges || bytes > this.#maxBytes) {
      this.clear();
      return;
    }
    this.#batches.push({ batch, bytes });
    this.#changes += batch.changes.length;
    this.#bytes += bytes;
    while (this.#changes > this.#maxChanges || this.#bytes > this.#maxBytes) this.#giveUpOldest();
    if (this.#givenUp * 2 <= this.#batches.length) return;
    this.#batches = this.#batches.slice(this.#givenUp);
    this.#givenUp = 0;
  }

  clear(): void {
    this.#batches = [];
    this.#givenUp = 0;
    this.#changes = 0;
    this.#bytes = 0;
  }

  /** The oldest batch with something after `position`; `undefined` if the batches kept do not reach back to it. */
  next(position: number): Batch | undefined {
    const batches = this.#batches;
    let low = this.#givenUp;
    if ((batches[low]?.batch.after ?? Number.POSITIVE_INFINITY) > position) return undefined;
    let high = batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((batches[middle]?.batch.position ?? 0) > position) high = middle;
      else low = middle + 1;
    }
    return batches[low]?.batch;
  }

  #giveUpOldest(): void {
    const oldest = this.#batches[this.#givenUp];
    this.#batches[this.#givenUp++] = undefined;
    this.#changes -= oldest?.batch.changes.length ?? 0;
    this.#bytes -= oldest?.bytes ?? 0;
  }
}

/** How many bytes are measured at once, about, and removed at once: little enough not to be noticed by writers. */
export const markBytes: number = 1024 * 1024;

/** A stretch of the journal: it ends at a position, and holds so many bytes. */
interface Mark {
  readonly upTo: number;
  readonly bytes: number;
}

/** How many bytes the journal holds, by stretches, so that the oldest can be removed when there are too many. */
export class JournalSizes {
  readonly #maxBytes: number;
  #marks: Mark[] = [];
  #bytes = 0;
  #measured = 0;

  /** @param maxBytes - how many bytes are to be kept at least */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Everything up to here was measured. */
  get measured(): number {
    return this.#measured;
  }

  /** Where the oldest stretch ends that is too many; 0 where there is none. */
  get excess(): number {
    const [oldest] = this.#marks;
    return oldest && this.#marks.length > 1 && this.#bytes - oldest.bytes >= this.#maxBytes ? oldest.upTo : 0;
  }

  /**
   * Goes on measuring.
   *
   * @param measure - gives what some rows after a position hold, and where they end
   * @param head - the journal's last position
   */
  measure(measure: (position: number) => { readonly bytes: number; readonly position: number }, head: number): void {
    if (this.#measured >= head) return;
    const { bytes, position } = measure(this.#measured);
    this.#bytes += bytes;
    const last = this.#marks.at(-1);
    if (last && last.bytes + bytes <= markBytes && this.#marks.length > 1) {
      this.#marks.pop();
      this.#marks.push({ upTo: position, bytes: last.bytes + bytes });
    } else {
      this.#marks.push({ upTo: position, bytes });
    }
    // Rows that were removed meanwhile have nothing to measure.
    this.#measured = position > this.#measured ? position : head;
  }

  /** Everything up to a position was removed. */
  trimmed(position: number): void {
    for (let oldest = this.#marks[0]; oldest && oldest.upTo <= position; oldest = this.#marks[0]) {
      this.#bytes -= oldest.bytes;
      this.#marks.shift();
    }
  }

  /** Positions start anew. */
  clear(): void {
    this.#marks = [];
    this.#bytes = 0;
    this.#measured = 0;
  }
}

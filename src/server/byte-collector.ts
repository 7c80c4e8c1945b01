const firstCapacity = 4 * 1024;

/**
 * Collects bytes that come in pieces of any size, up to a bound. Small pieces are copied together, so that a body costs
 * about what it holds, whatever it is cut into; one that comes in one piece is not copied at all.
 */
export class ByteCollector {
  readonly #maxBytes: number;
  /** The first piece, as it came, until there is another one. */
  #first: Uint8Array | undefined;
  #buffer: Uint8Array | undefined;
  #length = 0;

  /** @param maxBytes - how many bytes are taken in all */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many bytes were collected. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds a piece. False where that is more than allowed: then nothing is kept any more.
   *
   * @param isBorrowed - whoever gave the piece may write over it later
   */
  add(piece: Uint8Array, isBorrowed = false): boolean {
    const length = this.#length + piece.length;
    if (length > this.#maxBytes) {
      this.#first = undefined;
      this.#buffer = undefined;
      this.#length = 0;
      return false;
    }
    if (this.#length === 0 && !this.#buffer && !isBorrowed) {
      this.#first = piece;
    } else {
      this.#reserve(length).set(piece, this.#length);
    }
    this.#length = length;
    return true;
  }

  /** Everything that was collected. It may be the only piece itself. */
  take(): Uint8Array {
    return this.#first ?? this.#buffer?.subarray(0, this.#length) ?? new Uint8Array();
  }

  /** The buffer, with room for so many bytes and what was collected in it. */
  #reserve(length: number): Uint8Array {
    if (this.#buffer && this.#buffer.length >= length) return this.#buffer;
    const capacity = Math.min(this.#maxBytes, Math.max(firstCapacity, length * 2));
    const buffer = new Uint8Array(capacity);
    buffer.set(this.take());
    this.#first = undefined;
    this.#buffer = buffer;
    return buffer;
  }
}

/** What is no larger is not counted: a server that is busy with large things goes on with small ones. */
export const smallBytes: number = 16 * 1024;

/** What one holder has of a budget. */
export interface ByteClaim {
  /** Says how many bytes are held now. False, and nothing has changed, where that is more than is left for all. */
  hold(bytes: number): boolean;
  /** As `hold`, of what is held already: it counts, even beyond the bound. */
  record(bytes: number): void;
  /** Nothing is held any more. Twice is fine. */
  release(): void;
}

/** A bound in bytes for what many hold together. */
export class ByteBudget {
  readonly #maxBytes: number;
  #used = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** True where nothing that is not small can be held beside what is. */
  get isFull(): boolean {
    return this.#used > this.#maxBytes - smallBytes;
  }

  /** True where more than half is used: large things may soon find no room. */
  get isTight(): boolean {
    return this.#used * 2 > this.#maxBytes;
  }

  /** How many bytes are counted. */
  get used(): number {
    return this.#used;
  }

  claim(): ByteClaim {
    let counted = 0;
    const record = (bytes: number): void => {
      const next = bytes <= smallBytes ? 0 : bytes;
      if (next === counted) return;
      this.#used += next - counted;
      counted = next;
    };
    return {
      hold: (bytes) => {
        if (bytes > smallBytes && bytes > counted && this.#used - counted + bytes > this.#maxBytes) return false;
        record(bytes);
        return true;
      },
      record,
      release: () => record(0),
    };
  }
}

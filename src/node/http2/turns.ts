/** Has streams begin in turns: of one address one in each turn of the event loop, however many sessions it has [R-SEC-5]. */
export class StreamTurns {
  /** What waits, by address. One that is here has begun something in this turn. */
  readonly #lines: Map<string, (() => void)[]> = new Map();

  /** Calls `begin` at once where nothing of that address has begun in this turn, else in its turn. */
  enter(address: string, begin: () => void): void {
    const line = this.#lines.get(address);
    if (line) {
      line.push(begin);
      return;
    }
    this.#lines.set(address, []);
    if (this.#lines.size === 1) setImmediate(() => this.#next());
    begin();
  }

  #next(): void {
    for (const [address, line] of [...this.#lines]) {
      const begin = line.shift();
      if (begin) begin();
      else this.#lines.delete(address);
    }
    if (this.#lines.size > 0) setImmediate(() => this.#next());
  }
}

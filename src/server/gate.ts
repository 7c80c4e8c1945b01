interface Waiting {
  readonly owner: string;
  readonly start: () => void;
}

/** One owner's tasks may take at most this part of the places. */
const ownerPart = 4;

/**
 * Lets a bounded number of tasks run at once, each in a turn of its own; the others wait in order. Nobody's tasks take
 * all places, so that those of one who is answered slowly delay nobody else's.
 */
export class Gate {
  readonly #most: number;
  readonly #defer: (callback: () => void) => void;
  readonly #waiting: Set<Waiting> = new Set();
  readonly #runningOf: Map<string, number> = new Map();
  #running = 0;

  /** @param defer - calls back in another turn of the event loop */
  constructor(most: number, defer: (callback: () => void) => void) {
    this.#most = most;
    this.#defer = defer;
  }

  /** @param owner - whose task it is */
  async run<T>(owner: string, task: () => Promise<T>): Promise<T> {
    if (this.#running < this.#most && this.#hasPlace(owner)) this.#enter(owner);
    else await new Promise<void>((start) => this.#waiting.add({ owner, start }));
    try {
      return await task();
    } finally {
      // A place is free only in another turn: a task that was done in its own would else have all run in one turn.
      this.#defer(() => this.#leave(owner));
    }
  }

  #hasPlace(owner: string): boolean {
    return (this.#runningOf.get(owner) ?? 0) < Math.max(1, Math.floor(this.#most / ownerPart));
  }

  #enter(owner: string): void {
    this.#running += 1;
    this.#runningOf.set(owner, (this.#runningOf.get(owner) ?? 0) + 1);
  }

  #leave(owner: string): void {
    this.#running -= 1;
    const left = (this.#runningOf.get(owner) ?? 1) - 1;
    if (left > 0) this.#runningOf.set(owner, left);
    else this.#runningOf.delete(owner);
    for (const waiting of this.#waiting) {
      if (!this.#hasPlace(waiting.owner)) continue;
      this.#waiting.delete(waiting);
      this.#enter(waiting.owner);
      waiting.start();
      return;
    }
  }
}

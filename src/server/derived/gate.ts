/** Lets a bounded number of tasks run at once, each in a turn of its own; the others wait in order. */
export class Gate {
  readonly #most: number;
  readonly #defer: (callback: () => void) => void;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param defer - calls back in another turn of the event loop */
  constructor(most: number, defer: (callback: () => void) => void) {
    this.#most = most;
    this.#defer = defer;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await task();
    } finally {
      // A place is free only in another turn: a task that was done in its own would else have all run in one turn.
      this.#defer(() => {
        const next = this.#waiting.shift();
        if (next) next();
        else this.#running -= 1;
      });
    }
  }
}

/** Work that can be done a slice at a time: it yields where others may have their turn. */
export type Sliced<Result> = Generator<void, Result, void>;

/** How much is done in one slice, in characters of a text that are read; about two milliseconds. */
const sliceSize = 128 * 1024;

/** Tells when a slice is full. */
export class Slice {
  #left: number = sliceSize;

  /** Counts what was done. True where that fills the slice: the work is to yield, and a new one begins. */
  spend(amount: number): boolean {
    this.#left -= amount;
    if (this.#left > 0) return false;
    this.#left = sliceSize;
    return true;
  }
}

/** Does work to its end. */
export function finish<Result>(work: Sliced<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/**
 * Does work a slice in each turn of the event loop, the first at once: what is no more than that is done when this
 * returns.
 *
 * @param defer - calls back in another turn
 */
export function finishInTurns<Result>(
  work: Sliced<Result>,
  defer: (callback: () => void) => void,
): Result | Promise<Result> {
  const first = work.next();
  if (first.done) return first.value;
  return new Promise((resolve, reject) => {
    const go = (): void => {
      try {
        const step = work.next();
        if (step.done) resolve(step.value);
        else defer(go);
      } catch (error) {
        reject(error);
      }
    };
    defer(go);
  });
}

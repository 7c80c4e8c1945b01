import type { Clock } from "../../server/index.ts";

/** What a {@link Brake} is called in SQL. */
export const brakeFunction = "_rocket_go_on";

/** A condition that always holds, to stand first in a WHERE: at each row that is looked at, a {@link Brake} gets to act. */
export const brakeCondition: string = `${brakeFunction}()`;

/** How many rows go by between two looks: the clock costs as much as some rows. */
const rowsPerLook = 4;

/**
 * Ends statements from inside. No driver has a way to interrupt one from outside, and ending its thread waits for it,
 * too; a function that its SQL calls at each row can throw.
 */
export class Brake {
  #look: (() => void) | undefined;
  #rows = 0;

  /** Runs `action`. `look` is called now and then meanwhile; what it throws ends the statement, and is thrown here. */
  guard<Result>(look: () => void, action: () => Result): Result {
    const outer = this.#look;
    this.#look = look;
    this.#rows = 0;
    try {
      return action();
    } finally {
      this.#look = outer;
    }
  }

  /**
   * Runs `action` for so long at most.
   *
   * @param ms - how long, in milliseconds
   * @param late - makes what is thrown then
   */
  within<Result>(clock: Pick<Clock, "now">, ms: number, late: () => Error, action: () => Result): Result {
    const end = clock.now() + ms;
    let error: Error | undefined;
    const look = (): void => {
      if (clock.now() < end) return;
      error = late();
      throw error;
    };
    try {
      return this.guard(look, action);
    } catch (thrown) {
      // Drivers may hand over another one.
      throw error ?? thrown;
    }
  }

  /** Another row: gives 1, unless `look` throws. */
  readonly goOn = (): number => {
    if (!this.#look) return 1;
    this.#rows += 1;
    if (this.#rows % rowsPerLook === 0) this.#look();
    return 1;
  };
}

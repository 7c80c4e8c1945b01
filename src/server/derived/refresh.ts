import type { Clock } from "../ports/clock.ts";

/** When a refresh is due. */
export interface RefreshTimes {
  /** The least time between two GETs of a burst, in milliseconds. */
  readonly coalesceMs: number;
  /** How long a document may stand without being looked at, in milliseconds; less a jitter. */
  readonly refreshMs: number;
}

/**
 * When a view is looked at again: at once when it is stale, then after the coalescing interval with a trailing edge,
 * and never twice at the same time.
 */
export class RefreshSchedule {
  readonly #clock: Clock;
  #coalesceMs: number;
  readonly #look: () => Promise<void>;
  #startedAt = Number.NEGATIVE_INFINITY;
  #isLooking = false;
  #isWanted = false;
  #isStopped = false;
  #cancelNext: (() => void) | undefined;
  #cancelLater: (() => void) | undefined;

  /** @param look - looks once; must not reject */
  constructor(clock: Clock, coalesceMs: number, look: () => Promise<void>) {
    this.#clock = clock;
    this.#coalesceMs = coalesceMs;
    this.#look = look;
  }

  /** True from a call of `soon` until the look that it caused has ended. */
  get isDue(): boolean {
    return this.#isWanted || this.#isLooking || this.#cancelNext !== undefined;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Has at least this time between two looks from now on, in milliseconds. */
  pace(coalesceMs: number): void {
    this.#coalesceMs = coalesceMs;
  }

  /** Has the view looked at as soon as the interval allows. */
  soon(): void {
    if (this.#isStopped) return;
    if (this.#isLooking) {
      this.#isWanted = true;
      return;
    }
    if (this.#cancelNext) return;
    const waitMs = this.#startedAt + this.#coalesceMs - this.#clock.now();
    if (waitMs > 0) {
      this.#cancelNext = this.#clock.setTimer(() => this.#start(), waitMs);
      return;
    }
    let isCancelled = false;
    this.#cancelNext = () => {
      isCancelled = true;
    };
    this.#clock.defer(() => {
      if (!isCancelled) this.#start();
    });
  }

  /** Has the view looked at at a time by the clock, and not at the one that was named before. */
  at(time: number | undefined): void {
    this.#cancelLater?.();
    this.#cancelLater = undefined;
    if (this.#isStopped || time === undefined) return;
    this.#cancelLater = this.#clock.setTimer(
      () => {
        this.#cancelLater = undefined;
        this.soon();
      },
      Math.max(0, time - this.#clock.now()),
    );
  }

  stop(): void {
    this.#isStopped = true;
    this.#isWanted = false;
    this.#cancelNext?.();
    this.#cancelNext = undefined;
    this.#cancelLater?.();
    this.#cancelLater = undefined;
  }

  #start(): void {
    this.#cancelNext = undefined;
    if (this.#isStopped) return;
    this.#isLooking = true;
    this.#startedAt = this.#clock.now();
    void this.#look().then(() => {
      this.#isLooking = false;
      if (!this.#isWanted) return;
      this.#isWanted = false;
      this.soon();
    });
  }
}

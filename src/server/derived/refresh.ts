import type { Clock } from "../clock.ts";

/** When a refresh is due. */
export interface RefreshTimes {
  /** The least time between two GETs of a burst, in milliseconds. */
  readonly coalesceMs: number;
  /** How long a document may stand without being looked at, in milliseconds; jittered by a tenth. */
  readonly refreshMs: number;
}

/**
 * When a view is looked at again: at once when it is stale, then after the coalescing interval with a trailing edge,
 * never twice at the same time, and in any case now and then.
 */
export class RefreshSchedule {
  readonly #clock: Clock;
  readonly #coalesceMs: number;
  readonly #refreshMs: () => number;
  readonly #look: () => Promise<void>;
  #startedAt = Number.NEGATIVE_INFINITY;
  #isLooking = false;
  #isWanted = false;
  #isStopped = false;
  #cancelNext: (() => void) | undefined;
  #cancelRegular: (() => void) | undefined;

  /** @param look - looks once; must not reject */
  constructor(clock: Clock, coalesceMs: number, refreshMs: () => number, look: () => Promise<void>) {
    this.#clock = clock;
    this.#coalesceMs = coalesceMs;
    this.#refreshMs = refreshMs;
    this.#look = look;
    this.#setRegular();
  }

  /** True from a call of `soon` until the look that it caused has ended. */
  get isDue(): boolean {
    return this.#isWanted || this.#isLooking || this.#cancelNext !== undefined;
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

  /** Has the view looked at after a while. */
  later(ms: number): void {
    if (!this.#isStopped) this.#clock.setTimer(() => this.soon(), ms);
  }

  stop(): void {
    this.#isStopped = true;
    this.#isWanted = false;
    this.#cancelNext?.();
    this.#cancelRegular?.();
  }

  #start(): void {
    this.#cancelNext = undefined;
    if (this.#isStopped) return;
    this.#isLooking = true;
    this.#startedAt = this.#clock.now();
    void this.#look().then(() => {
      this.#isLooking = false;
      if (this.#isStopped) return;
      this.#setRegular();
      if (!this.#isWanted) return;
      this.#isWanted = false;
      this.soon();
    });
  }

  #setRegular(): void {
    this.#cancelRegular?.();
    const waitMs = this.#refreshMs() * (0.9 + this.#clock.random() * 0.2);
    this.#cancelRegular = this.#clock.setTimer(() => this.soon(), waitMs);
  }
}

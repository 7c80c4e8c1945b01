import type { Clock } from "../server/index.ts";
import { createRandom } from "./random.ts";

/** A clock that stands still until it is told to go on. */
export interface FakeClock extends Clock {
  /** Runs what is due now and everything that follows from it, promises included, without time passing. */
  settle(): Promise<void>;
  /** Lets `ms` milliseconds pass: timers fire in order, each followed by what follows from it. */
  advance(ms: number): Promise<void>;
  /** How many timers are set. */
  readonly timers: number;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

interface Platform {
  setImmediate?: (callback: () => void) => unknown;
}

/** Lets every promise that is settled by now run its reactions. */
function promisesRun(): Promise<void> {
  const immediate = (globalThis as Platform).setImmediate;
  return new Promise((resolve) => {
    if (immediate) immediate(resolve);
    else setTimeout(resolve, 0);
  });
}

class ManualClock implements FakeClock {
  readonly random: () => number;
  #now = 0;
  #order = 0;
  #deferred: (() => void)[] = [];
  readonly #timers: Set<Timer> = new Set();

  constructor(seed: number) {
    this.random = createRandom(seed).next;
  }

  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#now;
  }

  setTimer(callback: () => void, ms: number): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  async settle(): Promise<void> {
    await promisesRun();
    while (this.#deferred.length > 0) {
      const due = this.#deferred;
      this.#deferred = [];
      for (const callback of due) callback();
      await promisesRun();
    }
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.settle();
    for (let timer = this.#next(end); timer; timer = this.#next(end)) {
      this.#timers.delete(timer);
      this.#now = timer.at;
      timer.callback();
      await this.settle();
    }
    this.#now = end;
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > end) continue;
      if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) first = timer;
    }
    return first;
  }
}

/** Makes a clock that starts at 0, which is the beginning of 1970. @param seed - what its chance repeats from; default 1 */
export function createFakeClock(seed = 1): FakeClock {
  return new ManualClock(seed);
}

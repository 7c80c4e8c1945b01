/** Time and chance, injected so that runs repeat from a seed. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  /** Milliseconds since 1970, by a clock that may be set: for what outlasts the process. */
  wallTime(): number;
  /** Calls `callback` once after `ms` milliseconds. Returns a function that cancels. */
  setTimer(callback: () => void, ms: number): () => void;
  /** Calls `callback` at the end of this turn of the event loop. */
  defer(callback: () => void): void;
  /** A number in [0, 1). */
  random(): number;
}

interface Platform {
  setImmediate?: (callback: () => void) => unknown;
}

interface Unrefable {
  unref?: () => unknown;
}

/** The platform's clock. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  setTimer(callback, ms) {
    const timer = setTimeout(callback, ms);
    (timer as Unrefable).unref?.();
    return () => clearTimeout(timer);
  },
  defer(callback) {
    const immediate = (globalThis as Platform).setImmediate;
    if (immediate) immediate(callback);
    else setTimeout(callback, 0);
  },
  random: () => Math.random(),
};

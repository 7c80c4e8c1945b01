/** Time and chance of a client, injected so that runs repeat from a seed. */
export interface ClientClock {
  /** Milliseconds since some fixed moment. */
  now(): number;
  /** Calls `callback` once after `ms` milliseconds. Returns a function that cancels. */
  setTimer(callback: () => void, ms: number): () => void;
  /** A number in [0, 1). */
  random(): number;
}

/** The platform's clock. */
export const platformClock: ClientClock = {
  now: () => Date.now(),
  setTimer(callback, ms) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

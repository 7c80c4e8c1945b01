/** Time and chance of a client, injected so that runs repeat from a seed. */
export interface ClientClock {
  /** Milliseconds since 1970, by which tokens end; another moment will do where none says when. */
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

/** One timer at a time. */
export class Timer {
  protected readonly clock: ClientClock;
  #cancel: () => void = () => {};

  constructor(clock: ClientClock) {
    this.clock = clock;
  }

  /** Calls back after `ms` milliseconds, in the place of what it was set to before. */
  set(callback: () => void, ms: number): void {
    this.cancel();
    this.#cancel = this.clock.setTimer(callback, ms);
  }

  /** Calls nothing more. Twice is fine. */
  cancel(): void {
    this.#cancel();
  }
}

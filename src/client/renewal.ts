import { type ClientClock, Timer } from "./clock.ts";

/** A token is asked for so long before the one in use ends, and no earlier than in the last fifth of its time. */
const aheadMs = 60_000;
const lastPart = 5;
/** Longer timers end at once. */
const longestMs = 2 ** 31 - 1;

/** Has credentials renewed before they end, so that no subscription ends with them. */
export class Renewal {
  readonly #clock: ClientClock;
  readonly #timer: Timer;
  readonly #renew: () => void;

  constructor(clock: ClientClock, renew: () => void) {
    this.#clock = clock;
    this.#timer = new Timer(clock);
    this.#renew = renew;
  }

  /** @param endsAt - when the token in use ends, by the clock; nothing where it doesn't say */
  watch(endsAt: number | undefined): void {
    this.#timer.cancel();
    const leftMs = (endsAt ?? 0) - this.#clock.now();
    // What seems to be over is tried: the clock may be wrong, and the server says 401 otherwise.
    if (leftMs <= 0) return;
    this.#timer.set(this.#renew, Math.min(longestMs, leftMs - Math.min(aheadMs, leftMs / lastPart)));
  }

  cancel(): void {
    this.#timer.cancel();
  }
}

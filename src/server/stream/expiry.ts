import { createProblem, type Field, fieldValue, problemResponse, tokenExpiry } from "../../protocol/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { OriginResponse } from "../ports/origin.ts";

/** What a subscription ends with when its credentials do [R-SEC-11]. */
export const expiredResponse: OriginResponse = problemResponse(
  createProblem(401, "The token has expired. SUBSCRIBE with another one."),
  [["WWW-Authenticate", 'Bearer error="invalid_token"']],
);

/** Timers run by a clock that stands still while the machine sleeps, and are bounded: the time of day is looked at so often. */
const longestMs = 60_000;

/** When the credentials of a subscription end. */
export class Expiry {
  readonly #clock: Clock;
  readonly #onEnd: () => void;
  #at: number | undefined;
  #cancel: (() => void) | undefined;

  /** @param onEnd - called once it is over; to end it is the callee's own business */
  constructor(clock: Clock, onEnd: () => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  /** Takes the credentials that count from now on. */
  set(fields: readonly Field[]): void {
    this.stop();
    const at = tokenExpiry(fieldValue(fields, "authorization"));
    // A token that is over, and was taken all the same, is the origin's own business.
    if (at === undefined || at <= this.#clock.wallTime()) return;
    this.#at = at;
    this.#wait(at);
  }

  /** True once the credentials have ended. */
  get isOver(): boolean {
    return this.#at !== undefined && this.#clock.wallTime() >= this.#at;
  }

  /** Twice is fine. */
  stop(): void {
    this.#at = undefined;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(at: number): void {
    const leftMs = at - this.#clock.wallTime();
    this.#cancel = this.#clock.setTimer(
      () => {
        if (this.isOver) this.#onEnd();
        else this.#wait(at);
      },
      Math.min(longestMs, Math.max(1, leftMs)),
    );
  }
}

import { createProblem, type Field, fieldValue, problemResponse, tokenExpiry } from "../../protocol/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { OriginResponse } from "../ports/origin.ts";
import type { Revocations } from "../ports/revocations.ts";

/** What a subscription ends with when its credentials do [R-SEC-11]. */
const expiredResponse: OriginResponse = problemResponse(
  createProblem(401, "The token has expired. SUBSCRIBE with another one."),
  [["WWW-Authenticate", 'Bearer error="invalid_token"']],
);

/** What a subscription ends with when its credentials were taken back. */
const revokedResponse: OriginResponse = problemResponse(
  createProblem(401, "The session has ended. SUBSCRIBE with the token of another one."),
  [["WWW-Authenticate", 'Bearer error="invalid_token"']],
);

/** Timers run by a clock that stands still while the machine sleeps, and are bounded: the time of day is looked at so often. */
const longestMs = 60_000;

/** When the credentials of a subscription end. */
export class Expiry {
  readonly #clock: Clock;
  readonly #isRevoked: Revocations["isRevoked"];
  readonly #onEnd: () => void;
  #fields: readonly Field[] = [];
  #at: number | undefined;
  #cancel: (() => void) | undefined;

  /** @param onEnd - called once it is over; to end it is the callee's own business */
  constructor(clock: Clock, isRevoked: Revocations["isRevoked"], onEnd: () => void) {
    this.#clock = clock;
    this.#isRevoked = isRevoked;
    this.#onEnd = onEnd;
  }

  /** Takes the credentials that count from now on. */
  set(fields: readonly Field[]): void {
    this.stop();
    this.#fields = fields;
    const at = tokenExpiry(fieldValue(fields, "authorization"));
    // A token that is over, and was taken all the same, is the origin's own business.
    if (at === undefined || at <= this.#clock.wallTime()) return;
    this.#at = at;
    this.#wait(at);
  }

  /** What the subscription is to end with, once the credentials have ended; `undefined` until then. */
  get refusal(): OriginResponse | undefined {
    if (this.#at !== undefined && this.#clock.wallTime() >= this.#at) return expiredResponse;
    return this.#isRevoked(this.#fields) ? revokedResponse : undefined;
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
        if (this.#clock.wallTime() >= at) this.#onEnd();
        else this.#wait(at);
      },
      Math.min(longestMs, Math.max(1, leftMs)),
    );
  }
}

import type { ByteBudget, ByteClaim } from "../byte-budget.ts";
import type { Clock } from "../ports/clock.ts";

/** How long a message may take to be whole, from its first bytes on. */
const wholeWithinMs = 30_000;

/** What has come of one peer's message that is not whole yet: its room among what is held, and its deadline [R-SEC-5]. */
export class UnfinishedMessage {
  readonly #clock: Clock;
  readonly #claim: ByteClaim;
  #since: number | undefined;

  constructor(clock: Clock, held: ByteBudget) {
    this.#clock = clock;
    this.#claim = held.claim();
  }

  /** Says how many bytes are held; 0 where nothing is unfinished. False where there is no room for them. */
  hold(bytes: number): boolean {
    this.#since = bytes === 0 ? undefined : (this.#since ?? this.#clock.now());
    return this.#claim.hold(bytes);
  }

  /** The peer is not read from: its time begins anew. */
  restart(): void {
    if (this.#since !== undefined) this.#since = this.#clock.now();
  }

  get isLate(): boolean {
    return this.#since !== undefined && this.#clock.now() - this.#since >= wholeWithinMs;
  }

  /** Nothing is held any more. Twice is fine. */
  release(): void {
    this.#since = undefined;
    this.#claim.release();
  }
}

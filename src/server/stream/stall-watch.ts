import type { ByteBudget } from "../byte-budget.ts";
import type { Clock } from "../ports/clock.ts";

/** How much sooner a peer that takes nothing is given up while little of the budget is left. */
const hurry = 12;

interface Sight {
  readonly takenBytes: number;
  readonly since: number;
}

/**
 * Tells which peers have stopped reading: for a while they took nothing of what waits for them. A slow peer is none of
 * them, however much is left.
 */
export class StallWatch<Peer extends object> {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #budget: ByteBudget;
  readonly #seen: WeakMap<Peer, Sight> = new WeakMap();

  /** @param budget - while more than half of it is used, peers are given up sooner */
  constructor(clock: Clock, timeoutMs: number, budget: ByteBudget) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#budget = budget;
  }

  /**
   * Looks at a peer, as is to be done every second. True where it has stopped reading.
   *
   * @param takenBytes - any number that changes whenever the peer takes something
   */
  look(peer: Peer, unsentBytes: number, takenBytes: number): boolean {
    if (unsentBytes === 0) {
      this.#seen.delete(peer);
      return false;
    }
    const now = this.#clock.now();
    const seen = this.#seen.get(peer);
    if (!seen || seen.takenBytes !== takenBytes) {
      this.#seen.set(peer, { takenBytes, since: now });
      return false;
    }
    return now - seen.since >= (this.#budget.isTight ? this.#timeoutMs / hurry : this.#timeoutMs);
  }
}

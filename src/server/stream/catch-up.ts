import type { Outlet } from "../delivery/outlet.ts";
import type { Subscription } from "./subscription.ts";

/**
 * Brings the subscriptions of one connection to where they are live, one after another and no faster than the peer
 * reads. Those that were caught up before come first: no bookmark goes out while they are behind.
 */
export class CatchUp {
  readonly #outlet: Outlet;
  readonly #queue: Subscription[] = [];
  #isRunning = false;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  add(subscription: Subscription): void {
    if (this.#outlet.isClosed || this.#queue.includes(subscription)) return;
    if (subscription.isCaughtUp) this.#queue.unshift(subscription);
    else this.#queue.push(subscription);
    if (!this.#isRunning) void this.#run();
  }

  stop(): void {
    this.#queue.length = 0;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // What called may still be changing the subscription.
    await undefined;
    for (let subscription = this.#queue.shift(); subscription; subscription = this.#queue.shift()) {
      while (await this.#goOn(subscription));
    }
    this.#isRunning = false;
  }

  /** False when the subscription needs no more. */
  async #goOn(subscription: Subscription): Promise<boolean> {
    if (subscription.state !== "behind") return false;
    if (!this.#outlet.isCongested) return subscription.advance();
    subscription.rest();
    await this.#outlet.room();
    return true;
  }
}

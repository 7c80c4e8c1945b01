import type { Clock } from "./clock.ts";
import type { Delivery } from "./delivery.ts";
import type { View } from "./view.ts";

/** How long a large delivery is kept after somebody took a piece of it. */
const keptMs = 1_000;

/**
 * The deliveries that are too large to be written at once. Each is kept with its view while those who are parked before
 * it take it piece by piece, so that it is encoded once for all of them; those who stop reading have to read it again.
 */
export class LargeDeliveries {
  readonly #clock: Clock;
  readonly #views: Set<View> = new Set();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  keep(view: View, delivery: Delivery): void {
    view.large = { delivery, usedAt: this.#clock.now() };
    this.#views.add(view);
  }

  /** Gives up all of them: their positions may come to mean something else. */
  clear(): void {
    for (const view of this.#views) view.large = undefined;
    this.#views.clear();
  }

  /** Gives up what nobody took a piece of lately. */
  sweep(): void {
    for (const view of this.#views) {
      if (view.large && view.large.usedAt > this.#clock.now() - keptMs) continue;
      view.large = undefined;
      this.#views.delete(view);
    }
  }
}

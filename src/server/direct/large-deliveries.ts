import type { Delivery } from "../delivery/delivery.ts";
import type { Clock } from "../ports/clock.ts";
import type { View } from "./view.ts";

/** How long a large delivery is kept after somebody took a piece of it. */
const keptMs = 1_000;

/**
 * The deliveries that are too large to be written at once. Each is kept with its view while those who are parked before
 * it take it piece by piece, so that it is encoded once for all of them; those who stop reading have to read it again,
 * and so have all where more is kept than allowed.
 */
export class LargeDeliveries {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  /** Bytes by view, oldest first. */
  readonly #views: Map<View, number> = new Map();
  #bytes = 0;

  /** @param maxBytes - how many bytes are kept for all views together */
  constructor(clock: Clock, maxBytes: number) {
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  /** @param bytes - what the delivery holds, encoded */
  keep(view: View, delivery: Delivery, bytes: number): void {
    // It is the same one that is kept for each of those who have no room for it.
    const known = view.large?.delivery === delivery ? (this.#views.get(view) ?? 0) : 0;
    this.#forget(view);
    view.large = { delivery, usedAt: this.#clock.now() };
    this.#views.set(view, Math.max(known, bytes));
    this.#bytes += Math.max(known, bytes);
    for (const oldest of this.#views.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#forget(oldest);
    }
  }

  /** Gives up all of them: their positions may come to mean something else. */
  clear(): void {
    for (const view of this.#views.keys()) this.#forget(view);
  }

  /** Gives up what nobody took a piece of lately. */
  sweep(): void {
    for (const view of this.#views.keys()) {
      if (view.large && view.large.usedAt > this.#clock.now() - keptMs) continue;
      this.#forget(view);
    }
  }

  #forget(view: View): void {
    this.#bytes -= this.#views.get(view) ?? 0;
    this.#views.delete(view);
    view.large = undefined;
  }
}

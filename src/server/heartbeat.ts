import { heartbeatMs } from "../protocol/index.ts";
import type { Clock } from "./clock.ts";
import type { Connection } from "./connection.ts";

const sweepMs = 1_000;

/** Keeps every connection from being silent for longer than the heartbeat [R-HB-1]. One timer for all. */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #connections: ReadonlySet<Connection>;
  readonly #onSweep: () => void;
  #cancel: () => void;

  /** @param onSweep - called at each look around, once a second */
  constructor(clock: Clock, connections: ReadonlySet<Connection>, onSweep: () => void) {
    this.#clock = clock;
    this.#connections = connections;
    this.#onSweep = onSweep;
    this.#cancel = this.#next();
  }

  stop(): void {
    this.#cancel();
  }

  #next(): () => void {
    return this.#clock.setTimer(() => {
      this.#cancel = this.#next();
      const latest = this.#clock.now() - heartbeatMs + sweepMs;
      for (const connection of this.#connections) if (connection.lastSentAt <= latest) connection.beat();
      this.#onSweep();
    }, sweepMs);
  }
}

import { heartbeatMs } from "../protocol/index.ts";
import type { Clock } from "./clock.ts";
import type { Connection } from "./connection.ts";
import type { StallWatch } from "./stall-watch.ts";

const sweepMs = 1_000;

/**
 * Keeps every connection from being silent for longer than the heartbeat [R-HB-1], and drops those whose peer stopped
 * reading [R-SEC-5]. One timer for all.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #connections: ReadonlySet<Connection>;
  readonly #stalls: StallWatch<Connection>;
  readonly #onSweep: () => void;
  #cancel: () => void;

  /** @param onSweep - called at each look around, once a second */
  constructor(clock: Clock, connections: ReadonlySet<Connection>, stalls: StallWatch<Connection>, onSweep: () => void) {
    this.#clock = clock;
    this.#connections = connections;
    this.#stalls = stalls;
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
      for (const connection of this.#connections) this.#look(connection, latest);
      this.#onSweep();
    }, sweepMs);
  }

  /** @param latest - whoever was sent something later than that needs no sign of life */
  #look(connection: Connection, latest: number): void {
    const { transport } = connection;
    if (this.#stalls.look(connection, transport.unsentBytes, transport.takenBytes)) transport.abort();
    else if (connection.lastSentAt <= latest) connection.beat();
  }
}

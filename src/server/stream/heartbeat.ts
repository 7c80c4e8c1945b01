import { heartbeatMs } from "../../protocol/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { Connection } from "./connection.ts";
import type { StallWatch } from "./stall-watch.ts";

const sweepMs = 1_000;

/** What is kept for a moment only. */
interface Sweepable {
  sweep(): void;
}

/**
 * Keeps every connection from being silent for longer than the heartbeat [R-HB-1], and drops those whose peer stopped
 * reading, or does not end a message [R-SEC-5]. One timer for all.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #connections: ReadonlySet<Connection>;
  readonly #stalls: StallWatch<Connection>;
  readonly #kept: readonly Sweepable[];
  #cancel: () => void;

  /** @param kept - what is swept at each look around, once a second */
  constructor(
    clock: Clock,
    connections: ReadonlySet<Connection>,
    stalls: StallWatch<Connection>,
    kept: readonly Sweepable[],
  ) {
    this.#clock = clock;
    this.#connections = connections;
    this.#stalls = stalls;
    this.#kept = kept;
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
      for (const kept of this.#kept) kept.sweep();
    }, sweepMs);
  }

  /** @param latest - whoever was sent something later than that needs no sign of life */
  #look(connection: Connection, latest: number): void {
    const { transport } = connection;
    connection.endLate();
    if (connection.isClosed) return;
    if (this.#stalls.look(connection, transport.unsentBytes, transport.takenBytes)) transport.abort();
    else if (connection.lastSentAt <= latest) connection.beat();
  }
}

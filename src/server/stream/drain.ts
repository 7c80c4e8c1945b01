import type { Clock } from "../ports/clock.ts";
import type { Connection } from "./connection.ts";

/** How much of the drain window one connection is worth: few connections need no long window. */
const msPerConnection = 10;

/** Ends all connections in random order over a window, so that their clients do not all come back at once [R-CLOSE-4]. */
export class Drain {
  readonly #clock: Clock;
  readonly #connections: ReadonlySet<Connection>;
  readonly #windowMs: number;
  readonly #reason: string;
  readonly #whenDone: () => void;
  #finished: Promise<void> | undefined;

  constructor(
    clock: Clock,
    connections: ReadonlySet<Connection>,
    drainMs: number,
    reason: string,
    whenDone: () => void,
  ) {
    this.#clock = clock;
    this.#connections = connections;
    this.#windowMs = drainMs;
    this.#reason = reason;
    this.#whenDone = whenDone;
  }

  /** Ends them all; resolves when the last one was told. */
  run(): Promise<void> {
    this.#finished ??= this.#endAll();
    return this.#finished;
  }

  async #endAll(): Promise<void> {
    const waiting = [...this.#connections];
    const windowMs = Math.min(this.#windowMs, waiting.length * msPerConnection);
    const ends = waiting.map((connection) => {
      const delayMs = waiting.length === 1 ? 0 : this.#clock.random() * windowMs;
      return new Promise<void>((resolve) => {
        this.#clock.setTimer(() => {
          connection.subscriptions.sendBookmark();
          connection.close(1001, this.#reason);
          resolve();
        }, delayMs);
      });
    });
    await Promise.all(ends);
    this.#whenDone();
  }
}

import type { ServerResponse } from "node:http";
import type { Clock } from "../server/index.ts";

/** How many answers are made at a time. */
const most = 64;
/** One that takes longer than this, in milliseconds, keeps no others waiting. */
const longestMs = 1_000;

/** Has answers made some at a time, in the order of their coming, that one change has made due all at once. */
export class AnswerTurns {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when it is a response's turn, which ends when the response does. */
  async take(response: ServerResponse): Promise<void> {
    if (this.#running < most) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      cancel();
      response.off("close", end);
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    };
    const cancel = this.#clock.setTimer(end, longestMs);
    response.once("close", end);
    if (response.destroyed) end();
  }
}

import type { Field } from "../protocol/index.ts";
import { type Clock, systemClock } from "../server/index.ts";
import { Follower, type FollowerListener } from "./follower.ts";
import { formatMessage, formatNote } from "./message-text.ts";
import { type Output, onOutputClosed, processOutput } from "./output.ts";
import { onStopSignal } from "./signals.ts";
import { dialWebSocket } from "./web-socket-link.ts";

/** What `rocket tail` follows, and how. */
export interface TailOptions {
  /** A `ws:` or `wss:` URL. */
  readonly url: string;
  /** The level to ask for. Default 1. */
  readonly level?: 0 | 1;
  /** Where to begin: the Event-ID of an earlier message, or `*` for no snapshot. */
  readonly lastEventId?: string;
  /** Further fields of the handshake. Default none. */
  readonly header?: readonly Field[];
  /** End after so many messages, every message counted. Default never. */
  readonly count?: number;
}

/** Unlike the system clock's, its timers keep the process alive: a command that waits for a reconnect is not done. */
const commandClock: Clock = {
  ...systemClock,
  setTimer(callback, ms) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Prints messages, and ends the follower after the last one that is wanted. */
class Printer implements FollowerListener {
  readonly #output: Output;
  readonly #finish: (exitCode: number) => void;
  #left: number;

  constructor(output: Output, count: number, finish: (exitCode: number) => void) {
    this.#output = output;
    this.#left = count;
    this.#finish = finish;
  }

  message(message: Parameters<typeof formatMessage>[0]): void {
    for (const part of formatMessage(message, this.#output)) this.#output.write(part);
    this.#left -= 1;
    if (this.#left === 0) this.#finish(0);
  }

  note(line: string): void {
    this.#output.note(formatNote(line, this.#output.hasColouredNotes));
  }

  ended(failure?: string): void {
    if (failure !== undefined) this.#output.note(`rocket: ${failure}`);
    this.#finish(failure === undefined ? 0 : 1);
  }
}

/**
 * Runs `rocket tail`: prints each message of a URL's stream as it comes, over as many connections as it takes.
 *
 * @returns the exit code: 0 when the stream ended as it should or the process was asked to stop, 1 when it was refused
 */
export function runTail(options: TailOptions): Promise<number> {
  const { url, level = 1, lastEventId, header = [], count = Number.POSITIVE_INFINITY } = options;
  return new Promise((resolve) => {
    const finish = (exitCode: number): void => {
      follower.stop();
      resolve(exitCode);
    };
    const follower = new Follower({
      url,
      level,
      headers: header,
      ...(lastEventId === undefined ? {} : { lastEventId }),
      dial: dialWebSocket,
      clock: commandClock,
      listener: new Printer(processOutput, count, finish),
    });
    onStopSignal(() => finish(0));
    onOutputClosed(() => finish(0));
    follower.start();
  });
}

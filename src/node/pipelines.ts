import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** How many requests of one connection may wait before no more of it is read. */
const mostWaiting = 64;

/** The requests of one connection that are not answered yet. */
interface Line {
  isBusy: boolean;
  readonly waiting: { readonly response: ServerResponse; readonly start: () => void }[];
  /** Goes on reading, where that was stopped. */
  release: (() => void) | undefined;
}

/** Stops reading from a connection until what is given is called; Node would go on by itself as soon as it can. */
export function holdReading(socket: Socket): () => void {
  socket.pause();
  socket.resume = () => socket;
  return () => {
    Reflect.deleteProperty(socket, "resume");
    socket.resume();
  };
}

/**
 * Lets one request of each connection be in work at once: pipelined ones are answered in order anyway, and nobody gets
 * more by sending many of them.
 */
export class Pipelines {
  readonly #lines: WeakMap<Socket, Line> = new WeakMap();

  /** Calls `start` when those before it on the connection are answered; at once where there are none. */
  enter({ socket }: IncomingMessage, response: ServerResponse, start: () => void): void {
    const line = this.#lineOf(socket);
    if (!line.isBusy) {
      this.#begin(socket, line, response, start);
      return;
    }
    line.waiting.push({ response, start });
    if (line.waiting.length >= mostWaiting) line.release ??= holdReading(socket);
  }

  #lineOf(socket: Socket): Line {
    let line = this.#lines.get(socket);
    if (!line) {
      const made: Line = { isBusy: false, waiting: [], release: undefined };
      socket.once("close", () => made.waiting.splice(0));
      this.#lines.set(socket, made);
      line = made;
    }
    return line;
  }

  #begin(socket: Socket, line: Line, response: ServerResponse, start: () => void): void {
    line.isBusy = true;
    response.once("close", () => {
      line.isBusy = false;
      // In another turn of the event loop, so that other connections get theirs.
      if (line.waiting.length > 0) setImmediate(() => this.#next(socket, line));
    });
    start();
  }

  #next(socket: Socket, line: Line): void {
    if (line.isBusy) return;
    const next = line.waiting.shift();
    if (next) this.#begin(socket, line, next.response, next.start);
    if (!line.release || line.waiting.length >= mostWaiting / 2) return;
    line.release();
    line.release = undefined;
  }
}

import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/** How many pieces of a body are taken before its connection waits for its turn. Most bodies have fewer. */
const piecesPerTurn = 256;

/**
 * Has bodies that come in very many small pieces take turns: Node tells of each piece by itself, and of all that a system
 * has at once, so that a few connections could keep the event loop for seconds. Such a connection is not read from until
 * its turn comes; there is one in each turn of the loop.
 */
export class BodyTurns {
  readonly #waiting: Socket[] = [];

  /** Watches a request whose body somebody else reads. */
  watch(request: IncomingMessage): void {
    const { socket } = request;
    let pieces = 0;
    request.on("data", () => {
      pieces += 1;
      if (pieces % piecesPerTurn !== 0 || this.#waiting.includes(socket)) return;
      // Behind what Node itself still has to do with this piece, which would have the socket read on.
      process.nextTick(() => this.#wait(socket));
    });
  }

  #wait(socket: Socket): void {
    if (socket.destroyed || this.#waiting.includes(socket)) return;
    socket.pause();
    this.#waiting.push(socket);
    if (this.#waiting.length === 1) setImmediate(() => this.#next());
  }

  #next(): void {
    this.#waiting.shift()?.resume();
    if (this.#waiting.length > 0) setImmediate(() => this.#next());
  }
}

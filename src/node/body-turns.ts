import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { holdReading } from "./pipelines.ts";

/** How many pieces of a body are taken before its connection waits for its turn. Most bodies have fewer. */
const piecesPerTurn = 256;
/** How many chunks a body may have, whatever they hold. */
const manyChunks = 4_096;
/** How many bytes they have to hold on average from then on. */
const leastChunkBytes = 64;

/** What the refusal of a body in too many too small chunks says. */
export const tooManyChunks: string = `A body in more than ${manyChunks} chunks needs ${leastChunkBytes} bytes in each, on average.`;

/**
 * Has bodies that come in very many small pieces take turns: Node tells of each piece by itself, and of all that a system
 * has at once, so that a few connections could keep the event loop for seconds. Such a connection is not read from until
 * its turn comes; there is one in each turn of the loop. Where the pieces are chunks that hold next to nothing, it is not
 * read from any more [R-SEC-5].
 */
export class BodyTurns {
  readonly #waiting: Socket[] = [];

  /**
   * Watches a request whose body somebody else reads.
   *
   * @param refuse - called once where the body has too many too small chunks: the connection has to end
   */
  watch(request: IncomingMessage, refuse: () => void): void {
    const { socket } = request;
    const isChunked = request.headers["transfer-encoding"] !== undefined;
    let pieces = 0;
    let bytes = 0;
    const count = (piece: Buffer): void => {
      pieces += 1;
      bytes += piece.length;
      if (isChunked && pieces > manyChunks && bytes < pieces * leastChunkBytes) {
        request.off("data", count);
        holdReading(socket);
        refuse();
      } else if (pieces % piecesPerTurn === 0) {
        // Behind what Node itself still has to do with this piece, which would have the socket read on.
        process.nextTick(() => this.#wait(socket));
      }
    };
    request.on("data", count);
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

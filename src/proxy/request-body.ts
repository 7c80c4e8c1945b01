import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { BodyTurns } from "../node/index.ts";
import { ByteCollector } from "../server/index.ts";
import { TooManyChunksError } from "./failure.ts";

function ignore(): void {}

/** True where a request has a body, if only an empty one in chunks. */
export function hasBody({ headers }: IncomingMessage): boolean {
  const { "content-length": length } = headers;
  return headers["transfer-encoding"] !== undefined || (length !== undefined && !/^0*$/.test(length));
}

const smallBytes = 16 * 1024;
/** A chunk below this is small; after a few of them, they are put together. */
const smallChunkBytes = 1024;
const fewChunks = 16;
const turns = new BodyTurns();

/** True for a body so small that it is read whole before it is sent on: in one piece with the head. */
export function isSmall({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] === undefined && Number(headers["content-length"]) <= smallBytes;
}

/** Reads a small body, and gives it when it is whole. Nothing is given where the client goes away before. */
export function readSmall(request: IncomingMessage, give: (body: Buffer) => void): void {
  const body = new ByteCollector(smallBytes);
  request.on("data", (part: Buffer) => body.add(part));
  request.on("end", () => {
    const { buffer, byteOffset, byteLength } = body.take();
    give(Buffer.from(buffer, byteOffset, byteLength));
  });
}

/**
 * A request's body as the upstream's client reads it. Destroying it drops the rest of the body and leaves the client's
 * connection alone, so that it can still be answered.
 */
export class RequestBody extends Readable {
  readonly #request: IncomingMessage;
  #small: ByteCollector | undefined;
  #smallChunks = 0;
  readonly #onData = (chunk: Buffer): void => {
    if (chunk.length >= smallChunkBytes) {
      this.#flush();
      this.#give(chunk);
    } else if (this.#smallChunks < fewChunks) {
      this.#smallChunks += 1;
      this.#give(chunk);
    } else {
      this.#gather(chunk);
    }
  };
  readonly #onEnd = (): void => {
    this.#flush();
    this.push(null);
  };
  readonly #onClose = (): void => {
    if (!this.#request.complete) this.destroy(new Error("The client closed the connection within its request."));
  };

  constructor(request: IncomingMessage) {
    super({ highWaterMark: 64 * 1024 });
    this.#request = request;
    this.on("error", ignore);
    turns.watch(request, () => {
      // Where nobody reads it any more, the answer is on its way already.
      if (this.destroyed) request.socket.destroySoon();
      else this.destroy(new TooManyChunksError());
    });
    request.on("data", this.#onData).on("end", this.#onEnd).on("close", this.#onClose);
    request.pause();
  }

  #give(bytes: Uint8Array): void {
    if (!this.push(bytes)) this.#request.pause();
  }

  /** Puts small chunks together until the end of this turn: kept one by one, they cost many times what they hold. */
  #gather(chunk: Buffer): void {
    if (!this.#small) {
      this.#small = new ByteCollector(Number.MAX_SAFE_INTEGER);
      setImmediate(() => this.#flush());
    }
    this.#small.add(chunk);
    if (this.#small.length >= smallBytes) this.#flush();
  }

  #flush(): void {
    const bytes = this.#small?.take();
    this.#small = undefined;
    if (bytes && !this.destroyed) this.#give(bytes);
  }

  override _read(): void {
    this.#request.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#request.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onClose);
    this.#request.resume();
    callback(error);
  }
}

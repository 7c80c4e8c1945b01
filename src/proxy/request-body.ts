import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { ByteCollector } from "../server/index.ts";

function ignore(): void {}

/** True where a request has a body, if only an empty one in chunks. */
export function hasBody({ headers }: IncomingMessage): boolean {
  const { "content-length": length } = headers;
  return headers["transfer-encoding"] !== undefined || (length !== undefined && !/^0*$/.test(length));
}

const smallBytes = 16 * 1024;

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
  readonly #onData = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#request.pause();
  };
  readonly #onEnd = (): void => {
    this.push(null);
  };
  readonly #onClose = (): void => {
    if (!this.#request.complete) this.destroy(new Error("The client closed the connection within its request."));
  };

  constructor(request: IncomingMessage) {
    super({ highWaterMark: 64 * 1024 });
    this.#request = request;
    this.on("error", ignore);
    request.on("data", this.#onData).on("end", this.#onEnd).on("close", this.#onClose);
    request.pause();
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

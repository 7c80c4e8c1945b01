import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import { takenBytes } from "./taken-bytes.ts";

/** The methods of a response that send something, or end it. */
export type SendingMethods = Readonly<
  Record<"destroy" | "end" | "flushHeaders" | "write" | "writeHead", SendingMethod>
>;

/** One of them, whatever it is called with. */
export type SendingMethod = (...parameters: never[]) => unknown;

function streamOf(response: ServerResponse): Http2ServerResponse["stream"] | undefined {
  return "stream" in response ? (response as unknown as Http2ServerResponse).stream : undefined;
}

/**
 * Writes an answer, of HTTP/1.1 or of Node's own HTTP/2, by methods that may be others than the response has by now:
 * frameworks and middleware put their own in their places.
 */
export class AnswerWriter {
  readonly #response: ServerResponse;
  readonly #methods: SendingMethods;
  readonly #clear: () => void;
  #written = 0;
  #hasEnded = false;

  /**
   * @param methods - what to write with. Default: the response's own
   * @param clear - takes from the response what others have set. Default: nothing was
   */
  constructor(response: ServerResponse, methods: SendingMethods = response, clear: () => void = () => {}) {
    this.#response = response;
    this.#methods = methods;
    this.#clear = clear;
  }

  /** Leaves nothing on the response that others have set. Called before the fields of an answer are. */
  clear(): void {
    this.#clear();
  }

  /** Listens to the response itself: middleware that compresses has `drain` tell of what it sends. */
  on(event: "close" | "drain", listener: () => void): void {
    EventEmitter.prototype.on.call(this.#response, event, listener);
  }

  /** True where nothing can be written any more. */
  get isOver(): boolean {
    const stream = streamOf(this.#response);
    return this.#hasEnded || (stream ? stream.destroyed : this.#response.destroyed);
  }

  /** Bytes that were written and not taken; less than what is taken without a later `drain` does not count. */
  get unsentBytes(): number {
    const { writableNeedDrain, writableLength } = streamOf(this.#response) ?? this.#response;
    return writableNeedDrain ? writableLength : 0;
  }

  /** As {@link Transport.takenBytes}. */
  get takenBytes(): number {
    const stream = streamOf(this.#response);
    if (stream) return this.#written - stream.writableLength;
    const { socket } = this.#response;
    return socket ? takenBytes(socket) : 0;
  }

  /** Sends the head of an answer that goes on for long, with the fields that were set, at once. Its connection ends with it. */
  begin(status: number): void {
    if (!streamOf(this.#response)) {
      // So that a server that stops needs not wait for it.
      this.#response.shouldKeepAlive = false;
      this.#response.socket?.setNoDelay(true);
    }
    this.writeHead(status);
    Reflect.apply(this.#methods.flushHeaders, this.#response, []);
  }

  writeHead(status: number, reason?: string): void {
    Reflect.apply(this.#methods.writeHead, this.#response, reason === undefined ? [status] : [status, reason]);
  }

  write(bytes: Uint8Array): void {
    if (this.isOver) return;
    this.#written += bytes.length;
    Reflect.apply(this.#methods.write, this.#response, [bytes]);
  }

  end(content?: string | Uint8Array): void {
    this.#hasEnded = true;
    // Over HTTP/2, Node's `end` writes by whatever is `write` on the object.
    const isWritten = content !== undefined && content.length > 0 && streamOf(this.#response) !== undefined;
    if (isWritten) Reflect.apply(this.#methods.write, this.#response, [content]);
    Reflect.apply(this.#methods.end, this.#response, content === undefined || isWritten ? [] : [content]);
  }

  destroy(): void {
    Reflect.apply(this.#methods.destroy, this.#response, []);
  }
}

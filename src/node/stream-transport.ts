import type { ServerResponse } from "node:http";
import { commentEvent, type StreamKind } from "../protocol/index.ts";
import { type Framing, streamFramings, type Transport } from "../server/index.ts";
import { takenBytes } from "./taken-bytes.ts";

/** What keeps a stream alive and says nothing: a comment [R-STR-6], or an empty line before a status line [R-STR-10]. */
const signsOfLife: Readonly<Record<StreamKind, Uint8Array>> = {
  "event-stream": commentEvent,
  "http-stream": new TextEncoder().encode("\r\n"),
};

/** A response that does not end, with a message after the other. Its head was written. */
export class StreamTransport implements Transport {
  readonly framing: Framing;
  readonly #response: ServerResponse;
  readonly #signOfLife: Uint8Array;

  constructor(response: ServerResponse, kind: StreamKind) {
    this.#response = response;
    this.framing = streamFramings[kind];
    this.#signOfLife = signsOfLife[kind];
  }

  get unsentBytes(): number {
    // As with a WebSocket: less than what is taken without a later `drain` does not count.
    return this.#response.writableNeedDrain ? this.#response.writableLength : 0;
  }

  get takenBytes(): number {
    const { socket } = this.#response;
    return socket ? takenBytes(socket) : 0;
  }

  write(bytes: Uint8Array): void {
    if (!this.#response.destroyed && !this.#response.writableEnded) this.#response.write(bytes);
  }

  ping(): void {
    this.write(this.#signOfLife);
  }

  /** A stream has no close codes: what they say was said by the last message. */
  close(): void {
    this.#response.end();
  }

  abort(): void {
    this.#response.destroy();
  }

  /** Nothing is read from a stream's peer. */
  setReading(): void {}
}

import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { type Framing, type Transport, webSocketFraming } from "../server/index.ts";
import { takenBytes } from "./taken-bytes.ts";

/** What was written last, as bytes and as the buffer that a socket wants: the same goes to many connections in a row. */
const last: { bytes: Uint8Array | undefined; buffer: Buffer } = { bytes: undefined, buffer: Buffer.alloc(0) };

function toBuffer(bytes: Uint8Array): Buffer {
  if (last.bytes !== bytes) {
    last.bytes = bytes;
    last.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  return last.buffer;
}

/** A WebSocket whose handshake, reading and control frames are `ws`'s, and whose messages are written ready-made. */
export class WebSocketTransport implements Transport {
  readonly framing: Framing = webSocketFraming;
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;

  constructor(webSocket: WebSocket, socket: Socket) {
    this.#webSocket = webSocket;
    this.#socket = socket;
  }

  get unsentBytes(): number {
    // Less than what the socket takes without a later `drain` does not count: nobody would tell when it is gone.
    return this.#socket.writableNeedDrain ? this.#socket.writableLength : 0;
  }

  get takenBytes(): number {
    return takenBytes(this.#socket);
  }

  write(bytes: Uint8Array): void {
    // After a close frame nothing may follow (RFC 6455 §5.5.1).
    if (this.#webSocket.readyState === this.#webSocket.OPEN && this.#socket.writable)
      this.#socket.write(toBuffer(bytes));
  }

  ping(): void {
    if (this.#webSocket.readyState === this.#webSocket.OPEN) this.#webSocket.ping();
  }

  close(code: number, reason: string): void {
    this.#webSocket.close(code, reason);
  }

  abort(): void {
    this.#webSocket.terminate();
  }

  setReading(reading: boolean): void {
    if (reading) this.#webSocket.resume();
    else this.#webSocket.pause();
  }
}

import { closeCodeForStatus, retryClass } from "../protocol/index.ts";
import { type Clock, systemClock } from "./ports/clock.ts";
import type { Transport } from "./ports/transport.ts";
import type { Connection } from "./stream/connection.ts";
import type { Handshake } from "./stream/handshake.ts";
import type { Hub } from "./stream/hub.ts";
import type { Opening } from "./stream/opening.ts";
import { framesIn, webSocketFraming } from "./web-socket-framing.ts";

/** A platform's own WebSocket on the server's side, which takes whole messages: that of Deno, Bun or Workers. */
export interface MessageSocket {
  send(message: string | Uint8Array<ArrayBuffer>): unknown;
  /** May throw for other codes than 1000 and 3000 to 4999: then one of those is given. */
  close(code: number, reason: string): unknown;
  /** Bytes that were given to `send` and are not on their way yet. */
  readonly bufferedAmount?: number;
  /** The same, where it is a function. */
  getBufferedAmount?(): number;
  /** Sends a ping frame. Without it, peers of Level 0 get no sign of life. */
  ping?(): unknown;
  /** Drops the connection. Without it, it is closed with 1008. */
  terminate?(): unknown;
}

/** How a platform's WebSocket is taken over. */
export interface MessageSocketOptions {
  /** At Level 0, what {@link Hub.authorise} accepted. */
  readonly authorised?: Opening | undefined;
  /** Time, for tests. Default: the platform's. */
  readonly clock?: Clock;
}

const drainLookMs = 50;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

class MessageTransport implements Transport {
  readonly framing: typeof webSocketFraming = webSocketFraming;
  connection: Connection | undefined;
  readonly #socket: MessageSocket;
  readonly #clock: Clock;
  #writtenBytes = 0;
  #isWatching = false;

  constructor(socket: MessageSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  get unsentBytes(): number {
    return this.#socket.getBufferedAmount?.() ?? this.#socket.bufferedAmount ?? 0;
  }

  get takenBytes(): number {
    return this.#writtenBytes - this.unsentBytes;
  }

  write(bytes: Uint8Array): void {
    this.#writtenBytes += bytes.length;
    this.#guarded(() => {
      for (const { isText, payload } of framesIn(bytes)) {
        this.#socket.send(isText ? decoder.decode(payload) : new Uint8Array(payload));
      }
    });
    this.#watch();
  }

  ping(): void {
    this.#guarded(() => this.#socket.ping?.());
  }

  close(code: number, reason: string): void {
    try {
      this.#socket.close(code, reason);
    } catch {
      // Where only 1000 and what applications may say is taken, a code that has the peer act in the same way.
      this.#guarded(() => this.#socket.close(closeCodeForStatus(retryClass(code) === "fatal" ? 400 : 503), reason));
    }
  }

  abort(): void {
    this.#guarded(() => (this.#socket.terminate ? this.#socket.terminate() : this.close(1008, "")));
  }

  /** These platforms read as they like; the hub refuses what is too much. */
  setReading(): void {}

  /** That the peer is gone is told by the platform, not by what a call throws. */
  #guarded(act: () => unknown): void {
    try {
      act();
    } catch {
      // Said above.
    }
  }

  /** Not every platform says when all was taken: it is looked at until it is. */
  #watch(): void {
    if (this.#isWatching || this.unsentBytes === 0) return;
    this.#isWatching = true;
    this.#clock.setTimer(() => {
      this.#isWatching = false;
      if (this.connection?.isClosed) return;
      if (this.unsentBytes === 0) this.connection?.drained();
      else this.#watch();
    }, drainLookMs);
  }
}

/**
 * Gives a hub a platform's own WebSocket, once it is open. What comes in is the caller's to pass on: each message to the
 * connection's `receive`, the end to its `closed`.
 *
 * @param handshake - as {@link readHandshake} gives it
 */
export function connectMessageSocket(
  hub: Hub,
  handshake: Handshake,
  socket: MessageSocket,
  options: MessageSocketOptions = {},
): Connection {
  const transport = new MessageTransport(socket, options.clock ?? systemClock);
  const connection = hub.connect(transport, handshake, options.authorised);
  transport.connection = connection;
  return connection;
}

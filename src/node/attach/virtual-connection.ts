import type { AsyncResource } from "node:async_hooks";
import type { EventEmitter } from "node:events";
import type { Field } from "../../protocol/index.ts";
import { ByteCollector, type OriginResponse } from "../../server/index.ts";
import type { SocketPeer } from "../peer.ts";
import { ResponseReader, type ResponseSink } from "../response-reader.ts";
import type { ConnectionEvent } from "./server-kind.ts";
import { type SocketOwner, VirtualSocket } from "./virtual-socket.ts";

/** Where virtual connections lead. */
export interface Target {
  readonly server: EventEmitter;
  readonly event: ConnectionEvent;
  /** The context that the application is called in: nobody else's request. */
  readonly context: AsyncResource;
}

/** An answer with its body's bytes. */
export interface RawAnswer {
  readonly status: number;
  readonly fields: readonly Field[];
  /** The application's own, maybe: it may write over them in its next turn. */
  readonly bytes: Buffer;
}

/** What an exchange asks, and what it makes of the answer as it comes. */
export interface Exchange {
  /** The request as it stands on the wire. */
  readonly request: Buffer;
  readonly isHead: boolean;
  readonly maxBytes: number;
  readonly signal: AbortSignal | undefined;
  /** Judges an answer by its head: what is given takes its place, and nothing more of it is read. */
  readonly refuse: (fields: readonly Field[]) => OriginResponse | undefined;
  /** The answer in place of one with a larger body than allowed. */
  readonly tooLarge: () => OriginResponse;
  /** Makes of a whole answer what the hub takes. */
  readonly read: (answer: RawAnswer) => OriginResponse | Promise<OriginResponse>;
}

/** Collects one answer. */
class Collector implements ResponseSink {
  readonly outcome: Promise<OriginResponse>;
  readonly reader: ResponseReader;
  keepsAlive = false;
  isSettled = false;
  readonly #exchange: Exchange;
  #head: Omit<RawAnswer, "bytes"> = { status: 0, fields: [] };
  readonly #body: ByteCollector;
  #resolve: (outcome: OriginResponse | Promise<OriginResponse>) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    this.#body = new ByteCollector(exchange.maxBytes);
    this.reader = new ResponseReader(this, exchange.isHead);
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  onHead(head: Omit<RawAnswer, "bytes">): void {
    this.#head = head;
    const instead = this.#exchange.refuse(head.fields);
    if (instead) this.#settle(instead);
  }

  onBody(bytes: Buffer, isLast: boolean): void {
    if (this.isSettled) return;
    // The application may write from a buffer that it uses again, but not before it gets a turn.
    if (!this.#body.add(bytes, !isLast)) this.#settle(this.#exchange.tooLarge());
  }

  onEnd(keepsAlive: boolean): void {
    if (this.isSettled) return;
    this.keepsAlive = keepsAlive;
    const { buffer, byteOffset, byteLength } = this.#body.take();
    const bytes = Buffer.from(buffer, byteOffset, byteLength);
    this.#settle(this.#exchange.read({ ...this.#head, bytes }));
  }

  fail(error: unknown): void {
    this.isSettled = true;
    this.keepsAlive = false;
    this.#reject(error);
  }

  #settle(outcome: OriginResponse | Promise<OriginResponse>): void {
    this.isSettled = true;
    this.#resolve(outcome);
  }
}

/** A connection into the application's server that takes no network. It serves one viewer, one request at a time. */
export class VirtualConnection implements SocketOwner {
  readonly #target: Target;
  readonly #socket: VirtualSocket;
  #collector: Collector | undefined;
  #isOpened = false;
  #idle: NodeJS.Timeout | undefined;

  /** @param isOwn - whether its requests are Rocket's own, and not the peer's */
  constructor(target: Target, peer: SocketPeer | undefined, isOwn: boolean) {
    this.#target = target;
    this.#socket = new VirtualSocket(this, target.server, target.event === "secureConnection", isOwn, peer);
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  /** True where another request can follow now. */
  get isFree(): boolean {
    return !this.#collector && this.isOpen;
  }

  /**
   * Sends a request and resolves with the answer.
   *
   * @throws the application's error, where it throws at once; Error where it gives no whole answer
   */
  async exchange(exchange: Exchange): Promise<OriginResponse> {
    const collector = new Collector(exchange);
    this.#collector = collector;
    clearTimeout(this.#idle);
    const abort = () => {
      if (!collector.isSettled) collector.fail(new Error("Nobody waits for the answer any more."));
      this.destroy();
    };
    exchange.signal?.addEventListener("abort", abort, { once: true });
    void this.#send(exchange.request).catch((error: unknown) => collector.fail(error));
    try {
      return await collector.outcome;
    } finally {
      exchange.signal?.removeEventListener("abort", abort);
      if (!collector.keepsAlive) this.destroy();
      // The server takes the next request up only once it is done with this one.
      setImmediate(() => {
        this.#collector = undefined;
      });
    }
  }

  /** Ends the connection; the application sees a client that went away. Twice is fine. */
  destroy(): void {
    clearTimeout(this.#idle);
    this.#target.context.runInAsyncScope(() => this.#socket.destroy());
  }

  /** Ends the connection unless it is used within `ms`. */
  keepFor(ms: number, onEnded: () => void): void {
    this.#idle = setTimeout(() => {
      onEnded();
      this.destroy();
    }, ms);
    this.#idle.unref();
  }

  onBytes(bytes: Buffer): void {
    const collector = this.#collector;
    if (!collector || collector.isSettled) return;
    try {
      collector.reader.push(bytes);
    } catch (error) {
      collector.fail(error);
    }
  }

  onClosed(): void {
    const collector = this.#collector;
    if (!collector || collector.isSettled) return;
    try {
      collector.reader.end();
    } catch (error) {
      collector.fail(error);
    }
  }

  /** Opens the connection where that is to be done, and sends. A server reads from a new one in the next tick. */
  async #send(request: Buffer): Promise<void> {
    const { server, event, context } = this.#target;
    if (!this.#isOpened) {
      this.#isOpened = true;
      context.runInAsyncScope(() => server.emit(event, this.#socket));
      await new Promise<void>((resolve) => process.nextTick(resolve));
    }
    if (this.#socket.destroyed) throw new Error("The server closed the connection.");
    context.runInAsyncScope(() => this.#socket.deliver(request));
  }
}

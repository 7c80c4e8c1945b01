import type { Socket } from "node:net";
import type { Transcript } from "../transcript.ts";
import { Assembler, type Event } from "../wire/assembler.ts";
import { closePayload, encodeFrame, FrameReader, opcodes } from "../wire/frames.ts";
import { type Flaw, type Message, readMessage } from "../wire/messages.ts";
import { Wire } from "../wire/wire.ts";
import type { Channel } from "./channel.ts";

/** What a link tells. */
export interface LinkEvents {
  readonly request: (message: Message) => void;
  readonly flaw: (flaw: Flaw) => void;
  readonly ended: () => void;
}

const fenceMs = 5_000;

/** One WebSocket of the client that is checked. */
export class Link implements Channel {
  readonly way = "socket";
  /** The code by which the client closed; 1006 where it only went; `undefined` while it is there. */
  closedWith: number | undefined;
  readonly #wire: Wire;
  readonly #transcript: Transcript;
  readonly #events: LinkEvents;
  readonly #waiting: Set<() => void> = new Set();
  #pongs = 0;

  /** @param head - what came behind the handshake already */
  constructor(socket: Socket, head: Buffer, transcript: Transcript, events: LinkEvents) {
    this.#wire = new Wire(socket);
    this.#wire.unread(head);
    this.#transcript = transcript;
    this.#events = events;
    void this.#pump();
  }

  /** Sends a message; a text, unless it is bytes. */
  send(message: string | Buffer): void {
    this.#transcript.sent(typeof message === "string" ? message : `(binary) ${message.toString("latin1")}`);
    const opcode = typeof message === "string" ? opcodes.text : opcodes.binary;
    this.#wire.write(encodeFrame({ opcode, payload: message, mask: "none" }));
  }

  /** Sends a text in fragments of a few bytes, with pings between them. */
  sendInPieces(message: string, size: number): void {
    this.#transcript.sent(`(in fragments of ${size} bytes) ${message}`);
    const bytes = Buffer.from(message);
    for (let at = 0; at < bytes.length; at += size) {
      const isFinal = at + size >= bytes.length;
      const opcode = at === 0 ? opcodes.text : opcodes.continuation;
      this.#wire.write(encodeFrame({ opcode, isFinal, payload: bytes.subarray(at, at + size), mask: "none" }));
      if (at % (size * 4) === 0)
        this.#wire.write(encodeFrame({ opcode: opcodes.ping, payload: "piece", mask: "none" }));
    }
  }

  /** Sends the beginning of a message, and drops the connection. */
  tear(message: string): void {
    this.#transcript.sent(`(torn) ${message}`);
    const bytes = encodeFrame({ opcode: opcodes.text, payload: message, mask: "none" });
    this.#wire.socket.end(bytes.subarray(0, bytes.length - 5));
  }

  /** Waits until the client has read all that was sent, by a ping. True where it answers. */
  async fence(): Promise<boolean> {
    const before = this.#pongs;
    this.#wire.write(encodeFrame({ opcode: opcodes.ping, payload: "fence", mask: "none" }));
    return this.#until(() => this.#pongs > before, fenceMs);
  }

  /** Waits until the client has closed or gone. True where it has. */
  async gone(limitMs: number): Promise<boolean> {
    return this.#until(() => this.closedWith !== undefined, limitMs);
  }

  /** Answers come by messages. */
  answer(): boolean {
    return false;
  }

  close(code: number): void {
    this.#transcript.sent(`(close) ${code}`);
    this.#wire.write(encodeFrame({ opcode: opcodes.close, payload: closePayload(code), mask: "none" }));
    this.#wire.socket.end();
  }

  drop(): void {
    this.#transcript.sent("(the connection is dropped)");
    this.#wire.destroy();
  }

  async #until(holds: () => boolean, limitMs: number): Promise<boolean> {
    const endsAt = performance.now() + limitMs;
    while (!holds()) {
      const leftMs = endsAt - performance.now();
      if (leftMs <= 0 || (this.closedWith !== undefined && this.#wire.isEnded)) return holds();
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, leftMs);
        this.#waiting.add(wake);
      });
    }
    return true;
  }

  async #pump(): Promise<void> {
    const frames = new FrameReader();
    const assembler = new Assembler("client");
    for (;;) {
      const bytes = await this.#wire.read(2 ** 30);
      if (!bytes) break;
      for (const frame of frames.add(bytes)) this.#take(assembler.add(frame));
      this.#tell();
    }
    this.closedWith ??= 1006;
    this.#tell();
    this.#events.ended();
  }

  #tell(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #take(event: Event): void {
    for (const flaw of event.flaws) this.#events.flaw(flaw);
    if (event.kind === "ping")
      this.#wire.write(encodeFrame({ opcode: opcodes.pong, payload: event.payload, mask: "none" }));
    else if (event.kind === "pong" && event.payload.toString() === "fence") this.#pongs += 1;
    else if (event.kind === "close") {
      this.#transcript.came(`(close) ${event.code} ${event.reason}`);
      this.closedWith ??= event.code;
      this.#wire.write(
        encodeFrame({
          opcode: opcodes.close,
          payload: event.code === 1005 ? "" : closePayload(event.code),
          mask: "none",
        }),
      );
      this.#wire.socket.end();
    } else if (event.kind === "message") {
      const message = readMessage(event.bytes, event.isText, "request");
      this.#transcript.came(message.text);
      for (const flaw of message.flaws) this.#events.flaw(flaw);
      this.#events.request(message);
    }
  }
}

import { demand, Fault, shown } from "../fault.ts";
import type { Transcript } from "../transcript.ts";
import { Assembler, type Event } from "../wire/assembler.ts";
import { closePayload, encodeFrame, FrameReader, type FrameToSend, opcodes } from "../wire/frames.ts";
import { type Message, readMessage } from "../wire/messages.ts";
import type { Wire } from "../wire/wire.ts";
import { MessageRules } from "./message-rules.ts";
import { News } from "./news.ts";
import type { Site } from "./site.ts";
import type { Source } from "./source.ts";

/** How a connection ended; 1006 without a close frame. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** One WebSocket to the server. It reads all the time, answers pings, and keeps what has come. */
export class Peer implements Source {
  readonly level: 0 | 1;
  /** Every message, in order. */
  readonly messages: Message[] = [];
  /** How the server closed; `undefined` while it has not. */
  closing: Closing | undefined;
  /** How many pings have come. */
  pings = 0;
  readonly #site: Site;
  readonly #wire: Wire;
  readonly #transcript: Transcript;
  readonly #frames: FrameReader = new FrameReader();
  readonly #assembler: Assembler = new Assembler("server");
  readonly #rules: MessageRules;
  readonly #pongs: Set<string> = new Set();
  readonly #news: News = new News();
  readonly #fragments: string[] = [];
  #seen = 0;
  #fences = 0;

  constructor(site: Site, transcript: Transcript, wire: Wire, level: 0 | 1) {
    this.level = level;
    this.#site = site;
    this.#wire = wire;
    this.#transcript = transcript;
    this.#rules = new MessageRules(level, site.basePath);
    void this.#pump();
  }

  /** Sends a message. */
  send(message: string | Uint8Array): void {
    const isText = typeof message === "string";
    this.#rules.sent(isText ? message : Buffer.from(message).toString("latin1"));
    this.#transcript.sent(isText ? message : `(binary) ${Buffer.from(message).toString("latin1")}`);
    this.#wire.write(encodeFrame({ opcode: isText ? opcodes.text : opcodes.binary, payload: message }));
  }

  /** Sends a frame as it is. */
  sendFrame(frame: FrameToSend): void {
    const { opcode, payload = "", isFinal = true } = frame;
    this.#transcript.sent(`(frame) opcode ${opcode}, ${Buffer.from(payload).length} bytes`);
    if (opcode < 3) this.#fragments.push(Buffer.from(payload).toString("latin1"));
    if (opcode < 3 && isFinal) this.#rules.sent(this.#fragments.splice(0).join(""));
    this.#wire.write(encodeFrame(frame));
  }

  /** The next message that fits, of those that no earlier call has passed; waits for it. @throws Fault where none comes */
  async until(expected: string, fits: (message: Message) => boolean = () => true): Promise<Message> {
    const endsAt = performance.now() + this.#site.patienceMs;
    const passed: Message[] = [];
    for (;;) {
      const message = this.messages[this.#seen];
      if (message) {
        this.#seen += 1;
        if (fits(message)) return message;
        passed.push(message);
      } else if (this.closing || !(await this.#news.next(endsAt))) {
        throw new Fault(expected, this.#described(passed));
      }
    }
  }

  /** The messages that no call has passed yet; they count as passed then. */
  rest(): Message[] {
    const rest = this.messages.slice(this.#seen);
    this.#seen = this.messages.length;
    return rest;
  }

  /** Waits until the server has closed. @throws Fault where it does not */
  async closed(expected: string): Promise<Closing> {
    const endsAt = performance.now() + this.#site.patienceMs;
    while (!this.closing && (await this.#news.next(endsAt)));
    if (this.closing) return this.closing;
    throw new Fault(expected, `The connection stays open. ${this.#described(this.rest())}`);
  }

  /** Sends a ping and waits for its pong: all that was sent before has been read by the server. @throws Fault */
  async fence(expected: string): Promise<void> {
    this.#fences += 1;
    const mark = `fence ${this.#fences}`;
    this.#wire.write(encodeFrame({ opcode: opcodes.ping, payload: mark }));
    const endsAt = performance.now() + this.#site.patienceMs;
    while (!this.#pongs.has(mark) && !this.closing && (await this.#news.next(endsAt)));
    demand(this.#pongs.has(mark), expected, this.closing ? this.#described([]) : "No pong comes.");
  }

  /** Waits for anything, up to `limitMs`: true where something came. */
  async wait(limitMs: number): Promise<boolean> {
    return this.#news.next(performance.now() + limitMs);
  }

  /** Stops to read what comes, or goes on. */
  setReading(isReading: boolean): void {
    if (isReading) this.#wire.socket.resume();
    else this.#wire.socket.pause();
  }

  /** Drops the connection without a word. */
  drop(): void {
    this.#wire.destroy();
  }

  async #pump(): Promise<void> {
    for (;;) {
      const bytes = await this.#wire.read(2 ** 30);
      if (!bytes) break;
      for (const frame of this.#frames.add(bytes)) this.#take(this.#assembler.add(frame));
      this.#news.tell();
    }
    this.closing ??= { code: 1006, reason: "" };
    this.#news.tell();
  }

  #take(event: Event): void {
    for (const flaw of event.flaws) this.#site.observe(flaw, this.#transcript);
    if (event.kind === "ping") {
      this.pings += 1;
      this.#transcript.came("(ping)");
      this.#wire.write(encodeFrame({ opcode: opcodes.pong, payload: event.payload }));
    } else if (event.kind === "pong") this.#pongs.add(event.payload.toString());
    else if (event.kind === "close") this.#close(event);
    else if (event.kind === "message") this.#message(readMessage(event.bytes, event.isText, "response"));
  }

  #message(message: Message): void {
    this.#transcript.came(message.text);
    this.messages.push(message);
    for (const flaw of [...message.flaws, ...this.#rules.came(message)]) this.#site.observe(flaw, this.#transcript);
  }

  #close({ code, reason }: Closing): void {
    this.#transcript.came(`(close) ${code} ${reason}`);
    this.closing ??= { code, reason };
    for (const flaw of this.#rules.closed(code)) this.#site.observe(flaw, this.#transcript);
    this.#wire.write(encodeFrame({ opcode: opcodes.close, payload: code === 1005 ? "" : closePayload(code) }));
    this.#wire.socket.end();
  }

  #described(passed: readonly Message[]): string {
    const what =
      passed.length === 0 ? "Nothing else came" : `Instead came: ${passed.map(({ text }) => shown(text)).join(" | ")}`;
    const end = this.closing ? `; the connection is closed with ${this.closing.code}.` : ".";
    return what.slice(0, 1_500) + end;
  }
}

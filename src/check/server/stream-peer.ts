import { demand, Fault, shown } from "../fault.ts";
import type { Transcript } from "../transcript.ts";
import { ChunkReader } from "../wire/chunks.ts";
import { EventReader, messageIn, type ServerEvent } from "../wire/events.ts";
import { type Field, fieldValue, formatHead, type HttpAnswer, readHead } from "../wire/http.ts";
import { type Message, readMessage } from "../wire/messages.ts";
import { PartReader } from "../wire/parts.ts";
import { Wire } from "../wire/wire.ts";
import { MessageRules } from "./message-rules.ts";
import { News } from "./news.ts";
import type { RequestOptions } from "./request.ts";
import type { Site } from "./site.ts";
import type { Source } from "./source.ts";

/** An answer that does not end. It reads all the time, and keeps what has come. */
export class StreamPeer implements Source {
  readonly answer: Omit<HttpAnswer, "body">;
  readonly events: ServerEvent[] = [];
  readonly messages: Message[] = [];
  readonly reader: EventReader = new EventReader();
  readonly parts: PartReader = new PartReader();
  /** What is wrong with how messages are framed. */
  readonly flaws: string[] = [];
  hasEnded = false;
  readonly #site: Site;
  readonly #transcript: Transcript;
  readonly #wire: Wire;
  readonly #news: News = new News();
  /** Sections 6 to 8 hold for what a stream brings. */
  readonly #rules: MessageRules;
  #seen = 0;

  private constructor(site: Site, transcript: Transcript, wire: Wire, answer: Omit<HttpAnswer, "body">) {
    this.#site = site;
    this.#transcript = transcript;
    this.#wire = wire;
    this.answer = answer;
    this.#rules = new MessageRules(1, site.basePath);
    void this.#pump();
  }

  /** Asks for a stream. @throws Fault where no answer comes */
  static async open(site: Site, transcript: Transcript, options: Omit<RequestOptions, "body">): Promise<StreamPeer> {
    const { method = "GET", target, fields = [] } = options;
    const wire = await Wire.open(site.address, site.patienceMs);
    const all: Field[] = [["Host", site.host], ...site.fields, ...fields, ["Connection", "close"]];
    const sent = formatHead(`${method} ${target} HTTP/1.1`, all);
    transcript.sent(sent);
    wire.write(Buffer.from(sent, "latin1"));
    const answer = await readHead(wire, site.patienceMs);
    if (!answer) wire.destroy();
    demand(answer !== undefined, `An answer to ${method} ${target}.`, "None came.");
    transcript.came(answer.head);
    return new StreamPeer(site, transcript, wire, answer);
  }

  /** The next message that fits, of those that no earlier call has passed. @throws Fault where none comes */
  async until(expected: string, fits: (message: Message) => boolean = () => true): Promise<Message> {
    const endsAt = performance.now() + this.#site.patienceMs;
    for (;;) {
      const message = this.messages[this.#seen];
      if (message) {
        this.#seen += 1;
        if (fits(message)) return message;
      } else if (this.hasEnded || !(await this.#news.next(endsAt))) throw new Fault(expected, this.#described());
    }
  }

  rest(): Message[] {
    const rest = this.messages.slice(this.#seen);
    this.#seen = this.messages.length;
    return rest;
  }

  /** Waits until something of what has come is so. @throws Fault where it never is */
  async when(expected: string, isSo: () => boolean, limitMs: number = this.#site.patienceMs): Promise<void> {
    const endsAt = performance.now() + limitMs;
    while (!isSo()) if (this.hasEnded || !(await this.#news.next(endsAt))) break;
    if (!isSo()) throw new Fault(expected, this.#described());
  }

  /** Waits until the server has ended it. @throws Fault where it does not */
  async ended(expected: string): Promise<void> {
    const endsAt = performance.now() + this.#site.patienceMs;
    while (!this.hasEnded && (await this.#news.next(endsAt)));
    if (!this.hasEnded) throw new Fault(expected, `The stream stays open. ${this.#described()}`);
  }

  drop(): void {
    this.#wire.destroy();
  }

  async #pump(): Promise<void> {
    const isChunked = /chunked/i.test(fieldValue(this.answer.fields, "transfer-encoding") ?? "");
    const chunks = isChunked ? new ChunkReader() : undefined;
    const isEvents = /^text\/event-stream/i.test(fieldValue(this.answer.fields, "content-type") ?? "");
    while (!chunks?.hasEnded) {
      const bytes = await this.#wire.read(2 ** 30);
      if (!bytes) break;
      const content = chunks ? chunks.add(bytes) : bytes;
      if (isEvents) this.#takeEvents(content);
      else this.#takeParts(content);
      this.#news.tell();
    }
    this.hasEnded = true;
    this.#news.tell();
  }

  #takeEvents(content: Buffer): void {
    for (const event of this.reader.add(content)) {
      this.#transcript.came(event.text);
      this.events.push(event);
      const bytes = /^[2-5][0-9][0-9]$/.test(event.name) ? messageIn(event) : undefined;
      if (bytes) this.#take(bytes);
    }
  }

  #takeParts(content: Buffer): void {
    for (const { bytes, flaw } of this.parts.add(content)) {
      this.#transcript.came(bytes.toString("utf8"));
      if (flaw !== undefined) this.flaws.push(flaw);
      this.#take(bytes);
    }
  }

  #take(bytes: Buffer): void {
    const message = readMessage(bytes, false, "response");
    this.messages.push(message);
    for (const flaw of [...message.flaws, ...this.#rules.came(message)]) this.#site.observe(flaw, this.#transcript);
  }

  #described(): string {
    const what = this.events.at(-1)?.text ?? this.messages.at(-1)?.text;
    const end = this.hasEnded ? "; the stream has ended." : ".";
    return (what === undefined ? "Nothing came" : `The last that came: ${shown(what)}`) + end;
  }
}

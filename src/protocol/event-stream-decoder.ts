import { tooLarge } from "./protocol-error.ts";

/** What a stream of events brought (WHATWG HTML §9.2). */
export interface StreamEvent {
  /** Its name; `message` where it has none. */
  readonly type: string;
  /** Its lines, with LF between them. */
  readonly data: string;
  /** The last `id` up to and with this event; empty before the first. */
  readonly id: string;
}

/** The name and the value of a line; of a comment, which has no name, too. */
const fieldOrComment = /^([^:]*):? ?(.*)/s;

/** Reads `text/event-stream` as it comes, in pieces of any size, in time that grows no faster than what comes [R-STR-7]. */
export class EventStreamDecoder {
  /** What the last `retry` said, in milliseconds. */
  retryMs: number | undefined;
  readonly #maxLength: number;
  // It takes a BOM away, once, and makes U+FFFD of what is not UTF-8.
  readonly #utf8: TextDecoder = new TextDecoder();
  #isAfterCr = false;
  #line = "";
  #type = "";
  #data = "";
  #id = "";

  /** @param maxLength - of an event, in characters. 96 Mi unless given: the longest body takes less in base64 */
  constructor(maxLength: number = 96 * 2 ** 20) {
    this.#maxLength = maxLength;
  }

  /**
   * The events that are complete with this piece. What has no empty line behind it when the stream ends is no event.
   *
   * @throws ProtocolError with code 1009 where an event is longer than allowed; the stream can't be read any further then
   */
  decode(bytes: Uint8Array): StreamEvent[] {
    const events: StreamEvent[] = [];
    const text = this.#utf8.decode(bytes, { stream: true });
    if (text) {
      // An LF that the CR before it has ended the line for.
      const lines = text.slice(this.#isAfterCr && text[0] === "\n" ? 1 : 0).split(/\r\n?|\n/);
      this.#isAfterCr = text.endsWith("\r");
      for (const [index, part] of lines.entries()) {
        this.#line += part;
        if (this.#line.length + this.#data.length > this.#maxLength) throw tooLarge("event", this.#maxLength);
        // The last one goes on in the next piece.
        if (index < lines.length - 1) this.#take(events);
      }
    }
    return events;
  }

  /** Takes a whole line. */
  #take(events: StreamEvent[]): void {
    const line = this.#line;
    this.#line = "";
    if (line === "") {
      if (this.#data) events.push({ type: this.#type || "message", data: this.#data.slice(0, -1), id: this.#id });
      this.#type = this.#data = "";
    }
    const [, name, value = ""] = fieldOrComment.exec(line) ?? [];
    if (name === "data") this.#data += `${value}\n`;
    else if (name === "event") this.#type = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retryMs = Number(value);
  }
}

import type { ServerResponse } from "node:http";
import type { Transcript } from "../transcript.ts";
import { type Field, formatHead } from "../wire/http.ts";
import { spellEvent, spellPart } from "../wire/spell.ts";
import type { Channel } from "./channel.ts";
import type { Way } from "./way.ts";

/** So long a client has to take in what it was sent: over HTTP it can't be asked whether it has. */
const takenMs = 200;

const types: Readonly<Record<string, string>> = {
  events: "text/event-stream",
  patches: "text/event-stream",
  parts: "application/http;msgtype=response",
};

/** A message as the answer to a request. */
function answerIn(message: string): { readonly status: number; readonly fields: Field[]; readonly body: string } {
  const end = message.indexOf("\r\n\r\n");
  const [start = "", ...lines] = message.slice(0, end).split("\r\n");
  const fields = lines.map((line): Field => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]);
  return { status: Number(start.split(" ")[1]), fields, body: message.slice(end + 4) };
}

/** An answer by which a client follows: a stream, or one that it waits for. Its head goes out with what is sent first. */
export class HttpLink implements Channel {
  readonly way: Way;
  closedWith: number | undefined;
  readonly #response: ServerResponse;
  readonly #transcript: Transcript;
  readonly #waiting: Set<() => void> = new Set();

  /** @param ended - told when the client has gone */
  constructor(response: ServerResponse, way: Way, transcript: Transcript, ended: () => void) {
    this.way = way;
    this.#response = response;
    this.#transcript = transcript;
    response.on("close", () => {
      if (!response.writableFinished) this.closedWith = 1006;
      for (const wake of [...this.#waiting]) wake();
      ended();
    });
    response.on("error", () => {});
  }

  /** Sends the head. @param first - what comes with it. Default: of events, a `retry` and a comment */
  begin(first?: string): void {
    if (this.#response.headersSent || this.way === "polls") return;
    const fields: Record<string, string> = {
      "Content-Type": types[this.way] ?? "",
      "Cache-Control": "no-store, no-transform",
      Vary: "Accept",
    };
    const retryMs = 300 + Math.floor(Math.random() * 100);
    const start = first ?? (this.way === "parts" ? "" : `retry: ${retryMs}\n:\n\n`);
    this.#transcript.sent(formatHead("HTTP/1.1 200 OK", Object.entries(fields)) + start);
    this.#response.writeHead(200, fields);
    this.#response.flushHeaders();
    if (start !== "") this.#response.write(start);
  }

  send(message: string): void {
    if (this.way !== "polls") this.write(this.spell(message));
    else {
      const { status, fields, body } = answerIn(message);
      this.answer(status, fields, body);
    }
  }

  /** A message as this stream has it. */
  spell(message: string): string {
    return this.way === "parts" ? spellPart(message) : spellEvent(message);
  }

  /** Sends a piece of the stream as it is. */
  write(text: string | Buffer): void {
    this.begin();
    this.#transcript.sent(String(text));
    if (this.#response.writable) this.#response.write(text);
  }

  /** Sends a text in pieces of so many bytes, each by itself. */
  async writeInPieces(text: string, size: number): Promise<void> {
    this.begin();
    this.#transcript.sent(`(in pieces of ${size} bytes) ${text}`);
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) {
      if (this.#response.writable) this.#response.write(bytes.subarray(at, at + size));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  tear(message: string): void {
    const text = this.spell(message);
    // All of an event but the empty line; of a part, not the end of its body.
    this.write(this.way === "parts" ? text.slice(0, -4) : text.slice(0, -1));
    this.#response.end();
  }

  async fence(): Promise<boolean> {
    return !(await this.gone(takenMs));
  }

  async gone(limitMs: number): Promise<boolean> {
    if (!this.#response.closed) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, limitMs);
        this.#waiting.add(wake);
      });
    }
    return this.closedWith !== undefined;
  }

  answer(status: number, fields: readonly Field[], body: string): boolean {
    if (this.#response.headersSent) return false;
    this.#transcript.sent(formatHead(`HTTP/1.1 ${status}`, fields) + body);
    this.#response.writeHead(status, Object.fromEntries(fields)).end(body);
    return true;
  }

  close(): void {
    if (this.#response.writableEnded) return;
    this.#transcript.sent("(the end of the stream)");
    this.#response.end();
  }

  drop(): void {
    this.#transcript.sent("(the connection is dropped)");
    this.#response.destroy();
  }
}

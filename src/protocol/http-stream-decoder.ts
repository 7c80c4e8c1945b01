import { decodeResponse } from "./decode.ts";
import type { HttpResponse } from "./message.ts";
import { clientLimits, type MessageLimits } from "./message-limits.ts";
import { protocolError, tooLarge } from "./protocol-error.ts";

const carriageReturn = 0x0d;
const lineFeed = 0x0a;

/** How long the body is that follows a head. */
function bodyLengthOf(head: Uint8Array, limit: number): number {
  const text = new TextDecoder("latin1").decode(head);
  if (/^HTTP\/1\.1 (?:204|304) /.test(text)) return 0;
  // Whether the head is one, and has no other length, is seen once the message is whole.
  const length = /\ncontent-length:[ \t]*([0-9]+)[ \t]*\r?\n/i.exec(text)?.[1];
  if (length === undefined) throw protocolError("a message of a stream has no Content-Length");
  if (Number(length) > limit) throw tooLarge("body", limit);
  return Number(length);
}

/** Reads an HTTP stream as it comes: responses one after another, in pieces of any size [R-STR-9] [R-STR-10]. */
export class HttpStreamDecoder {
  readonly #limits: MessageLimits;
  /** The head so far. */
  #head: number[] = [];
  /** Whether the line so far is empty, or a CR alone. */
  #isLineEmpty = true;
  /** The message whose head is complete, with room for its body. */
  #message: Uint8Array | undefined;
  #filled = 0;

  /** @param limits - `clientLimits` unless given */
  constructor(limits: MessageLimits = clientLimits) {
    this.#limits = limits;
  }

  /**
   * The messages that are complete with this piece.
   *
   * @throws ProtocolError where what came is no message, or larger than the limits; the stream can't be read any further then
   */
  decode(bytes: Uint8Array): HttpResponse[] {
    const messages: HttpResponse[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (this.#message) at = this.#takeBody(this.#message, bytes, at);
      else at = this.#takeHead(bytes, at);
      if (this.#message && this.#filled === this.#message.length) {
        messages.push(decodeResponse(this.#message, this.#limits));
        this.#message = undefined;
      }
    }
    return messages;
  }

  #takeBody(message: Uint8Array, bytes: Uint8Array, at: number): number {
    const part = bytes.subarray(at, at + message.length - this.#filled);
    message.set(part, this.#filled);
    this.#filled += part.length;
    return at + part.length;
  }

  /** Takes the head up to its empty line; empty lines before it are no part of it. */
  #takeHead(bytes: Uint8Array, start: number): number {
    for (let at = start; at < bytes.length; at += 1) {
      const octet = bytes[at] ?? 0;
      if (this.#head.push(octet) > this.#limits.maxHeadBytes) throw tooLarge("head", this.#limits.maxHeadBytes);
      if (octet !== lineFeed) {
        this.#isLineEmpty &&= octet === carriageReturn;
        continue;
      }
      const isEnd = this.#isLineEmpty;
      this.#isLineEmpty = true;
      if (!isEnd) continue;
      if (this.#head.length > 2) this.#begin();
      this.#head = [];
      if (this.#message) return at + 1;
    }
    return bytes.length;
  }

  /** Makes room for the message whose head is complete. */
  #begin(): void {
    const head = Uint8Array.from(this.#head);
    this.#message = new Uint8Array(head.length + bodyLengthOf(head, this.#limits.maxBodyBytes));
    this.#message.set(head);
    this.#filled = head.length;
  }
}

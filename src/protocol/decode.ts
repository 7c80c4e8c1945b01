import { endOfTarget, endOfToken, utf8Length } from "./characters.ts";
import { fieldRole, parseContentLength } from "./framing-fields.ts";
import type { Body, Field, HttpRequest, HttpResponse } from "./message.ts";
import { clientLimits, type MessageLimits, serverLimits } from "./message-limits.ts";
import { protocolError, tooLarge } from "./protocol-error.ts";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const version = "HTTP/1.1";
/** What no line of a head may hold: controls but HTAB, a CR that ends no line, characters that are no octet. */
const forbidden = /[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)/;

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Reads the head of one message, line by line. `text` may go on with the body. */
class HeadReader {
  readonly text: string;
  readonly fields: Field[] = [];
  /** Where the body begins, once {@link readFields} is done. */
  bodyStart = 0;
  /** What the Content-Length says; -1 where there is none. */
  contentLength = -1;
  readonly #limits: MessageLimits;
  #hasHost = false;
  #lineStart = 0;
  #lineEnd = 0;

  constructor(text: string, limits: MessageLimits) {
    this.text = text;
    this.#limits = limits;
  }

  /** Steps to the start line and gives its end. */
  readStartLine(): number {
    this.#nextLine();
    if (this.#lineEnd > this.#limits.maxStartLineBytes) throw tooLarge("start line", this.#limits.maxStartLineBytes);
    return this.#lineEnd;
  }

  /** Reads the fields up to the empty line. */
  readFields(): void {
    for (;;) {
      this.#nextLine();
      if (this.#lineEnd === this.#lineStart) break;
      if (this.fields.length >= this.#limits.maxFields) throw tooLarge("number of fields", this.#limits.maxFields);
      this.#readField();
    }
    // Once over the head is faster than character by character while it is taken apart.
    if (forbidden.test(this.text.slice(0, this.bodyStart))) {
      throw protocolError("the head has a character that is not allowed");
    }
  }

  #nextLine(): void {
    const { text } = this;
    const start = this.bodyStart;
    const feed = text.indexOf("\n", start);
    const limit = this.#limits.maxHeadBytes;
    if (feed >= limit || (feed < 0 && text.length > limit)) throw tooLarge("head", limit);
    if (feed < 0) throw protocolError("the head has no end");
    this.#lineStart = start;
    this.#lineEnd = feed > start && text.charCodeAt(feed - 1) === carriageReturn ? feed - 1 : feed;
    this.bodyStart = feed + 1;
  }

  #readField(): void {
    const { text } = this;
    const nameEnd = text.indexOf(":", this.#lineStart);
    if (nameEnd < 0 || nameEnd > this.#lineEnd) throw protocolError("a line of the head has no colon");
    let start = nameEnd + 1;
    let end = this.#lineEnd;
    while (start < end && isBlank(text.charCodeAt(start))) start += 1;
    while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
    const name = text.slice(this.#lineStart, nameEnd);
    const value = text.slice(start, end);
    this.#checkFraming(name, value);
    this.fields.push([name, value]);
  }

  #checkFraming(name: string, value: string): void {
    switch (fieldRole(name)) {
      case "plain":
        return;
      case "malformed":
        throw protocolError("malformed field name");
      case "banned":
        throw protocolError(`${name} must not be in a message`);
      case "host":
        if (this.#hasHost) throw protocolError("more than one Host");
        this.#hasHost = true;
        return;
      case "content-length": {
        if (this.contentLength >= 0) throw protocolError("more than one Content-Length");
        const length = parseContentLength(value);
        if (length === undefined) throw protocolError("malformed Content-Length");
        this.contentLength = length;
      }
    }
  }
}

/** The octets up to `end` as characters U+0000 to U+00FF. */
function latin1(bytes: Uint8Array, end: number): string {
  let text = "";
  for (let at = 0; at < end; at += 1) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}

const ascii = new TextDecoder();

/** The head of a binary message as characters; of one that is too large, as much as shows that it is. */
function headText(bytes: Uint8Array, limit: number): string {
  const most = Math.min(bytes.length, limit + 1);
  let end = 0;
  let bits = 0;
  let lineStart = 0;
  while (end < most) {
    const octet = bytes[end] ?? 0;
    bits |= octet;
    end += 1;
    if (octet !== lineFeed) continue;
    const length = end - 1 - lineStart;
    if (lineStart > 0 && (length === 0 || (length === 1 && bytes[lineStart] === carriageReturn))) break;
    lineStart = end;
  }
  return bits < 0x80 ? ascii.decode(bytes.subarray(0, end)) : latin1(bytes, end);
}

function openHead(data: Body, limits: MessageLimits): HeadReader {
  return new HeadReader(typeof data === "string" ? data : headText(data, limits.maxHeadBytes), limits);
}

/** Whether `text` is larger than `limit` in UTF-8; counts only where its length leaves that open. */
function exceeds(text: string, limit: number): boolean {
  return text.length > limit || (text.length * 3 > limit && utf8Length(text) > limit);
}

function readBody(data: Body, head: HeadReader, limits: MessageLimits): Body {
  if (typeof data === "string") {
    const body = data.slice(head.bodyStart);
    if (exceeds(body, limits.maxBodyBytes)) throw tooLarge("body", limits.maxBodyBytes);
    if (head.contentLength >= 0 && head.contentLength !== utf8Length(body)) throw wrongLength();
    return body;
  }
  const body = data.subarray(head.bodyStart);
  if (body.length > limits.maxBodyBytes) throw tooLarge("body", limits.maxBodyBytes);
  if (head.contentLength >= 0 && head.contentLength !== body.length) throw wrongLength();
  return body;
}

function wrongLength(): Error {
  return protocolError("Content-Length is not the length of the body");
}

/**
 * Reads one WebSocket message as a request [R-MSG-1].
 *
 * @param data - a string for a text frame, bytes for a binary frame; the body is of the same kind (bytes: a view, no copy)
 * @param limits - {@link serverLimits} unless given
 * @throws ProtocolError where it is none, or larger than the limits
 */
export function decodeRequest(data: Body, limits: MessageLimits = serverLimits): HttpRequest {
  const head = openHead(data, limits);
  const end = head.readStartLine();
  const { text } = head;
  const methodEnd = endOfToken(text, 0, end);
  const targetStart = methodEnd + 1;
  if (methodEnd === 0 || text.charCodeAt(methodEnd) !== 0x20) throw protocolError("malformed method");
  const targetEnd = endOfTarget(text, targetStart, end);
  if (text.charCodeAt(targetStart) !== 0x2f) throw protocolError("the request target does not begin with /");
  if (targetEnd + 1 + version.length !== end || !text.startsWith(` ${version}`, targetEnd)) {
    throw protocolError("malformed request line");
  }
  head.readFields();
  const body = readBody(data, head, limits);
  return { method: text.slice(0, methodEnd), target: text.slice(targetStart, targetEnd), fields: head.fields, body };
}

const reasonStart = version.length + 5;

/** The status of a status line that ends at `end`; 0 where it is malformed. */
function statusOf(text: string, end: number): number {
  if (end < reasonStart || !text.startsWith(version) || text.charCodeAt(version.length) !== 0x20) return 0;
  if (text.charCodeAt(reasonStart - 1) !== 0x20) return 0;
  let status = 0;
  for (let at = version.length + 1; at < reasonStart - 1; at += 1) {
    const digit = text.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return 0;
    status = status * 10 + digit;
  }
  return status;
}

/**
 * Reads one WebSocket message as a response [R-MSG-1].
 *
 * @param data - a string for a text frame, bytes for a binary frame; the body is of the same kind (bytes: a view, no copy)
 * @param limits - {@link clientLimits} unless given
 * @throws ProtocolError where it is none, or larger than the limits
 */
export function decodeResponse(data: Body, limits: MessageLimits = clientLimits): HttpResponse {
  const head = openHead(data, limits);
  const end = head.readStartLine();
  const { text } = head;
  const status = statusOf(text, end);
  if (status < 200 || status > 599) throw protocolError("malformed status line");
  head.readFields();
  const body = readBody(data, head, limits);
  if ((status === 204 || status === 304) && body.length > 0) throw protocolError(`a ${status} has no body`);
  return { status, reason: text.slice(reasonStart, end), fields: head.fields, body };
}

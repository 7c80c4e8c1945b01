import { endOfTarget, endOfToken, endOfValue, utf8Length } from "./characters.ts";
import { framingField, parseContentLength } from "./framing-fields.ts";
import type { Body, Field, HttpRequest, HttpResponse } from "./message.ts";
import { clientLimits, type MessageLimits, serverLimits } from "./message-limits.ts";
import { protocolError, tooLarge } from "./protocol-error.ts";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const version = "HTTP/1.1";

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
    const nameEnd = endOfToken(text, this.#lineStart, this.#lineEnd);
    if (nameEnd === this.#lineStart || text.charCodeAt(nameEnd) !== 0x3a) throw protocolError("malformed field name");
    let start = nameEnd + 1;
    let end = this.#lineEnd;
    while (start < end && isBlank(text.charCodeAt(start))) start += 1;
    while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
    if (endOfValue(text, start, end) !== end) throw protocolError("a field value has a character that is not allowed");
    const name = text.slice(this.#lineStart, nameEnd);
    const value = text.slice(start, end);
    this.#checkFraming(name, value);
    this.fields.push([name, value]);
  }

  #checkFraming(name: string, value: string): void {
    switch (framingField(name)) {
      case undefined:
        return;
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

/** Where the head of a binary message ends: after the first empty line. */
function endOfHead(bytes: Uint8Array, limit: number): number {
  const end = Math.min(bytes.length, limit);
  for (let at = bytes.indexOf(lineFeed); at >= 0 && at < end; at = bytes.indexOf(lineFeed, at + 1)) {
    const next = bytes[at + 1] === carriageReturn ? at + 2 : at + 1;
    if (bytes[next] === lineFeed) return Math.min(next + 1, end);
  }
  return end;
}

/** The head's octets as characters U+0000 to U+00FF. */
function headText(bytes: Uint8Array, limit: number): string {
  // One more than allowed, so that a head that is too large is told from one that has no end.
  const end = endOfHead(bytes, limit + 1);
  let text = "";
  for (let at = 0; at < end; at += 4096) text += String.fromCharCode(...bytes.subarray(at, Math.min(at + 4096, end)));
  return text;
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
  if (endOfValue(text, reasonStart, end) !== end) throw protocolError("malformed reason phrase");
  head.readFields();
  const body = readBody(data, head, limits);
  if ((status === 204 || status === 304) && body.length > 0) throw protocolError(`a ${status} has no body`);
  return { status, reason: text.slice(reasonStart, end), fields: head.fields, body };
}

import { bodyLength, isLengthOf } from "./content-length.ts";
import { framingRole } from "./framing-fields.ts";
import type { Body, Field, HttpRequest, HttpResponse } from "./message.ts";
import { clientLimits, type MessageLimits, serverLimits } from "./message-limits.ts";
import { type ProtocolError, protocolError, tooLarge } from "./protocol-error.ts";

// Lines may end with LF alone (RFC 9112 §2.2). What a value holds: HTAB, SP, visible ASCII, U+0080 to U+00FF. No part of
// a line can be matched in two ways, so that what doesn't match is refused in linear time.
const requestLine = /([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\/[!"$-~]*) HTTP\/1\.1\r?\n/y;
const statusLine = /HTTP\/1\.1 ([2-5][0-9]{2}) ([\t -~\x80-\xff]*)\r?\n/y;
const fieldLine =
  /([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*(?![\t ])((?:[!-~\x80-\xff]+(?:[\t ]+[!-~\x80-\xff]+)*)?)[\t ]*\r?\n/y;
const emptyLine = /\r?\n/y;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** The octets of a binary message's head as characters U+0000 to U+00FF; of one that is too large, as much as shows it. */
function headText(bytes: Uint8Array, limit: number): string {
  const most = Math.min(bytes.length, limit + 1);
  let end = 0;
  while (end < most) {
    end += 1;
    if (bytes[end - 1] !== lineFeed) continue;
    if (bytes[end] === lineFeed || (bytes[end] === carriageReturn && bytes[end + 1] === lineFeed)) break;
  }
  // Up to the end of the empty line, or one octet further.
  return String.fromCharCode.apply(null, bytes.subarray(0, Math.min(end + 2, most)) as unknown as number[]);
}

/** Says what is wrong with the line of the head that begins at `at`. */
function lineError(head: string, at: number, limit: number): ProtocolError {
  const feed = head.indexOf("\n", at);
  if (feed >= 0)
    return protocolError(`malformed line in the head: ${JSON.stringify(head.slice(at, feed).slice(0, 80))}`);
  return head.length > limit ? tooLarge("head", limit) : protocolError("the head has no end");
}

/** What all messages have: the parts of the start line, the fields, the body. */
interface Parts {
  readonly start: RegExpExecArray;
  readonly fields: readonly Field[];
  readonly body: Body;
}

/** Reads a message whose start line is of that shape. */
function read(data: Body, startLine: RegExp, limits: MessageLimits): Parts {
  const { maxStartLineBytes, maxHeadBytes, maxFields, maxBodyBytes } = limits;
  const head = typeof data === "string" ? data.slice(0, maxHeadBytes + 1) : headText(data, maxHeadBytes);
  if (head.search(/\r?\n/) > maxStartLineBytes) throw tooLarge("start line", maxStartLineBytes);
  let at = 0;
  const next = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(head);
    if (match) at = pattern.lastIndex;
    return match;
  };
  const start = next(startLine);
  const fields: Field[] = [];
  for (let line = start && next(fieldLine); line; line = next(fieldLine)) {
    if (fields.push([line[1] ?? "", line[2] ?? ""]) > maxFields) throw tooLarge("number of fields", maxFields);
  }
  if (!start || !next(emptyLine)) throw lineError(head, at, maxHeadBytes);
  if (at > maxHeadBytes) throw tooLarge("head", maxHeadBytes);
  const body = typeof data === "string" ? data.slice(at) : data.subarray(at);
  // Counted only where the length in characters leaves it open.
  const isTooLarge = body.length > maxBodyBytes || (body.length * 3 > maxBodyBytes && bodyLength(body) > maxBodyBytes);
  if (isTooLarge) throw tooLarge("body", maxBodyBytes);
  checkFraming(fields, body);
  return { start, fields, body };
}

function checkFraming(fields: readonly Field[], body: Body): void {
  const seen = new Set<string>();
  for (const [name, value] of fields) {
    const role = framingRole(name);
    if (!role) continue;
    if (role === "banned") throw protocolError(`${name} must not be in a message`);
    if (seen.has(role)) throw protocolError(`more than one ${name}`);
    seen.add(role);
    if (role === "content-length" && !isLengthOf(value, body)) {
      throw protocolError(`Content-Length is ${JSON.stringify(value)}, but the body has ${bodyLength(body)} bytes`);
    }
  }
}

/**
 * Reads one WebSocket message as a request [R-MSG-1].
 *
 * @param data - a string for a text frame, bytes for a binary frame; the body is of the same kind (bytes: a view, no copy)
 * @param limits - {@link serverLimits} unless given
 * @throws ProtocolError where it is none, or larger than the limits
 */
export function decodeRequest(data: Body, limits: MessageLimits = serverLimits): HttpRequest {
  const { start, fields, body } = read(data, requestLine, limits);
  const [, method = "", target = ""] = start;
  return { method, target, fields, body };
}

/**
 * Reads one WebSocket message as a response [R-MSG-1].
 *
 * @param data - a string for a text frame, bytes for a binary frame; the body is of the same kind (bytes: a view, no copy)
 * @param limits - {@link clientLimits} unless given
 * @throws ProtocolError where it is none, or larger than the limits
 */
export function decodeResponse(data: Body, limits: MessageLimits = clientLimits): HttpResponse {
  const { start, fields, body } = read(data, statusLine, limits);
  const [, status = "", reason = ""] = start;
  if (/204|304/.test(status) && body.length > 0) throw protocolError(`a ${status} has no body`);
  return { status: Number(status), reason, fields, body };
}

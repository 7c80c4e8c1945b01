import { bodyLength, fieldLine, framingTrouble, requestLine, statusLine } from "./head.ts";
import type { Body, Field, HttpRequest, HttpResponse } from "./message.ts";
import { clientLimits, type MessageLimits, serverLimits } from "./message-limits.ts";
import { type ProtocolError, protocolError, tooLarge } from "./protocol-error.ts";

const emptyLine = /\r?\n/y;

/** The octets of a head as characters U+0000 to U+00FF; of one that is too large, as much as shows that it is. */
function headText(data: Uint8Array, limit: number): string {
  const bytes = data.subarray(0, limit + 1);
  let end = 0;
  // Up to a line that begins with CR or LF, which is the empty one.
  do end = bytes.indexOf(0x0a, end) + 1;
  while (end > 0 && bytes[end] !== 0x0d && bytes[end] !== 0x0a);
  const head = end > 0 ? bytes.subarray(0, end + 2) : bytes;
  return String.fromCharCode.apply(null, head as unknown as number[]);
}

/** Says what is wrong with the line of the head that begins at `at`. */
function lineError(head: string, at: number, limit: number): ProtocolError {
  const feed = head.indexOf("\n", at);
  // Not what stands behind a name: it may be a secret.
  const [shown = ""] = head.slice(at, feed).split(":", 1);
  if (feed >= 0) return protocolError(`malformed line in the head: ${JSON.stringify(shown.slice(0, 80))}`);
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
  const trouble = framingTrouble(fields, body);
  if (trouble) throw protocolError(trouble);
  return { start, fields, body };
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

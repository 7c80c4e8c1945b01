import { isToken, isValue } from "./characters.ts";
import { bodyLength, isLengthOf } from "./content-length.ts";
import { framingRole } from "./framing-fields.ts";
import type { Body, Field } from "./message.ts";
import { reasonPhrase } from "./notification.ts";

/** A request to encode. */
export interface RequestToEncode {
  /** A token: `GET`, `SUBSCRIBE`. */
  readonly method: string;
  /** Path and query; begins with `/`. */
  readonly target: string;
  readonly fields: readonly Field[];
  /** Empty unless given. */
  readonly body?: Body;
}

/** A response to encode. */
export interface ResponseToEncode {
  /** 200 to 599. */
  readonly status: number;
  /** Unless given, the one that {@link reasonPhrase} tells. */
  readonly reason?: string;
  readonly fields: readonly Field[];
  /** Empty unless given. */
  readonly body?: Body;
}

function checkField(name: string, value: string, body: Body): void {
  if (!isValue(value)) {
    throw new TypeError(`The value of ${name}, ${JSON.stringify(value)}, has a character that a field can't hold.`);
  }
  if (!isToken(name)) throw new TypeError(`The field name ${JSON.stringify(name)} is not a token.`);
  const role = framingRole(name);
  if (role === "banned") throw new TypeError(`The field ${name} must not be in a message.`);
  if (role === "content-length" && !isLengthOf(value, body)) {
    throw new TypeError(`Content-Length is ${JSON.stringify(value)}, but the body has ${bodyLength(body)} bytes.`);
  }
}

function encodeFields(fields: readonly Field[], body: Body): string {
  let text = "";
  for (const [name, value] of fields) {
    checkField(name, value, body);
    text += `${name}: ${value}\r\n`;
  }
  return `${text}\r\n`;
}

/** Head and body as one frame's payload. */
function join(head: string, body: Body): Body {
  if (typeof body === "string") return head + body;
  const bytes = new Uint8Array(head.length + body.length);
  for (let at = 0; at < head.length; at += 1) bytes[at] = head.charCodeAt(at);
  bytes.set(body, head.length);
  return bytes;
}

/**
 * Writes a request: a string (a text frame) where the body is a string or absent, bytes (a binary frame) otherwise.
 * Writes nothing that `decodeRequest` refuses, other than what is too large. Strips nothing [R-MSG-13].
 *
 * @throws TypeError on CR, LF, NUL, another control character or one beyond U+00FF in a field; on a name or method that
 * is no token; on a target that is not visible ASCII from `/` on; on a hop-by-hop field; on a wrong Content-Length
 */
export function encodeRequest(request: RequestToEncode): Body {
  const { method, target, fields, body = "" } = request;
  if (!isToken(method)) throw new TypeError(`The method ${JSON.stringify(method)} is not a token.`);
  if (!/^\/[!"$-~]*$/.test(target)) {
    throw new TypeError(`The target ${JSON.stringify(target)} is not a path and query of visible ASCII.`);
  }
  return join(`${method} ${target} HTTP/1.1\r\n${encodeFields(fields, body)}`, body);
}

/**
 * Writes a response: a string (a text frame) where the body is a string or absent, bytes (a binary frame) otherwise.
 * Writes nothing that `decodeResponse` refuses, other than what is too large. Strips nothing [R-MSG-13].
 *
 * @throws TypeError on CR, LF, NUL, another control character or one beyond U+00FF in a field or the reason; on a name
 * that is no token; on a hop-by-hop field; on a wrong Content-Length; on a body with 204 or 304
 * @throws RangeError on a status that is not a whole number from 200 to 599
 */
export function encodeResponse(response: ResponseToEncode): Body {
  const { status, fields, body = "" } = response;
  const reason = response.reason ?? reasonPhrase(status);
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new RangeError(`The status ${status} is not a whole number from 200 to 599.`);
  }
  if (!isValue(reason)) {
    throw new TypeError(`The reason ${JSON.stringify(reason)} has a character that a status line can't hold.`);
  }
  if ((status === 204 || status === 304) && body.length > 0) throw new TypeError(`A ${status} has no body.`);
  return join(`HTTP/1.1 ${status} ${reason}\r\n${encodeFields(fields, body)}`, body);
}

import { isToken, isValue } from "./characters.ts";
import { framingTrouble } from "./head.ts";
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

function notSendable(what: string, text: string): TypeError {
  return new TypeError(`${what} ${JSON.stringify(text)} has a character that it can't have.`);
}

function encodeFields(fields: readonly Field[], body: Body): string {
  const trouble = framingTrouble(fields, body);
  if (trouble) throw new TypeError(`${trouble}.`);
  let text = "";
  for (const [name, value] of fields) {
    if (!isToken(name) || !isValue(value)) throw notSendable("The field", `${name}: ${value}`);
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
 * is no token; on a target that is not visible ASCII from `/` on; on a hop-by-hop field; on a wrong Content-Length; on a second one or a second Host
 */
export function encodeRequest(request: RequestToEncode): Body {
  const { method, target, fields, body = "" } = request;
  if (!isToken(method) || !/^\/[!"$-~]*$/.test(target)) throw notSendable("The request line", `${method} ${target}`);
  return join(`${method} ${target} HTTP/1.1\r\n${encodeFields(fields, body)}`, body);
}

/**
 * Writes a response: a string (a text frame) where the body is a string or absent, bytes (a binary frame) otherwise.
 * Writes nothing that `decodeResponse` refuses, other than what is too large. Strips nothing [R-MSG-13].
 *
 * @throws TypeError on CR, LF, NUL, another control character or one beyond U+00FF in a field or the reason; on a name
 * that is no token; on a hop-by-hop field; on a wrong Content-Length; on a second one or a second Host; on a body with 204 or 304
 * @throws RangeError on a status that is not a whole number from 200 to 599
 */
export function encodeResponse(response: ResponseToEncode): Body {
  const { status, fields, body = "" } = response;
  const reason = response.reason ?? reasonPhrase(status);
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new RangeError(`The status ${status} is not a whole number from 200 to 599.`);
  }
  if ((status === 204 || status === 304) && body.length > 0) throw new TypeError(`A ${status} has no body.`);
  if (!isValue(reason)) throw notSendable("The reason", reason);
  return join(`HTTP/1.1 ${status} ${reason}\r\n${encodeFields(fields, body)}`, body);
}

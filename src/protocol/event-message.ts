import { decodeResponse } from "./decode.ts";
import type { StreamEvent } from "./event-stream-decoder.ts";
import type { Field, HttpResponse } from "./message.ts";
import type { MessageLimits } from "./message-limits.ts";
import { protocolError } from "./protocol-error.ts";

/** @throws ProtocolError where it is no base64 */
function decodeBase64(text: string): Uint8Array {
  try {
    // What atob forgives.
    if (text.length % 4 > 0 || /\s/.test(text)) throw protocolError("");
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw protocolError("a body is no base64");
  }
}

/**
 * The message in an event; `undefined` for an event that is none, since its name is no status [R-STR-8]. A body that came in
 * base64 is bytes, and the field that says so is left out.
 *
 * @param limits - `clientLimits` unless given; for the body as it stands in the event
 * @throws ProtocolError where the event's name is a status and its data is no message of that status
 */
export function decodeEvent({ type, data }: StreamEvent, limits?: MessageLimits): HttpResponse | undefined {
  if (!/^[2-5]\d\d$/.test(type)) return undefined;
  const message = decodeResponse(data, limits);
  if (message.status !== Number(type)) throw protocolError(`the event ${type} has a message with ${message.status}`);
  const isMark = ([name, value]: Field): boolean => /^content-transfer-encoding:base64$/i.test(`${name}:${value}`);
  if (!message.fields.some(isMark)) return message;
  const fields = message.fields.filter((field) => !isMark(field));
  return { ...message, fields, body: decodeBase64(String(message.body)) };
}

import type { Body } from "./message.ts";
import { splitMessage } from "./split-message.ts";

const encoder = new TextEncoder();

/**
 * Writes a message as a part of an HTTP stream: its bytes, with a `Content-Length` unless it is a 204 or 304, and a CRLF
 * behind it. The bytes may be shared by all whom the message is for [R-STR-9].
 *
 * @param message - a response as `encodeResponse` wrote it, text or bytes
 * @throws TypeError where it is none
 */
export function encodeHttpPart(message: Body): Uint8Array {
  const { head, body } = splitMessage(message);
  const content = typeof body === "string" ? encoder.encode(body) : body;
  const needsLength = !/^HTTP\/1\.1 (?:204|304)/.test(head) && !/\r\ncontent-length:/i.test(head);
  const whole = `${head}${needsLength ? `\r\nContent-Length: ${content.length}` : ""}\r\n\r\n`;
  const bytes = new Uint8Array(whole.length + content.length + 2);
  for (let at = 0; at < whole.length; at += 1) bytes[at] = whole.charCodeAt(at);
  bytes.set(content, whole.length);
  bytes.set([0x0d, 0x0a], whole.length + content.length);
  return bytes;
}

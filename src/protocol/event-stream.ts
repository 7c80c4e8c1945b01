import type { Body } from "./message.ts";
import { markInHead } from "./message-mark.ts";
import { splitMessage } from "./split-message.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const lineOfOtherFraming = /\r\ncontent-(?:length|transfer-encoding): [^\r]*/gi;
const retryLine = /\r\nretry-after: ([0-9]{1,6})(?=\r\n|$)/i;

/** A comment: it keeps a stream alive and says nothing [R-STR-6]. */
export const commentEvent: Uint8Array = encoder.encode(":\n\n");

/** Tells an `EventSource` how long to wait before it connects again. @param ms - a whole number, in milliseconds */
export function encodeRetry(ms: number): Uint8Array {
  if (!Number.isSafeInteger(ms) || ms < 0) throw new RangeError(`The wait of ${ms} ms is not a whole number.`);
  return encoder.encode(`retry: ${ms}\n\n`);
}

/** A body as the text that `data` lines can carry: no CR, which would come out as a line's end; `undefined` for others. */
function plainText(body: Body): string | undefined {
  const isBroken = typeof body === "string" ? body.includes("\r") : body.includes(0x0d);
  if (isBroken) return undefined;
  if (typeof body === "string") return body;
  try {
    return decoder.decode(body);
  } catch {
    return undefined;
  }
}

function base64(body: Body): string {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  let text = "";
  const slice = 0x8000;
  for (let at = 0; at < bytes.length; at += slice) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + slice) as unknown as number[]);
  }
  return btoa(text);
}

/**
 * Writes a message as one event: named by its status, with its `Event-ID` as the event's id, and its text in `data` lines.
 * A body with a CR, or that is not UTF-8, comes in base64. The bytes may be shared by all whom the message is for
 * [R-STR-3] [R-STR-4] [R-STR-5].
 *
 * @param message - a response as `encodeResponse` wrote it, text or bytes
 * @throws TypeError where it is none
 */
export function encodeEvent(message: Body): Uint8Array {
  const parts = splitMessage(message);
  // The event itself says where the body ends, and how it is written.
  const head = parts.head.replace(lineOfOtherFraming, "");
  const { status, eventId } = markInHead(head);
  const retry = retryLine.exec(head)?.[1];
  const text = plainText(parts.body);
  let event = retry ? `retry: ${Number(retry) * 1000}\n` : "";
  event += `event: ${status}\n`;
  if (eventId) event += `id: ${eventId}\n`;
  event += `data: ${head.replaceAll("\r\n", "\ndata: ")}\n`;
  if (text === undefined) event += "data: Content-Transfer-Encoding: base64\n";
  event += `data:\ndata: ${text?.replaceAll("\n", "\ndata: ") ?? base64(parts.body)}\n\n`;
  return encoder.encode(event);
}

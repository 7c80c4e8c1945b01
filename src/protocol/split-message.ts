import type { Body } from "./message.ts";

/** A message as the codec wrote it, in its two parts. */
export interface MessageParts {
  /** The start line and the fields, with CRLF between them and none at the end; a character for each octet. */
  readonly head: string;
  readonly body: Body;
}

/** Where the empty line of a head begins that the codec wrote. */
function headEnd(bytes: Uint8Array): number {
  let end = 0;
  // No CR and no LF stands in a head but at its lines' ends.
  do end = bytes.indexOf(0x0a, end) + 1;
  while (end > 0 && bytes[end] !== 0x0d);
  return end - 2;
}

/**
 * Takes a message apart that `encodeRequest` or `encodeResponse` wrote.
 *
 * @throws TypeError where it has no head
 */
export function splitMessage(message: Body): MessageParts {
  const end = typeof message === "string" ? message.indexOf("\r\n\r\n") : headEnd(message);
  if (end < 0) throw new TypeError("The message has no head that the codec wrote.");
  if (typeof message === "string") return { head: message.slice(0, end), body: message.slice(end + 4) };
  let head = "";
  for (const octet of message.subarray(0, end)) head += String.fromCharCode(octet);
  return { head, body: message.subarray(end + 4) };
}

import { utf8Length } from "./characters.ts";
import type { Body } from "./message.ts";

/** How many bytes a body takes on the wire. */
export function bodyLength(body: Body): number {
  return typeof body === "string" ? utf8Length(body) : body.length;
}

/** Whether a `Content-Length` says the length of the body; zeros in front are allowed (RFC 9110 §8.6) [R-MSG-10]. */
export function isLengthOf(contentLength: string, body: Body): boolean {
  return /^[0-9]+$/.test(contentLength) && Number(contentLength) === bodyLength(body);
}

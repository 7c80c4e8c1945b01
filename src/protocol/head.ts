import { utf8Length } from "./characters.ts";
import type { Body, Field } from "./message.ts";

// Lines may end with LF alone (RFC 9112 §2.2). What a value holds: HTAB, SP, visible ASCII, U+0080 to U+00FF. No part of
// a line can be matched in two ways, so that what doesn't match is refused in linear time.
/** A request's first line: method, target. */
export const requestLine: RegExp = /([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\/[!"$-~]*) HTTP\/1\.1\r?\n/y;
/** A response's first line: status, reason. */
export const statusLine: RegExp = /HTTP\/1\.1 ([2-5][0-9]{2}) ([\t -~\x80-\xff]*)\r?\n/y;
/** Any other line: name, value. */
export const fieldLine: RegExp =
  /([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*(?![\t ])((?:[!-~\x80-\xff]+(?:[\t ]+[!-~\x80-\xff]+)*)?)[\t ]*\r?\n/y;

// What frames a message: fields that speak about one hop, and a frame has none; and those that are there once at most.
const framing = /^(?:te|trailer|upgrade|connection|transfer-encoding|(host|content-length))$/i;

/** Whether a field must not be in a message at all [R-MSG-11]. */
export function isBannedField(name: string): boolean {
  const match = framing.exec(name);
  return match !== null && match[1] === undefined;
}

/** How many bytes a body takes on the wire. */
export function bodyLength(body: Body): number {
  return typeof body === "string" ? utf8Length(body) : body.length;
}

/** What is wrong with the framing of a message, where anything is [R-MSG-10] [R-MSG-11]. */
export function framingTrouble(fields: readonly Field[], body: Body): string | undefined {
  const seen = new Set<string>();
  for (const [name, value] of fields) {
    if (!framing.test(name)) continue;
    const role = name.toLowerCase();
    if (isBannedField(name) || seen.has(role))
      return `${name} must not be in a message${seen.has(role) ? " twice" : ""}`;
    seen.add(role);
    // Zeros in front are allowed (RFC 9110 §8.6).
    if (role !== "host" && !(/^[0-9]+$/.test(value) && Number(value) === bodyLength(body))) {
      return `Content-Length is ${JSON.stringify(value)}, but the body has ${bodyLength(body)} bytes`;
    }
  }
  return undefined;
}

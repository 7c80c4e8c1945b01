import type { Field } from "../protocol/index.ts";

const handshakeOnly = new Set([
  "accept-encoding",
  "cache-control",
  "connection",
  "content-length",
  "content-type",
  "event-id",
  "expect",
  "keep-alive",
  "last-event-id",
  "pragma",
  "prefer",
  "proxy-authorization",
  "proxy-connection",
  "range",
  "request-id",
  "subscription",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const notPassed = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "date",
  "keep-alive",
  "proxy-authenticate",
  "proxy-connection",
  "request-id",
  "set-cookie",
  "subscription",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * What a request in band may say of who asks and what for. All else counts as the handshake has it: a field that a
 * proxy in front would have taken off or set (`X-Forwarded-User`, `Cookie`) can't be smuggled in behind it.
 */
const ownInBand = new Set(["accept", "accept-language", "authorization"]);

const inert = new Set(["user-agent", "origin", "referer"]);

function isHandshakeOnly(name: string): boolean {
  return handshakeOnly.has(name) || name.startsWith("sec-") || name.startsWith("if-");
}

/** The fields of a handshake that say who asks: without hop-by-hop, handshake, conditional and stream fields. */
export function viewerFields(fields: readonly Field[]): readonly Field[] {
  return fields.filter(([name]) => !isHandshakeOnly(name.toLowerCase()));
}

/**
 * The fields of an in-band request as the origin gets it: the handshake's, with its own `Authorization`, `Accept` and
 * `Accept-Language` in their places [R-BAND-9].
 */
export function inBandFields(handshake: readonly Field[], own: readonly Field[]): readonly Field[] {
  const added = own.filter(([name]) => ownInBand.has(name.toLowerCase()));
  const replaced = new Set(added.map(([name]) => name.toLowerCase()));
  return [...handshake.filter(([name]) => !replaced.has(name.toLowerCase())), ...added];
}

/** A text that requests share when their answers may be shared while both wait: same target, same viewer. */
export function viewerKey(target: string, fields: readonly Field[]): string {
  const lines = fields
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !inert.has(name))
    .map(([name, value]) => `${name}: ${value}`)
    .sort();
  return [target, ...lines].join("\n");
}

/** The fields of an answer that a message can carry: end-to-end ones, without `Set-Cookie` [R-BAND-10]. */
export function endToEndFields(fields: readonly Field[]): Field[] {
  return fields.filter(([name]) => !notPassed.has(name.toLowerCase()));
}

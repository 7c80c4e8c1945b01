import type { Field } from "../protocol/index.ts";
import { documentRequestFields } from "./document-request.ts";

/** Who asks: credentials and other fields, and the peer at the transport. The object itself is the lane of its requests. */
export interface Viewer {
  readonly fields: readonly Field[];
  readonly peer?: unknown;
}

/** What is known of a peer at the transport. */
export interface PeerIdentity {
  /** Where it connects from and to, and whether by TLS: any text that differs where an origin may tell the difference. */
  readonly address?: string | undefined;
  /** Who it proved to be: the fingerprint of its certificate. Counts as a credential. */
  readonly certificate?: string | undefined;
}

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

/** Fields that name nobody. Others of such names (`X-Forwarded-User`) are credentials, so each is named in full. */
const nameless = new Set([
  "accept",
  "accept-charset",
  "accept-encoding",
  "accept-language",
  "cdn-loop",
  "cf-connecting-ip",
  "cf-ipcountry",
  "cf-visitor",
  "dnt",
  "forwarded",
  "host",
  "origin",
  "priority",
  "referer",
  "save-data",
  "sec-fetch-mode",
  "true-client-ip",
  "upgrade-insecure-requests",
  "user-agent",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-prefix",
  "x-forwarded-proto",
  "x-real-ip",
]);

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

/** Fields as lines that are equal where an origin can't tell them apart: only those of one name have an order. */
export function fieldLines(fields: readonly Field[], counts: (name: string) => boolean = () => true): string[] {
  const byName = new Map<string, string[]>();
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (!counts(lower)) continue;
    const values = byName.get(lower);
    if (values) values.push(value);
    else byName.set(lower, [value]);
  }
  return [...byName].map(([name, values]) => JSON.stringify([name, ...values])).sort();
}

/**
 * What makes a viewer: equal where an origin is asked the very same in both cases, by the same peer. Every field counts
 * that a GET on the viewer's behalf carries, and the peer's address and certificate [R-DER-1].
 */
export function viewerKeyOf(target: string, fields: readonly Field[], identity: PeerIdentity = {}): string {
  const { address = null, certificate = null } = identity;
  return JSON.stringify([target, fieldLines(documentRequestFields(fields)), address, certificate]);
}

/**
 * Names who stands behind requests, for bounds of what one may take: credentials, certificate and address. Fields that
 * name nobody don't count, for whoever wants more could vary them.
 */
export function ownerOf(fields: readonly Field[], { address, certificate }: PeerIdentity = {}): string {
  const credentials = fieldLines(documentRequestFields(fields), (name) => !nameless.has(name));
  return JSON.stringify([credentials, address ?? null, certificate ?? null]);
}

/** True where nothing of the request can be a credential. */
export function isAnonymous(fields: readonly Field[], { certificate }: PeerIdentity = {}): boolean {
  return certificate === undefined && documentRequestFields(fields).every(([name]) => nameless.has(name.toLowerCase()));
}

/** The fields of an answer that a message can carry: end-to-end ones, without `Set-Cookie` [R-BAND-10]. */
export function endToEndFields(fields: readonly Field[]): Field[] {
  return fields.filter(([name]) => !notPassed.has(name.toLowerCase()));
}

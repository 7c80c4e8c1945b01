import { isForwardingField, nominatedFields } from "../node/index.ts";
import type { BasePath } from "../server/index.ts";

/** Field names and values in turn, as Node's `rawHeaders` has them. */
export type RawFields = readonly string[];

/** Who sent a request, at the transport. */
export interface Peer {
  readonly remoteAddress?: string | undefined;
  readonly isEncrypted?: boolean | undefined;
}

/** What this hop says of itself, and whom it believes. */
export interface Hop {
  /** The `Host` that the upstream is sent; absent: the client's. */
  readonly host?: string;
  /** This proxy's element of `Via` (RFC 9110 §7.6.3). */
  readonly via: string;
  /** Whether the client's own `Forwarded` and `X-Forwarded-*` count. */
  readonly trustForwarded: boolean;
  /** The path below which clients see the upstream. */
  readonly basePath: BasePath;
}

const hopByHop = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  // No field that anyone sends; CGI makes HTTP_PROXY of it, which programs take for where their own requests go.
  "proxy",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/**
 * True for a name that servers which read `-`, `_` and `.` as one (CGI, WSGI, Rack, PHP) take for a field that this hop
 * drops or sets: `X_Forwarded_For`.
 */
function isDisguised(name: string): boolean {
  if (!/[^a-z0-9-]/.test(name)) return false;
  const plain = name.replace(/[^a-z0-9]/g, "-");
  return hopByHop.has(plain) || isForwardingField(plain) || /^(?:content|proxy|sec)-/.test(plain);
}

/** An address as `Forwarded` writes it; `unknown` where there is none (RFC 7239 §6). */
function forwardedFor(address: string): string {
  if (address === "") return "unknown";
  return address.includes(":") ? `"[${address}]"` : address;
}

function quotable(host: string): string {
  return host.includes('"') || host.includes("\\") ? host.replace(/["\\]/g, "\\$&") : host;
}

/** Adds `Forwarded` and `X-Forwarded-*` for this hop behind what earlier ones said. */
function addForwarded(fields: string[], before: ReadonlyMap<string, string>, peer: Peer, host: string): void {
  const { remoteAddress = "" } = peer;
  const address = remoteAddress.startsWith("::ffff:") ? remoteAddress.slice(7) : remoteAddress;
  const scheme = peer.isEncrypted ? "https" : "http";
  const after = (name: string, value: string) => {
    const earlier = before.get(name);
    return earlier === undefined ? value : `${earlier}, ${value}`;
  };
  const element = `for=${forwardedFor(address)};host="${quotable(host)}";proto=${scheme}`;
  fields.push("Forwarded", after("forwarded", element));
  fields.push("X-Forwarded-For", after("x-forwarded-for", address === "" ? "unknown" : address));
  if (!before.has("x-forwarded-host")) fields.push("X-Forwarded-Host", host);
  if (!before.has("x-forwarded-proto")) fields.push("X-Forwarded-Proto", scheme);
}

/** The fields of a request as the upstream gets them: end-to-end ones, with what this hop has to say. */
export function upstreamFields(raw: RawFields, peer: Peer, hop: Hop): string[] {
  const dropped = nominatedFields(raw);
  const fields: string[] = [];
  const before = new Map<string, string>();
  let host = "";
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? "";
    const value = raw[at + 1] ?? "";
    const lower = name.toLowerCase();
    if (lower === "te" && /(?:^|,)[ \t]*trailers\b/i.test(value)) fields.push("TE", "trailers");
    if (hopByHop.has(lower) || dropped.has(lower) || isDisguised(lower)) continue;
    if (lower === "host") {
      host = value;
    } else if (isForwardingField(lower)) {
      if (!hop.trustForwarded) continue;
      const earlier = before.get(lower);
      before.set(lower, earlier === undefined ? value : `${earlier}, ${value}`);
      if (lower !== "forwarded" && lower !== "x-forwarded-for") fields.push(name, value);
    } else {
      fields.push(name, value);
    }
  }
  fields.push("Host", hop.host ?? host, "Via", hop.via);
  addForwarded(fields, before, peer, host);
  if (hop.basePath.text !== "" && !before.has("x-forwarded-prefix")) {
    fields.push("X-Forwarded-Prefix", hop.basePath.text);
  }
  return fields;
}

/** An answer's raw fields as text. */
export function rawText(raw: unknown): string[] {
  if (!Array.isArray(raw)) return [];
  return raw.map((part: unknown) => (typeof part === "string" ? part : (part as Buffer).toString("latin1")));
}

/**
 * The fields of an answer as the client gets them: end-to-end ones.
 *
 * @param hasTrailers - whether trailers can follow on this connection
 */
export function clientFields(raw: RawFields, hasTrailers: boolean): string[] {
  const dropped = nominatedFields(raw);
  const fields: string[] = [];
  let isChunked = false;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? "";
    const lower = name.toLowerCase();
    if (lower === "transfer-encoding") isChunked = true;
    if (hopByHop.has(lower) || dropped.has(lower) || (lower === "trailer" && !hasTrailers)) continue;
    fields.push(name, raw[at + 1] ?? "");
  }
  // Transfer-Encoding wins over Content-Length (RFC 9112 §6.3); sent on, the latter would frame another body.
  return isChunked ? withoutField(fields, "content-length") : fields;
}

/** Raw fields without those of a name, given in lower case. */
export function withoutField(raw: RawFields, unwanted: string): string[] {
  return raw.filter((_, at) => raw[at - (at % 2)]?.toLowerCase() !== unwanted);
}

/** Raw fields in pairs. */
export function pairs(raw: RawFields): [name: string, value: string][] {
  const found: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) found.push([raw[at] ?? "", raw[at + 1] ?? ""]);
  return found;
}

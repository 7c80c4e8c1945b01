import { randomBytes } from "node:crypto";
import type { OutgoingHttpHeaders } from "node:http2";
import { type Field, isToken } from "../../protocol/index.ts";

/** How a stream's content is framed for a reader of HTTP/1.1. */
export type Framing = "none" | "length" | "chunks" | "tunnel";

/** The head of a stream's request as HTTP/1.1 has it. */
export interface PlainHead {
  readonly text: string;
  readonly framing: Framing;
  readonly isHead: boolean;
}

/** Fields of one connection, which HTTP/2 has not (RFC 9113 §8.2.2), and those that only HTTP/1.1's handshake has. */
const ofConnection = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "sec-websocket-accept",
  "sec-websocket-key",
  "transfer-encoding",
  "upgrade",
]);

/** What a request's head has, by the names of HTTP/2. */
class RawHead {
  readonly pseudo: Map<string, string> = new Map();
  readonly fields: Field[] = [];
  readonly #cookies: string[] = [];

  constructor(raw: readonly string[]) {
    for (let at = 0; at + 1 < raw.length; at += 2) this.#take(raw[at] ?? "", raw[at + 1] ?? "");
    // HTTP/2 may cut a cookie field into several, which HTTP/1.1 must not have (RFC 9113 §8.2.3).
    if (this.#cookies.length > 0) this.fields.push(["cookie", this.#cookies.join("; ")]);
  }

  /** False for what would be read in another way once it is written as lines; nghttp2 lets none of it through. */
  get isSound(): boolean {
    return this.fields.every(([name, value]) => isToken(name) && !/[\0\r\n]/.test(value));
  }

  has(wanted: string): boolean {
    return this.fields.some(([name]) => name === wanted);
  }

  #take(name: string, value: string): void {
    if (name.startsWith(":")) this.pseudo.set(name, value);
    else if (name === "cookie") this.#cookies.push(value);
    else if (!ofConnection.has(name)) this.fields.push([name, value]);
  }
}

/** The lines that make an extended CONNECT a WebSocket's handshake over HTTP/1.1, which has a key. */
function handshakeLines(): Field[] {
  return [
    ["connection", "Upgrade"],
    ["upgrade", "websocket"],
    ["sec-websocket-key", randomBytes(16).toString("base64")],
  ];
}

/** True for the extended CONNECT of a WebSocket (RFC 8441 §5), by a request's pseudo fields. */
export function isWebSocketConnect(pseudo: { readonly [name: string]: unknown }): boolean {
  return pseudo[":method"] === "CONNECT" && String(pseudo[":protocol"] ?? "").toLowerCase() === "websocket";
}

/**
 * The head of a stream's request as HTTP/1.1 has it; or the status of its refusal: 501 for a tunnel that is no WebSocket,
 * 400 for what HTTP/1.1 can't say.
 *
 * @param raw - the fields as they came, names and values in turn
 * @param isWhole - no content follows
 */
export function readHead(raw: readonly string[], isWhole: boolean): PlainHead | 400 | 501 {
  const head = new RawHead(raw);
  const { pseudo } = head;
  const isConnect = pseudo.get(":method") === "CONNECT";
  if (isConnect && !isWebSocketConnect(Object.fromEntries(pseudo))) return 501;
  const method = isConnect ? "GET" : (pseudo.get(":method") ?? "");
  const target = pseudo.get(":path") ?? "";
  const authority = pseudo.get(":authority");
  if (!head.isSound || !isToken(method) || !/^[!-~\x80-\xff]+$/.test(target)) return 400;
  if (authority !== undefined && /[\0\r\n]/.test(authority)) return 400;
  const framing = isConnect ? "tunnel" : isWhole ? "none" : head.has("content-length") ? "length" : "chunks";
  // What :authority says is the Host (RFC 9113 §8.3.1). Another one beside it is seen, and refused, as a second.
  const fields = head.fields.filter(([name, value]) => name !== "host" || value !== authority);
  const lines: Field[] = [
    ...(authority === undefined ? [] : [["host", authority] as const]),
    ...fields,
    ...(framing === "chunks" ? [["transfer-encoding", "chunked"] as const] : []),
    ...(isConnect ? handshakeLines() : []),
  ];
  const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return { text: `${method} ${target} HTTP/1.1\r\n${text}\r\n`, framing, isHead: method === "HEAD" };
}

/** An answer's head of HTTP/1.1 as HTTP/2 has it: without what belongs to the connection, names in lower case. */
export function writtenHead(status: number, fields: readonly Field[]): OutgoingHttpHeaders {
  return { ":status": status, ...writtenFields(fields) };
}

/** An answer's trailers, in the same way. */
export function writtenFields(fields: readonly Field[]): OutgoingHttpHeaders {
  const headers: Record<string, string | string[] | number> = {};
  const cookies: string[] = [];
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (ofConnection.has(lower)) continue;
    const before = headers[lower];
    if (lower === "set-cookie") cookies.push(value);
    // Several lines of one field are one (RFC 9110 §5.2), which Node wants so for some.
    else headers[lower] = before === undefined ? value : `${before}, ${value}`;
  }
  if (cookies.length > 0) headers["set-cookie"] = cookies;
  return headers;
}

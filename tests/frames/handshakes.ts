import type { Field } from "../../src/check/wire/http.ts";

/** What must come of a handshake. */
export type HandshakeOutcome =
  /** A 101. */
  | "accepted"
  /** An HTTP error, and no 101. */
  | "refused"
  /** Plain HTTP: it is answered as any GET. */
  | "plain"
  /** Either of both: an application may take such a request for one of its own. */
  | "not taken";

/** One row: a section of RFC 6455, what is other than it should be, and what must come of it. */
export interface HandshakeCase {
  readonly section: string;
  readonly what: string;
  readonly outcome: HandshakeOutcome;
  /** Fields in place of those of a right handshake; an empty list leaves the field out. */
  readonly replaced?: Readonly<Record<string, readonly string[]>>;
  readonly method?: string;
  readonly version?: string;
  readonly more?: readonly Field[];
}

const key = "Sec-WebSocket-Key";
const versionField = "Sec-WebSocket-Version";

const versions: readonly HandshakeCase[] = [
  { section: "4.2.1", what: "the version 13", outcome: "accepted" },
  ...["0", "1", "7", "8", "12", "14", "255", "1300", "013", "13.0", "x", "", "13, 8", "8, 13"].map(
    (version): HandshakeCase => {
      return {
        section: "4.4",
        what: `the version ${JSON.stringify(version)}`,
        outcome: "refused",
        replaced: { [versionField]: [version] },
      };
    },
  ),
  { section: "4.2.1", what: "no version", outcome: "refused", replaced: { [versionField]: [] } },
  { section: "4.2.1", what: "two versions", outcome: "refused", replaced: { [versionField]: ["13", "13"] } },
];

const keys: readonly HandshakeCase[] = [
  { section: "4.2.1", what: "no key", outcome: "refused", replaced: { [key]: [] } },
  {
    section: "4.2.1",
    what: "two keys",
    outcome: "refused",
    replaced: { [key]: ["dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="] },
  },
  ...[
    ["an empty key", ""],
    ["a key of 15 bytes", Buffer.alloc(15, 1).toString("base64")],
    ["a key of 17 bytes", Buffer.alloc(17, 1).toString("base64")],
    ["a key of 24 bytes", Buffer.alloc(24, 1).toString("base64")],
    ["a key without its padding", "dGhlIHNhbXBsZSBub25jZQ"],
    ["a key in base64url", "-_-_-_-_-_-_-_-_-_-_-_=="],
    ["a key with a blank", "dGhlIHNhbXBs ZSBub25jZ=="],
    ["a key that is no base64", "!!!!!!!!!!!!!!!!!!!!!!=="],
  ].map(([what = "", value = ""]): HandshakeCase => {
    return { section: "4.2.1", what, outcome: "refused", replaced: { [key]: [value] } };
  }),
  { section: "4.2.1", what: "a key of zeros", outcome: "accepted", replaced: { [key]: ["AAAAAAAAAAAAAAAAAAAAAA=="] } },
];

const upgrades: readonly HandshakeCase[] = [
  ...["WebSocket", "WEBSOCKET", "websocket"].map((value): HandshakeCase => {
    return { section: "4.2.1", what: `Upgrade: ${value}`, outcome: "accepted", replaced: { Upgrade: [value] } };
  }),
  ...["Upgrade", "UPGRADE", "keep-alive, Upgrade", "Upgrade, keep-alive"].map((value): HandshakeCase => {
    return { section: "4.2.1", what: `Connection: ${value}`, outcome: "accepted", replaced: { Connection: [value] } };
  }),
  {
    section: "4.2.1",
    what: "two Connection fields, of which one is Upgrade",
    outcome: "accepted",
    replaced: { Connection: ["keep-alive", "Upgrade"] },
  },
  { section: "4.2.1", what: "Connection: close", outcome: "plain", replaced: { Connection: ["close"] } },
  { section: "4.2.1", what: "Connection: keep-alive", outcome: "plain", replaced: { Connection: ["keep-alive"] } },
  { section: "4.2.1", what: "no Connection", outcome: "plain", replaced: { Connection: [] } },
  { section: "4.2.1", what: "no Upgrade", outcome: "plain", replaced: { Upgrade: [] } },
  { section: "4.2.1", what: "Upgrade: h2c", outcome: "plain", replaced: { Upgrade: ["h2c"] } },
];

const lines: readonly HandshakeCase[] = [
  ...["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"].map((method): HandshakeCase => {
    return { section: "4.1", what: `the method ${method}`, outcome: "not taken", method };
  }),
  { section: "4.1", what: "HTTP/1.0", outcome: "refused", version: "HTTP/1.0" },
  { section: "4.1", what: "HTTP/2.0", outcome: "refused", version: "HTTP/2.0" },
  { section: "4.1", what: "no Host", outcome: "refused", replaced: { Host: [] } },
];

const others: readonly HandshakeCase[] = [
  {
    section: "9.1",
    what: "an extension that nobody knows",
    outcome: "accepted",
    more: [["Sec-WebSocket-Extensions", "x-unknown; a=b"]],
  },
  {
    section: "9.1",
    what: "permessage-deflate",
    outcome: "accepted",
    more: [["Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"]],
  },
  {
    section: "4.2.2",
    what: "more subprotocols",
    outcome: "accepted",
    replaced: { "Sec-WebSocket-Protocol": ["chat, rocket.v1"] },
  },
  {
    section: "4.2.2",
    what: "subprotocols in two fields",
    outcome: "accepted",
    replaced: { "Sec-WebSocket-Protocol": ["chat", "rocket.v1"] },
  },
];

/** RFC 6455 §4: handshakes. */
export const handshakeCases: readonly HandshakeCase[] = [...versions, ...keys, ...upgrades, ...lines, ...others];

import type { IncomingMessage } from "node:http";
import { performance } from "node:perf_hooks";
import { describe, expect, it } from "vitest";
import { chooseCoding, plainConditions } from "../../src/node/compression.ts";
import { Access, resolveServerOptions, staleUrls } from "../../src/node/index.ts";
import { prefersHtml } from "../../src/node/prefers-html.ts";
import {
  chooseSubprotocol,
  decodeRequest,
  decodeResponse,
  encodeUrlPart,
  type Field,
  isToken,
  matchesEntityTag,
  parseAnyItems,
  parseEventId,
  parseItemOrder,
  parseItems,
  prefersStrict,
} from "../../src/protocol/index.ts";
import { upstreamFields } from "../../src/proxy/fields.ts";
import { outwardFields } from "../../src/proxy/outward-fields.ts";
import { everybody } from "../../src/scaffold/engine/viewer.ts";
import { formatJson } from "../../src/scaffold/json/json.ts";
import { parseJson } from "../../src/scaffold/json/json-reader.ts";
import { requireJsonAccepted, requireJsonBody } from "../../src/scaffold/rest/accept.ts";
import { requireConditions } from "../../src/scaffold/rest/conditions.ts";
import { parseOnce } from "../../src/scaffold/rest/idempotency.ts";
import { parseTarget } from "../../src/scaffold/rest/target.ts";
import { resolveText } from "../../src/scaffold/sqlite/engine/value-text.ts";
import { documentBody, documentRequestFields, refuseByHead } from "../../src/server/document-request.ts";
import { BasePath, readHandshake } from "../../src/server/index.ts";
import { serve } from "../scaffold/sqlite/service.ts";

const size = 100_000;
const fill = (text: string): string => text.repeat(Math.ceil(size / text.length)).slice(0, size);

/** What makes a careless pattern try everything twice: runs of one sign, of pairs, and an end that fits nothing. */
const runs = [
  "1",
  "0",
  "a",
  "A",
  " ",
  "\t",
  " \t",
  "/",
  "\\",
  "<",
  ">",
  '"',
  "'",
  ";",
  ",",
  "=",
  ".",
  "%",
  "%41",
  "[",
  "{",
  "{a",
  "-",
  "_",
  "+",
  "a,",
  ", ",
  ",,",
  "; ",
  ";a",
  "a=",
  'a="',
  '\\"',
  '"a',
  '"a",',
  'W/"',
  "<a",
  "<>",
  '<a>;"',
  "rel=",
  "; rel",
  "q=",
  "*/*",
  "a/b;",
  "1.",
  ".1",
  "1e",
  "a.asc,",
  "asc.",
  "a+",
  "x-",
  "a b",
  "http://",
  ":",
  "::",
  "@",
  "\xff",
  "\u2028",
  "\ud800",
  "trailers,",
  "\0",
];
const heads = ["", "<", '"', 'url="', "application/", "/"];
const ends = ["!", '"'];

const field =
  (name: string) =>
  (text: string): Field[] => [[name, text]];
const numeric = { kind: "numeric", affinity: "integer" } as const;
const refusable = (action: () => unknown) => {
  try {
    return action();
  } catch {
    return undefined;
  }
};
const access = new Access(resolveServerOptions({ origin: () => Promise.reject(new Error("not asked")) }));
access.isLocal = true;
const basePath = new BasePath("/api");
const handshakeWith = (text: string) => ({ Upgrade: "websocket", Origin: text, "Sec-WebSocket-Protocol": text });

/** A handshake with these fields. */
function asking(headers: { readonly host: string } & Readonly<Record<string, string>>): IncomingMessage {
  const rawHeaders = ["Host", headers.host];
  return { headers: { ...headers }, rawHeaders, method: "PUT", url: "/a", httpVersion: "1.1" } as never;
}

const readers: Readonly<Record<string, (text: string) => unknown>> = {
  Items: parseItems,
  "Items of one record": parseAnyItems,
  "Item-Order": parseItemOrder,
  "Event-ID": parseEventId,
  "If-None-Match": (text) => matchesEntityTag(text, '"b"'),
  "If-Match": (text) => requireConditions([["If-Match", text]], '"b"'),
  Prefer: (text) => prefersStrict([["Prefer", text]]),
  "Sec-WebSocket-Protocol": (text) => chooseSubprotocol([`rocket.bearer.${text}`, text]),
  "a token": isToken,
  "a message": (text) => decodeRequest(`SUBSCRIBE /a HTTP/1.1\r\nX: ${text}\r\n\r\n`),
  "a message's first line": (text) => decodeRequest(`${text} HTTP/1.1\r\n\r\n`),
  "an answer": (text) => decodeResponse(`HTTP/1.1 200 ${text}\r\n\r\n`),
  "a part of a URL": encodeUrlPart,
  Link: (text) => staleUrls({ target: "/", status: 200, fields: field("Link")(text) }),
  Location: (text) => staleUrls({ target: text, status: 200, fields: field("Location")(text) }),
  "Accept for pages": prefersHtml,
  Accept: (text) => requireJsonAccepted(field("Accept")(text)),
  "Content-Type of a body": (text) => requireJsonBody("PUT", field("Content-Type")(text)),
  "Content-Type of a document": (text) => documentBody(field("Content-Type")(text), Buffer.from("{}")),
  "Content-Type of a stream": (text) => refuseByHead(field("Content-Type")(text), 1),
  "the names of fields": (text) => documentRequestFields([[text, "a"]]),
  "Idempotency-Key": (text) =>
    parseOnce({ method: "PUT", target: "/", fields: field("Idempotency-Key")(text), body: "" }, everybody),
  "a URL's path and query": (text) => parseTarget(`/a?${text}`),
  "a number": (text) => resolveText(numeric, text),
  "a decimal number": (text) => resolveText({ kind: "numeric", affinity: "real" }, text),
  "a boolean": (text) => resolveText({ kind: "boolean", affinity: "numeric" }, text),
  "an untyped value": (text) => resolveText({ kind: "untyped", affinity: "blob" }, text),
  JSON: parseJson,
  "JSON of an array": (text) => formatJson(parseJson(`[${text.slice(0, -1)}0]`)),
  base64: (text) => resolveText({ kind: "base64", affinity: "blob" }, text),
  "Connection and TE": (text) =>
    upstreamFields(["Connection", text, "TE", text, text, "a"], {}, { via: "1.1 a", trustForwarded: false, basePath }),
  Host: (text) => access.admit(asking({ host: text }), true),
  Origin: (text) => access.admit(asking({ host: "localhost", origin: text }), true),
  "Sec-Fetch-Site": (text) => access.admit(asking({ host: "localhost", "sec-fetch-site": text }), true),
  "an absolute target": (text) =>
    access.admit({ ...asking({ host: "localhost" }), url: `http://${text}` } as never, true),
  "an absolute target's path": (text) =>
    access.admit({ ...asking({ host: "localhost" }), url: `http://a/${text}#` } as never, true),
  "a URL below a base path": (text) => basePath.enter(`/api/${text}`),
  "Accept-Encoding": (text) => chooseCoding(text, ["br", "gzip"]),
  "If-Match with codings": (text) => plainConditions(field("If-Match")(text)),
  "an upstream's references": (text) =>
    outwardFields(["Link", text, "Location", text, "Set-Cookie", text], ["Host", "a"], basePath),
  "a handshake by fetch": (text) =>
    readHandshake(new Request(`http://a/?${encodeURIComponent(text)}`, { headers: handshakeWith(text) })),
};

describe("100 kB that a peer sends as", () => {
  it.each(Object.entries(readers))("%s are read in linear time [R-SEC-8]", (_, read) => {
    const slow: string[] = [];
    for (const run of runs) {
      for (const head of heads) {
        for (const end of ends) {
          const started = performance.now();
          refusable(() => read(head + fill(run) + end));
          // Linear ones take some milliseconds; a quadratic one takes many seconds.
          if (performance.now() - started > 1_000) slow.push(JSON.stringify([head, run, end]));
        }
      }
      if (slow.length > 0) break;
    }
    expect(slow).toEqual([]);
  });
});

describe("a body of 1 MB", () => {
  const filled = (item: string): string => `{"data":[${item.repeat(1_000_000 / item.length).slice(0, -1)}]}`;

  it.each(["-0,", "1.0,", "1E0,", "1,", "{},", '{"a":1.0},', '"\\n",'])(
    "of %s over such a value takes the time of a few passes [R-SEC-8]",
    async (item) => {
      const { send } = await serve("CREATE TABLE notes (id INTEGER PRIMARY KEY, data JSON)");
      const times: number[] = [];
      const passes: number[] = [];
      for (let round = 0; round < 3; round += 1) {
        await send("PUT", "/notes/1", filled("-0,"));
        const before = process.cpuUsage();
        const { status, text } = await send("PATCH", "/notes/1", filled(item));
        times.push(process.cpuUsage(before).user);
        expect([status, text.includes(filled(item).slice(8, -1))]).toEqual([200, true]);
        const start = process.cpuUsage();
        // A pass that calls a function for each value.
        JSON.parse(filled(item), (_, value) => value);
        passes.push(process.cpuUsage(start).user);
      }
      // It takes three to six of them with the journal, whatever the machine.
      expect(Math.min(...times)).toBeLessThan(12 * Math.min(...passes));
    },
  );
});

describe("a number of many digits", () => {
  it("is still the number that SQLite makes of it", () => {
    const real = (text: string) => resolveText(numeric, text);
    expect(real("9223372036854775807")).toBe(9_223_372_036_854_775_807n);
    expect(real(`-${"0".repeat(30)}12`)).toBe(-12);
    expect(real("12345678901234567890123")).toBe(1.2345678901234568e22);
    expect(real("1.")).toBe(1);
    expect(real(`${fill("1")}.`)).toBe(Number.POSITIVE_INFINITY);
    expect(real("1..")).toBe("1..");
  });
});

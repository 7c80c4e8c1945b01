import { describe, expect, it } from "vitest";
import { ResponseReader } from "../../src/node/attach/response-reader.ts";
import { chooseTaker } from "../../src/node/attach/upgrade-choice.ts";
import { staleUrls } from "../../src/node/index.ts";
import { prefersHtml } from "../../src/node/prefers-html.ts";
import {
  bearerSubprotocol,
  chooseSubprotocol,
  decodeRequest,
  decodeResponse,
  expandUrlTemplate,
  type Field,
  isAtOrAfter,
  matchesEntityTag,
  parseEventId,
  parseItemOrder,
  parseItems,
  prefersStrict,
  resolvePointer,
} from "../../src/protocol/index.ts";
import { clientFields, upstreamFields } from "../../src/proxy/fields.ts";
import { requireJsonAccepted, requireJsonBody } from "../../src/scaffold/rest/accept.ts";
import { parseBody } from "../../src/scaffold/rest/body.ts";
import { requireConditions } from "../../src/scaffold/rest/conditions.ts";
import { parseOnce } from "../../src/scaffold/rest/idempotency.ts";
import { parseTarget } from "../../src/scaffold/rest/target.ts";
import { decodeBase64 } from "../../src/scaffold/rest/value-kind.ts";
import { resolveText } from "../../src/scaffold/rest/value-text.ts";
import { readDocument } from "../../src/server/derived/document.ts";
import { pathSegments } from "../../src/server/derived/staleness.ts";
import { documentBody, refuseByHead } from "../../src/server/index.ts";

const request = (...fields: Field[]) => ({ method: "POST", target: "/a", fields, body: "" });
const place = { target: "/a", authority: "localhost" };

/** Whatever reads what a peer or an upstream sends. Whether it takes a text or refuses it does not matter here. */
const readers: Readonly<Record<string, (text: string) => unknown>> = {
  Link: (text) => staleUrls({ target: "/a", status: 200, fields: [["Link", text]] }),
  Location: (text) => staleUrls({ target: "/a", status: 200, fields: [["Location", text]] }),
  Items: parseItems,
  "Item-Order": parseItemOrder,
  Prefer: (text) => prefersStrict([["Prefer", text]]),
  "Content-Type of a document": (text) => [
    documentBody([["Content-Type", text]], Buffer.from("x")),
    refuseByHead([["Content-Type", text]], 1024),
    readDocument(text, "[]", place),
  ],
  "Content-Type of a body": (text) => requireJsonBody("PUT", [["Content-Type", text]]),
  "weights of Accept": (text) => requireJsonAccepted([["Accept", text]]),
  "Accept of a page": prefersHtml,
  "If-None-Match": (text) => matchesEntityTag(text, '"x"'),
  "If-Match": (text) => requireConditions([["If-Match", text]], '"x"'),
  "Idempotency-Key": (text) => parseOnce(request(["Idempotency-Key", text])),
  "Event-ID": (text) => [parseEventId(text), isAtOrAfter(text, text)],
  "Sec-WebSocket-Protocol": (text) => [
    chooseSubprotocol([`rocket.bearer.${text}`]),
    chooseSubprotocol(text.split(",")),
    chooseTaker({ headers: { upgrade: "websocket", "sec-websocket-protocol": text }, method: "GET" }, undefined, true),
  ],
  "a token": bearerSubprotocol,
  Connection: (text) => [
    upstreamFields(["Connection", text, "TE", text, "Forwarded", text], {}, { via: "x", trustForwarded: true }),
    clientFields(["Connection", text], true),
  ],
  "a request in band": (text) => decodeRequest(`GET ${text} HTTP/1.1\r\n${text}\r\n\r\n`, limits),
  "a field in band": (text) => decodeResponse(`HTTP/1.1 200 OK\r\nX:${text}\r\n\r\n`, limits),
  "an application's answer": (text) => {
    const sink = { onHead() {}, onBody() {}, onEnd() {} };
    new ResponseReader(sink, false).push(Buffer.from(`HTTP/1.1 200 OK\r\nX:${text}\r\n\r\n`));
  },
  "a number": (text) => {
    for (const affinity of ["integer", "real", "numeric"] as const) resolveText({ kind: "numeric", affinity }, text);
  },
  "bytes in base64": decodeBase64,
  "a URL's path": (text) => pathSegments(text),
  "a URL": (text) => parseTarget(`/${text}?${text}`),
  "a URL template": (text) => expandUrlTemplate(text, {}),
  "a JSON pointer": (text) => resolvePointer({}, text),
  "a body": parseBody,
  "an upstream's document": (text) => readDocument("application/json", text, place),
};

const limits = { maxStartLineBytes: 1e6, maxHeadBytes: 1e6, maxFields: 1e6, maxBodyBytes: 1e6 };

const prefixes = ["", '"', "<", '<a>;"', 'list="', "application/"];
// biome-ignore format: a table
const units = [
  " ", "\t", "0", "a", ",", ";", "=", '"', "\\", '\\"', "<", "<a>", '<a>"\\', ">", "/", "%", "%41", ".", "+", "-",
  "_", ":", "&", "[", "]", "{", "{a}", "~", "a=b,", ";a=", "a;q=0,", "W/", 'W/"",', '"",', "a.asc", ";rel=", "[],",
  "//", "./", "a+", "\\\\", "()",
];
const suffixes = ["", "!"];

const large = 96_000;
/** Milliseconds below which the clock and the collector of garbage tell more than the reader. */
const floorMs = 1;
/** In linear time it takes 16 times as long, in quadratic time 256 times. */
const most = 80;

function milliseconds(read: (text: string) => unknown, text: string): number {
  const started = performance.now();
  try {
    read(text);
  } catch (error) {
    // Refused: that is an answer, too. What it can't cope with is not.
    if (error instanceof RangeError) throw error;
  }
  return performance.now() - started;
}

/** How many times as long it takes for a text that is 16 times as long: the least of several tries. */
function growth(read: (text: string) => unknown, textOf: (length: number) => string, length = large): number {
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 5 && least > most; tries += 1) {
    const long = milliseconds(read, textOf(length));
    // Most are done before the clock has moved.
    if (long <= floorMs * most) return long / floorMs;
    const short = Math.max(floorMs, milliseconds(read, textOf(length / 16)));
    least = Math.min(least, long / short);
  }
  return least;
}

describe("a text of 100 kB, whatever it repeats, takes linear time", () => {
  it.each(Object.entries(readers))("as %s", (_, read) => {
    const slow: string[] = [];
    for (const prefix of prefixes) {
      for (const unit of units) {
        for (const suffix of suffixes) {
          const textOf = (length: number) => prefix + unit.repeat(length / unit.length) + suffix;
          // One is enough: what is slow would take long to be found again and again.
          if (slow.length === 0 && growth(read, textOf) > most) slow.push(JSON.stringify([prefix, unit, suffix]));
        }
      }
    }
    expect(slow).toEqual([]);
  });

  it("and what is quadratic would be found", () => {
    const quadratic = (text: string): boolean => /=+$/.test(text);
    expect(growth(quadratic, (length) => `${"=".repeat(length)}!`, 16_000)).toBeGreaterThan(most);
  });
});

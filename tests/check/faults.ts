import { createHash } from "node:crypto";
import type { Fault, Passing } from "./front.ts";

/** A server that is right but for one thing, and the requirement by which the check has to find that. */
export interface BrokenServer {
  readonly requirement: string;
  readonly what: string;
  readonly fault: Fault;
  /** Which of the project's servers is spoilt. Default `serve`. */
  readonly of?: "serve" | "attach";
  /** Whether it is found without waiting for heartbeats. Default false. */
  readonly isQuick?: boolean;
}

const level0 = (handshake: string): boolean => !handshake.includes("rocket.v1");
const statusOf = (text: string): number => Number(/^HTTP\/1\.1 ([0-9]+)/.exec(text)?.[1] ?? 0);
const fieldOf = (text: string, name: string): string | undefined =>
  text
    .split("\r\n")
    .find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `))
    ?.slice(name.length + 2);
const without = (text: string, name: string): string =>
  text
    .split("\r\n")
    .filter((line) => !line.toLowerCase().startsWith(`${name.toLowerCase()}: `))
    .join("\r\n");
const withField = (text: string, line: string): string => text.replace("\r\n\r\n", `\r\n${line}\r\n\r\n`);
const isNews = ({ text, handshake }: Passing): boolean =>
  [201, 202, 204].includes(statusOf(text)) && !level0(handshake);

/** A fault of each message that fits. */
function spoil(
  fits: (message: Passing) => boolean,
  spoilt: (text: string, message: Passing) => readonly string[],
): Fault {
  return { fromServer: (message) => (fits(message) ? spoilt(message.text, message) : [message.text]) };
}

const all = (): boolean => true;
const of =
  (...statuses: readonly number[]) =>
  ({ text, handshake }: Passing): boolean =>
    statuses.includes(statusOf(text)) && !level0(handshake);

/** Holds the first message that fits, and sends it behind the next one. */
function swap(fits: (message: Passing) => boolean): Fault {
  return {
    fromServer: (message) => {
      const held = message.state.get("held");
      if (held !== undefined && held !== "") {
        message.state.set("held", "");
        return [message.text, held];
      }
      if (held === undefined && fits(message)) {
        message.state.set("held", message.text);
        return [];
      }
      return [message.text];
    },
  };
}

const early =
  'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Location: /artists/1\r\n\r\n{"artist":{"id":1}}';

const isResumed = ({ handshake }: Passing): boolean => /^last-event-id: [a-z0-9]+:/im.test(handshake);

/** Holds what fits until the next 304, and sends it behind that. */
function late(fits: (message: Passing) => boolean): Fault {
  return {
    fromServer: (message) => {
      const held = message.state.get("held") ?? "";
      if (fits(message)) {
        message.state.set("held", `${held}${message.text}\0`);
        return [];
      }
      if (held === "" || statusOf(message.text) !== 304) return [message.text];
      message.state.set("held", "");
      return [message.text, ...held.split("\0").slice(0, -1)];
    },
  };
}

/** Drops the n-th message that fits, from 0. */
function drop(fits: (message: Passing) => boolean, which: number): Fault {
  return {
    fromServer: (message) => {
      if (!fits(message)) return [message.text];
      const count = Number(message.state.get("count") ?? 0);
      message.state.set("count", String(count + 1));
      return count === which ? [] : [message.text];
    },
  };
}

const inHandshakes: readonly BrokenServer[] = [
  {
    requirement: "RFC6455-4.2.2",
    what: "makes Sec-WebSocket-Accept of the key alone",
    fault: {
      accepted: (head) => head.replace(/accept: \S+/i, `Accept: ${createHash("sha1").update("a").digest("base64")}`),
    },
  },
  {
    requirement: "R-L1-1",
    what: "echoes the first subprotocol that is offered",
    fault: {
      accepted: (head, handshake) => {
        const first = /^sec-websocket-protocol: ([^,\r]+)/im.exec(handshake)?.[1] ?? "";
        return head.replace(/protocol: rocket\.v1/i, `Protocol: ${first}`);
      },
    },
  },
  {
    requirement: "R-L1-2",
    what: "echoes a subprotocol that it does not know",
    fault: {
      accepted: (head, handshake) =>
        handshake.includes("rocket-check.unknown")
          ? withField(head, "Sec-WebSocket-Protocol: rocket-check.unknown")
          : head,
    },
  },
  {
    requirement: "R-SEC-6",
    what: "negotiates permessage-deflate",
    fault: {
      accepted: (head, handshake) =>
        /permessage-deflate/.test(handshake) ? withField(head, "Sec-WebSocket-Extensions: permessage-deflate") : head,
    },
  },
  {
    requirement: "R-SEC-1",
    what: "lets every page in",
    fault: { request: (head) => without(without(head, "Origin"), "Sec-Fetch-Site") },
  },
  {
    requirement: "R-SEC-2",
    what: "answers for every host",
    fault: { request: (head) => head.replace(/^Host: .*$/m, "Host: localhost") },
  },
  {
    requirement: "R-SEC-9",
    what: "takes the first of two Hosts",
    fault: { request: (head) => head.replace(/^(Host: .*\r\n)Host: .*\r\n/m, "$1") },
  },
  {
    requirement: "R-SEC-3",
    what: "echoes a token",
    fault: {
      accepted: (head, handshake) =>
        /bearer\.YWJj/.test(handshake) ? head.replace("rocket.v1", "rocket.bearer.YWJj") : head,
    },
  },
  {
    requirement: "R-L0-1",
    what: "takes every handshake for Level 1",
    fault: { request: (head) => (level0(head) ? withField(head, "Sec-WebSocket-Protocol: rocket.v1") : head) },
  },
  {
    requirement: "R-L0-4",
    what: "tells Level 0 of a refusal in band",
    fault: {
      request: (head) =>
        level0(head) && head.includes("nothing-here") ? withField(head, "Sec-WebSocket-Protocol: rocket.v1") : head,
    },
  },
  {
    requirement: "R-WK-3",
    what: "takes Level 0 at the well-known URL",
    fault: {
      request: (head) =>
        level0(head) && /^upgrade/im.test(head) ? head.replace("/.well-known/rocket", "/artists") : head,
    },
  },
  {
    requirement: "R-WK-1",
    what: "does not say its limits",
    fault: { response: (text) => text.replace('"maxSubscriptions"', '"maxSomething----"') },
  },
  {
    requirement: "R-SUB-7",
    what: "does not look at If-None-Match in a handshake",
    fault: { request: (head) => (/^upgrade/im.test(head) ? without(head, "If-None-Match") : head) },
  },
  {
    requirement: "R-RES-1",
    what: "does not look at Last-Event-ID",
    fault: { request: (head) => without(head, "Last-Event-ID") },
  },
  {
    requirement: "R-RES-2",
    what: "resumes at an unknown position as if nothing had happened",
    fault: { request: (head) => head.replace(/^Last-Event-ID: .*rocket-?check.*$/m, "Last-Event-ID: *") },
  },
  {
    requirement: "R-RES-4",
    what: "does not know handling=strict",
    fault: { request: (head) => without(head, "Prefer") },
  },
  {
    requirement: "R-WK-4",
    what: "promises idempotency-key and does not keep it",
    fault: { request: (head) => without(head, "Idempotency-Key") },
  },
];

const inMessages: readonly BrokenServer[] = [
  { requirement: "R-MSG-4", what: "ends lines with LF", fault: spoil(all, (text) => [text.replace(/\r\n/, "\n")]) },
  {
    requirement: "R-MSG-6",
    what: "sends HTTP/1.0",
    fault: spoil(of(304), (text) => [text.replace("HTTP/1.1", "HTTP/1.0")]),
  },
  {
    requirement: "R-MSG-7",
    what: "puts a blank before a colon",
    fault: spoil(of(200), (text) => [text.replace("Content-Type:", "Content-Type :")]),
  },
  {
    requirement: "R-MSG-10",
    what: "counts characters for Content-Length",
    fault: spoil(of(200), (text) => [withField(text, "Content-Length: 3")]),
  },
  {
    requirement: "R-MSG-11",
    what: "passes Connection on",
    fault: spoil(of(200), (text) => [withField(text, "Connection: keep-alive")]),
  },
  { requirement: "R-MSG-12", what: "sends a body with a 204", fault: spoil(of(204), (text) => [`${text}{}`]) },
  {
    requirement: "R-L0-2",
    what: "sends more fields at Level 0",
    fault: spoil(
      ({ handshake }) => level0(handshake),
      (text) => [withField(text, 'ETag: "a"')],
    ),
  },
  {
    requirement: "R-L0-3",
    what: "loses the first change at Level 0",
    fault: spoil(
      ({ index, handshake }) => index === 0 && level0(handshake),
      () => [],
    ),
  },
  {
    requirement: "R-L1-4",
    what: "sends Content-Location first",
    fault: spoil(isNews, (text) => {
      const line = `Content-Location: ${fieldOf(text, "content-location")}`;
      return [without(text, "Content-Location").replace("\r\n", `\r\n${line}\r\n`)];
    }),
  },
  {
    requirement: "R-POS-1",
    what: "has a blank in its positions",
    fault: spoil(of(200), (text) => [text.replace("Event-ID: ", "Event-ID: a ")]),
  },
  {
    requirement: "R-POS-4",
    what: "uses an Event-ID again",
    fault: {
      fromServer: ({ text, state }) => {
        const given = fieldOf(text, "event-id");
        const first = state.get("first") ?? given ?? "";
        state.set("first", first);
        return [given === undefined ? text : text.replace(`Event-ID: ${given}`, `Event-ID: ${first}`)];
      },
    },
  },
  {
    requirement: "R-POS-6",
    what: "does not look at the check of a position",
    fault: {
      request: (head) =>
        /^Last-Event-ID: [a-z0-9]+:[0-9]+\.[0-9]+/m.test(head) ? head.replace(/^(Last-Event-ID: ).*$/m, "$1*") : head,
    },
  },
  {
    requirement: "R-FLD-1",
    what: "has no Content-Location",
    fault: spoil(of(201), (text) => [without(text, "Content-Location")]),
  },
  {
    requirement: "R-FLD-1",
    what: "writes Content-Location otherwise than Items",
    fault: spoil(of(204), (text) => [text.replace("/artists/", "/artists//")]),
  },
  {
    requirement: "R-FLD-2",
    what: "sends Items that are no dictionary",
    fault: spoil(of(200), (text) => [text.replace(/list="/, "list='")]),
  },
  {
    requirement: "R-FLD-3",
    what: "says a list that is not there",
    fault: spoil(of(200), (text) => [text.replace('list="/artists"', 'list="/rows"')]),
  },
  {
    requirement: "R-FLD-6",
    what: "says an order that is not that of the rows",
    fault: spoil(of(200), (text) => [text.replace("id.asc", "id.desc")]),
  },
  {
    requirement: "R-FLD-7",
    what: "has another ETag than a GET",
    fault: spoil(of(200), (text) => [text.replace('ETag: "', 'ETag: "x')]),
  },
  {
    requirement: "R-FLD-8",
    what: "has another body than a GET",
    fault: spoil(of(200), (text) => [text.replace('{"artists":', '{ "artists":')]),
  },
  { requirement: "R-SUB-1", what: "sends changes before the snapshot", fault: spoil(of(200), (text) => [early, text]) },
  { requirement: "R-SUB-1", what: "never says that a client has caught up", fault: spoil(of(304), () => []) },
  { requirement: "R-SUB-4", what: "sends a change twice", fault: spoil(of(201), (text) => [text, text]) },
  { requirement: "R-SUB-4", what: "sends two changes in the wrong order", fault: swap(of(201)) },
  {
    requirement: "R-SUB-5",
    what: "tells a change by a 201",
    fault: spoil(of(202), (text) => [text.replace("202 Accepted", "201 Created")]),
  },
  {
    requirement: "R-SUB-6",
    what: "passes Set-Cookie on",
    fault: spoil(of(200), (text) => [withField(text, "Set-Cookie: a=b")]),
  },
  {
    requirement: "R-SUB-8",
    what: "sends 206 for a change",
    fault: spoil(of(202), (text) => [text.replace("202 Accepted", "206 Partial Content")]),
  },
  { requirement: "R-SUB-9", what: "does not end with its record", fault: spoil(of(204), () => []) },
  {
    requirement: "R-SUB-11",
    what: "refuses by a text",
    fault: spoil(
      ({ text }) => statusOf(text) >= 400,
      (text) => [text.replace("application/problem+json", "text/plain")],
    ),
  },
  {
    requirement: "R-SUB-2",
    what: "refuses with another status than a GET",
    fault: spoil(
      ({ text }) => statusOf(text) === 404,
      (text) => [text.replaceAll("404", "403")],
    ),
  },
  {
    requirement: "R-RES-1",
    what: "leaves a gap after a resume",
    fault: drop((message) => isResumed(message) && of(201)(message), 0),
  },
  {
    requirement: "R-RES-1",
    what: "says caught up before it has sent what was missed",
    fault: late((message) => isResumed(message) && of(201)(message)),
  },
  {
    requirement: "R-FLD-10",
    what: "has no Item-Index",
    of: "attach",
    fault: spoil(of(201), (text) => [without(text, "Item-Index")]),
  },
  {
    requirement: "R-DER-6",
    what: "has a wrong Item-Index",
    of: "attach",
    fault: spoil(of(201), (text) => [text.replace(/Item-Index: .*/, "Item-Index: 0")]),
  },
  { requirement: "R-DER-5", what: "tells nothing of what leaves", of: "attach", fault: spoil(of(204), () => []) },
];

const isDelta = ({ text }: Passing): boolean => text.includes("\r\nDelta-Base: ");

/** A delta in the place of a record. */
const asDelta = (text: string): string =>
  withField(
    text.replace("Content-Type: application/json", "Content-Type: application/merge-patch+json"),
    'Delta-Base: "a"',
  );

const inDeltas: readonly BrokenServer[] = [
  {
    requirement: "R-DELTA-1",
    what: "sends deltas to everybody",
    fault: spoil(of(202), (text) => [asDelta(text)]),
  },
  {
    requirement: "R-DELTA-2",
    what: "sends a delta that leads to something else",
    fault: spoil(isDelta, (text) => [text.replace(/\{("\w+":)\{"\w+":"/, (start) => `${start}not `)]),
  },
  {
    requirement: "R-DELTA-6",
    what: "sends deltas with the tag of something else",
    fault: spoil(isDelta, (text) => [text.replace(/Delta-Base: "/, 'Delta-Base: "a')]),
  },
  {
    requirement: "R-DELTA-6",
    what: "sends deltas of what was missed",
    fault: spoil(
      (message) => of(202)(message) && isResumed(message) && !isDelta(message),
      (text) => [asDelta(text)],
    ),
  },
];

const inBand: readonly BrokenServer[] = [
  {
    requirement: "R-BAND-1",
    what: "answers twice",
    fault: spoil(
      ({ text }) => fieldOf(text, "request-id") !== undefined,
      (text) => [text, text],
    ),
  },
  {
    requirement: "R-BAND-2",
    what: "takes requests without Request-ID",
    fault: { fromClient: ({ text }) => ({ on: fieldOf(text, "request-id") ? [text] : [] }) },
  },
  {
    requirement: "R-BAND-2",
    what: "refuses them without a sign that it is an answer",
    fault: spoil(of(400), (text) => [without(text, "Request-ID")]),
  },
  {
    requirement: "R-BAND-3",
    what: "names no Subscription in its answers",
    fault: spoil(of(200), (text) => [without(text, "Subscription")]),
  },
  {
    requirement: "R-BAND-4",
    what: "names no Subscription in notifications",
    fault: spoil(
      (message) => isNews(message) && !fieldOf(message.text, "request-id"),
      (text) => [without(text, "Subscription")],
    ),
  },
  {
    requirement: "R-BAND-5",
    what: "sends everything again on a second SUBSCRIBE",
    fault: {
      fromClient: ({ text }) => ({ on: [/^SUBSCRIBE/.test(text) ? withField(text, "Cache-Control: no-cache") : text] }),
    },
  },
  {
    requirement: "R-BAND-5",
    what: "does not know no-cache in band",
    fault: { fromClient: ({ text }) => ({ on: [without(text, "Cache-Control")] }) },
  },
  {
    requirement: "R-BAND-6",
    what: "goes on after UNSUBSCRIBE",
    fault: {
      fromClient: ({ text }) => {
        if (!/^UNSUBSCRIBE \/artists HTTP/.test(text)) return {};
        const answer = `HTTP/1.1 204 No Content\r\nSubscription: /artists\r\nRequest-ID: ${fieldOf(text, "request-id")}\r\n\r\n`;
        return { on: [], back: [answer] };
      },
    },
  },
  {
    requirement: "R-BAND-7",
    what: "has another status beyond its subscriptions",
    fault: spoil(
      ({ text }) => statusOf(text) === 429,
      (text) => [text.replaceAll("429", "503")],
    ),
  },
  {
    requirement: "R-BAND-11",
    what: "does not look at Host in band",
    fault: {
      fromClient: ({ text }) => ({ on: [/^(?:Host: .*\r\n.*){2}/is.test(text) ? text : without(text, "Host")] }),
    },
  },
  {
    requirement: "R-BAND-12",
    what: "answers 405 to an unknown method",
    fault: spoil(
      ({ text }) => statusOf(text) === 501,
      (text) => [text.replaceAll("501", "405")],
    ),
  },
  {
    requirement: "R-BAND-12",
    what: "answers a GET in band otherwise than over HTTP",
    fault: {
      fromClient: ({ text }) => ({
        on: [text.replace(/^GET \/(?!\.well).* HTTP\/1\.1\r\nReq/, "GET /rocket-check-nothing HTTP/1.1\r\nReq")],
      }),
    },
  },
  {
    requirement: "R-BAND-13",
    what: "takes SUBSCRIBE with a body",
    fault: { fromClient: ({ text }) => ({ on: [text.replace("a body", "")] }) },
  },
  {
    requirement: "R-MSG-3",
    what: "skips what is no message",
    fault: { fromClient: ({ text }) => ({ on: /HTTP\/1\.1\r?\n/.test(text) ? [text] : [] }) },
  },
  {
    requirement: "R-MSG-5",
    what: "takes targets in absolute form",
    fault: { fromClient: ({ text }) => ({ on: [text.replace("http://example.com", "")] }) },
  },
  {
    requirement: "R-MSG-8",
    what: "trims more than blanks and tabs",
    fault: { fromClient: ({ text }) => ({ on: [text.replaceAll("\u00a0", "")] }) },
  },
];

const inFrames: readonly BrokenServer[] = [
  {
    requirement: "RFC6455-5.1",
    what: "takes frames without a mask",
    fault: { clientFrame: (frame) => ({ ...frame, isMasked: true }) },
  },
  {
    requirement: "RFC6455-5.2",
    what: "takes reserved bits",
    fault: { clientFrame: (frame) => ({ ...frame, reserved: 0 }) },
  },
  {
    requirement: "RFC6455-5.5",
    what: "takes control frames in fragments",
    fault: { clientFrame: (frame) => (frame.opcode > 7 ? { ...frame, isFinal: true } : frame) },
  },
  {
    requirement: "RFC6455-8.1",
    what: "takes texts that are not UTF-8",
    fault: {
      clientFrame: (frame) =>
        frame.opcode === 1 ? { ...frame, payload: Buffer.from(frame.payload.toString("utf8")) } : frame,
    },
  },
  {
    requirement: "RFC6455-5.2",
    what: "sends frames with a reserved bit",
    fault: { serverBytes: (bytes) => Buffer.from([(bytes[0] ?? 0) | 0x40, ...bytes.subarray(1)]) },
  },
  {
    requirement: "R-L1-5",
    what: "closes with another code than the problem's",
    fault: { closing: (code, reason) => [code === 4404 ? 4400 : code, reason] },
  },
  {
    requirement: "R-SUB-9",
    what: "closes with 1001 behind the end of a record",
    fault: { closing: (code, reason) => [code === 1000 ? 1001 : code, reason] },
  },
  {
    requirement: "R-MSG-16",
    what: "closes with 1002 where a message is too large",
    fault: { closing: (code, reason) => [code === 1009 ? 1002 : code, reason] },
  },
  {
    requirement: "R-CLOSE-3",
    what: "closes with a reason that is no UTF-8",
    fault: {
      serverBytes: (bytes, { opcode }) =>
        opcode === 8
          ? Buffer.concat([Buffer.from([0x88, 5]), bytes.subarray(2, 4), Buffer.from([0xff, 0xfe, 0xfd])])
          : bytes,
    },
  },
  {
    requirement: "R-HB-1",
    what: "shows no sign of life",
    fault: {
      response: (text) => text.replace('"heartbeatMs":20000', '"heartbeatMs":  200'),
      fromServer: ({ index, text }) => (index > 1 ? [] : [text]),
      serverBytes: (bytes, { opcode }) => (opcode === 9 ? Buffer.alloc(0) : bytes),
    },
  },
];

export const brokenServers: readonly BrokenServer[] = [
  ...inHandshakes,
  ...inMessages,
  ...inDeltas,
  ...inBand,
  ...inFrames,
];

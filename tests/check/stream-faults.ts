import type { BrokenServer } from "./faults.ts";

const isEvent = /^accept: text\/event-stream/im;

function without(text: string, name: string): string {
  return text.replace(new RegExp(`^${name}: .*\\r\\n`, "gim"), "");
}

function withField(head: string, line: string): string {
  return head.replace("\r\n\r\n", `\r\n${line}\r\n\r\n`);
}

/** Spoils the messages of these statuses, in event streams and HTTP streams; a piece may bring several. */
function ofStatus(statuses: string, spoil: (message: string) => string): (text: string) => string {
  const isMeant = new RegExp(`^(?:event: |HTTP/1\\.1 )(?:${statuses})\\b`);
  return (text) => {
    const messages = text.split(/(?=^event: )|(?=^HTTP\/1\.1 )/m);
    return messages.map((one) => (isMeant.test(one) ? spoil(one) : one)).join("");
  };
}

/** Replays the first opening to all that come later. */
function firstAgain(): (text: string) => string {
  let first: string | undefined;
  return (text) => {
    if (!text.includes("event: 200")) return text;
    first ??= text;
    return first;
  };
}

/** Servers whose streams over plain HTTP are right but for one thing. */
export const brokenStreams: readonly BrokenServer[] = [
  {
    requirement: "R-FLD-1",
    what: "does not say in its streams of which record a change is",
    fault: {
      streamPiece: ofStatus("201|202|204", (message) => message.replace(/^(?:data: )?Content-Location: .*\n/m, "")),
    },
  },
  {
    requirement: "R-FLD-2",
    what: "does not say in its streams where the records are",
    fault: { streamPiece: ofStatus("200", (message) => message.replace(/^(?:data: )?Items: .*\n/m, "")) },
  },
  {
    requirement: "R-SUB-4",
    what: "sends each message of its streams twice",
    fault: { streamPiece: ofStatus("201|202|204", (message) => message + message) },
  },
  {
    requirement: "R-SUB-5",
    what: "tells in its streams a change as what enters",
    fault: {
      streamPiece: ofStatus("202", (message) =>
        message.replace(/^event: 202/, "event: 201").replace("HTTP/1.1 202 Accepted", "HTTP/1.1 201 Created"),
      ),
    },
  },
  {
    requirement: "R-SUB-8",
    what: "sends in its streams a status that is in no table",
    fault: {
      streamPiece: ofStatus("201", (message) =>
        message.replace(/^event: 201/, "event: 226").replace("HTTP/1.1 201 Created", "HTTP/1.1 226 IM Used"),
      ),
    },
  },
  {
    requirement: "R-STR-1",
    what: "streams to whoever takes a stream at all",
    fault: { request: (head) => head.replace(/^Accept: application\/json, (.*)$/m, "Accept: $1") },
  },
  {
    requirement: "R-STR-1",
    what: "does not know weights",
    fault: { request: (head) => head.replace(/^(Accept: [^;\r]*);q=0\b[^\r]*/m, "$1") },
  },
  {
    requirement: "R-STR-2",
    what: "follows something else than the rest of the Accept",
    fault: { streamPiece: (text) => text.replace('data: {"artists":', 'data: { "artists":') },
  },
  {
    requirement: "R-STR-3",
    what: "gives its events no names",
    fault: { streamPiece: (text) => text.replace(/^event: .*\n/gm, "") },
  },
  {
    requirement: "R-STR-3",
    what: "has another id than the Event-ID",
    fault: { streamPiece: (text) => text.replace(/^id: .*$/gm, "id: 1") },
  },
  {
    requirement: "R-STR-5",
    what: "says a Content-Length in its events",
    fault: { streamPiece: (text) => text.replace(/^data: (HTTP.*)$/gm, "data: $1\ndata: Content-Length: 3") },
  },
  {
    requirement: "R-STR-9",
    what: "has a 204 with a Content-Length",
    fault: {
      streamPiece: (text) => text.replace("HTTP/1.1 204 No Content", "HTTP/1.1 204 No Content\r\nContent-Length: 0"),
    },
  },
  {
    requirement: "R-STR-11",
    what: "gives its patches another name",
    fault: { streamPiece: (text) => text.replace("event: patch", "event: update") },
  },
  {
    requirement: "R-STR-11",
    what: "has no positions in its patches",
    fault: { streamPiece: (text) => text.replace(/^id: .*\n/gm, "") },
  },
  {
    requirement: "R-STR-12",
    what: "tells changes by an operation that there is not",
    fault: { streamPiece: (text) => text.replace('"op":"replace"', '"op":"update"') },
  },
  {
    requirement: "R-STR-12",
    what: "has the envelope in its patches",
    fault: { streamPiece: (text) => text.replace(/"value":(.*)\}\]/, '"value":{"artist":$1}}]') },
  },
  {
    requirement: "R-STR-13",
    what: "takes half a second for a time to wait",
    fault: { request: (head) => head.replace("wait=60.5", "wait=1") },
  },
  {
    requirement: "R-STR-14",
    what: "does not look at Last-Event-ID",
    fault: { request: (head) => (isEvent.test(head) ? without(head, "Last-Event-ID") : head) },
  },
  {
    requirement: "R-STR-14",
    what: "tells nothing of what enters",
    fault: { streamPiece: (text) => text.replace(/^event: 201$/gm, "event: none") },
  },
  {
    requirement: "R-STR-15",
    what: "says nothing against caches",
    fault: { streamHead: (head) => without(head, "Cache-Control") },
  },
  {
    requirement: "R-STR-15",
    what: "does not say that the answer is by Accept",
    fault: { streamHead: (head) => without(head, "Vary") },
  },
  {
    requirement: "R-STR-15",
    what: "sends no comment at the beginning",
    fault: { streamPiece: (text) => text.replace(/^:\n\n/gm, "") },
  },
  {
    requirement: "R-STR-17",
    what: "has all its clients come back together",
    fault: { streamPiece: (text) => text.replace(/^retry: .*$/gm, "retry: 1000") },
  },
  {
    requirement: "R-STR-18",
    what: "says another type of stream than it has",
    fault: { response: (text) => text.replace('"application/http"', '"application/htt_"') },
  },
  {
    requirement: "R-STR-19",
    what: "streams to every page",
    fault: {
      request: (head) => without(head, "Origin"),
      streamHead: (head) => withField(head, "Access-Control-Allow-Origin: https://rocket-check.invalid"),
    },
  },
  {
    requirement: "R-STR-20",
    what: "begins a patch stream anew at a position that nobody knows",
    fault: { request: (head) => head.replace(/^(Last-Event-ID: )rocket-check$/m, "$1*") },
  },
  {
    requirement: "R-STR-20",
    what: "answers each SUBSCRIBE with patches",
    fault: { request: (head) => head.replace(/^(SUBSCRIBE.*?\r\nAccept: )[^\r]*/s, "$1text/event-stream") },
  },
  {
    requirement: "R-STR-21",
    what: "does not wait",
    fault: { request: (head) => without(head, "Prefer") },
  },
  {
    requirement: "R-STR-21",
    what: "waits whatever is named",
    fault: { request: (head) => head.replace(/^If-None-Match: "rocket-check"/m, "Last-Event-ID: *") },
  },
  {
    requirement: "R-STR-22",
    what: "has links to follow, and no Vary",
    fault: { response: (text) => without(text, "Vary") },
  },
  {
    requirement: "R-MID-1",
    isQuick: true,
    what: "stands behind a cache that says how old its streams are",
    fault: { streamHead: (head) => withField(head, "Age: 3") },
  },
  {
    requirement: "R-MID-1",
    isQuick: true,
    what: "stands behind a cache that gives each the first stream's beginning",
    fault: { streamPiece: firstAgain() },
  },
];

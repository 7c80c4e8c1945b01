import { HTTPParser } from "http-parser-js";
import { decodeRequest, decodeResponse, encodeResponse } from "../dist/protocol/index.js";
import { comparePairs } from "./pairs.js";

const messages = 50_000;

const record =
  '{"artist":{"id":123,"url":"/artists/123","name":"Einstürzende Neubauten","genre":"industrial","formed":1980}}';
const fields = [
  ["Content-Type", "application/json"],
  ["Content-Location", "/artists/123"],
  ["ETag", '"5d8c72a5edda8d6a"'],
  ["Event-ID", "k3v9:1041.88213"],
];
const length = ["Content-Length", String(Buffer.byteLength(record))];

const notification = Buffer.from(encodeResponse({ status: 202, fields: [...fields, length], body: record }));
const subscribe = Buffer.from(
  "SUBSCRIBE /artists?genre=industrial HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nRequest-ID: 17\r\n" +
    "Last-Event-ID: k3v9:1041.88213\r\nAccept: application/json\r\nContent-Length: 0\r\n\r\n",
);

/** Nanoseconds for each of many calls. */
function time(once) {
  const start = process.hrtime.bigint();
  for (let count = 0; count < messages; count += 1) once();
  return Number(process.hrtime.bigint() - start) / messages;
}

/** The other parser on one kept-alive connection, which is what it is cheapest at. */
function parseWith(type, bytes) {
  const parser = new HTTPParser(type);
  let complete = 0;
  let head;
  let body;
  parser[HTTPParser.kOnHeadersComplete] = (info) => {
    head = info;
  };
  parser[HTTPParser.kOnBody] = (chunk, offset, size) => {
    body = chunk.subarray(offset, offset + size);
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    complete += 1;
  };
  return () => {
    const before = complete;
    const result = parser.execute(bytes, 0, bytes.length);
    if (result !== bytes.length || complete !== before + 1 || !head) throw new Error("http-parser-js did not finish.");
    return body;
  };
}

function row(result, goal) {
  return { ...result, goal, unit: "ns per message", aPerSecond: 1e9 / result.a, bPerSecond: 1e9 / result.b };
}

async function compare(name, ours, theirs, pairs, goal) {
  return row(await comparePairs({ name, a: () => time(ours), b: () => time(theirs), pairs }), goal);
}

/**
 * Decoding of the two commonest messages against http-parser-js on the same bytes; a text frame's cost includes making
 * the string. Each ratio is our time / its time. The control is our decoder against itself.
 */
export async function run({ pairs = 15 } = {}) {
  const theirResponse = parseWith(HTTPParser.RESPONSE, notification);
  const theirRequest = parseWith(HTTPParser.REQUEST, subscribe);
  const ownText = () => decodeResponse(notification.toString("utf8"));
  const text = { status: 202, fields, body: record };
  const theirs = "http-parser-js";
  return [
    await compare("control: decode 202, itself twice", ownText, ownText, pairs),
    await compare(`decode 202, text frame / ${theirs}`, ownText, theirResponse, pairs, 1),
    await compare(`decode 202, binary frame / ${theirs}`, () => decodeResponse(notification), theirResponse, pairs, 1),
    await compare(
      `decode SUBSCRIBE, text frame / ${theirs}`,
      () => decodeRequest(subscribe.toString("utf8")),
      theirRequest,
      pairs,
      1,
    ),
    await compare("encode 202 / decode 202", () => encodeResponse(text), ownText, pairs),
  ];
}

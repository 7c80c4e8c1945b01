import { describe, expect, it } from "vitest";
import {
  type Body,
  decodeRequest,
  decodeResponse,
  fieldValue,
  type HttpRequest,
  type HttpResponse,
  ProtocolError,
} from "../../src/protocol/index.ts";
import { bytesOfText, Chance, grammarMessage, mutatedBytes, mutatedText } from "./generators.ts";
import { type NodeMessage, readRequest, readResponse } from "./node-parser.ts";
import { dataOf, messageVectors } from "./vectors.ts";

const wanted = 3_000;
const methods = new Set(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "SUBSCRIBE", "UNSUBSCRIBE"]);

function decoded<Message>(decode: (data: Body) => Message, data: Body): Message | undefined {
  try {
    return decode(data);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

function bodyBytes(body: Body): Buffer {
  return typeof body === "string" ? Buffer.from(body, "utf8") : Buffer.from(body);
}

/** The message's head as it came, with CRLF for line ends and more fields at its end, then its body. */
function normalised(data: Body, message: HttpRequest | HttpResponse, more: readonly string[]): Buffer {
  const all = Buffer.from(typeof data === "string" ? bytesOfText(data) : data);
  const body = bodyBytes(message.body);
  const head = all
    .subarray(0, all.length - body.length)
    .toString("latin1")
    .replace(/\r?\n/g, "\r\n");
  const grown = `${head.slice(0, -2)}${more.map((line) => `${line}\r\n`).join("")}\r\n`;
  return Buffer.concat([Buffer.from(grown, "latin1"), body]);
}

/** What Node must have read: our fields and those that were added, the body's bytes. */
function expected(
  start: readonly [string | number, string],
  { fields, body }: HttpRequest | HttpResponse,
  more: readonly string[],
): NodeMessage {
  const rawFields = [...fields.flat(), ...more.flatMap((line) => line.split(": "))];
  return { start, rawFields, body: bodyBytes(body) };
}

function checkRequest(data: Body): Promise<void> | undefined {
  const message = decoded(decodeRequest, data);
  if (!message || !methods.has(message.method)) return undefined;
  const more: string[] = [];
  if (fieldValue(message.fields, "host") === undefined) more.push("Host: example.com");
  const { length } = bodyBytes(message.body);
  if (fieldValue(message.fields, "content-length") === undefined && length > 0) more.push(`Content-Length: ${length}`);
  return readRequest(normalised(data, message, more)).then((read) => {
    expect({ data, read }).toEqual({ data, read: expected([message.method, message.target], message, more) });
  });
}

function checkResponse(data: Body): Promise<void> | undefined {
  const message = decoded(decodeResponse, data);
  if (!message) return undefined;
  return readResponse(normalised(data, message, [])).then((read) => {
    expect({ data, read }).toEqual({ data, read: expected([message.status, message.reason], message, []) });
  });
}

function candidate(chance: Chance, kind: "request" | "response"): Body {
  switch (chance.below(4)) {
    case 0:
      return mutatedText(chance);
    case 1:
      return mutatedBytes(chance);
    case 2:
      return bytesOfText(grammarMessage(chance, kind, 30));
    default:
      return grammarMessage(chance, kind, 30);
  }
}

async function compare(kind: "request" | "response", check: (data: Body) => Promise<void> | undefined): Promise<void> {
  for (const vector of messageVectors) await check(dataOf(vector));
  const chance = new Chance(kind === "request" ? 91 : 92);
  let compared = 0;
  while (compared < wanted) {
    const comparison = check(candidate(chance, kind));
    if (comparison === undefined) continue;
    await comparison;
    compared += 1;
  }
  expect(compared).toBe(wanted);
}

describe("Node's own parser", () => {
  it("accepts each request that is accepted here, with the same fields [R-MSG-5] [R-MSG-8]", async () => {
    await compare("request", checkRequest);
  }, 120_000);

  it("accepts each response that is accepted here, with the same fields [R-MSG-6] [R-MSG-8]", async () => {
    await compare("response", checkResponse);
  }, 120_000);
});

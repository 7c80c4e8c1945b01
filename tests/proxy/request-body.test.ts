import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { RequestBody } from "../../src/proxy/request-body.ts";

/** A request's end in this process, which gives what is written to it piece by piece. */
function createRequest(): PassThrough & IncomingMessage {
  const request = new PassThrough() as unknown as PassThrough & IncomingMessage;
  Object.assign(request, { socket: new PassThrough(), headers: {}, complete: true });
  return request;
}

/** What a body is read as. */
async function piecesOf(body: RequestBody): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(piece as Buffer);
  return pieces;
}

test("A body of one-byte chunks is passed on in few pieces, whole and in order [R-SEC-5]", async () => {
  const request = createRequest();
  const body = new RequestBody(request);
  const sent = Buffer.from(Array.from({ length: 30_000 }, (_, at) => at % 251));
  for (const byte of sent) request.write(Buffer.of(byte));
  request.end();
  const pieces = await piecesOf(body);
  expect(Buffer.concat(pieces)).toEqual(sent);
  expect(pieces.length).toBeLessThan(sent.length / 50);
});

test("Small chunks between large ones keep their place [R-SEC-5]", async () => {
  const request = createRequest();
  const body = new RequestBody(request);
  const sent = Array.from({ length: 200 }, (_, at) => Buffer.alloc(at % 20 === 19 ? 5_000 : 1, at));
  for (const piece of sent) request.write(piece);
  request.end();
  expect(Buffer.concat(await piecesOf(body))).toEqual(Buffer.concat(sent));
});

test("The first small chunks are passed on as they come: a stream of lines is not held up", async () => {
  const request = createRequest();
  const body = new RequestBody(request);
  const pieces = body[Symbol.asyncIterator]();
  for (let at = 0; at < 40; at += 1) {
    request.write(`line ${at}\n`);
    expect(String((await pieces.next()).value)).toBe(`line ${at}\n`);
  }
});

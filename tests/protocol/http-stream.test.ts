import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeResponse, encodeHttpPart, encodeResponse, HttpStreamDecoder } from "../../src/protocol/index.ts";
import { cut, oneByOne, places } from "./pieces.ts";
import { bytesOf, dataOf, httpPartVectors, httpStreamVectors } from "./vectors.ts";

const runs = { numRuns: 1_000, seed: 9112 };
const good = httpStreamVectors.filter(({ messages }) => messages !== undefined);
const bad = httpStreamVectors.filter(({ closeCode }) => closeCode !== undefined);

function readAll(pieces: readonly Uint8Array[], decoder = new HttpStreamDecoder()): unknown[] {
  return pieces.flatMap((piece) => decoder.decode(piece));
}

describe("an HTTP stream", () => {
  it.each(good)("with $name is read, in one piece and byte by byte [$requirement]", ({ hex, messages = [] }) => {
    const expected = messages.map(({ bodyHex = "", ...rest }) => ({ ...rest, body: bytesOf(bodyHex) }));
    expect(readAll([bytesOf(hex)])).toEqual(expected);
    expect(readAll(oneByOne(bytesOf(hex)))).toEqual(expected);
  });

  it.each(bad)("with $name is refused [$requirement]", ({ hex, closeCode }) => {
    const refusal = expect.objectContaining({ name: "ProtocolError", closeCode });
    expect(() => readAll([bytesOf(hex)])).toThrow(refusal);
    expect(() => readAll(oneByOne(bytesOf(hex)))).toThrow(refusal);
  });

  it.each(httpPartVectors)("has a message with $name in its own form [$requirement]", (vector) => {
    expect(Buffer.from(encodeHttpPart(dataOf(vector))).toString("hex")).toBe(vector.part);
  });

  it("gives back each message as it was sent, wherever it is cut [R-STR-9] [R-STR-10]", () => {
    const body = fc.oneof(fc.string({ unit: "binary", maxLength: 20 }), fc.uint8Array({ maxLength: 20 }));
    const status = fc.integer({ min: 200, max: 599 });
    const message = fc.record({ status, body, value: fc.constantFrom("", "a", "\u00e4 b") });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), places, (messages, at) => {
        const frames = messages.map((one) => {
          const hasBody = one.status !== 204 && one.status !== 304;
          return encodeResponse({ status: one.status, fields: [["A", one.value]], body: hasBody ? one.body : "" });
        });
        const read = new HttpStreamDecoder();
        const got = cut(Buffer.concat(frames.map(encodeHttpPart)), at).flatMap((piece) => read.decode(piece));
        const sent = frames.map((frame) => decodeResponse(frame));
        const plain = ({ status: code, reason, body: content }: (typeof sent)[number]): unknown => {
          return [code, reason, Buffer.from(typeof content === "string" ? content.toWellFormed() : content)];
        };
        expect(got.map(plain)).toEqual(sent.map(plain));
        expect(got.map(({ fields }) => fields[0])).toEqual(sent.map(({ fields }) => fields[0]));
      }),
      runs,
    );
  });

  it("is bounded in heads and bodies [R-STR-10] [R-MSG-16]", () => {
    const limits = { maxStartLineBytes: 30, maxFields: 2, maxHeadBytes: 60, maxBodyBytes: 3 };
    const tooLarge = expect.objectContaining({ name: "ProtocolError", closeCode: 1009 });
    const read = (text: string): unknown[] => readAll([Buffer.from(text)], new HttpStreamDecoder(limits));
    expect(read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")).toHaveLength(1);
    for (const stream of [
      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA: 1\r\nB: 1\r\nContent-Length: 0\r\n\r\n",
      `HTTP/1.1 200 OK\r\nA: ${"a".repeat(60)}`,
      "\r".repeat(61),
      `HTTP/1.1 200 ${"O".repeat(30)}\r\nContent-Length: 0\r\n\r\n`,
    ]) {
      expect(() => read(stream)).toThrow(tooLarge);
    }
  });

  it("that comes byte by byte is read in time that grows with its length [R-SEC-8]", () => {
    const length = 400_000;
    const part = encodeHttpPart(encodeResponse({ status: 200, fields: [], body: "a".repeat(length) }));
    expect(readAll(oneByOne(part))).toMatchObject([{ status: 200, body: { length } }]);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Body,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  type Field,
  ProtocolError,
  utf8Length,
} from "../../src/protocol/index.ts";
import { dataOf, messageVectors } from "./vectors.ts";

const runs = { numRuns: 2_000, seed: 2013 };
const framing = new Set(["te", "host", "upgrade", "trailer", "connection", "content-length", "transfer-encoding"]);

const tokenCharacter = fc.constantFrom(..."!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz");
const token = fc.string({ unit: tokenCharacter, minLength: 1, maxLength: 12 });
const valueCharacter = fc.oneof(
  fc.integer({ min: 0x20, max: 0x7e }),
  fc.integer({ min: 0x80, max: 0xff }),
  fc.constant(0x09),
);
const value = fc
  .array(valueCharacter, { maxLength: 24 })
  .map((codes) => String.fromCharCode(...codes).replace(/^[ \t]+|[ \t]+$/g, ""));
const field: fc.Arbitrary<Field> = fc.tuple(
  token.filter((name) => !framing.has(name.toLowerCase())),
  value,
);
const fields = fc.array(field, { maxLength: 6 });
const text = fc.string({ unit: "binary", maxLength: 40 });
const body: fc.Arbitrary<Body> = fc.oneof(text, fc.uint8Array({ maxLength: 40 }));
const target = fc.string({ unit: "grapheme-ascii", maxLength: 20 }).map((path) => `/${path.replace(/[^!-~]|#/g, "")}`);
const status = fc.integer({ min: 200, max: 599 }).filter((code) => code !== 204 && code !== 304);

describe("the codec", () => {
  it("gives each request back as it was encoded, in a frame of its body's kind [R-MSG-1] [R-MSG-2]", () => {
    fc.assert(
      fc.property(fc.record({ method: token, target, fields, body }), (message) => {
        const data = encodeRequest(message);
        expect(typeof data).toBe(typeof message.body);
        expect(decodeRequest(data)).toEqual(message);
      }),
      runs,
    );
  });

  it("gives each response back as it was encoded, in a frame of its body's kind [R-MSG-1] [R-MSG-2]", () => {
    fc.assert(
      fc.property(fc.record({ status, reason: value, fields, body }), (message) => {
        const data = encodeResponse(message);
        expect(typeof data).toBe(typeof message.body);
        expect(decodeResponse(data)).toEqual(message);
      }),
      runs,
    );
  });

  it("takes the Content-Length of exactly its body's bytes [R-MSG-10]", () => {
    fc.assert(
      fc.property(text, fc.integer({ min: -2, max: 2 }), (content, off) => {
        const length = Buffer.byteLength(content.toWellFormed());
        expect(utf8Length(content)).toBe(length);
        const data = `HTTP/1.1 200 OK\r\nContent-Length: ${length + off}\r\n\r\n${content}`;
        const decode = (): Body => decodeResponse(data).body;
        if (off === 0) expect(decode()).toBe(content);
        else expect(decode).toThrow(ProtocolError);
      }),
      runs,
    );
  });

  it("refuses and never writes a character that a field can't hold, wherever it stands [R-MSG-9] [R-MSG-13]", () => {
    const refused = fc.oneof(
      fc.integer({ min: 0, max: 0x1f }).filter((code) => code !== 0x09),
      fc.constant(0x7f),
      fc.integer({ min: 0x100, max: 0xffff }),
    );
    fc.assert(
      fc.property(value, value, refused, (before, after, code) => {
        const bad = `x${before}${String.fromCharCode(code)}${after}x`;
        expect(() => encodeResponse({ status: 200, fields: [["A", bad]] })).toThrow(TypeError);
        expect(() => encodeRequest({ method: "GET", target: "/", fields: [["A", bad]] })).toThrow(TypeError);
        expect(() => encodeResponse({ status: 200, reason: bad, fields: [] })).toThrow(TypeError);
        // A line feed ends the line; what follows it is then no field.
        const read = (): unknown => decodeResponse(`HTTP/1.1 200 OK\r\nA: ${bad.replace("\n", "\n ")}\r\n\r\n`);
        expect(read).toThrow(ProtocolError);
      }),
      runs,
    );
  });

  it("refuses and never writes a name or method that is no token [R-MSG-7] [R-MSG-13]", () => {
    const other = fc.integer({ min: 0, max: 0x17f }).map((code) => String.fromCharCode(code));
    const refused = other.filter((character) => !/[!#$%&'*+\-.^_`|~0-9A-Za-z:]/.test(character));
    fc.assert(
      fc.property(token, token, refused, (before, after, character) => {
        const bad = before + character + after;
        expect(() => encodeResponse({ status: 200, fields: [[bad, "1"]] })).toThrow(TypeError);
        expect(() => encodeRequest({ method: bad, target: "/", fields: [] })).toThrow(TypeError);
        expect(() => decodeResponse(`HTTP/1.1 200 OK\r\n${bad}: 1\r\n\r\n`)).toThrow(ProtocolError);
        expect(() => decodeRequest(`${bad} / HTTP/1.1\r\n\r\n`)).toThrow(ProtocolError);
      }),
      runs,
    );
  });
});

/** The places in a message before which nothing may be accepted: its head and, with a Content-Length, its body. */
function shortest(data: Body, content: Body, hasLength: boolean): number {
  return hasLength ? data.length : data.length - content.length;
}

describe("a message that was cut", () => {
  const good = messageVectors.filter(({ expect: message }) => message !== undefined);

  it.each(good)("anywhere in its head is refused: $name [R-MSG-1] [R-MSG-3]", (vector) => {
    const data = dataOf(vector);
    const decode: (part: Body) => { readonly body: Body } = vector.kind === "request" ? decodeRequest : decodeResponse;
    const hasLength = vector.expect?.fields.some(([name]) => name.toLowerCase() === "content-length") ?? false;
    const whole = shortest(data, decode(data).body, hasLength);
    for (let end = 0; end < data.length; end += 1) {
      const read = (): Body => decode(data.slice(0, end)).body;
      if (end < whole) expect(read).toThrow(ProtocolError);
      else expect(read()).toEqual(data.slice(whole, end));
    }
  });

  it.each(good)("and whose rest came alone is refused, or another message: $name [R-MSG-3]", (vector) => {
    const data = dataOf(vector);
    const decode = vector.kind === "request" ? decodeRequest : decodeResponse;
    for (let start = 1; start < data.length; start += 1) {
      const rest = data.slice(start);
      const isMessage = typeof rest === "string" && /^[A-Z]+ \/\S* HTTP\/1\.1\r?\n/.test(rest);
      if (!isMessage && typeof rest === "string") expect(() => decode(rest)).toThrow(ProtocolError);
      else if (typeof rest !== "string" && start > 12) expect(() => decode(rest)).toThrow(ProtocolError);
    }
  });
});

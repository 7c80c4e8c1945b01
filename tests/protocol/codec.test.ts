import { describe, expect, it } from "vitest";
import {
  type Body,
  clientLimits,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  type Field,
  fieldValue,
  isBannedField,
  serverLimits,
} from "../../src/protocol/index.ts";

const kibibyte = 1024;
const tooLarge = expect.objectContaining({ name: "ProtocolError", closeCode: 1009 });
const malformed = expect.objectContaining({ name: "ProtocolError", closeCode: 1002 });

/** The same message as a text and as bytes. */
function bothKinds(text: string): Body[] {
  return [text, new TextEncoder().encode(text)];
}

/** A request whose request line, without its line end, has `length` octets. */
function withStartLine(length: number): string {
  return `GET /${"a".repeat(length - "GET / HTTP/1.1".length)} HTTP/1.1\r\n\r\n`;
}

/** A request whose head, empty line included, has `length` octets. */
function withHead(length: number): string {
  const rest = "GET / HTTP/1.1\r\nA: \r\n\r\n".length;
  return `GET / HTTP/1.1\r\nA: ${"a".repeat(length - rest)}\r\n\r\n`;
}

describe("the bounds", () => {
  it("of a text's head are counted in characters, each of which stands for an octet [R-MSG-16]", () => {
    const text = withHead(16 * kibibyte).replace("aa", "\u00e4\u00e4");
    expect(decodeRequest(text).fields).toHaveLength(1);
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    expect(decodeRequest(bytes).fields).toEqual(decodeRequest(text).fields);
    expect(() => decodeRequest(text.replace("aa", "aaa"))).toThrow(tooLarge);
  });

  it("leave blanks around a value out of it, in an encoder's hands, too [R-MSG-8] [R-MSG-13]", () => {
    const text = encodeResponse({ status: 200, fields: [["X-A", " \ta b\t "]] });
    expect(decodeResponse(text).fields).toEqual([["X-A", "a b"]]);
  });

  it("of a server and a client are as announced [R-MSG-15]", () => {
    const head = { maxStartLineBytes: 8 * kibibyte, maxFields: 64, maxHeadBytes: 16 * kibibyte };
    expect(serverLimits).toEqual({ ...head, maxBodyBytes: kibibyte ** 2 });
    expect(clientLimits).toEqual({ ...head, maxBodyBytes: 64 * kibibyte ** 2 });
  });

  it.each([
    ["start line", withStartLine(8 * kibibyte), withStartLine(8 * kibibyte + 1)],
    ["head", withHead(16 * kibibyte), withHead(16 * kibibyte + 1)],
    [
      "number of fields",
      `GET / HTTP/1.1\r\n${"A: 1\r\n".repeat(64)}\r\n`,
      `GET / HTTP/1.1\r\n${"A: 1\r\n".repeat(65)}\r\n`,
    ],
    [
      "body",
      `POST / HTTP/1.1\r\n\r\n${"a".repeat(kibibyte ** 2)}`,
      `POST / HTTP/1.1\r\n\r\n${"a".repeat(kibibyte ** 2 + 1)}`,
    ],
    [
      "body beyond ASCII",
      `POST / HTTP/1.1\r\n\r\n${"\u00e4".repeat(kibibyte ** 2 / 2)}`,
      `POST / HTTP/1.1\r\n\r\n${"\u00e4".repeat(kibibyte ** 2 / 2)}a`,
    ],
  ])("let a %s in up to the last byte, and close with 1009 beyond [R-MSG-15] [R-MSG-16]", (_, largest, larger) => {
    for (const data of bothKinds(largest)) expect(decodeRequest(data).method).toMatch(/GET|POST/);
    for (const data of bothKinds(larger)) expect(() => decodeRequest(data)).toThrow(tooLarge);
  });

  it("hold for a head that never ends [R-MSG-15] [R-MSG-16]", () => {
    for (const data of bothKinds("a".repeat(kibibyte ** 2))) expect(() => decodeRequest(data)).toThrow(tooLarge);
    for (const data of bothKinds(`GET / HTTP/1.1\r\n${"A: 1\r\n".repeat(60)}A: ${"a".repeat(kibibyte ** 2)}`)) {
      expect(() => decodeRequest(data)).toThrow(tooLarge);
    }
  });

  it("may be set by who decodes [R-MSG-15]", () => {
    const limits = { maxStartLineBytes: 20, maxFields: 1, maxHeadBytes: 40, maxBodyBytes: 3 };
    expect(decodeResponse("HTTP/1.1 200 OK\r\nA: 1\r\n\r\nabc", limits).body).toBe("abc");
    expect(() => decodeResponse("HTTP/1.1 200 OK\r\nA: 1\r\n\r\nabcd", limits)).toThrow(tooLarge);
    expect(() => decodeResponse("HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\n\r\n", limits)).toThrow(tooLarge);
  });

  it("of a client let a body of 2 MiB in, which a server's do not [R-MSG-15]", () => {
    const content = "a".repeat(2 * kibibyte ** 2);
    expect(decodeResponse(`HTTP/1.1 200 OK\r\n\r\n${content}`).body).toHaveLength(content.length);
    expect(() => decodeRequest(`POST / HTTP/1.1\r\n\r\n${content}`)).toThrow(tooLarge);
  });
});

describe("the encoder", () => {
  it("writes a request with nothing but what it is given [R-MSG-1] [R-MSG-4]", () => {
    const fields: Field[] = [["Request-ID", "7"]];
    const expected = "SUBSCRIBE /artists?a=b HTTP/1.1\r\nRequest-ID: 7\r\n\r\n";
    expect(encodeRequest({ method: "SUBSCRIBE", target: "/artists?a=b", fields })).toBe(expected);
  });

  it("writes the status' own reason unless another is given [R-MSG-6]", () => {
    expect(encodeResponse({ status: 201, fields: [] })).toBe("HTTP/1.1 201 Created\r\n\r\n");
    expect(encodeResponse({ status: 201, reason: "", fields: [] })).toBe("HTTP/1.1 201 \r\n\r\n");
    expect(encodeResponse({ status: 299, fields: [] })).toBe("HTTP/1.1 299 \r\n\r\n");
  });

  it("writes bytes where the body is bytes, an empty body too [R-MSG-2]", () => {
    const fields: Field[] = [["A", "\u00e4"]];
    const head = Buffer.from("HTTP/1.1 200 OK\r\nA: \u00e4\r\n\r\n", "latin1");
    expect(encodeResponse({ status: 200, fields, body: Uint8Array.of() })).toEqual(new Uint8Array(head));
    expect(encodeResponse({ status: 200, fields, body: Uint8Array.of(0, 255) })).toEqual(
      new Uint8Array([...head, 0, 255]),
    );
  });

  it.each([
    ["a field that would be split", "A", "1\r\nB: 2"],
    ["a line feed", "A", "1\n"],
    ["NUL", "A", "\0"],
    ["a character beyond U+00FF", "A", "\u20ac"],
    ["an empty name", "", "1"],
    ["a name with a space", "A ", "1"],
    ["a name with a line end", "A\r\nB", "1"],
    ["Transfer-Encoding", "Transfer-Encoding", "chunked"],
    ["Connection", "connection", "close"],
    ["a hop-by-hop field whose value looks like a length", "TE", "2"],
    ["a Content-Length that is too short", "Content-Length", "1"],
    ["a Content-Length that is no number", "Content-Length", "two"],
    ["a line end in the name", "A: 1\r\nB", "2"],
  ])("throws on %s, and does not make it fit [R-MSG-10] [R-MSG-11] [R-MSG-13]", (_, name, value) => {
    expect(() => encodeResponse({ status: 200, fields: [[name, value]], body: "{}" })).toThrow(TypeError);
    expect(() => encodeRequest({ method: "GET", target: "/", fields: [[name, value]], body: "{}" })).toThrow(TypeError);
  });

  it.each(["", "artists", "*", "http://a/", "/a b", "/#a", "/\u00e4", "/\r\n"])(
    "throws on the target %j [R-MSG-5] [R-MSG-13]",
    (target) => {
      expect(() => encodeRequest({ method: "GET", target, fields: [] })).toThrow(TypeError);
    },
  );

  it.each([0, 101, 199, 600, 200.5, Number.NaN])("throws on the status %d [R-MSG-6]", (status) => {
    expect(() => encodeResponse({ status, fields: [] })).toThrow(RangeError);
  });

  it("throws on a second Content-Length or Host, which no decoder takes [R-MSG-10]", () => {
    for (const name of ["Content-Length", "host"]) {
      const fields: Field[] = [name, name.toUpperCase()].map((one) => [one, "0"]);
      expect(() => encodeRequest({ method: "GET", target: "/", fields })).toThrow(TypeError);
      expect(() => decodeRequest(`GET / HTTP/1.1\r\n${name}: 0\r\n${name}: 0\r\n\r\n`)).toThrow(malformed);
    }
  });

  it("throws on a 204 or 304 with a body [R-MSG-12]", () => {
    for (const status of [204, 304]) {
      expect(() => encodeResponse({ status, fields: [], body: "x" })).toThrow(TypeError);
      expect(encodeResponse({ status, fields: [], body: "" })).toMatch(/\r\n\r\n$/);
    }
  });

  it("names what is wrong", () => {
    const encode = (): Body => encodeResponse({ status: 200, fields: [["X-Name", "a\nb"]] });
    expect(encode).toThrow('The field "X-Name: a\\nb" has a character that it can\'t have.');
  });
});

describe("the decoder", () => {
  it("gives a body that shares the frame's bytes", () => {
    const data = new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\nabc");
    const { body } = decodeResponse(data);
    expect(body).toBeInstanceOf(Uint8Array);
    expect(body instanceof Uint8Array && body.buffer === data.buffer).toBe(true);
  });

  it("finds fields by name without case, and carries those that it does not know [R-MSG-14]", () => {
    const { fields } = decodeResponse("HTTP/1.1 200 OK\r\neVENT-id: a:1.2\r\nX-Later: 1\r\n\r\n");
    expect(fieldValue(fields, "Event-ID")).toBe("a:1.2");
    expect(fieldValue(fields, "x-later")).toBe("1");
    expect(fieldValue(fields, "none")).toBeUndefined();
  });

  it("knows the fields that a message must not have, in any case [R-MSG-11]", () => {
    for (const name of ["Transfer-Encoding", "CONNECTION", "upgrade", "Te", "Trailer"]) {
      expect(isBannedField(name)).toBe(true);
    }
    for (const name of ["Host", "Content-Length", "Tf", "Upgrades", "Content-Type"]) {
      expect(isBannedField(name)).toBe(false);
    }
  });

  it("refuses long lines in linear time, whatever they are made of [R-MSG-3]", () => {
    const length = 16_000;
    const runs = [" ", "\t ", " x", "x", `x${" ".repeat(100)}`, ":", "\r"];
    // In quadratic time these would take minutes, and not less than a second.
    for (const run of runs) {
      const value = run.repeat(length / run.length);
      for (const line of [`A:${value}\x01`, `A: x${value}\x01`, `${value}\x01`, `A:${value}`]) {
        for (const data of bothKinds(`HTTP/1.1 200 OK\r\n${line}`)) {
          for (let time = 0; time < 20; time += 1) expect(() => decodeResponse(data)).toThrow(malformed);
        }
      }
    }
  });

  it("refuses a head that only a body would complete [R-MSG-1]", () => {
    expect(() => decodeResponse("HTTP/1.1 200 OK\r\nA: 1\r\n{}\r\n\r\n")).toThrow(malformed);
  });
});

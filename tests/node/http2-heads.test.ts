import { describe, expect, it } from "vitest";
import { readHead, writtenHead } from "../../src/node/http2/heads.ts";

const get = [":method", "GET", ":path", "/a?b", ":scheme", "https", ":authority", "example.com"];

/** The text of a head. */
function textOf(raw: readonly string[], isWhole = true): string {
  const head = readHead(raw, isWhole);
  return typeof head === "number" ? String(head) : head.text;
}

describe("the head of a stream's request", () => {
  it("is written as HTTP/1.1 has it, with :authority as its Host [R-H2-3]", () => {
    const text = textOf([...get, "cookie", "a=1", "accept", "*/*", "cookie", "b=2", "host", "example.com"]);
    expect(text).toBe("GET /a?b HTTP/1.1\r\nhost: example.com\r\naccept: */*\r\ncookie: a=1; b=2\r\n\r\n");
    expect(textOf([...get, "connection", "x", "keep-alive", "y", "upgrade", "z"])).toBe(textOf(get));
  });

  it("keeps another Host beside :authority, so that it is refused as a second [R-SEC-9] [R-H2-3]", () => {
    expect(textOf([...get, "host", "evil.example"])).toContain("\r\nhost: example.com\r\nhost: evil.example\r\n");
    expect(textOf([":method", "GET", ":path", "/", "host", "example.com"])).toContain("\r\nhost: example.com\r\n");
  });

  it("says how its content is framed", () => {
    expect(readHead(get, true)).toMatchObject({ framing: "none", isHead: false });
    expect(readHead([...get, "content-length", "3"], false)).toMatchObject({ framing: "length" });
    expect(readHead(get, false)).toMatchObject({ framing: "chunks" });
    expect(textOf(get, false)).toContain("\r\ntransfer-encoding: chunked\r\n");
  });

  it("is a handshake with a key of its own where it is the extended CONNECT of a WebSocket [R-H2-1]", () => {
    const connect = [":method", "CONNECT", ":protocol", "websocket", ":path", "/a", ":authority", "example.com"];
    const text = textOf([...connect, "sec-websocket-key", "theirs", "sec-websocket-version", "13"], false);
    expect(text).toMatch(
      /^GET \/a HTTP\/1\.1\r\nhost: example\.com\r\nsec-websocket-version: 13\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: [\w+/]{22}==\r\n\r\n$/,
    );
    expect(textOf(connect)).not.toBe(textOf(connect));
  });

  it.each([
    ["a CONNECT", [":method", "CONNECT", ":authority", "a:1"], 501],
    ["a tunnel of something else", [":method", "CONNECT", ":protocol", "connect-ip", ":path", "/"], 501],
    ["a target with a line end", [":method", "GET", ":path", "/a\r\nx: y"], 400],
    ["a target with a space", [":method", "GET", ":path", "/a HTTP/1.1"], 400],
    ["no target", [":method", "GET"], 400],
    ["a method that is no token", [":method", "GET /", ":path", "/"], 400],
    ["an authority with a line end", [":method", "GET", ":path", "/", ":authority", "a\nb"], 400],
    ["a value with a line end", [...get, "x", "a\r\nb"], 400],
    ["a name that is no token", [...get, "x: y\r\nz", "1"], 400],
  ])("is refused where it is %s [R-H2-3]", (_what, raw, status) => {
    expect(readHead(raw, true)).toBe(status);
  });
});

describe("the head of an answer", () => {
  it("has neither fields of a connection nor of HTTP/1.1's handshake, and each name once [R-H2-3]", () => {
    const written = writtenHead(200, [
      ["Connection", "close"],
      ["Keep-Alive", "timeout=5"],
      ["Transfer-Encoding", "chunked"],
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Accept", "x"],
      ["Vary", "Accept"],
      ["vary", "Origin"],
      ["Set-Cookie", "a=1, 2"],
      ["Set-Cookie", "b=2"],
      ["Content-Type", "text/plain"],
    ]);
    expect(written).toEqual({
      ":status": 200,
      vary: "Accept, Origin",
      "set-cookie": ["a=1, 2", "b=2"],
      "content-type": "text/plain",
    });
  });
});

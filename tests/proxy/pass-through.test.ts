import { describe, expect, it } from "vitest";
import { type Echo, echo, valuesOf } from "./echo.ts";
import { proxied, Wire } from "./setting.ts";

describe("the proxy", () => {
  it.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])(
    "passes a %s on with its body and query",
    async (method) => {
      const { url } = await proxied(echo());
      const answer = await fetch(`${url}/a%20b?x=1&x=%zz`, { method, body: "hello" });
      const got = (await answer.json()) as Echo;
      expect({ method: got.method, url: got.url, body: got.body }).toEqual({
        method,
        url: "/a%20b?x=1&x=%zz",
        body: "hello",
      });
    },
  );

  it("passes a body in chunks on, without its length", async () => {
    const { port } = await proxied(echo());
    const wire = new Wire(port).send(
      "POST / HTTP/1.1",
      "Host: localhost",
      "Transfer-Encoding: chunked",
      "Connection: close",
      "",
      "3",
      "abc",
      "2",
      "de",
      "0",
      "",
      "",
    );
    expect(await wire.ended()).toContain('"body":"abcde"');
  });

  it("keeps fields, their case, order and repeats, and removes those of one hop (RFC 9110 §7.6.1)", async () => {
    const { port } = await proxied(echo());
    const wire = new Wire(port).send(
      "GET / HTTP/1.1",
      "Host: localhost:1",
      "X-Twice: a",
      "x-TWICE: b",
      "X-Hop: secret",
      "Keep-Alive: timeout=1",
      "TE: trailers, deflate",
      "Proxy-Connection: keep-alive",
      "Connection: close, X-Hop, Host",
      "Cookie: a=1; b=2",
      "",
      "",
    );
    const got = JSON.parse((await wire.ended()).split("\r\n\r\n")[1]?.replace(/^[^{]*|[^}]*$/g, "") ?? "") as Echo;
    expect(got.fields.slice(0, 4)).toEqual(["host", "localhost:1", "connection", "keep-alive"]);
    expect(got.fields.slice(4, 12)).toEqual(["X-Twice", "a", "x-TWICE", "b", "TE", "trailers", "Cookie", "a=1; b=2"]);
    expect(["x-hop", "keep-alive", "proxy-connection"].flatMap((name) => valuesOf(got, name))).toEqual([]);
  });

  it("says who asked in Forwarded and X-Forwarded-*, and believes no client", async () => {
    const { url, port } = await proxied(echo());
    const headers = {
      Forwarded: "for=evil",
      "X-Forwarded-For": "evil",
      "X-Forwarded-Proto": "https",
      "X-Real-IP": "evil",
    };
    const got = (await (await fetch(url, { headers })).json()) as Echo;
    expect(valuesOf(got, "forwarded")).toEqual([`for=127.0.0.1;host="127.0.0.1:${port}";proto=http`]);
    expect(valuesOf(got, "x-forwarded-for")).toEqual(["127.0.0.1"]);
    expect(valuesOf(got, "x-forwarded-host")).toEqual([`127.0.0.1:${port}`]);
    expect(valuesOf(got, "x-forwarded-proto")).toEqual(["http"]);
    expect(valuesOf(got, "x-real-ip")).toEqual([]);
    expect(valuesOf(got, "via")).toEqual([expect.stringMatching(/^1\.1 rocket-[\da-f]{12}$/)]);
  });

  it("adds to Forwarded and X-Forwarded-* where trustForwarded is set", async () => {
    const { url, port } = await proxied(echo(), { trustForwarded: true });
    const headers = {
      Forwarded: "for=192.0.2.1;proto=https",
      "X-Forwarded-For": "192.0.2.1",
      "X-Forwarded-Proto": "https",
    };
    const got = (await (await fetch(url, { headers })).json()) as Echo;
    const own = `for=127.0.0.1;host="127.0.0.1:${port}";proto=http`;
    expect(valuesOf(got, "forwarded")).toEqual([`for=192.0.2.1;proto=https, ${own}`]);
    expect(valuesOf(got, "x-forwarded-for")).toEqual(["192.0.2.1, 127.0.0.1"]);
    expect(valuesOf(got, "x-forwarded-proto")).toEqual(["https"]);
  });

  it.each([
    ["keep", /^127\.0\.0\.1:\d+$/, true],
    ["upstream", /^127\.0\.0\.1:\d+$/, false],
  ] as const)("sends the Host that hostField says: %s", async (hostField, pattern, isClients) => {
    const { url, port } = await proxied(echo(), { hostField });
    const got = (await (await fetch(url)).json()) as Echo;
    const [host = ""] = valuesOf(got, "host");
    expect(host).toMatch(pattern);
    expect(host === `127.0.0.1:${port}`).toBe(isClients);
  });

  it("passes status, reason, fields and cookies of an answer on, and follows no redirect", async () => {
    const { port } = await proxied((_, response) => {
      response.sendDate = false;
      response.writeHead(307, "Over There", [
        ["Location", "http://elsewhere.example/"],
        ["Set-Cookie", "a=1"],
        ["set-COOKIE", "b=2"],
        ["X-Hop", "1"],
        ["Connection", "X-Hop"],
        ["Content-Encoding", "gzip"],
        ["Content-Length", "3"],
      ]);
      response.end("abc");
    });
    const wire = new Wire(port).send("GET / HTTP/1.1", "Host: localhost", "Connection: close", "", "");
    expect(await wire.ended()).toBe(
      "HTTP/1.1 307 Over There\r\nLocation: http://elsewhere.example/\r\nSet-Cookie: a=1\r\nset-COOKIE: b=2\r\n" +
        "Content-Encoding: gzip\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
    );
  });

  it.each([
    ["HEAD", 200, "Content-Length: 1234"],
    ["GET", 304, 'ETag: "a"'],
    ["GET", 304, "Content-Length: 1234"],
    ["GET", 204, "X-Nothing: 1"],
  ])("passes an answer without a body on: %s %i", async (method, status, line) => {
    const { port } = await proxied((_, response) => {
      const [name = "", value = ""] = line.split(": ");
      response.writeHead(status, { [name]: value }).end();
    });
    const start = `${method} / HTTP/1.1`;
    const wire = new Wire(port).send(
      start,
      "Host: localhost",
      "",
      start,
      "Host: localhost",
      "Connection: close",
      "",
      "",
    );
    const text = await wire.ended();
    expect(text.split(`HTTP/1.1 ${status}`).length).toBe(3);
    expect(text.split(line).length).toBe(3);
  });
});

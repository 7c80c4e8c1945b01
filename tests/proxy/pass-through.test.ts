import { request } from "node:http";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { deferred, listen, proxied, proxy, upstream, Wire } from "./setting.ts";

const echo = (): Parameters<typeof proxied>[0] => (incoming, response) => {
  const parts: Buffer[] = [];
  incoming.on("data", (part: Buffer) => parts.push(part));
  incoming.on("end", () => {
    const body = Buffer.concat(parts).toString();
    response.end(JSON.stringify({ method: incoming.method, url: incoming.url, fields: incoming.rawHeaders, body }));
  });
};

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly fields: readonly string[];
  readonly body: string;
}

function valuesOf({ fields }: Echo, name: string): string[] {
  return fields.filter((_, at) => at % 2 === 1 && fields[at - 1]?.toLowerCase() === name);
}

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

  it("passes trailers on, both ways", async () => {
    const { port } = await proxied((incoming, response) => {
      incoming.resume().on("end", () => {
        response.writeHead(200, { Trailer: "X-Sum" });
        response.write("abc");
        response.addTrailers([["X-Sum", `got ${incoming.trailers["x-check"]}`]]);
        response.end();
      });
    });
    const wire = new Wire(port).send(
      "POST / HTTP/1.1",
      "Host: localhost",
      "Transfer-Encoding: chunked",
      "Trailer: X-Check",
      "Connection: close",
      "",
      "3",
      "abc",
      "0",
      "X-Check: 42",
      "",
      "",
    );
    expect(await wire.ended()).toMatch(/Trailer: X-Sum\r\n[\s\S]*3\r\nabc\r\n0\r\nX-Sum: got 42\r\n\r\n$/);
  });

  it("asks the upstream before a client that expects 100 sends its body", async () => {
    const { port } = await proxied(echo());
    const wire = new Wire(port).send(
      "POST / HTTP/1.1",
      "Host: localhost",
      "Content-Length: 5",
      "Expect: 100-continue",
      "",
      "",
    );
    expect(await wire.until("\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    wire.send("hello");
    expect(await wire.until('"body":"hello"')).toContain("HTTP/1.1 200 OK");
  });

  it("passes the upstream's refusal of an expectation on, and ends the connection", async () => {
    const { server, url: origin } = await upstream(() => {});
    server.on("checkContinue", (_, response) => response.writeHead(413).end());
    const { port } = await proxy(origin);
    const wire = new Wire(port).send(
      "POST / HTTP/1.1",
      "Host: localhost",
      "Content-Length: 5",
      "Expect: 100-continue",
      "",
      "",
    );
    expect(await wire.ended()).toMatch(/^HTTP\/1\.1 413 Payload Too Large\r\n/);
  });

  it("passes early hints on, with all their fields", async () => {
    const { port } = await proxied((_, response) => {
      response.writeEarlyHints({ link: "</a.css>; rel=preload", "x-hint": "1" });
      response.end("abc");
    });
    const wire = new Wire(port).send("GET / HTTP/1.1", "Host: localhost", "Connection: close", "", "");
    expect(await wire.ended()).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\nx-hint: 1\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
    );
  });

  it("passes an answer on that ends with its connection", async () => {
    const { url: origin } = await listen(
      createServer((socket) => {
        socket.once("data", () => socket.end("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end"));
      }),
    );
    const { url } = await proxy(origin);
    expect(await (await fetch(url)).text()).toBe("until the end");
  });

  it("answers HTTP/1.0 clients as they understand it", async () => {
    const { port } = await proxied((_, response) => {
      response.writeEarlyHints({ link: "</a.css>; rel=preload" });
      response.write("abc");
      response.end("def");
    });
    const wire = new Wire(port).send("GET / HTTP/1.0", "Host: localhost", "", "");
    expect(await wire.ended()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nabcdef$/);
  });

  it("uses connections again, both to clients and to the upstream", async () => {
    const ports = new Set<number | undefined>();
    const { port } = await proxied((incoming, response) => {
      ports.add(incoming.socket.remotePort);
      response.end("a");
    });
    const wire = new Wire(port);
    for (let turn = 1; turn <= 5; turn += 1) {
      wire.send("GET / HTTP/1.1", "Host: localhost", "", "");
      await wire.until(
        new RegExp(`(?:HTTP/1.1 200[\\s\\S]*?\\r\\na\\r\\n0\\r\\n\\r\\n|HTTP/1.1 200[\\s\\S]*?\\r\\n\\r\\na){${turn}}`),
      );
    }
    expect(ports.size).toBe(1);
  });

  it("passes the head of an event stream on before there is an event, and each event at once", async () => {
    const { promise, resolve } = deferred<(text: string) => void>();
    const { port } = await proxied((_, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.flushHeaders();
      resolve((text) => response.write(text));
    });
    const wire = new Wire(port).send("GET /events HTTP/1.1", "Host: localhost", "Accept: text/event-stream", "", "");
    const write = await promise;
    await wire.until("\r\n\r\n");
    write("data: 1\n\n");
    await wire.until("data: 1\n\n");
    write("data: 2\n\n");
    expect(await wire.until("data: 2\n\n")).toContain("Content-Type: text/event-stream");
  });

  it("takes a target in absolute form, if it names the Host", async () => {
    const { port } = await proxied(echo());
    const wire = new Wire(port).send(
      "GET http://localhost/a?b HTTP/1.1",
      "Host: localhost",
      "Connection: close",
      "",
      "",
    );
    expect(await wire.ended()).toContain('"url":"/a?b"');
    const other = new Wire(port).send("GET http://evil/a HTTP/1.1", "Host: localhost", "Connection: close", "", "");
    expect(await other.ended()).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("passes OPTIONS * on", async () => {
    const { port } = await proxied(echo());
    const wire = new Wire(port).send("OPTIONS * HTTP/1.1", "Host: localhost", "Connection: close", "", "");
    expect(await wire.ended()).toContain('"url":"*"');
  });

  it("ends a loop that leads back to itself with 508", async () => {
    const { url: inner } = await upstream((incoming, response) => {
      const again = request(back, { headers: incoming.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500);
        answer.pipe(response);
      });
      again.end();
    });
    const { url: back } = await proxy(inner);
    const answer = await fetch(back);
    expect(answer.status).toBe(508);
  });
});

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer, request } from "node:http";
import { createServer } from "node:net";
import type { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { clientFields } from "../../src/proxy/fields.ts";
import { deferred, listen, proxied, proxy, upstream, Wire } from "./setting.ts";

const mebibyte = 1024 * 1024;

/** Pieces of a large body, made as they are read. */
function* pieces(count: number): Generator<Buffer> {
  for (let at = 0; at < count; at += 1) yield Buffer.alloc(64 * 1024, at % 251);
}

function digestOf(count: number): string {
  const hash = createHash("sha256");
  for (const piece of pieces(count)) hash.update(piece);
  return hash.digest("hex");
}

const large = 64 * mebibyte;

/** Writes a large body, as fast as it is taken. */
function fill(stream: Writable, count: (bytes: number) => void): void {
  let left = large;
  const write = () => {
    while (left > 0) {
      left -= 64 * 1024;
      count(64 * 1024);
      if (stream.write(Buffer.alloc(64 * 1024))) continue;
      stream.once("drain", write);
      return;
    }
  };
  write();
}

/** What was counted once it does not grow any more, however many requests are answered meanwhile. */
async function standing(url: string, count: () => number): Promise<number> {
  for (let before = -1; before !== count() || before === 0; ) {
    before = count();
    for (let turn = 0; turn < 30; turn += 1) await (await fetch(url)).text();
  }
  return count();
}

describe("the proxy's streams", () => {
  it.each(["with a length", "in chunks"])("pass 40 MiB up and down whole, %s", async (how) => {
    const count = (40 * mebibyte) / (64 * 1024);
    const { port } = await proxied((incoming, response) => {
      if (how === "with a length") response.setHeader("Content-Length", incoming.headers["content-length"] ?? "");
      incoming.pipe(response);
    });
    const headers = how === "with a length" ? { "Content-Length": 40 * mebibyte } : {};
    const outgoing = request({ port, host: "127.0.0.1", method: "POST", headers });
    const written = (async () => {
      for (const piece of pieces(count)) if (!outgoing.write(piece)) await once(outgoing, "drain");
      outgoing.end();
    })();
    const [answer] = await once(outgoing, "response");
    const hash = createHash("sha256");
    for await (const piece of answer) hash.update(piece);
    await written;
    expect(hash.digest("hex")).toBe(digestOf(count));
    expect(answer.headers["content-length"]).toBe(how === "with a length" ? `${40 * mebibyte}` : undefined);
  });

  it("stop the upstream while the client does not read", async () => {
    let sent = 0;
    const { port, url } = await proxied((incoming, response) => {
      if (incoming.url === "/ping") response.end();
      else fill(response, (bytes) => (sent += bytes));
    });
    const wire = new Wire(port);
    wire.socket.pause();
    wire.send("GET / HTTP/1.1", "Host: localhost", "", "");
    expect(await standing(`${url}/ping`, () => sent)).toBeLessThan(large / 2);
  });

  it("stop the client while the upstream does not read", async () => {
    let sent = 0;
    const { port, url } = await proxied((incoming, response) => {
      if (incoming.url === "/ping") response.end();
      else incoming.pause();
    });
    const wire = new Wire(port).send("POST / HTTP/1.1", "Host: localhost", `Content-Length: ${large}`, "", "");
    fill(wire.socket, (bytes) => (sent += bytes));
    expect(await standing(`${url}/ping`, () => sent)).toBeLessThan(large / 2);
  });

  it("end the upstream's request when the client goes away", async () => {
    const begun = deferred();
    const closed = deferred<boolean>();
    const { port } = await proxied((_, response) => {
      response.write("abc");
      response.on("close", () => closed.resolve(response.writableFinished));
      begun.resolve();
    });
    const wire = new Wire(port).send("GET / HTTP/1.1", "Host: localhost", "", "");
    await begun.promise;
    await wire.until("abc");
    wire.socket.destroy();
    expect(await closed.promise).toBe(false);
  });

  it("end the upstream's request when the client goes away before there is an answer, and within its body", async () => {
    const closed = [deferred(), deferred()];
    const begun = [deferred(), deferred()];
    const { port } = await proxied((incoming, response) => {
      const turn = incoming.method === "GET" ? 0 : 1;
      begun[turn]?.resolve();
      incoming.on("error", () => {});
      response.on("close", () => closed[turn]?.resolve());
    });
    const get = new Wire(port).send("GET / HTTP/1.1", "Host: localhost", "", "");
    const put = new Wire(port).send("PUT / HTTP/1.1", "Host: localhost", "Content-Length: 90000", "", "abc");
    await Promise.all(begun.map(({ promise }) => promise));
    get.socket.destroy();
    put.socket.destroy();
    await expect(Promise.all(closed.map(({ promise }) => promise))).resolves.toHaveLength(2);
  });

  it("don't reach the upstream with a small body that its client does not finish", async () => {
    const seen: (string | undefined)[] = [];
    const { port, url } = await proxied((incoming, response) => {
      seen.push(incoming.method);
      response.end();
    });
    const put = new Wire(port).send("PUT / HTTP/1.1", "Host: localhost", "Content-Length: 9", "", "abc");
    put.socket.end();
    await put.ended();
    await (await fetch(url)).text();
    expect(seen).toEqual(["GET"]);
  });

  it("cut an answer off that the upstream cuts off", async () => {
    const { port } = await proxied((_, response) => {
      response.writeHead(200, { "Content-Length": 100 });
      response.write("abc", () => response.destroy());
    });
    const wire = new Wire(port).send("GET / HTTP/1.1", "Host: localhost", "", "");
    expect(await wire.ended()).toMatch(/\r\n\r\nabc$/);
    const chunked = await proxied((_, response) => void response.write("abc", () => response.destroy()));
    const other = new Wire(chunked.port).send("GET / HTTP/1.1", "Host: localhost", "", "");
    expect(await other.ended()).toMatch(/\r\n3\r\nabc\r\n$/);
  });

  it("give an early answer to a client that is still sending", async () => {
    const { port } = await proxied((_, response) => response.writeHead(413, { Connection: "close" }).end("too large"));
    const wire = new Wire(port).send("POST / HTTP/1.1", "Host: localhost", "Content-Length: 100000", "", "abc");
    expect(await wire.until("too large")).toMatch(/^HTTP\/1\.1 413 /);
  });
});

describe("the proxy of an upstream in trouble", () => {
  it("answers with 502 while it is down, says so once, and goes on when it is back", async () => {
    const first = await upstream((_, response) => response.end("a"));
    const { url, logged } = await proxy(first.url);
    expect(await (await fetch(url)).text()).toBe("a");
    first.server.close();
    first.server.closeAllConnections();
    await once(first.server, "close");
    const refused = await fetch(url);
    expect({ status: refused.status, type: refused.headers.get("content-type") }).toEqual({
      status: 502,
      type: "application/problem+json",
    });
    expect(await refused.json()).toMatchObject({ status: 502, title: "Bad Gateway" });
    expect((await fetch(url, { method: "POST", body: "x" })).status).toBe(502);
    await listen(
      createHttpServer((_, response) => response.end("b")),
      first.port,
    );
    expect(await (await fetch(url)).text()).toBe("b");
    expect(logged).toEqual([
      `Can't get an answer from ${first.url}: the connection was refused. Requests are answered with 502 until it is back.`,
      `${first.url} is back.`,
    ]);
  });

  it("answers with 504 where it is too slow", async () => {
    const { url } = await proxied(() => {}, { upstreamTimeoutMs: 1_000 });
    const answer = await fetch(url);
    expect(answer.status).toBe(504);
    expect(await answer.json()).toMatchObject({ status: 504, detail: "The upstream did not answer in time." });
  });

  it("sends a safe request once more where a kept connection broke, and never a write", async () => {
    const seen: string[] = [];
    const { url: origin } = await listen(
      createServer((socket) => {
        let requests = 0;
        socket.on("error", () => {});
        socket.on("data", (data) => {
          requests += 1;
          const method = String(data).split(" ")[0] ?? "";
          seen.push(method);
          if (requests === 1 && method === "GET") socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na");
          else socket.destroy();
        });
      }),
    );
    const { url } = await proxy(origin);
    const statusOf = async (method: string) => (await fetch(url, { method })).status;
    expect(await statusOf("GET")).toBe(200);
    expect(await statusOf("GET")).toBe(200);
    expect(await statusOf("DELETE")).toBe(502);
    expect(seen).toEqual(["GET", "GET", "GET", "DELETE"]);
  });

  it.each([
    ["no HTTP", "SSH-2.0-OpenSSH\r\n\r\n"],
    ["a field that can't be passed on", "HTTP/1.1 200 OK\r\nA\x01B: c\r\n\r\n"],
    [
      "a length and chunks",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
  ])("answers with 502 where it says %s", async (_what, bytes) => {
    const { url: origin } = await listen(createServer((socket) => void socket.once("data", () => socket.end(bytes))));
    const { url } = await proxy(origin);
    const answer = await fetch(url);
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ detail: "The upstream's answer can't be read." });
  });

  it("would frame an answer by its chunks where there is a length, too (RFC 9112 §6.3)", () => {
    const raw = ["Content-Length", "1", "Transfer-Encoding", "chunked", "X", "1"];
    expect(clientFields(raw, true)).toEqual(["X", "1"]);
  });
});

describe("who may use the proxy", () => {
  it("is decided by Host and Origin, on loopback, as the options say [R-SEC-1] [R-SEC-2]", async () => {
    const { port, logged } = await proxied((_, response) => response.end("in"), {
      allowOrigins: ["https://app.example.com"],
      allowHosts: ["api.example.com"],
    });
    const statusOf = async (method: string, host: string, origin?: string) => {
      const lines = [`${method} / HTTP/1.1`, `Host: ${host}`, ...(origin === undefined ? [] : [`Origin: ${origin}`])];
      const wire = new Wire(port).send(...lines, "Content-Length: 0", "Connection: close", "", "");
      return Number((await wire.ended()).slice(9, 12));
    };
    expect(await statusOf("GET", "localhost")).toBe(200);
    expect(await statusOf("GET", "api.example.com")).toBe(200);
    expect(await statusOf("GET", "evil.example.com")).toBe(421);
    expect(await statusOf("GET", "localhost", "https://evil.example.com")).toBe(200);
    expect(await statusOf("POST", "localhost", "https://evil.example.com")).toBe(403);
    expect(await statusOf("POST", "localhost", "https://app.example.com")).toBe(200);
    expect(await statusOf("POST", "localhost", "http://localhost")).toBe(200);
    expect(logged.map((line) => line.replace(/.*: (?=--)/, ""))).toEqual([
      "--allow-host evil.example.com",
      "--allow-origin https://evil.example.com",
    ]);
  });
});

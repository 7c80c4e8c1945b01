import type { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { dialRaw, startSite } from "../node/fixture.ts";
import { deferred, proxied, proxy, upstream, Wire } from "../proxy/setting.ts";

const bodyTimeoutMs = 1_000;

describe("a body through the proxy", () => {
  it.each([
    ["that is read whole first", "Content-Length: 100"],
    ["that streams with a length", "Content-Length: 100000"],
    ["in chunks", "Transfer-Encoding: chunked"],
    ["that waits for 100 Continue", "Expect: 100-continue\r\nContent-Length: 100"],
  ])("%s is a 408 where the client does not go on", async (_what, field) => {
    const { port } = await proxied((incoming, response) => incoming.on("end", () => response.end()).resume(), {
      bodyTimeoutMs,
    });
    const wire = new Wire(port).send("PUT / HTTP/1.1", "Host: localhost", field, "", "3\r\nabc");
    expect(await wire.ended()).toMatch(/HTTP\/1\.1 408 /);
  });

  it("that comes by a drop now and then is a 408, too", async () => {
    const { port } = await proxied((incoming, response) => incoming.on("end", () => response.end()).resume(), {
      bodyTimeoutMs,
    });
    const wire = new Wire(port).send("PUT / HTTP/1.1", "Host: localhost", "Content-Length: 100000", "", "");
    const drops = setInterval(() => wire.socket.write("x"), 50);
    expect(await wire.ended()).toMatch(/HTTP\/1\.1 408 /);
    clearInterval(drops);
  });

  it("that the upstream does not take is a 504", async () => {
    const { port } = await proxied((incoming) => void incoming.pause(), { bodyTimeoutMs });
    const wire = new Wire(port).send("PUT / HTTP/1.1", "Host: localhost", "Content-Length: 90000000", "", "");
    wire.socket.write(Buffer.alloc(20_000_000));
    expect(await wire.ended()).toMatch(/^HTTP\/1\.1 504 /);
  });

  it("of an answer is cut off where the upstream does not go on, and the upstream's request ends", async () => {
    const closed = deferred();
    const { port } = await proxied(
      (_, response) => {
        response.on("close", closed.resolve);
        response.writeHead(200, { "Content-Length": 100 }).write("abc");
      },
      { bodyTimeoutMs },
    );
    expect(await new Wire(port).send("GET / HTTP/1.1", "Host: localhost", "", "").ended()).toMatch(/\r\n\r\nabc$/);
    await closed.promise;
  });

  it("of an event stream may be silent while another's is cut off", async () => {
    const go = deferred();
    const { port } = await proxied(
      (incoming, response) => {
        const isStream = incoming.url === "/stream";
        response.writeHead(200, { "Content-Type": isStream ? "text/event-stream" : "text/plain" }).write("abc");
        if (isStream) void go.promise.then(() => response.end("end of it"));
      },
      { bodyTimeoutMs },
    );
    const stream = new Wire(port).send("GET /stream HTTP/1.1", "Host: localhost", "", "");
    await stream.until("abc");
    await new Wire(port).send("GET /text HTTP/1.1", "Host: localhost", "", "").ended();
    go.resolve();
    await stream.until("end of it");
  });

  it("of a tunnel may be silent while an answer is cut off", async () => {
    const tunnelled = deferred<Duplex>();
    const inner = await upstream((_, response) => void response.writeHead(200).write("abc"));
    inner.server.on("upgrade", (_request, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
      tunnelled.resolve(socket);
    });
    const { port } = await proxy(inner.url, { bodyTimeoutMs });
    const upgrade = ["Connection: Upgrade", "Upgrade: x"];
    const tunnel = new Wire(port).send("GET / HTTP/1.1", "Host: localhost", ...upgrade, "", "");
    await tunnel.until("101 Switching Protocols");
    await new Wire(port).send("GET / HTTP/1.1", "Host: localhost", "", "").ended();
    (await tunnelled.promise).write("still there");
    await tunnel.until("still there");
  });
});

describe("a server's deadlines", () => {
  it("for a head and a body hold within about a second, not at Node's next look in 30 s", async () => {
    const site = await startSite();
    const { server } = site.rocket;
    expect(server.headersTimeout).toBe(10_000);
    expect(server.requestTimeout).toBe(30_000);
    server.headersTimeout = 200;
    server.requestTimeout = 400;
    const head = await dialRaw(site, "GET /a HTTP/1.1\r\nHost: local");
    const body = await dialRaw(site, "PUT /a/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
    expect(await head.ended).toMatch(/^HTTP\/1\.1 408 /);
    expect(await body.ended).toMatch(/^HTTP\/1\.1 408 /);
  }, 10_000);

  it("for a head hold at the proxy, too, where bodies have no end", async () => {
    const { port, server } = await proxied((_, response) => response.end());
    expect(server.server.headersTimeout).toBe(10_000);
    server.server.headersTimeout = 200;
    expect(await new Wire(port).send("GET / HTTP/1.1", "Host: local").ended()).toMatch(/^HTTP\/1\.1 408 /);
  }, 10_000);
});

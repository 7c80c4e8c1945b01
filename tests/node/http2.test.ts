import { once } from "node:events";
import { request } from "node:https";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createServer } from "../../src/node/index.ts";
import { decodeResponse } from "../../src/protocol/index.ts";
import { alice, server as certificate } from "./attach/certificates.ts";
import { type Site, startSite } from "./fixture.ts";
import { answerOf, Http2Client } from "./http2-client.ts";

const tls = certificate;
const levelOne = { "sec-websocket-protocol": "rocket.v1" };

async function start(options: Parameters<typeof startSite>[0] = {}): Promise<{ site: Site; client: Http2Client }> {
  const site = await startSite({ tls, ...options });
  return { site, client: await Http2Client.open(site.port) };
}

/** The status of a request by HTTP/1.1. */
function askByHttp1(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, ca: tls.cert }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on("error", reject).end();
  });
}

describe("a server with TLS", () => {
  it("answers by HTTP/1.1 and by HTTP/2 alike, without what belongs to a connection", async () => {
    const { site, client } = await start();
    site.put(1, { name: "é".repeat(2_000) });
    expect(await askByHttp1(site.port, "/a")).toBe(200);
    const { status, headers, body } = await client.ask({ ":path": "/a" });
    expect([status, JSON.parse(body)]).toEqual([200, { a: [{ id: 1, name: "é".repeat(2_000) }] }]);
    const forbidden = ["connection", "keep-alive", "transfer-encoding", "upgrade"];
    expect(Object.keys(headers).filter((name) => forbidden.includes(name))).toEqual([]);
    const head = await client.ask({ ":path": "/a", ":method": "HEAD" });
    expect([head.status, head.headers["content-length"], head.body]).toEqual([200, headers["content-length"], ""]);
    expect((await client.ask({ ":path": "/nothing" })).status).toBe(404);
    expect(site.errors).toEqual([]);
  });

  it("compresses for HTTP/2, too [R-FLD-11]", async () => {
    const { site, client } = await start();
    site.put(1, { name: "x".repeat(5_000) });
    const stream = client.request({ ":path": "/a", "accept-encoding": "gzip" });
    const [headers] = await once(stream, "response");
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part as Buffer);
    expect(headers["content-encoding"]).toBe("gzip");
    expect(JSON.parse(gunzipSync(Buffer.concat(parts)).toString()).a).toHaveLength(1);
  });

  it("gives the origin a request of HTTP/2 as it would be in HTTP/1.1", async () => {
    const asked: { method: string; target: string; fields: readonly unknown[]; body: string }[] = [];
    const { client } = await start({
      origin: async ({ method, target, fields, body }) => {
        asked.push({ method, target, fields, body: Buffer.from(body ?? "").toString() });
        return {
          status: 200,
          fields: [
            ["Set-Cookie", "c=1"],
            ["Set-Cookie", "d=2"],
            ["X-Many", "1"],
            ["X-Many", "2"],
          ],
          body: "",
        };
      },
    });
    const fields = { cookie: ["a=1", "b=2"], "x-latin": "é", te: "trailers" };
    const long = "x".repeat(300_000);
    const answer = await client.ask({ ":method": "PUT", ":path": "/x?q=1", ...fields }, long);
    expect([answer.headers["set-cookie"], answer.headers["x-many"]]).toEqual([["c=1", "d=2"], "1, 2"]);
    const [{ fields: seen = [], ...rest } = {}] = asked;
    expect(rest).toEqual({ method: "PUT", target: "/x?q=1", body: long });
    const host = client.url.replace("https://", "");
    expect(Object.fromEntries(seen as never)).toMatchObject({ host, cookie: "a=1; b=2", "x-latin": "é" });
    await client.ask({ ":method": "POST", ":path": "/", "content-length": 5 }, "Can's");
    expect(asked[1]?.body).toBe("Can's");
  });

  it("refuses what is no request, or for another host, or of a foreign page [R-SEC-1] [R-SEC-2] [R-SEC-9]", async () => {
    const { client } = await start();
    // Some of it nghttp2 itself refuses, by a reset.
    const statusOf = (headers: object) =>
      client.ask({ ":path": "/a", ...headers }).then(
        ({ status }) => status,
        () => "reset",
      );
    expect(await statusOf({ ":authority": "evil.example" })).toBe(421);
    expect(await statusOf({ ":method": "DELETE", origin: "https://evil.example" })).toBe(403);
    expect(await statusOf({ ":path": "/a b" })).not.toBe(200);
    expect(await statusOf({ ":path": "/\x7f" })).not.toBe(200);
    expect(await statusOf({ ":path": "*" })).not.toBe(200);
    expect(await statusOf({ "transfer-encoding": "chunked" })).not.toBe(200);
    expect(await statusOf({})).toBe(200);
  });

  it("gives notice to sessions when it closes, and to what is followed [R-CLOSE-4]", async () => {
    const { site, client } = await start();
    const socket = await client.webSocket("/a", levelOne);
    await once(socket, "message");
    const told: string[] = [];
    client.session.once("goaway", () => told.push("session"));
    const closed = once(socket, "close");
    socket.once("close", () => told.push("WebSocket"));
    await site.rocket.close();
    expect((await closed)[0]).toBe(1001);
    expect(told).toEqual(["session", "WebSocket"]);
  });

  it("takes another certificate while it runs, and refuses one that can't be used", async () => {
    const { site } = await start();
    const nameOf = async () => {
      const socket: TLSSocket = connectTls({ port: site.port, host: "127.0.0.1", rejectUnauthorized: false });
      await once(socket, "secureConnect");
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      return CN;
    };
    expect(await nameOf()).toBe("server");
    site.rocket.renewCertificate(alice);
    expect(await nameOf()).toBe("alice");
    expect(() => site.rocket.renewCertificate({ ...alice, key: tls.key })).toThrow(/^tls\.key is not the key/);
    expect(await nameOf()).toBe("alice");
  });

  it("is not made with a certificate or a key that can't be used", () => {
    const make = (other: object) => () =>
      createServer({ origin: async () => ({ status: 200, fields: [], body: "" }), tls: { ...tls, ...other } });
    expect(make({ cert: "nonsense" })).toThrow(new TypeError("tls.cert has no certificate in PEM."));
    expect(make({ key: "nonsense" })).toThrow(new TypeError("tls.key has no private key in PEM."));
    expect(make({ key: alice.key })).toThrow(new TypeError("tls.key is not the key of the certificate in tls.cert."));
  });
});

describe("a WebSocket by extended CONNECT", () => {
  it("is offered by the server's settings, and is as one over HTTP/1.1 [R-H2-1] [R-L1-1]", async () => {
    const { site, client } = await start();
    expect(client.session.remoteSettings?.enableConnectProtocol).toBe(true);
    const stream = client.connect("/a", { "sec-websocket-protocol": "other, rocket.v1" });
    const [headers] = await once(stream, "response");
    expect(headers).toMatchObject({ ":status": 200, "sec-websocket-protocol": "rocket.v1" });
    expect(Object.keys(headers).filter((name) => /upgrade|connection|accept$/.test(name))).toEqual([]);
    stream.destroy();
    const socket = await client.webSocket("/a", levelOne);
    const statuses: number[] = [];
    socket.on("message", (data) => statuses.push(decodeResponse(String(data)).status));
    const until = (status: number) => expect.poll(() => statuses).toContain(status);
    await until(304);
    site.put(1);
    await until(201);
    expect(statuses).toEqual([200, 304, 201]);
    await expect.poll(() => site.rocket.hub.counts.connections).toBe(1);
  });

  it.each([
    ["a URL that is none at Level 0 [R-L0-4]", "/nothing", {}, 404],
    ["the well-known URL at Level 0 [R-WK-3]", "/.well-known/rocket", {}, 400],
    ["a foreign page [R-SEC-1]", "/a", { ...levelOne, origin: "https://evil.example" }, 403],
    ["a page that leaves its Origin out [R-SEC-1]", "/a", { ...levelOne, "sec-fetch-site": "cross-site" }, 403],
    ["another host [R-SEC-2]", "/a", { ...levelOne, ":authority": "evil.example" }, 421],
    ["no version", "/a", { ...levelOne, "sec-websocket-version": "7" }, 400],
    ["another protocol", "/a", { ":protocol": "connect-udp" }, 501],
  ])("is refused with the real status for %s [R-H2-2]", async (_what, path, headers, status) => {
    const { site, client } = await start();
    expect((await answerOf(client.connect(path, headers))).status).toBe(status);
    expect((await client.ask({ ":path": "/a" })).status).toBe(200);
    expect(site.rocket.hub.counts.connections).toBe(0);
  });

  it("is refused with 503 beyond the connections that the server takes [R-SEC-5]", async () => {
    const { client } = await start({ limits: { maxConnections: 2 } });
    await client.webSocket("/a", levelOne);
    await client.webSocket("/a", levelOne);
    const { status, headers } = await answerOf(client.connect("/a", levelOne));
    expect([status, headers["retry-after"]]).toEqual([503, "5"]);
  });

  it("ends with its stream, and leaves the others of the session alone", async () => {
    const { site, client } = await start();
    const [one, two] = [await client.webSocket("/a", levelOne), await client.webSocket("/a", levelOne)];
    one.terminate();
    await expect.poll(() => site.rocket.hub.counts.connections).toBe(1);
    const closed = once(two, "close");
    two.close(4321, "enough");
    expect((await closed)[0]).toBe(4321);
    await expect.poll(() => site.rocket.hub.counts.connections).toBe(0);
    expect(site.errors).toEqual([]);
  });
});

describe("a CONNECT that is no extended one", () => {
  it("is refused with 501", async () => {
    const { client } = await start();
    const stream = client.request({ ":method": "CONNECT", ":authority": "localhost:1" }, false);
    expect((await answerOf(stream)).status).toBe(501);
  });
});

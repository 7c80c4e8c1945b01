import { once } from "node:events";
import { constants } from "node:http2";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { StreamTurns } from "../../src/node/http2/turns.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { server as tls } from "../node/attach/certificates.ts";
import { type Site, startSite } from "../node/fixture.ts";
import { answerOf, Http2Client } from "../node/http2-client.ts";

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** A frame of HTTP/2 (RFC 9113 §4.1). */
function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A connection whose ALPN says `h2`, spoken to byte by byte. */
async function raw(site: Site): Promise<TLSSocket> {
  const socket = connectTls({ host: "127.0.0.1", port: site.port, ca: tls.cert, ALPNProtocols: ["h2"] });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  socket.resume();
  return socket;
}

async function isWell(site: Site): Promise<boolean> {
  const client = await Http2Client.open(site.port);
  const { status } = await client.ask({ ":path": "/a" });
  client.session.destroy();
  return status === 200;
}

describe("a hostile peer over HTTP/2", () => {
  it.each([
    ["garbage after TLS", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["a head in garbage", Buffer.concat([preface, frame(4, 0, 0), frame(1, 5, 1, Buffer.alloc(40, 0xff))])],
    ["data for no stream", Buffer.concat([preface, frame(4, 0, 0), frame(0, 1, 7, Buffer.from("x"))])],
    ["a frame that is too long", Buffer.concat([preface, frame(4, 0, 0), frame(0, 0, 1, Buffer.alloc(70_000))])],
    ["a window beyond all", Buffer.concat([preface, frame(4, 0, 0), frame(8, 0, 0, Buffer.alloc(4, 0x7f))])],
    [
      "settings without end",
      Buffer.concat([preface, ...Array.from({ length: 5_000 }, () => frame(4, 0, 0, Buffer.from([0, 3, 0, 0, 0, 9])))]),
    ],
    [
      "pings without end",
      Buffer.concat([
        preface,
        frame(4, 0, 0),
        ...Array.from({ length: 20_000 }, () => frame(6, 0, 0, Buffer.alloc(8))),
      ]),
    ],
    [
      "a head in pieces without end",
      Buffer.concat([preface, frame(4, 0, 0), frame(1, 0, 1), ...Array.from({ length: 20_000 }, () => frame(9, 0, 1))]),
    ],
  ])("that sends %s ends its own session at most, and the server goes on [R-SEC-4] [R-H2-4]", async (_what, sent) => {
    const site = await startSite({ tls });
    const socket = await raw(site);
    socket.write(sent);
    expect(await isWell(site)).toBe(true);
    socket.destroy();
    expect(site.errors).toEqual([]);
  });

  it("that opens streams and resets them has none begun that waited, and the server goes on [R-SEC-5] [R-H2-4]", async () => {
    let asked = 0;
    const site = await startSite({ tls }, (origin) => (request) => {
      asked += 1;
      return origin(request);
    });
    const client = await Http2Client.open(site.port);
    for (let at = 0; at < 2_000 && !client.session.destroyed; at += 1) {
      client.request({ ":path": "/a" }).close(constants.NGHTTP2_CANCEL);
    }
    expect(await isWell(site)).toBe(true);
    expect(asked).toBeLessThan(100);
    await expect.poll(() => site.rocket.hub.counts.connections).toBe(0);
  });

  it("that opens WebSockets and resets them leaves nothing behind [R-SEC-5] [R-H2-4]", async () => {
    const site = await startSite({ tls });
    const client = await Http2Client.open(site.port);
    for (let round = 0; round < 5; round += 1) {
      const streams = Array.from({ length: 50 }, () => client.connect("/a", { "sec-websocket-protocol": "rocket.v1" }));
      await once(streams[0] as never, "response");
      for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
    }
    await expect.poll(() => site.rocket.hub.counts.connections).toBe(0);
    expect(await isWell(site)).toBe(true);
    expect(site.errors).toEqual([]);
  });

  it("that never ends its side of the connection, or reads any more, does not keep the server from closing [R-SEC-5]", async () => {
    const site = await startSite({ tls });
    const socket = await raw(site);
    socket.write(Buffer.concat([preface, frame(4, 0, 0), frame(4, 1, 0)]));
    await once(socket, "data");
    socket.pause();
    await site.rocket.close();
    socket.destroy();
    expect(site.errors).toEqual([]);
  });

  it("that ends its connection amid everything leaves nothing behind [R-SEC-4]", async () => {
    const site = await startSite({ tls });
    site.put(1, { text: "x".repeat(500_000) });
    const client = await Http2Client.open(site.port);
    for (let at = 0; at < 20; at += 1) {
      client.request({ ":path": "/a" }).pause();
      client.connect("/a", { "sec-websocket-protocol": "rocket.v1" }).pause();
      client.request({ ":path": "/a", ":method": "POST" }, false).write("{");
    }
    await expect.poll(() => site.rocket.hub.counts.connections).toBeGreaterThan(0);
    client.session.destroy();
    await expect.poll(() => site.rocket.hub.counts.connections).toBe(0);
    expect(await isWell(site)).toBe(true);
  });

  it("has heads of some size and of some fields, and a hundred streams [R-SEC-5] [R-H2-4]", async () => {
    const site = await startSite({ tls });
    const client = await Http2Client.open(site.port);
    expect(client.session.remoteSettings).toMatchObject({ maxConcurrentStreams: 100, maxHeaderListSize: 16_384 });
    const statusOf = (headers: object) =>
      client.ask({ ":path": "/a", ...headers }).then(
        ({ status }) => status,
        () => "reset",
      );
    expect(await statusOf({ x: "y".repeat(1_000) })).toBe(200);
    const many = Object.fromEntries(Array.from({ length: 1_100 }, (_, at) => [`x${at}`, "1"]));
    expect(["reset", 431]).toContain(await statusOf(many));
    expect(await isWell(site)).toBe(true);
    const socket = await raw(site);
    // 65 kB of one literal field, whose name and value are as long as they say.
    const pieces = Array.from({ length: 5 }, () => frame(9, 0, 1, Buffer.alloc(16_000, 0x61)));
    const start = Buffer.from([0x00, 0x01, 0x78, 0x7f, 0x81, 0xf0, 0x04]);
    socket.write(Buffer.concat([preface, frame(4, 0, 0), frame(1, 0, 1, start), ...pieces]));
    expect(await isWell(site)).toBe(true);
    socket.destroy();
  });

  it("that never opens its window is dropped, and others go on [R-SEC-5] [R-H2-4]", async () => {
    const clock = createFakeClock();
    const limits = { stallTimeoutMs: 5_000 };
    const body = "x".repeat(3_000_000);
    const origin = async () => ({ status: 200, fields: [], body });
    const site = await startSite({ tls, clock, limits, origin });
    const connections: { readonly writableLength: number }[] = [];
    site.rocket.server.on("secureConnection", (socket) => connections.push(socket));
    const client = await Http2Client.open(site.port);
    const stream = client.request({ ":path": "/a" });
    await once(stream, "response");
    const connection = connections.at(-1);
    await expect.poll(() => connection?.writableLength).toBeGreaterThan(body.length);
    const closed = new Promise((resolve) => stream.once("close", resolve));
    await clock.advance(8_000);
    // What is unread is read, and then it is told that the rest is missing.
    stream.resume();
    await closed;
    expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
    expect((await client.ask({ ":path": "/a" })).body).toHaveLength(body.length);
  });

  it("that has no stream for long is told to go [R-SEC-5] [R-H2-4]", async () => {
    const clock = createFakeClock();
    const site = await startSite({ tls, clock });
    const unused = await Http2Client.open(site.port);
    const used = await Http2Client.open(site.port);
    await used.ask({ ":path": "/a" });
    const gone = once(unused.session, "close");
    await clock.advance(12_000);
    await gone;
    expect((await used.ask({ ":path": "/a" })).status).toBe(200);
    const goneToo = once(used.session, "close");
    await clock.advance(62_000);
    await goneToo;
  });

  it("that sends a body without end is bounded as over HTTP/1.1 [R-SEC-5]", async () => {
    const site = await startSite({ tls, maxBodyBytes: 100_000 });
    const client = await Http2Client.open(site.port);
    const stream = client.request({ ":path": "/a", ":method": "POST" }, false);
    const answer = answerOf(stream);
    stream.write(Buffer.alloc(200_000, 0x20));
    expect((await answer).status).toBe(413);
    const declared = { ":path": "/a", ":method": "POST", "content-length": 3 };
    const lying = client.request(declared, false);
    lying.end("more than three");
    await new Promise((resolve) => lying.once("close", resolve));
    expect(await isWell(site)).toBe(true);
  });
});

describe("the turns of streams", () => {
  it("have those of one address begin one by one, and those of others beside them [R-H2-4]", async () => {
    const turns = new StreamTurns();
    const begun: string[] = [];
    for (const name of ["a1", "a2", "a3", "b1", "b2"]) turns.enter(name.charAt(0), () => begun.push(name));
    const rounds = [begun.join(" ")];
    for (let at = 0; at < 3; at += 1) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      rounds.push(begun.join(" "));
    }
    expect(rounds).toEqual(["a1 b1", "a1 b1 a2 b2", "a1 b1 a2 b2 a3", "a1 b1 a2 b2 a3"]);
  });
});

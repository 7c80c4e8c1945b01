import { describe, expect, it } from "vitest";
import { dial, dialRaw, frame, handshake, isWell, type Raw, type Site, startSite } from "./fixture.ts";

const level1 = ["Sec-WebSocket-Protocol: rocket.v1"];

/** A raw connection after its 101. */
async function upgraded(site: Site, fields: readonly string[] = level1): Promise<Raw> {
  const raw = await dialRaw(site, handshake(site, "/a", fields));
  await raw.until(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\n/);
  return raw;
}

/** The code of the close frame that ends what the server sends. */
async function closeCode(raw: Raw): Promise<number> {
  const text = await raw.until(/\x88.[\x03-\x13][\s\S]/);
  const at = text.lastIndexOf("\x88");
  return text.charCodeAt(at + 2) * 256 + text.charCodeAt(at + 3);
}

describe("a hostile peer", () => {
  it.each([
    ["garbage", "\x00\xff\x16\x03\x01garbage\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["a TLS hello", Buffer.from("1603010200010001fc0303", "hex"), /^HTTP\/1\.1 400 /],
    ["no version", "GET /\r\n\r\n", /^HTTP\/1\.1 4\d\d /],
    ["a head too large", `GET /a HTTP/1.1\r\nHost: localhost\r\nx: ${"y".repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    [
      "two lengths",
      "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
      /^HTTP\/1\.1 400 /,
    ],
    ["CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n", /^$/],
  ])("that sends %s to the port is answered or dropped, and the server goes on [R-SEC-4]", async (_, sent, answer) => {
    const site = await startSite();
    const raw = await dialRaw(site, sent);
    expect(await raw.ended).toMatch(answer);
    expect(await isWell(site)).toBe(true);
  });

  it.each([
    ["an unmasked frame", frame(1, "x", true, false), 1002],
    ["a reserved opcode", frame(3, "x"), 1002],
    ["reserved bits", Buffer.from([0xf1, 0x80, 0, 0, 0, 0]), 1002],
    ["a fragmented control frame", frame(9, "x", false), 1002],
    ["a continuation of nothing", frame(0, "x"), 1002],
    ["a close code that may not be sent", frame(8, Buffer.from([3, 237])), 1002],
    ["text that is not UTF-8", frame(1, Buffer.from([0xc3, 0x28])), 1007],
    ["a frame beyond the limit", frame(1, Buffer.alloc(1_064_961, 0x20)), 1009],
    ["a message that is none", frame(1, "garbage"), 1002],
    ["a message in binary that is none", frame(2, Buffer.from([0, 1, 2])), 1002],
  ])(
    "that sends %s is closed with the right code, and the server goes on [R-SEC-4] [R-MSG-3] [R-MSG-16]",
    async (_, sent, code) => {
      const site = await startSite();
      const raw = await upgraded(site);
      raw.socket.write(sent);
      expect(await closeCode(raw)).toBe(code);
      raw.socket.destroy();
      expect(await isWell(site)).toBe(true);
      await expect.poll(() => site.rocket.hub.counts.connections).toBe(0);
    },
  );

  it.each([
    ["4,000", 4_000, /Request-ID: 1\r\n/],
    ["5,000", 5_000, /\x88.\x03\xf0/],
  ])("that sends a message in %s frames is answered, or closed with 1008 [R-MSG-15]", async (_, count, answer) => {
    const site = await startSite();
    const raw = await upgraded(site);
    const message = `SUBSCRIBE /b HTTP/1.1\r\nRequest-ID: 1\r\nX-Padding: ${"x".repeat(count)}`.slice(0, count - 4);
    const letters = Array.from(`${message}\r\n\r\n`);
    raw.socket.write(
      Buffer.concat(letters.map((letter, at) => frame(at === 0 ? 1 : 0, letter, at === letters.length - 1))),
    );
    expect(await raw.until(answer)).toMatch(answer);
    expect(await isWell(site)).toBe(true);
  });

  it("that pipelines frames behind its handshake has them read [R-L1-1]", async () => {
    const site = await startSite();
    const request = frame(1, "SUBSCRIBE /b HTTP/1.1\r\nRequest-ID: 1\r\n\r\n");
    const raw = await dialRaw(site, Buffer.concat([Buffer.from(handshake(site, "/a", level1)), request]));
    await raw.until(/Request-ID: 1\r\n/);
    expect(raw.text()).toContain("Subscription: /b");
  });

  it("that resets its connection at any moment leaves nothing behind [R-SEC-4]", async () => {
    let release = (): void => {};
    const site = await startSite({}, (origin) => async (request) => {
      await new Promise<void>((resolve) => {
        release = resolve;
        setImmediate(resolve);
      });
      return origin(request);
    });
    const moments: ((raw: Raw) => Promise<unknown> | undefined)[] = [
      () => undefined,
      (raw) => raw.until(/101/),
      (raw) => raw.until(/200 OK/),
      (raw) => raw.until(/304 Not/),
    ];
    for (const fields of [[], level1]) {
      for (const [at, moment] of moments.entries()) {
        if (fields.length === 0 && at > 1) continue;
        const raw = await dialRaw(site, handshake(site, "/a", fields));
        await moment(raw);
        site.put(at);
        raw.socket.resetAndDestroy();
        release();
      }
    }
    await expect.poll(() => site.rocket.hub.counts).toEqual({ connections: 0, subscriptions: 0, views: 0 });
    expect(await isWell(site)).toBe(true);
  });

  it("that goes away while the origin works on its handshake is forgotten [R-SEC-4]", async () => {
    const waiting: (() => void)[] = [];
    const site = await startSite({}, (origin) => async (request) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return origin(request);
    });
    const zero = await dialRaw(site, handshake(site, "/a"));
    const one = await dialRaw(site, handshake(site, "/a", level1));
    await expect.poll(() => waiting.length).toBe(2);
    zero.socket.resetAndDestroy();
    one.socket.resetAndDestroy();
    await expect.poll(() => site.rocket.hub.counts.connections).toBe(0);
    for (const resolve of waiting) resolve();
    await expect.poll(() => site.rocket.hub.counts).toEqual({ connections: 0, subscriptions: 0, views: 0 });
    expect(site.errors).toEqual([]);
  });

  it("that never reads and sends without end is bounded, and others are served [R-SEC-4] [R-BAND-8]", async () => {
    const site = await startSite();
    const raw = await upgraded(site);
    raw.socket.pause();
    const request = frame(1, `GET /${"x".repeat(1_000)} HTTP/1.1\r\n\r\n`);
    const flood = Buffer.concat(Array.from({ length: 200 }, () => request));
    let written = 0;
    // The kernel's buffers fill, then nothing more is taken from it.
    while (written < 64 * 1024 * 1024 && raw.socket.write(flood)) written += flood.length;
    expect(await isWell(site)).toBe(true);
    const [first] = site.rocket.hub.counts.connections ? [site.rocket.hub.counts.connections] : [0];
    expect(first).toBe(1);
    raw.socket.destroy();
    await expect.poll(() => site.rocket.hub.counts.connections).toBe(0);
  });

  it("that pings without end and never reads is dropped or bounded [R-SEC-4]", async () => {
    const site = await startSite();
    const raw = await upgraded(site, []);
    raw.socket.pause();
    const pings = Buffer.concat(Array.from({ length: 1_000 }, () => frame(9, "x".repeat(120))));
    for (let at = 0; at < 50; at += 1) raw.socket.write(pings);
    expect(await isWell(site)).toBe(true);
    raw.socket.destroy();
    await expect.poll(() => site.rocket.hub.counts.connections).toBe(0);
  });

  it("does not touch other connections [R-SEC-4]", async () => {
    const site = await startSite();
    const bystander = await dial(site, "/a");
    await bystander.until(({ status }) => status === 304);
    for (const sent of [frame(1, "garbage"), frame(1, "x", true, false)]) {
      const raw = await upgraded(site);
      raw.socket.write(sent);
      expect(await closeCode(raw)).toBe(1002);
    }
    site.put(1);
    await bystander.until(({ status }) => status === 201);
    expect(bystander.messages).toHaveLength(3);
  });
});

import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { dial, dialRaw, handshake, startSite } from "./fixture.ts";

describe("a server that closes", () => {
  it("gives each subscriber a last 304 and 1001, and no handle is left [R-CLOSE-4]", async () => {
    const site = await startSite({ drainMs: 50 });
    const clients = await Promise.all(Array.from({ length: 5 }, () => dial(site, "/a")));
    for (const client of clients) await client.until(({ status }) => status === 304);
    const zero = await dial(site, "/a", { protocols: [] });
    await site.rocket.close();
    for (const client of clients) {
      expect(await client.closed).toBe(1001);
      expect(client.messages.map(({ status }) => status)).toEqual([200, 304, 304]);
    }
    expect(await zero.closed).toBe(1001);
    expect(site.rocket.hub.counts.connections).toBe(0);
    expect(site.rocket.server.listening).toBe(false);
    const open = await new Promise((resolve) => site.rocket.server.getConnections((_error, count) => resolve(count)));
    expect(open).toBe(0);
  });

  it("ends in bounded time though a subscriber does not answer, never reads, or is in its handshake", async () => {
    const site = await startSite(
      {},
      (origin) => (request) => (request.target === "/b" ? new Promise(() => {}) : origin(request)),
    );
    const mute = await dialRaw(site, handshake(site, "/a"));
    await mute.until(/101/);
    mute.socket.pause();
    const full = await dial(site, "/a");
    await full.until(({ status }) => status === 304);
    full.socket.pause();
    for (let id = 1; id <= 500; id += 1) site.put(id, { text: "x".repeat(10_000) });
    const waiting = await dialRaw(site, handshake(site, "/b"));
    const hanging = await dialRaw(site, "GET /b HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await site.rocket.close();
    for (const raw of [mute, waiting, hanging]) raw.socket.resume();
    await Promise.all([mute.ended, waiting.ended, hanging.ended]);
    expect(site.rocket.hub.counts.connections).toBe(0);
  });

  it("lets a request that is being answered finish, and keeps its connection no longer", async () => {
    let finish = (): void => {};
    const site = await startSite({}, () => async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return { status: 200, fields: [], body: "done" };
    });
    const raw = await dialRaw(site, "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await expect.poll(() => finish.name).not.toBe("finish");
    const closing = site.rocket.close();
    finish();
    const answer = await raw.ended;
    await closing;
    expect(answer).toMatch(/\r\nConnection: close\r\n[\s\S]*done$/);
  });

  it("may be told to twice, before it listened, and with nobody there", async () => {
    const site = await startSite();
    const first = site.rocket.close();
    expect(site.rocket.close()).toBe(first);
    await first;
    await expect(fetch(`${site.url}/a`)).rejects.toThrow();
  });

  it("tells a handshake that comes on a kept connection at once [R-CLOSE-4]", async () => {
    const site = await startSite({ drainMs: 200 });
    const clients = await Promise.all(Array.from({ length: 100 }, () => dial(site, "/a")));
    // Half a request keeps the connection from being closed as an idle one.
    const raw = await dialRaw(site, "GET /a HTTP/1.1\r\nHost: localhost\r\n");
    const closing = site.rocket.close();
    raw.socket.write(handshake(site, "/a", ["Sec-WebSocket-Protocol: rocket.v1"]).replace(/^.*\r\n.*\r\n/, ""));
    const answer = await raw.ended;
    expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    expect(answer).toContain("\x88\x1b\x03\xe9");
    await closing;
    for (const client of clients) expect(await client.closed).toBe(1001);
  });

  it("leaves the process free to end", async () => {
    const site = await startSite();
    const client = await dial(site, "/a");
    await client.until(({ status }) => status === 304);
    await site.rocket.close();
    await client.closed;
    if (client.socket.readyState !== client.socket.CLOSED) await once(client.socket, "close");
    const kinds = process.getActiveResourcesInfo().filter((kind) => kind === "TCPServerWrap");
    expect(kinds).toEqual([]);
  });
});

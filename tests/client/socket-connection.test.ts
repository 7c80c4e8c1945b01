import { beforeAll, describe, expect, it } from "vitest";
import { World, type WorldOptions } from "./world.ts";

beforeAll(async () => {
  // Loaded here, so that no time passes when a client needs it.
  await Promise.all([
    import("../../src/client/outbox.ts"),
    import("../../src/client/fallback.ts"),
    import("../../src/client/answers.ts"),
  ]);
});

async function worldWith(options: WorldOptions = {}): Promise<World> {
  const world = new World(options);
  world.service.write([{ name: "a", columns: { color: "red" } }]);
  return world;
}

describe("A connection", () => {
  it("to a server that echoes anything is taken for Level 0 when no message comes in 10 s [R-L1-3]", async () => {
    const world = await worldWith({ kind: "naive" });
    const list = world.look("/a");
    await world.clock.advance(9_900);
    expect(list.state).toBe("connecting");
    await world.clock.advance(200);
    expect([list.state, list.shown]).toEqual(["live", world.service.rows("a")]);
  });

  it.each(["level-1", "level-0", "naive"] as const)(
    "of a %s server whose handshake hangs leaves the following to GETs within seconds, and is found once it is answered",
    async (kind) => {
      const world = await worldWith({ kind });
      world.isHanging = true;
      const list = world.look("/a");
      await world.clock.advance(8_000);
      expect([list.state, list.shown]).toEqual(["polling", world.service.rows("a")]);
      for (let look = 1; look <= 20; look += 1) {
        world.service.write([{ name: "a", columns: { color: "blue" } }]);
        await world.clock.advance(6_000);
        expect([look, list.state, list.shown]).toEqual([look, "polling", world.service.rows("a")]);
      }
      world.isHanging = false;
      await world.clock.advance(60_000);
      expect([list.state, list.shown]).toEqual(["live", world.service.rows("a")]);
      world.client.close();
      expect(world.clientClock.timers).toBe(0);
    },
  );

  it("whose first message is a 201 is taken for Level 0 at once [R-L1-3]", async () => {
    const world = await worldWith({ kind: "naive" });
    const list = world.look("/a");
    await world.clock.advance(1);
    for (const socket of world.sockets) socket.deliver("HTTP/1.1 201 Created\r\nContent-Location: /a/9\r\n\r\n{}");
    await world.clock.advance(1);
    expect([list.state, list.shown]).toEqual(["live", world.service.rows("a")]);
  });

  it("that fails for want of an echo is made again without a subprotocol [R-L1-3]", async () => {
    const world = await worldWith({ kind: "level-0" });
    const list = world.look("/a");
    await world.clock.advance(100);
    expect([...world.sockets].map(({ target, level }) => [target, level])).toEqual([["/a", 0]]);
    world.service.write([{ name: "a", columns: { color: "blue" } }]);
    await world.clock.advance(1);
    expect(list.shown).toEqual(world.service.rows("a"));
  });

  it.each([0, -3_600_000])(
    "that is silent for 27 s is abandoned, also where the clock jumps by %i ms [R-HB-3]",
    async (ms) => {
      const world = await worldWith();
      const list = world.look("/a");
      await world.clock.advance(100);
      const [socket] = world.sockets;
      socket?.die();
      world.clientClock.skewMs += ms;
      world.service.write([{ name: "a", columns: { color: "blue" } }]);
      await world.clock.advance(ms === 0 ? 26_800 : 53_000);
      expect(world.sockets.has(socket as never)).toBe(true);
      await world.clock.advance(2_000);
      expect([list.state, list.shown]).toEqual(["live", world.service.rows("a")]);
    },
  );

  it("resumes each subscription at its own position [R-RES-5]", async () => {
    const world = await worldWith();
    const list = world.look("/a");
    world.look("/b");
    await world.clock.advance(10);
    world.service.write([{ name: "a", columns: {} }]);
    await world.clock.advance(10);
    for (const socket of world.sockets) socket.fail(1006);
    const rows = list.shown;
    world.service.write([{ name: "a", columns: {} }]);
    world.sent.length = 0;
    await world.clock.advance(1_000);
    expect(world.sent.map((request) => request.replace(/Request-ID: \d+\r\n/, ""))).toEqual([
      "SUBSCRIBE /a HTTP/1.1\r\nLast-Event-ID: m:2.0\r\nAccept: application/merge-patch+json\r\n\r\n",
      expect.stringMatching(/^SUBSCRIBE \/b HTTP\/1.1\r\nLast-Event-ID: m:[12].0\r\nAccept: \S+\r\n\r\n$/),
    ]);
    expect(list.shown.slice(0, 2)).toEqual(rows);
    expect(list.shown[0]).toBe(rows[0]);
    expect(list.shown).toEqual(world.service.rows("a"));
  });

  it("has both names of one subscription live, also after it was made again", async () => {
    const world = await worldWith();
    const lists = [world.look("/a?color=red&size=1"), world.look("/a?size=1&color=red")];
    for (let round = 0; round < 2; round += 1) {
      await world.clock.advance(2_000);
      expect(lists.map(({ state }) => state)).toEqual(["live", "live"]);
      world.service.write([{ name: "a", columns: { color: "red", size: 1 } }]);
      await world.clock.advance(10);
      for (const { shown } of lists) expect(shown).toEqual(world.service.rows("a"));
      for (const socket of world.sockets) socket.fail(1006);
    }
  });

  it("waits for as long as Retry-After says before it is made again [R-CLOSE-5]", async () => {
    const world = await worldWith();
    const list = world.look("/a");
    await world.clock.advance(100);
    for (const socket of world.sockets) {
      socket.deliver("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\n\r\n");
      socket.fail(4429);
    }
    await world.clock.advance(4_900);
    expect([world.sockets.size, list.state]).toEqual([0, "stale"]);
    await world.clock.advance(200);
    expect(list.state).toBe("live");
  });

  it.each([
    ["is dropped at once", 10, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000]],
    ["lives for a second", 1_100, [500, 1_000, 2_000, 2_000, 2_000, 2_000, 2_000]],
    ["is stable", 10_100, [500, 500, 500, 500, 500, 500, 500]],
  ])("that %s each time is made again after waits that are bounded by that [R-CLOSE-5]", async (_, lifeMs, capsMs) => {
    const world = await worldWith();
    Object.assign(world.clientClock, { random: () => 1 });
    const list = world.look("/a");
    await world.clock.advance(100);
    for (const [round, capMs] of capsMs.entries()) {
      await world.clock.advance(lifeMs);
      for (const socket of world.sockets) socket.fail(1006);
      await world.clock.advance(capMs - 5);
      expect([round, list.state, world.sockets.size]).toEqual([round, "stale", 0]);
      await world.clock.advance(10);
      expect([round, list.state]).toEqual([round, "live"]);
    }
  });

  it("that is ended with 1000 is not made again [R-CLOSE-1]", async () => {
    const world = await worldWith();
    const list = world.look("/a");
    await world.clock.advance(100);
    for (const socket of world.sockets) socket.fail(1000);
    await world.clock.advance(120_000);
    expect([world.sockets.size, list.state]).toEqual([0, "failed"]);
  });

  it("that is refused with a message each time leaves the following to GETs, until it is taken", async () => {
    const world = await worldWith();
    const wait = ["Retry-After", "2"] as const;
    world.mangle = () => [`HTTP/1.1 503 Service Unavailable\r\n${wait.join(": ")}\r\n\r\n`];
    const list = world.look("/a");
    for (let second = 0; second < 60; second += 1) {
      for (const socket of world.sockets) if (socket.readyState === 1) socket.fail(4503);
      await world.clock.advance(1_000);
      if (second === 1) expect(world.counted("a handshake")).toBe(1);
    }
    expect([list.state, list.shown]).toEqual(["polling", world.service.rows("a")]);
    world.mangle = (data) => [data];
    await world.clock.advance(50_000);
    expect(list.state).toBe("live");
  });
});

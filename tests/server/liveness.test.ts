import { describe, expect, it } from "vitest";
import { createHub } from "../../src/server/index.ts";
import { connectMemoryPeer, createFakeClock, type MemoryPeer } from "../../src/testing/index.ts";
import { briefs, createWorld } from "./fixture.ts";

describe("the heartbeat", () => {
  it("is one 304 without Subscription for the connection, at most 20 s after the last message [R-HB-1] [R-HB-2]", async () => {
    const world = createWorld();
    const peer = await world.opened("/a");
    peer.request("SUBSCRIBE", "/b", [["Request-ID", "1"]]);
    await world.clock.settle();
    world.put("a", 1);
    await world.clock.advance(18_000);
    expect(briefs(peer, 4)).toEqual(["201 /a/1 @1"]);
    await world.clock.advance(2_000);
    expect(briefs(peer, 5)).toEqual(["304 @1"]);
    await world.clock.advance(60_000);
    expect(briefs(peer, 5).length).toBeGreaterThanOrEqual(4);
    expect(new Set(briefs(peer, 5))).toEqual(new Set(["304 @1"]));
  });

  it("moves the position of a subscription that nothing happens to [R-HB-2]", async () => {
    const world = createWorld();
    const peer = await world.opened("/a");
    world.put("b", 1);
    await world.clock.advance(20_000);
    expect(briefs(peer, 2)).toEqual(["304 @1"]);
  });

  it("is not due while something was sent [R-HB-1]", async () => {
    const world = createWorld();
    const peer = await world.opened("/a");
    for (let at = 1; at <= 6; at += 1) {
      world.put("a", at);
      await world.clock.advance(10_000);
    }
    expect(briefs(peer, 2).filter((text) => text.startsWith("304"))).toEqual([]);
  });

  it("has no Event-ID where there is no journal [R-HB-2]", async () => {
    const clock = createFakeClock();
    const hub = createHub({ origin: async () => ({ status: 404, fields: [], body: "" }), clock });
    const peer = await connectMemoryPeer(hub, "/.well-known/rocket");
    await clock.advance(20_000);
    expect(briefs(peer)).toEqual(["200", "304"]);
  });

  it("is no 304 before the opening message, nor before it is caught up [R-HB-4]", async () => {
    const world = createWorld({ latencyMs: () => 50_000, limits: { originTimeoutMs: 60_000, maxRecentChanges: 0 } });
    const peer = await world.open("/a");
    await world.clock.advance(45_000);
    expect(briefs(peer)).toEqual([]);
    expect(peer.pings).toBeGreaterThan(0);
    world.put("a", 1);
    const { read } = world.store.journal;
    let isBusy = true;
    world.store.journal.read = (...given) =>
      isBusy ? Promise.reject(new Error("busy")) : read.apply(world.store.journal, given);
    await world.clock.advance(45_000);
    expect(briefs(peer)).toEqual(["200 @0"]);
    isBusy = false;
    await world.clock.advance(1_000);
    expect(briefs(peer)).toEqual(["200 @0", "201 /a/1 @1", "304 @1"]);
  });

  it("is no 304 while a subscription that was caught up is behind [R-HB-4]", async () => {
    const world = createWorld({ limits: { maxUnsentBytes: 1_024, maxRecentChanges: 0 } });
    const peer = await world.opened("/a");
    peer.request("SUBSCRIBE", "/b", [["Request-ID", "1"]]);
    await world.clock.settle();
    const { read } = world.store.journal;
    let isBusy = true;
    world.store.journal.read = (...given) =>
      isBusy ? Promise.reject(new Error("busy")) : read.apply(world.store.journal, given);
    peer.pause();
    world.put("a", 1, { text: "x".repeat(2_000) });
    await world.clock.settle();
    world.put("b", 1);
    await world.clock.settle();
    peer.resume();
    await world.clock.advance(60_000);
    expect(briefs(peer, 4)).toEqual(["201 /a/1 @1"]);
    isBusy = false;
    await world.clock.advance(100);
    expect(briefs(peer, 4)).toEqual(["201 /a/1 @1", "201 /b/1 @2 sub=/b"]);
    await world.clock.advance(20_000);
    expect(briefs(peer, 6)).toEqual(["304 @2"]);
  });

  it("of the handshake's subscription that is caught up waits for another that fell behind [R-HB-4]", async () => {
    const world = createWorld({ limits: { maxUnsentBytes: 1_024 } });
    world.put("a", 1, { text: "x".repeat(2_000) });
    const peer = await world.opened("/a");
    peer.request("SUBSCRIBE", "/b", [["Request-ID", "1"]]);
    await world.clock.settle();
    peer.pause();
    world.store.journal.commit([{ kind: "reset", collection: "/a", url: "" }]);
    await world.clock.settle();
    world.put("b", 1);
    await world.clock.settle();
    peer.resume();
    await world.clock.settle();
    expect(briefs(peer, 4)).toEqual(["200 @2", "201 /b/1 @3 sub=/b", "304 @3"]);
  });

  it("waits while the opening of a reset collection is on its way [R-HB-4]", async () => {
    let latencyMs = 0;
    const world = createWorld({ latencyMs: () => latencyMs, limits: { originTimeoutMs: 60_000 } });
    const peer = await world.opened("/a");
    latencyMs = 50_000;
    world.store.journal.commit([{ kind: "reset", collection: "/a", url: "" }]);
    await world.clock.advance(45_000);
    expect(briefs(peer, 2)).toEqual([]);
    await world.clock.advance(5_000);
    expect(briefs(peer, 2)).toEqual(["200 @1", "304 @1"]);
  });
});

describe("a hub that stops", () => {
  async function crowd(count: number) {
    const world = createWorld();
    const peers: MemoryPeer[] = [];
    for (let at = 0; at < count; at += 1) peers.push(await world.opened("/a"));
    return { world, peers };
  }

  it("gives each that is caught up a 304 with its position, then 1001, within the window [R-CLOSE-4] [R-CLOSE-6]", async () => {
    const { world, peers } = await crowd(20);
    world.put("a", 1);
    let isDone = false;
    void world.hub.close(100).then(() => {
      isDone = true;
    });
    await world.clock.advance(50);
    const early = peers.filter(({ closing }) => closing);
    expect(early.length).toBeGreaterThan(0);
    expect(early.length).toBeLessThan(20);
    await world.clock.advance(50);
    expect(isDone).toBe(true);
    for (const peer of peers) {
      expect(briefs(peer, 2)).toEqual(["201 /a/1 @1", "304 @1"]);
      expect(peer.closing?.code).toBe(1001);
    }
    expect(world.hub.counts).toEqual({ connections: 0, subscriptions: 0, views: 0 });
    expect(world.clock.timers).toBe(0);
  });

  it("spreads the closes in random order [R-CLOSE-4]", async () => {
    const { world, peers } = await crowd(30);
    void world.hub.close(300);
    const order: MemoryPeer[] = [];
    for (let at = 0; at <= 300; at += 1) {
      await world.clock.advance(1);
      order.push(...peers.filter((peer) => peer.closing && !order.includes(peer)));
    }
    expect(order).toHaveLength(30);
    expect(order).not.toEqual(peers);
  });

  it("still delivers to those that it has not told yet", async () => {
    const { world, peers } = await crowd(20);
    void world.hub.close(100);
    await world.clock.advance(50);
    const before = peers.filter(({ closing }) => !closing);
    world.put("a", 1);
    await world.clock.advance(50);
    for (const peer of before) expect(briefs(peer, 2)).toEqual(["201 /a/1 @1", "304 @1"]);
  });

  it("tells new connections at once, and says nothing that is not true of them [R-CLOSE-4]", async () => {
    const { world } = await crowd(2);
    void world.hub.close();
    for (const level of [0, 1] as const) {
      const peer = await world.opened("/a", [["Last-Event-ID", "m:0.0"]], level);
      expect(peer.messages).toEqual([]);
      expect(peer.closing?.code).toBe(1001);
    }
    await world.clock.advance(5_000);
    expect(world.hub.counts.connections).toBe(0);
  });

  it("gives no 304 to a connection that is not caught up [R-CLOSE-4]", async () => {
    const world = createWorld({ latencyMs: () => 1_000 });
    const peer = await world.open("/a");
    void world.hub.close();
    await world.clock.advance(2_000);
    expect(peer.messages).toEqual([]);
    expect(peer.closing?.code).toBe(1001);
    expect(world.clock.timers).toBe(0);
  });

  it("may be told to twice, and is done at once where nobody is connected", async () => {
    const { world } = await crowd(0);
    const first = world.hub.close();
    expect(world.hub.close()).toBe(first);
    await first;
    world.put("a", 1);
    await world.clock.settle();
    expect(world.clock.timers).toBe(0);
  });
});

describe("a peer that goes away", () => {
  it("leaves no subscription, view or timer, at any moment of its life", async () => {
    for (const after of [0, 5, 15, 25, 35, 100]) {
      const world = createWorld({ latencyMs: () => 10, limits: { maxRecentChanges: 0 } });
      for (let at = 1; at <= 10; at += 1) world.put("a", at);
      const peer = await world.open("/a", [["Last-Event-ID", "m:3.0"]]);
      peer.request("SUBSCRIBE", "/b", [["Request-ID", "1"]]);
      await world.clock.advance(after);
      world.put("a", 11);
      peer.disconnect();
      peer.disconnect();
      await world.clock.advance(1_000);
      expect(world.hub.counts).toEqual({ connections: 0, subscriptions: 0, views: 0 });
      expect(world.clock.timers).toBe(1);
    }
  });
});

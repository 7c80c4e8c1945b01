import { describe, expect, it } from "vitest";
import { fieldValue } from "../../src/protocol/index.ts";
import { type MemoryPeer, Replica } from "../../src/testing/index.ts";
import { brief, briefs, createWorld, messageAt, type World } from "./fixture.ts";

const bound = 256 * 1024;
const chunk = 64 * 1024;
const text = "x".repeat(1_000);

function putMany(world: World, from: number, count: number): void {
  world.store.transaction((writer) => {
    for (let id = from; id < from + count; id += 1) writer.put("a", { id, text });
  });
}

function urlsOf(peer: MemoryPeer, from = 0): string[] {
  return peer.messages.slice(from).flatMap(({ fields }) => fieldValue(fields, "content-location") ?? []);
}

function urls(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `/a/${from + at}`);
}

/** The records of a collection as a replica should have them. */
function records(world: World): [string, string][] {
  return world.store.rows("a").map((row) => [`/a/${row.id}`, JSON.stringify(row)]);
}

function replicate(peer: MemoryPeer): Replica {
  const replica = new Replica("/a");
  for (const message of peer.messages) replica.take(message);
  return replica;
}

describe("a slow reader", () => {
  it("is parked at the bound while others get everything, and goes on without gap or repeat [R-SUB-12]", async () => {
    const world = createWorld();
    const slow = await world.opened("/a");
    const fast = await world.opened("/a");
    slow.pause();
    for (let at = 0; at < 1_000; at += 1) {
      putMany(world, at + 1, 1);
      await world.clock.settle();
    }
    expect(urlsOf(fast)).toEqual(urls(1, 1_000));
    expect(slow.peakUnreadBytes).toBeGreaterThan(bound);
    expect(slow.peakUnreadBytes).toBeLessThan(bound + chunk);
    slow.resume();
    await world.clock.settle();
    expect(urlsOf(slow)).toEqual(urls(1, 1_000));
    putMany(world, 1_001, 1);
    await world.clock.settle();
    expect(brief(messageAt(slow, -1))).toBe("201 /a/1001 @1001");
  });

  it("goes on from the journal where what it missed is not in memory any more [R-SUB-12]", async () => {
    const world = createWorld({ limits: { maxRecentChanges: 10 } });
    const slow = await world.opened("/a");
    slow.pause();
    for (let at = 0; at < 30; at += 1) {
      putMany(world, at * 100 + 1, 100);
      await world.clock.settle();
    }
    slow.resume();
    await world.clock.settle();
    expect(urlsOf(slow)).toEqual(urls(1, 3_000));
    expect(replicate(slow).position).toBe("m:3000.0");
  });

  it("whose missed history was trimmed gets a fresh 200, at Level 0 a close with 1001 [R-RES-6] [R-L0-6]", async () => {
    const world = createWorld({ limits: { maxRecentChanges: 10 } });
    const slow = await world.opened("/a");
    const zero = await world.opened("/a", [], 0);
    slow.pause();
    zero.pause();
    for (let at = 0; at < 10; at += 1) {
      putMany(world, at * 100 + 1, 100);
      await world.clock.settle();
    }
    world.store.journal.trim(1_000);
    slow.resume();
    zero.resume();
    await world.clock.settle();
    expect(briefs(slow).slice(-2)).toEqual(["200 @1000", "304 @1000"]);
    expect(replicate(slow).records).toEqual(new Map(records(world)));
    expect(zero.closing?.code).toBe(1001);
  });

  const names = Array.from({ length: 100 }, (_, at) => `c${at}`);

  /** A peer without subscriptions, and what one snapshot of each of a hundred filters has in bytes. */
  async function manySnapshots() {
    const world = createWorld();
    const row = Object.fromEntries(names.map((name) => [name, 1]));
    const fill = () => {
      for (let at = 1; at <= 150; at += 1) world.put("a", at, { ...row, text });
    };
    const peer = await world.opened("/.well-known/rocket");
    const subscribe = () => {
      for (const name of names) peer.request("SUBSCRIBE", `/a?${name}=1`, [["Request-ID", name]]);
    };
    const bytesOfOne = async () =>
      (await world.store.origin({ method: "GET", target: "/a", fields: [], body: "" })).body.length;
    return { world, peer, fill, subscribe, bytesOfOne };
  }

  it("that has not read its snapshots is given no further ones before it does [R-SUB-12]", async () => {
    const { world, peer, fill, subscribe, bytesOfOne } = await manySnapshots();
    fill();
    peer.pause();
    subscribe();
    await world.clock.settle();
    const one = await bytesOfOne();
    expect(one).toBeGreaterThan(100_000);
    expect(peer.unreadBytes).toBeLessThan(bound + one + chunk);
    expect(world.asked.length).toBeLessThan(5);
    peer.resume();
    await world.clock.settle();
    const answers = peer.messages.filter(({ status, fields }) => status === 200 && fieldValue(fields, "request-id"));
    expect(answers).toHaveLength(100);
  });

  it("with a hundred subscriptions is given no hundred snapshots at once after a loss [R-SUB-12]", async () => {
    const { world, peer, fill, subscribe, bytesOfOne } = await manySnapshots();
    subscribe();
    await world.clock.settle();
    fill();
    await world.clock.settle();
    peer.pause();
    world.store.journal.lose();
    await world.clock.settle();
    expect(peer.unreadBytes).toBeLessThan(bound + (await bytesOfOne()) + chunk);
    const from = peer.messages.length;
    peer.resume();
    await world.clock.settle();
    expect(peer.messages.slice(from).filter(({ status }) => status === 200)).toHaveLength(100);
  });

  it("of many subscriptions loses nothing of any, and no bookmark skips what is parked [R-SUB-12] [R-HB-4]", async () => {
    const world = createWorld({ limits: { maxUnsentBytes: 2_048 } });
    const peer = await world.opened("/a");
    for (const target of ["/a?g=1", "/a?g=2", "/b"])
      peer.request("SUBSCRIBE", target, [["Request-ID", target.slice(-1)]]);
    await world.clock.settle();
    const from = peer.messages.length;
    for (let at = 1; at <= 200; at += 1) {
      if (at % 10 === 1) peer.pause();
      world.put(at % 3 === 0 ? "b" : "a", at, { g: (at % 2) + 1 });
      await world.clock.settle();
      if (at % 10 === 6) peer.resume();
      if (at % 50 === 0) await world.clock.advance(25_000);
    }
    peer.resume();
    await world.clock.advance(25_000);
    const seen = peer.messages.slice(from);
    const of = (name: string | undefined): number[] =>
      seen
        .filter(({ status, fields }) => status === 201 && fieldValue(fields, "subscription") === name)
        .map(({ fields }) => Number(fieldValue(fields, "content-location")?.split("/").at(-1)));
    const all = Array.from({ length: 200 }, (_, at) => at + 1);
    const a = all.filter((at) => at % 3 !== 0);
    expect(of(undefined)).toEqual(a);
    expect(of("/b")).toEqual(all.filter((at) => at % 3 === 0));
    expect(of("/a?g=1")).toEqual(a.filter((at) => at % 2 === 0));
    expect(of("/a?g=2")).toEqual(a.filter((at) => at % 2 === 1));
    // What a bookmark speaks for was delivered before it.
    let mark = 0;
    for (const { status, fields } of seen) {
      const position = Number(/:(\d+)/.exec(fieldValue(fields, "event-id") ?? "")?.[1] ?? 0);
      if (status === 304 && !fieldValue(fields, "subscription")) mark = position;
      else if (status === 201) expect(position).toBeGreaterThan(mark);
    }
  });

  it("that goes away while parked leaves nothing behind", async () => {
    const world = createWorld();
    const slow = await world.opened("/a");
    slow.pause();
    putMany(world, 1, 2_000);
    await world.clock.settle();
    slow.disconnect();
    await world.clock.advance(5_000);
    expect(world.hub.counts).toEqual({ connections: 0, subscriptions: 0, views: 0 });
    expect(world.clock.timers).toBe(1);
  });
});

describe("a huge transaction", () => {
  const rows = 20_000;

  it("reaches slow and fast readers whole, in pieces, marked once at its end [R-POS-4] [R-SUB-12]", async () => {
    const world = createWorld();
    const slow = await world.opened("/a");
    const fast = await world.opened("/a");
    const zero = await world.opened("/a", [], 0);
    slow.pause();
    world.store.transaction((writer) => {
      for (let at = 1; at <= rows; at += 1) writer.put("a", { id: at });
    });
    world.put("a", rows + 1);
    await world.clock.settle();
    expect(slow.unreadBytes).toBeLessThan(bound + chunk);
    slow.resume();
    await world.clock.settle();
    for (const peer of [slow, fast, zero]) expect(urlsOf(peer)).toEqual(urls(1, rows + 1));
    for (const peer of [slow, fast]) {
      const marks = briefs(peer, 2).filter((line) => line.includes("@"));
      expect(marks).toEqual([`201 /a/${rows} @${rows}`, `201 /a/${rows + 1} @${rows + 1}`]);
    }
  });

  it("is continued by a reader that stopped in its middle for long [R-SUB-12]", async () => {
    const world = createWorld({ maxChanges: rows });
    const slow = await world.opened("/a");
    slow.pause();
    world.store.transaction((writer) => {
      for (let at = 1; at <= rows; at += 1) writer.put("a", { id: at });
    });
    // What was encoded for all is given up meanwhile.
    await world.clock.advance(10_000);
    slow.resume();
    await world.clock.settle();
    expect(urlsOf(slow)).toEqual(urls(1, rows));
    expect(briefs(slow, 2).filter((line) => line.includes("@"))).toEqual([`201 /a/${rows} @${rows}`]);
  });

  it("to a record that goes in its end ends the subscription [R-SUB-9]", async () => {
    const world = createWorld();
    world.put("a", 1);
    const slow = await world.opened("/a/1");
    slow.pause();
    world.store.transaction((writer) => {
      for (let at = 0; at < 1_000; at += 1) writer.put("a", { id: 1, text, at });
      writer.put("b", { id: 1 });
      writer.remove("a", 1);
    });
    world.put("a", 1);
    await world.clock.settle();
    expect(slow.unreadBytes).toBeLessThan(bound + chunk);
    slow.resume();
    await world.clock.settle();
    expect(slow.messages).toHaveLength(2 + 1_001);
    expect(brief(messageAt(slow, -1))).toBe("204 /a/1 @1003");
    expect(slow.closing?.code).toBe(1000);
  });
});

import { describe, expect, it } from "vitest";
import { fieldValue } from "../../src/protocol/index.ts";
import type { Origin, OriginRequest } from "../../src/server/index.ts";
import { createHub } from "../../src/server/index.ts";
import { connectMemoryPeer, createFakeClock, type MemoryPeer } from "../../src/testing/index.ts";
import { briefs, createWorld } from "./fixture.ts";

const wellKnown = "/.well-known/rocket";
const bound = 256 * 1024;

function subscribeTo(peer: MemoryPeer, targets: readonly string[]): void {
  targets.forEach((target, at) => {
    peer.request("SUBSCRIBE", target, [["Request-ID", String(at)]]);
  });
}

function filters(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `/a?c${at}=1`);
}

/** A hub without a journal over documents of one size, answered at once. */
function arrangeDocuments(bytes: number, answered: (request: OriginRequest) => Promise<void> = async () => {}) {
  const clock = createFakeClock();
  const asked: string[] = [];
  const body = JSON.stringify([{ id: 1, text: "x".repeat(bytes) }]);
  const origin: Origin = async (request) => {
    asked.push(request.target);
    await answered(request);
    return { status: 200, fields: [["Content-Type", "application/json"]], body };
  };
  const hub = createHub({ origin, derived: {}, clock });
  return { clock, hub, asked, documentBytes: body.length };
}

function answersOf({ messages }: MemoryPeer): number[] {
  return messages.filter(({ fields }) => fieldValue(fields, "request-id")).map(({ status }) => status);
}

describe("openings", () => {
  it("of 64 SUBSCRIBEs let that of another connection through after one of them [R-BAND-14]", async () => {
    const world = createWorld();
    const greedy = await world.opened(wellKnown);
    const other = await world.opened(wellKnown);
    subscribeTo(greedy, filters(64));
    subscribeTo(other, ["/b"]);
    await world.clock.settle();
    expect(world.asked.map(({ target }) => target).indexOf("/b")).toBeLessThanOrEqual(1);
    expect(answersOf(greedy)).toHaveLength(64);
  });

  it("of 64 SUBSCRIBEs let a handshake through, at each level [R-BAND-14]", async () => {
    const world = createWorld();
    const greedy = await world.opened(wellKnown);
    subscribeTo(greedy, filters(64));
    const zero = world.open("/b", [], 0);
    const one = world.open("/b?x=1");
    await world.clock.settle();
    expect((await zero).closing).toBeUndefined();
    expect(briefs(await one)).toEqual(["200 @0", "304 @0"]);
    const targets = world.asked.map(({ target }) => target);
    expect(targets.indexOf("/b")).toBeLessThanOrEqual(2);
    expect(targets.indexOf("/b?x=1")).toBeLessThanOrEqual(3);
  });

  it("after a loss take turns, and those that ask the same are one question [R-BAND-14] [R-RES-6]", async () => {
    const world = createWorld();
    const greedy = await world.opened(wellKnown);
    subscribeTo(greedy, filters(64));
    await world.clock.settle();
    const others = await Promise.all(Array.from({ length: 20 }, () => world.opened("/b")));
    const before = world.asked.length;
    world.store.journal.lose();
    await world.clock.settle();
    const targets = world.asked.slice(before).map(({ target }) => target);
    expect(targets.filter((target) => target === "/b")).toHaveLength(1);
    expect(targets.indexOf("/b")).toBeLessThanOrEqual(1);
    expect(targets).toHaveLength(65);
    for (const other of others)
      expect(
        briefs(other)
          .slice(-2)
          .map((line) => line.slice(0, 3)),
      ).toEqual(["200", "304"]);
  });

  it("of one connection are 8 at once against a slow origin, and others are not held up", async () => {
    const { clock, hub, asked } = arrangeDocuments(10, ({ target }) =>
      target.startsWith("/slow") ? new Promise(() => {}) : Promise.resolve(),
    );
    const greedy = await connectMemoryPeer(hub, wellKnown);
    const other = await connectMemoryPeer(hub, wellKnown);
    subscribeTo(
      greedy,
      Array.from({ length: 64 }, (_, at) => `/slow/${at}`),
    );
    await clock.settle();
    subscribeTo(other, ["/quick"]);
    await clock.settle();
    // The quick one, and whether its rows are at URLs of their own.
    expect(asked).toHaveLength(10);
    expect(answersOf(other)).toEqual([200]);
    // Each that is given up makes room for the next one.
    await clock.advance(9_000);
    expect(asked).toHaveLength(18);
    expect(answersOf(greedy)).toEqual(Array.from({ length: 8 }, () => 504));
  });

  it("that ask for the documents of one view in one turn are sent no more than the bound and one of them [R-SUB-12]", async () => {
    const { clock, hub, documentBytes } = arrangeDocuments(3_000_000);
    const peer = await connectMemoryPeer(hub, wellKnown);
    peer.pause();
    subscribeTo(
      peer,
      Array.from({ length: 64 }, (_, at) => `/list?page=${at}`),
    );
    await clock.settle();
    expect(peer.unreadBytes).toBeGreaterThan(documentBytes);
    expect(peer.peakUnreadBytes).toBeLessThan(bound + documentBytes + 1_024);
    for (let nth = 0; nth < 3; nth += 1) {
      peer.resume();
      peer.pause();
      await clock.settle();
      expect(peer.peakUnreadBytes).toBeLessThan(bound + documentBytes + 1_024);
    }
    peer.resume();
    await clock.settle();
    expect(answersOf(peer)).toEqual(Array.from({ length: 64 }, () => 200));
  });

  it("whose answers come at the same moment are sent no more, either [R-SUB-12]", async () => {
    const waiting: (() => void)[] = [];
    const { clock, hub, documentBytes } = arrangeDocuments(3_000_000, () => new Promise((go) => waiting.push(go)));
    const peer = await connectMemoryPeer(hub, wellKnown);
    peer.pause();
    subscribeTo(
      peer,
      Array.from({ length: 16 }, (_, at) => `/list?page=${at}`),
    );
    await clock.settle();
    expect(waiting).toHaveLength(8);
    while (answersOf(peer).length < 16) {
      for (const go of waiting.splice(0)) go();
      await clock.settle();
      expect(peer.peakUnreadBytes).toBeLessThan(bound + documentBytes + 1_024);
      peer.resume();
      peer.pause();
      await clock.settle();
    }
    expect(answersOf(peer)).toEqual(Array.from({ length: 16 }, () => 200));
  });

  it("for which there was no room are tried one at a time: no document is asked for in vain again and again", async () => {
    const { clock, hub, asked } = arrangeDocuments(300_000);
    const peer = await connectMemoryPeer(hub, wellKnown);
    peer.pause();
    subscribeTo(
      peer,
      Array.from({ length: 64 }, (_, at) => `/list?page=${at}`),
    );
    for (let nth = 0; nth < 64; nth += 1) {
      await clock.settle();
      peer.resume();
      peer.pause();
    }
    peer.resume();
    await clock.settle();
    expect(answersOf(peer)).toHaveLength(64);
    expect(asked.length).toBeLessThanOrEqual(64 + 8);
  });

  it("beyond the number of subscriptions are refused before anything is asked, those under way counted [R-BAND-7]", async () => {
    const clock = createFakeClock();
    let asked = 0;
    const origin: Origin = () => {
      asked += 1;
      return new Promise(() => {});
    };
    const hub = createHub({ origin, derived: {}, clock, limits: { maxSubscriptions: 3 } });
    const peer = await connectMemoryPeer(hub, wellKnown);
    subscribeTo(peer, ["/1", "/2", "/3", "/4", "/5"]);
    await clock.settle();
    expect(asked).toBe(3);
    expect(answersOf(peer)).toEqual([429, 429]);
  });

  it("that renew are served at the bound, without the state [R-BAND-5] [R-BAND-7]", async () => {
    const world = createWorld({ limits: { maxSubscriptions: 1 } });
    const peer = await world.opened(wellKnown);
    for (const target of ["/a?y=1&x=2", "/a?y=1&x=2", "/a?x=2&y=1", "/a?z=1"]) {
      subscribeTo(peer, [target]);
      await world.clock.settle();
    }
    expect(answersOf(peer)).toEqual([200, 304, 304, 429]);
    expect(world.asked.map(({ method }) => method)).toEqual(["GET", "GET", "HEAD"]);
  });

  it("that would have renewed what was ended meanwhile begin with its state [R-BAND-5] [R-SUB-1]", async () => {
    const world = createWorld({ latencyMs: () => 100 });
    world.put("a", 1);
    const peer = await world.opened(wellKnown);
    subscribeTo(peer, ["/a/1"]);
    await world.clock.advance(200);
    peer.request("SUBSCRIBE", "/a/1", [["Request-ID", "again"]]);
    await world.clock.settle();
    // Ends the subscription while the renewal is asked for, and the record is there again when it is answered.
    world.remove("a", 1);
    world.put("a", 1, { text: "new" });
    await world.clock.settle();
    await world.clock.advance(1_000);
    const last = briefs(peer).filter((line) => line.includes("id=again"));
    expect(last).toEqual(["200 @3 sub=/a/1 id=again"]);
  });

  it("read no more of a peer whose waiting requests have more than 64 KiB [R-BAND-8]", async () => {
    const { clock, hub } = arrangeDocuments(10, () => new Promise(() => {}));
    const peer = await connectMemoryPeer(hub, wellKnown);
    const long: readonly [string, string] = ["Authorization", "x".repeat(8_000)];
    for (let at = 0; at < 8; at += 1) peer.request("SUBSCRIBE", `/${at}`, [["Request-ID", String(at)], long]);
    await clock.settle();
    expect(peer.isRead).toBe(true);
    peer.request("SUBSCRIBE", "/8", [["Request-ID", "8"], long]);
    expect(peer.isRead).toBe(false);
    await clock.advance(9_000);
    await clock.advance(9_000);
    expect(peer.isRead).toBe(true);
    expect(answersOf(peer)).toEqual(Array.from({ length: 9 }, () => 504));
  });
});

import { describe, expect, it } from "vitest";
import { fieldValue, type HttpResponse } from "../../src/protocol/index.ts";
import { awaitChange } from "../../src/server/http/await-change.ts";
import type { MemoryPeer } from "../../src/testing/index.ts";
import { brief, createWorld, host, lastEventId, messageAt, type World } from "./fixture.ts";

/** `304 @1 sub=/b stale` */
function told(peer: MemoryPeer, from: number): string[] {
  const stale = ({ fields }: HttpResponse): string => (fieldValue(fields, "stale") === "?1" ? " stale" : "");
  return peer.messages.slice(from).map((message) => brief(message) + stale(message));
}

/** A peer that follows `/a` by its handshake and `/b` in band. */
async function follower(world: World): Promise<MemoryPeer> {
  const peer = await world.opened("/a");
  peer.request("SUBSCRIBE", "/b", [["Request-ID", "1"]]);
  await world.clock.settle();
  return peer;
}

describe("A journal that can't be read", () => {
  it("is told of after about 2 s, with the positions that subscribers have, and when it is over [R-HB-5]", async () => {
    const world = createWorld();
    const peer = await follower(world);
    world.put("a", 1);
    await world.clock.settle();
    const from = peer.messages.length;
    world.isAway = true;
    await world.clock.advance(2_000);
    expect(told(peer, from)).toEqual([]);
    await world.clock.advance(1_100);
    expect(told(peer, from).sort()).toEqual(["304 @1 stale", "304 @1 sub=/b stale"]);
    await world.clock.advance(10_000);
    expect(told(peer, from)).toHaveLength(2);
    world.isAway = false;
    world.put("b", 1);
    await world.clock.advance(1_000);
    expect(told(peer, from + 2)).toEqual(["201 /b/1 @2 sub=/b", "304 @2", "304 @2 sub=/b"]);
    await world.clock.advance(60_000);
    expect(told(peer, from + 5).join()).not.toContain("stale");
  });

  it("for a moment is not told of", async () => {
    const world = createWorld();
    const peer = await follower(world);
    const from = peer.messages.length;
    for (let times = 0; times < 5; times += 1) {
      world.isAway = true;
      await world.clock.advance(1_500);
      world.isAway = false;
      await world.clock.advance(1_500);
    }
    expect(told(peer, from)).toEqual([]);
  });

  it("leaves signs of life that say no position, or that it may be old [R-HB-5] [R-HB-1]", async () => {
    const world = createWorld();
    const [own, peer] = [await follower(world), await world.opened("/.well-known/rocket")];
    peer.request("SUBSCRIBE", "/b", [["Request-ID", "1"]]);
    await world.clock.settle();
    world.isAway = true;
    await world.clock.advance(4_000);
    const [ownFrom, from] = [own.messages.length, peer.messages.length];
    await world.clock.advance(40_000);
    expect(new Set(told(own, ownFrom))).toEqual(new Set(["304 @0 stale"]));
    expect(new Set(told(peer, from))).toEqual(new Set(["304"]));
    world.isAway = false;
    await world.clock.advance(1_000);
    expect(told(peer, -1)).toEqual(["304 @0 sub=/b"]);
    await world.clock.advance(20_000);
    expect(brief(messageAt(peer, -1))).toBe("304 @0");
  });

  it("is told of to those who come meanwhile [R-HB-5]", async () => {
    const world = createWorld();
    await follower(world);
    world.isAway = true;
    await world.clock.advance(4_000);
    const late = await world.opened("/a");
    expect(told(late, 0)).toEqual(["200 @0", "304 @0 stale"]);
    world.isAway = false;
    await world.clock.advance(1_000);
    expect(told(late, 2)).toEqual(["304 @0"]);
  });

  it("has views that are asked for again looked at [R-DER-10]", async () => {
    let status = 200;
    const world = createWorld({
      derived: {},
      around: (inner) => async (request) => {
        if (!request.target.startsWith("/derived")) return inner(request);
        return { status, fields: [["Content-Type", "application/json"]], body: '{"derived":[]}' };
      },
    });
    await follower(world);
    const peer = await world.opened("/derived");
    const from = peer.messages.length;
    [world.isAway, status] = [true, 503];
    await world.clock.advance(6_000);
    expect(told(peer, from).map((text) => text.replace(/@\S+/, "@"))).toEqual(["304 @ stale"]);
  });

  it("is no reason to say that nothing has changed to who waits for that [R-STR-21]", async () => {
    const world = createWorld();
    await follower(world);
    const wait = (): ReturnType<typeof awaitChange> =>
      awaitChange(
        world.hub,
        { target: "/a", level: 1, fields: [host, lastEventId(0)] },
        { waitMs: 10_000, clock: world.clock, signal: new AbortController().signal },
      );
    const first = wait();
    await world.clock.advance(12_000);
    expect(await first).toContainEqual(["Event-ID", "m:0.0"]);
    const second = wait();
    await world.clock.settle();
    world.isAway = true;
    await world.clock.advance(12_000);
    expect(await second).toBe("changed");
  });
});

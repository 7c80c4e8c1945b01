import { describe, expect, it } from "vitest";
import { fieldValue, type HttpResponse } from "../../src/protocol/index.ts";
import type { MemoryPeer } from "../../src/testing/index.ts";
import { createWorld, type World } from "./fixture.ts";

const kib = 1024;
const stallTimeoutMs = 60_000;
const text = (bytes: number) => "x".repeat(bytes);

/** A peer that stopped reading when it was told of so many bytes. */
async function stalled(world: World, bytes: number): Promise<MemoryPeer> {
  const peer = await world.opened("/a");
  peer.pause();
  world.put("a", 1, { text: text(bytes) });
  await world.clock.settle();
  expect(peer.unreadBytes).toBeGreaterThan(bytes);
  return peer;
}

/** The answer to a SUBSCRIBE. */
async function subscribe(world: World, peer: MemoryPeer, target: string, id: string): Promise<HttpResponse> {
  peer.request("SUBSCRIBE", target, [["Request-ID", id]]);
  await world.clock.settle();
  const answer = peer.messages.find(({ fields }) => fieldValue(fields, "request-id") === id);
  if (!answer) throw new Error("There was no answer.");
  return answer;
}

describe("a follower that takes nothing of what waits for it", () => {
  it("is dropped after the timeout, however little that is, and not before [R-SEC-5]", async () => {
    const world = createWorld({ limits: { stallTimeoutMs } });
    const peer = await stalled(world, 100);
    await world.clock.advance(stallTimeoutMs - 1_000);
    expect(peer.closing).toBeUndefined();
    expect(world.hub.counts.connections).toBe(1);
    await world.clock.advance(2_000);
    expect(peer.closing).toEqual({ code: 1006, reason: "" });
    expect(world.hub.counts).toEqual({ connections: 0, subscriptions: 0, views: 0 });
  });

  it("is not dropped where it took something, however much is left [R-SEC-5]", async () => {
    const world = createWorld({ limits: { stallTimeoutMs } });
    const peer = await stalled(world, 100);
    for (let round = 0; round < 5; round += 1) {
      await world.clock.advance(stallTimeoutMs - 2_000);
      peer.resume();
      peer.pause();
      world.put("a", 1, { text: text(100 + round) });
      await world.clock.settle();
    }
    expect(peer.closing).toBeUndefined();
  });

  it("is dropped after a twelfth of it until half of the room for all is free [R-SEC-5]", async () => {
    const world = createWorld({ limits: { stallTimeoutMs, maxHeldBytes: kib * kib } });
    const peers = [await stalled(world, 400 * kib), await stalled(world, 400 * kib), await stalled(world, 400 * kib)];
    await world.clock.advance(stallTimeoutMs / 12 + 1_000);
    expect(peers.map(({ closing }) => closing?.code)).toEqual([1006, 1006, undefined]);
    expect(world.hub.held.isTight).toBe(false);
  });
});

describe("while the room for all peers is used up", () => {
  /** A world without room left, and a peer that reads. */
  async function fullWorld(): Promise<{ world: World; good: MemoryPeer }> {
    const world = createWorld({ limits: { maxHeldBytes: kib * kib } });
    world.put("b", 1, { text: text(100 * kib) });
    const good = await world.opened("/.well-known/rocket");
    for (let peer = 0; peer < 4; peer += 1) await stalled(world, 300 * kib);
    expect(world.hub.held.isFull).toBe(true);
    return { world, good };
  }

  it("a large snapshot is refused with 503 and Retry-After, and a small one is sent [R-SEC-5]", async () => {
    const { world, good } = await fullWorld();
    const large = await subscribe(world, good, "/b", "1");
    expect([large.status, fieldValue(large.fields, "retry-after")]).toEqual([503, "5"]);
    world.remove("b", 1);
    expect((await subscribe(world, good, "/b", "2")).status).toBe(200);
  });

  it("who reads is told of each change, and large snapshots come again once there is room [R-SEC-5]", async () => {
    const { world, good } = await fullWorld();
    world.put("a", 2);
    const follower = await world.opened("/a/2");
    world.put("a", 2, { text: "small" });
    await world.clock.settle();
    expect(follower.messages.at(-1)?.status).toBe(202);
    await world.clock.advance(10_000);
    expect((await subscribe(world, good, "/b", "3")).status).toBe(200);
  });
});

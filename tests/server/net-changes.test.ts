import { describe, expect, it } from "vitest";
import { changeSince, netBatch } from "../../src/server/direct/net-changes.ts";
import type { Batch } from "../../src/server/index.ts";
import { briefs, createWorld, lastEventId, unshown, type World } from "./fixture.ts";

/** Replaces records of `/a` in one transaction, with as many other writes between the delete and the create. */
function replace(world: World, ids: readonly number[], between = 0, columns: Record<string, string> = {}): void {
  world.store.transaction((writer) => {
    for (const id of ids) writer.remove("a", id);
    for (let id = 0; id < between; id += 1) writer.put("a", { id: 1_000 + id, text: "x".repeat(200) });
    for (const id of ids) writer.put("a", { id, ...columns });
  });
}

function statusesOf(peer: { readonly messages: readonly { readonly status: number }[] }, from = 0): number[] {
  return peer.messages.slice(from).map(({ status }) => status);
}

describe("A record that is deleted and created again in one transaction", () => {
  it("is a 202 to those who follow it, and its stream goes on [R-SUB-5] [R-SUB-9]", async () => {
    const world = createWorld();
    world.put("a", 1, { name: "x" });
    const peer = await world.opened("/a/1");
    const old = await world.opened("/a/1", [], 0);
    replace(world, [1], 0, { name: "y" });
    await world.clock.settle();
    world.put("a", 1, { name: "z" });
    await world.clock.settle();
    expect(briefs(peer, 2)).toEqual(["202 /a/1 @3", "202 /a/1 @4"]);
    expect(JSON.parse(String(peer.messages[2]?.body))).toMatchObject({ record: { name: "y" } });
    expect(statusesOf(old)).toEqual([202, 202]);
    expect([peer.closing, old.closing]).toEqual([undefined, undefined]);
  });

  it("is a 202 in its list, where it was created, and the last one has the mark [R-SUB-5] [R-POS-4]", async () => {
    const world = createWorld();
    for (const id of [1, 2]) world.put("a", id);
    const peer = await world.opened("/a");
    replace(world, [2, 1], 1);
    await world.clock.settle();
    expect(briefs(peer, 2)).toEqual(["201 /a/1000", "202 /a/2", "202 /a/1 @7"]);
  });

  it("leaves, enters or is nothing to a filter by where it stood and stands [R-SUB-5]", async () => {
    const world = createWorld();
    world.put("a", 1, { kind: "x" });
    const left = await world.opened("/a?kind=x");
    const entered = await world.opened("/a?kind=y");
    const other = await world.opened("/a?kind=z");
    replace(world, [1], 0, { kind: "y" });
    await world.clock.settle();
    expect(briefs(left, 2)).toEqual(["204 /a/1 @3"]);
    expect(briefs(entered, 2)).toEqual(["201 /a/1 @3"]);
    expect(briefs(other, 2)).toEqual([]);
  });

  it("is gone where it is deleted once more, and where that is another transaction's [R-SUB-5] [R-SUB-9]", async () => {
    const world = createWorld();
    for (const id of [1, 2]) world.put("a", id);
    const [one, two] = [await world.opened("/a/1"), await world.opened("/a/2")];
    world.store.transaction((writer) => {
      writer.remove("a", 1);
      writer.put("a", { id: 1 });
      writer.remove("a", 1);
    });
    world.remove("a", 2);
    world.put("a", 2);
    await world.clock.settle();
    expect(statusesOf(one, 2)).toEqual([202, 204]);
    expect(briefs(two, 2)).toEqual(["204 /a/2 @6"]);
    expect([one.closing?.code, two.closing?.code]).toEqual([1000, 1000]);
  });

  it.each([
    ["from memory", 10_000],
    ["from the journal, however many pages that are", 0],
  ])("is a 202 to those who catch up with it %s [R-SUB-5] [R-RES-1]", async (_, maxRecentChanges) => {
    const world = createWorld({ limits: { maxRecentChanges } });
    world.put("a", 1, { name: "x" });
    const slow = await world.opened("/a/1");
    const list = await world.opened("/a");
    for (const peer of [slow, list]) peer.pause();
    for (let at = 0; at < 400; at += 1) world.put("a", 1, { name: "x".repeat(1_000) });
    await world.clock.settle();
    replace(world, [1], 2_500, { name: "y" });
    await world.clock.settle();
    for (const peer of [slow, list]) peer.resume();
    const late = await world.opened("/a/1", [lastEventId(1)]);
    await world.clock.settle();
    world.put("a", 1, { name: "z" });
    await world.clock.settle();
    for (const peer of [slow, late]) {
      expect(statusesOf(peer, 1).filter((status) => status !== 304 && status !== 202)).toEqual([]);
      expect(briefs(peer).at(-1)).toBe("202 /a/1 @2904");
    }
    expect(briefs(list).at(-1)).toBe("202 /a/1 @2904");
  });
});

describe("A list that is read from the journal's pages", () => {
  it.each([
    ["within a page", 0, 100],
    ["where a page ends in between", 600, 800],
    ["where a page ends after the delete", 998, 900],
  ])(
    "tells a record that one transaction deletes and creates as one change, %s [R-SUB-5]",
    async (_, ahead, between) => {
      const world = createWorld({ limits: { maxRecentChanges: 0 } });
      for (const id of [1, 2, 3]) world.put("a", id, { kind: "x" });
      for (let at = 0; at < ahead; at += 1) world.put("a", 3, { kind: "x" });
      replace(world, [1], between, { kind: "x" });
      replace(world, [2], 0, { kind: "y" });
      await world.clock.settle();
      const all = await world.opened("/a", [lastEventId(3)]);
      const some = await world.opened("/a?kind=x", [lastEventId(3)]);
      const entered = await world.opened("/a?kind=y", [lastEventId(3)]);
      await world.clock.settle();
      const about = (peer: typeof all, id: number) =>
        briefs(peer, 1).filter((text) => text.split(" ")[1] === `/a/${id}`);
      const end = ahead + between + 7;
      expect([about(all, 1), about(all, 2)]).toEqual([["202 /a/1"], [`202 /a/2 @${end}`]]);
      expect([about(some, 1), about(some, 2)]).toEqual([["202 /a/1"], [`204 /a/2 @${end}`]]);
      expect([about(entered, 1), about(entered, 2)]).toEqual([[], [`201 /a/2 @${end}`]]);
    },
  );

  it("does so for one that stops to read in the middle [R-SUB-5] [R-SUB-12]", async () => {
    const world = createWorld({ limits: { maxRecentChanges: 0 } });
    for (const id of [1, 2]) world.put("a", id, { kind: "x" });
    const peer = await world.opened("/a?kind=x");
    peer.pause();
    for (let at = 0; at < 400; at += 1) world.put("a", 2, { kind: "x", name: "x".repeat(1_000) });
    world.store.transaction((writer) => {
      writer.remove("a", 1);
      for (let at = 0; at < 900; at += 1) writer.put("a", { id: 2, kind: "x", name: "y".repeat(1_000) });
      writer.put("a", { id: 1, kind: "y" });
    });
    await world.clock.settle();
    for (let turn = 0; turn < 6; turn += 1) {
      peer.resume();
      await world.clock.settle();
      peer.pause();
    }
    peer.resume();
    await world.clock.settle();
    const about = briefs(peer, 2).filter((text) => text.split(" ")[1] === "/a/1");
    expect([about, statusesOf(peer, 1).includes(200)]).toEqual([["204 /a/1 @1304"], false]);
  });
});

describe("A batch's net changes", () => {
  const created = { contentType: "text/plain", body: "the created record" };
  const columns = { collection: "/a", url: "/a/1", represent: () => created };
  const batch: Batch = {
    after: 0,
    position: 4,
    eventId: "m:4.0",
    changes: [
      { position: 1, kind: "delete", ...columns, before: { id: 1 }, represent: unshown },
      { position: 2, kind: "create", ...columns, url: "/a/2", after: { id: 2 } },
      { position: 4, kind: "create", ...columns, after: { id: 1, name: "y" } },
    ],
  };

  it("are those of a created record to one who was told that it is gone, as by a 200 from between [R-SUB-5]", () => {
    const [, renewed] = netBatch(batch).changes;
    if (!renewed) throw new Error("There are fewer changes.");
    expect([renewed.kind, renewed.position, renewed.before]).toEqual(["update", 4, { id: 1 }]);
    expect(changeSince(renewed, 0)).toBe(renewed);
    expect(changeSince(renewed, 1)).toBe(batch.changes[2]);
    expect(renewed.represent()).toBe(created);
  });

  it("are the batch itself where nothing is deleted and created again", () => {
    const plain = { ...batch, changes: batch.changes.slice(0, 2) };
    expect(netBatch(plain)).toBe(plain);
  });
});

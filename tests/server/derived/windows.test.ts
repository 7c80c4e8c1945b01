import { describe, expect, it } from "vitest";
import { createHub, type Origin } from "../../../src/server/index.ts";
import { connectMemoryPeer, createFakeClock, createMemoryStore, type MemoryPeer } from "../../../src/testing/index.ts";
import { briefs } from "./fixture.ts";

/** A store with a journal whose windows (`limit`, `offset`) only its answers tell. */
function createWindows() {
  const clock = createFakeClock();
  const store = createMemoryStore({ collections: ["songs", "others"], segment: "m", clock });
  let gets = 0;
  const origin: Origin = async (request) => {
    gets += 1;
    const url = new URL(request.target, "http://example.com");
    const limit = url.searchParams.get("limit");
    if (limit === null) return store.origin(request);
    const offset = Number(url.searchParams.get("offset") ?? 0);
    const rows = store.rows("songs").slice(offset, offset + Number(limit));
    return { status: 200, fields: [["Content-Type", "application/json"]], body: JSON.stringify({ songs: rows }) };
  };
  const hub = createHub({ origin, journal: store.journal, clock, derived: {} });
  const open = async (target: string): Promise<MemoryPeer> => {
    const peer = await connectMemoryPeer(hub, target);
    await clock.settle();
    return peer;
  };
  const put = async (id: number, title = `a title that is not short at all ${id}`): Promise<void> => {
    store.transaction((writer) => writer.put("songs", { id, title }));
    await clock.advance(100);
  };
  const remove = async (id: number): Promise<void> => {
    store.transaction((writer) => writer.remove("songs", id));
    await clock.advance(100);
  };
  return { clock, store, hub, open, put, remove, gets: () => gets };
}

describe("A window over a journal [R-FLD-10]", () => {
  it("tells of rows that are promoted and displaced, each with its place", async () => {
    const { open, put, remove } = createWindows();
    for (const id of [10, 20, 30, 40]) await put(id);
    const peer = await open("/songs?limit=3");
    await put(5);
    await remove(10);
    await put(20, "another title, which is as long as the one before");
    expect(briefs(peer)).toEqual([
      "204 /songs/30",
      "201 /songs/5 #0",
      "204 /songs/10",
      "201 /songs/30 #2",
      "202 /songs/20 #1",
    ]);
  });

  it("further down moves by what happens before it", async () => {
    const { open, put, remove } = createWindows();
    for (const id of [10, 20, 30, 40, 50]) await put(id);
    const peer = await open("/songs?limit=2&offset=2");
    await remove(10);
    await put(1);
    expect(briefs(peer)).toEqual(["204 /songs/30", "201 /songs/50 #1", "204 /songs/50", "201 /songs/30 #0"]);
  });

  it("is not asked for where another collection changed, and once where its own did", async () => {
    const { clock, store, open, put, gets } = createWindows();
    await put(1);
    await open("/songs?limit=3");
    const before = gets();
    store.transaction((writer) => writer.put("others", { id: 1 }));
    await clock.advance(500);
    expect(gets()).toBe(before);
    await put(2);
    expect(gets()).toBe(before + 1);
  });

  it("lives on one connection with the collection itself, each with its own position", async () => {
    const { clock, open, put } = createWindows();
    await put(1);
    await put(2);
    const peer = await open("/songs");
    peer.request("SUBSCRIBE", "/songs?limit=2", [["Request-ID", "1"]]);
    await clock.settle();
    await put(0);
    expect(briefs(peer)).toEqual([
      "200 sub=/songs?limit=2",
      "304 sub=/songs?limit=2",
      "201 /songs/0",
      "204 /songs/2 sub=/songs?limit=2",
      "201 /songs/0 #0 sub=/songs?limit=2",
    ]);
  });

  it("starts over where the journal lost its thread [R-RES-6]", async () => {
    const { clock, store, open, put } = createWindows();
    await put(1);
    const peer = await open("/songs?limit=3");
    store.journal.commit([{ kind: "reset", collection: "/songs", url: "" }]);
    await clock.advance(100);
    expect(briefs(peer)).toEqual([]);
    await put(2);
    expect(briefs(peer)).toEqual(["201 /songs/2 #1"]);
  });
});

import { describe, expect, it } from "vitest";
import { type Field, fieldValue } from "../../src/protocol/index.ts";
import { briefs, createWorld, messageAt, type World } from "./fixture.ts";

function reset(world: World, collection: string): void {
  world.store.journal.commit([{ kind: "reset", collection: `/${collection}`, url: "" }]);
}

describe("a live subscription", () => {
  it("gets 201, 202 and 204 as they are committed, with the record's URL and body [R-FLD-1] [R-FLD-8]", async () => {
    const world = createWorld();
    const peer = await world.opened("/a");
    world.put("a", 1, { name: "x" });
    await world.clock.settle();
    world.put("a", 1, { name: "y" });
    await world.clock.settle();
    const got = await world.store.origin({ method: "GET", target: "/a/1", fields: [], body: "" });
    world.remove("a", 1);
    await world.clock.settle();
    expect(briefs(peer, 2)).toEqual(["201 /a/1 @1", "202 /a/1 @2", "204 /a/1 @3"]);
    const changed = messageAt(peer, 3);
    expect(changed.body).toBe(got.body);
    expect(fieldValue(changed.fields, "etag")).toBe(fieldValue(got.fields, "etag"));
    expect(fieldValue(changed.fields, "content-type")).toBe(fieldValue(got.fields, "content-type"));
    expect(messageAt(peer, 4).body).toBe("");
  });

  it("has the fields of Level 0 first, in their order [R-L1-4]", async () => {
    const world = createWorld();
    const peer = await world.opened("/.well-known/rocket");
    peer.request("SUBSCRIBE", "/a", [["Request-ID", "1"]]);
    await world.clock.settle();
    world.put("a", 1);
    world.remove("a", 1);
    await world.clock.settle();
    const names = peer.messages.slice(-2).map(({ fields }) => fields.map(([name]) => name));
    expect(names).toEqual([
      ["Content-Type", "Content-Location", "ETag", "Event-ID", "Subscription"],
      ["Content-Type", "Content-Location", "Event-ID", "Subscription"],
    ]);
  });

  it("gets a transaction in one piece, with Event-ID on its last notification only [R-POS-4]", async () => {
    const world = createWorld();
    const peer = await world.opened("/a");
    world.store.transaction((writer) => {
      writer.put("a", { id: 1 });
      writer.put("b", { id: 1 });
      writer.put("a", { id: 2 });
      writer.put("b", { id: 2 });
    });
    world.put("a", 3);
    await world.clock.settle();
    expect(briefs(peer, 2)).toEqual(["201 /a/1", "201 /a/2 @4", "201 /a/3 @5"]);
  });

  it("gets nothing of a write that was rolled back [R-SUB-4]", async () => {
    const world = createWorld();
    const peer = await world.opened("/a");
    const failing = () =>
      world.store.transaction((writer) => {
        writer.put("a", { id: 1 });
        throw new Error("no");
      });
    expect(failing).toThrow("no");
    world.put("a", 2);
    await world.clock.settle();
    expect(briefs(peer, 2)).toEqual(["201 /a/2 @1"]);
  });

  it("to a filtered collection is told by where the record stood and stands [R-SUB-5]", async () => {
    const world = createWorld();
    const peer = await world.opened("/a?g=rock");
    world.put("a", 1, { g: "pop" });
    world.put("a", 1, { g: "rock" });
    world.put("a", 1, { g: "rock", n: 2 });
    world.put("a", 1, { g: "jazz" });
    world.put("a", 1, { g: "rock" });
    world.remove("a", 1);
    world.put("a", 2, { g: "rock" });
    world.remove("a", 3);
    await world.clock.settle();
    expect(briefs(peer, 2)).toEqual([
      "201 /a/1 @2",
      "202 /a/1 @3",
      "204 /a/1 @4",
      "201 /a/1 @5",
      "204 /a/1 @6",
      "201 /a/2 @7",
    ]);
  });

  it("to a filter by several columns needs all of them, and null equals nothing [R-SUB-5]", async () => {
    const world = createWorld();
    const peer = await world.opened("/a?n=1&g=rock");
    world.put("a", 1, { g: "rock", n: 2 });
    world.put("a", 2, { g: "rock", n: 1 });
    world.put("a", 3, { g: "rock", n: null });
    world.put("a", 2, { g: null, n: 1 });
    await world.clock.settle();
    expect(briefs(peer, 2)).toEqual(["201 /a/2 @2", "204 /a/2 @4"]);
  });

  it("tells the number 1 from the text 1 [R-SUB-5]", async () => {
    const world = createWorld();
    const number = await world.opened("/a?n=1");
    world.put("a", 1, { n: "1" });
    world.put("a", 2, { n: 1 });
    await world.clock.settle();
    expect(briefs(number, 2)).toEqual(["201 /a/2 @2"]);
  });

  it("to a record gets its changes and no others, and ends with its 204 and a close 1000 [R-SUB-9] [R-FLD-2]", async () => {
    const world = createWorld();
    world.put("a", 1);
    const peer = await world.opened("/a/1");
    world.put("a", 2);
    world.put("a", 1, { name: "x" });
    world.remove("a", 1);
    world.put("a", 1, { name: "again" });
    await world.clock.settle();
    expect(briefs(peer)).toEqual(["200 @1", "304 @1", "202 /a/1 @3", "204 /a/1 @4"]);
    expect(fieldValue(messageAt(peer, 0).fields, "items")).toBe('record="/record"');
    expect(peer.closing?.code).toBe(1000);
    expect(world.hub.counts).toEqual({ connections: 0, subscriptions: 0, views: 0 });
  });

  it("to a record that goes while the GET is on its way ends with the 204 [R-SUB-9]", async () => {
    const world = createWorld({ latencyMs: () => 100 });
    world.put("a", 1);
    const peer = await world.open("/a/1");
    await world.clock.advance(50);
    world.remove("a", 1);
    world.put("a", 1);
    await world.clock.advance(100);
    expect(briefs(peer)).toEqual(["200 @1", "204 /a/1 @2"]);
    expect(peer.closing?.code).toBe(1000);
  });

  it("to a record in band ends alone: the connection goes on [R-SUB-9]", async () => {
    const world = createWorld();
    world.put("a", 1);
    const peer = await world.opened("/b");
    peer.request("SUBSCRIBE", "/a/1", [["Request-ID", "1"]]);
    await world.clock.settle();
    world.remove("a", 1);
    world.put("b", 1);
    world.put("a", 1);
    await world.clock.settle();
    expect(briefs(peer, 4)).toEqual(["204 /a/1 @2 sub=/a/1", "201 /b/1 @3"]);
    expect(peer.closing).toBeUndefined();
    expect(world.hub.counts).toEqual({ connections: 1, subscriptions: 1, views: 1 });
  });

  it("of the handshake that ends leaves those in band alone [R-SUB-9]", async () => {
    const world = createWorld();
    world.put("a", 1);
    const peer = await world.opened("/a/1");
    peer.request("SUBSCRIBE", "/b", [["Request-ID", "1"]]);
    await world.clock.settle();
    world.remove("a", 1);
    world.put("b", 1);
    await world.clock.settle();
    expect(briefs(peer, 4)).toEqual(["204 /a/1 @2", "201 /b/1 @3 sub=/b"]);
    expect(peer.closing).toBeUndefined();
  });
});

describe("a collection whose history can't be told", () => {
  it("is sent again to those who follow it, and to nobody else [R-RES-6]", async () => {
    const world = createWorld();
    const a = await world.opened("/a");
    const b = await world.opened("/b");
    world.put("a", 1);
    reset(world, "a");
    world.put("b", 1);
    await world.clock.settle();
    expect(briefs(a, 2)).toEqual(["200 @3", "304 @3"]);
    expect(briefs(b, 2)).toEqual(["201 /b/1 @3"]);
    world.put("a", 2);
    await world.clock.settle();
    expect(briefs(a, 4)).toEqual(["201 /a/2 @4"]);
  });

  it("is sent again where the reset comes while its GET is on its way [R-RES-6]", async () => {
    const world = createWorld({ latencyMs: () => 100 });
    const peer = await world.open("/a");
    await world.clock.advance(50);
    reset(world, "a");
    await world.clock.advance(300);
    expect(briefs(peer)).toEqual(["200 @0", "200 @1", "304 @1"]);
  });

  it("is sent again where the reset is found while catching up [R-RES-6]", async () => {
    const world = createWorld();
    reset(world, "a");
    world.put("a", 1);
    const peer = await world.opened("/a", [["Last-Event-ID", "m:0.0"]]);
    expect(briefs(peer)).toEqual(["304 @0", "200 @2", "304 @2"]);
  });

  it("is asked for once by all who may share the answer, and encoded once", async () => {
    const world = createWorld({ latencyMs: () => 10 });
    const peers = await Promise.all(Array.from({ length: 5 }, () => world.open("/a", [["User-Agent", "x"]])));
    const other = await world.open("/a", [["Authorization", "Bearer y"]]);
    await world.clock.advance(50);
    const before = world.asked.length;
    reset(world, "a");
    await world.clock.advance(50);
    expect(world.asked.length - before).toBe(2);
    for (const peer of [...peers, other]) expect(briefs(peer, 2)).toEqual(["200 @1", "304 @1"]);
  });

  it("is not sent again from an answer that is older than what its reader has [R-POS-3] [R-SUB-4]", async () => {
    let latencyMs = 0;
    const world = createWorld({
      latencyMs: () => latencyMs,
      limits: { maxRecentChanges: 0, maxUnsentBytes: 1_024 },
    });
    const late = await world.opened("/a");
    const other = await world.opened("/a");
    late.pause();
    world.put("a", 1, { text: "x".repeat(2_000) });
    await world.clock.settle();
    world.put("a", 2);
    await world.clock.settle();
    world.store.journal.trim(2);
    // The one that was parked needs a GET, which takes its time…
    latencyMs = 100;
    late.resume();
    await world.clock.advance(50);
    // …and meanwhile the other has more, and needs a GET, too.
    world.put("a", 3);
    await world.clock.settle();
    reset(world, "a");
    await world.clock.advance(1_000);
    expect(briefs(other, 2)).toEqual(["201 /a/1 @1", "201 /a/2 @2", "201 /a/3 @3", "200 @4", "304 @4"]);
    expect(briefs(late).at(-1)).toBe("304 @4");
  });

  it("ends with the refusal where it can't be seen any more, and other subscriptions go on [R-SUB-10]", async () => {
    let isGone = false;
    const world = createWorld({
      around: (origin) => async (request) =>
        isGone && request.target === "/a" ? { status: 403, fields: [], body: "" } : origin(request),
    });
    const own = await world.opened("/a");
    const both = await world.opened("/b");
    both.request("SUBSCRIBE", "/a", [["Request-ID", "1"]]);
    await world.clock.settle();
    isGone = true;
    reset(world, "a");
    world.put("a", 1);
    world.put("b", 1);
    await world.clock.settle();
    expect(briefs(own, 2)).toEqual(["403"]);
    expect(own.closing?.code).toBe(4403);
    expect(briefs(both, 4)).toEqual(["201 /b/1 @3", "403 sub=/a"]);
    expect(both.closing).toBeUndefined();
  });

  it("ends the handshake's subscription without a name, and the connection goes on for the others [R-SUB-10]", async () => {
    let isGone = false;
    const world = createWorld({
      around: (origin) => async (request) =>
        isGone && request.target === "/a" ? { status: 403, fields: [], body: "" } : origin(request),
    });
    const peer = await world.opened("/a");
    peer.request("SUBSCRIBE", "/b", [["Request-ID", "1"]]);
    await world.clock.settle();
    isGone = true;
    reset(world, "a");
    await world.clock.settle();
    world.put("b", 1);
    await world.clock.settle();
    expect(briefs(peer, 4)).toEqual(["403", "201 /b/1 @2 sub=/b"]);
    expect(peer.closing).toBeUndefined();
  });
});

describe("a journal that lost its thread", () => {
  it("gives everyone a fresh 200, and goes on from there [R-RES-6]", async () => {
    const world = createWorld();
    const a = await world.opened("/a");
    const b = await world.opened("/b");
    b.request("SUBSCRIBE", "/a", [["Request-ID", "1"]]);
    await world.clock.settle();
    world.put("a", 1);
    world.store.journal.lose();
    await world.clock.settle();
    world.put("a", 2);
    await world.clock.settle();
    const id = (text: string) => text.replaceAll("@m.1:", "@");
    expect(briefs(a, 2).map(id)).toEqual(["200 @2", "304 @2", "201 /a/2 @3"]);
    expect(briefs(b, 4).map(id).toSorted()).toEqual(
      ["200 @2", "304 @2", "200 @2 sub=/a", "304 @2 sub=/a", "201 /a/2 @3 sub=/a"].toSorted(),
    );
  });

  it("does so even where it happens while a GET is on its way, or twice [R-RES-6]", async () => {
    const world = createWorld({ latencyMs: () => 100 });
    const peer = await world.open("/a");
    await world.clock.advance(50);
    world.store.journal.lose();
    await world.clock.advance(100);
    world.store.journal.lose();
    world.put("a", 1);
    await world.clock.advance(1_000);
    expect(briefs(peer).at(-1)).toBe("304 @m.2:3");
    expect(String(peer.messages.findLast(({ status }) => status === 200)?.body)).toBe('{"a":[{"id":1}]}');
  });

  it("does so for those who were reading a page of it [R-RES-6]", async () => {
    const world = createWorld({ limits: { maxRecentChanges: 0 } });
    for (let id = 1; id <= 10; id += 1) world.put("a", id);
    await world.clock.settle();
    const { read } = world.store.journal;
    world.store.journal.read = async (...given) => {
      const page = await read.apply(world.store.journal, given);
      world.store.journal.read = read;
      world.store.journal.lose();
      return page;
    };
    const peer = await world.opened("/a", [["Last-Event-ID", "m:0.0"]]);
    expect(briefs(peer)).toEqual(["304 @0", "200 @m.1:11", "304 @m.1:11"]);
  });

  it("makes positions of before unknown [R-RES-2]", async () => {
    const world = createWorld();
    world.put("a", 1);
    world.store.journal.lose();
    await world.clock.settle();
    const peer = await world.opened("/a", [["Last-Event-ID", "m:1.0"]]);
    expect(briefs(peer)).toEqual(["200 @m.1:2", "304 @m.1:2"]);
  });
});

describe("a change that can't be shown", () => {
  const bad: Field = ["Request-ID", "1"];

  it("starts those over whom it concerns, and nobody else [R-SEC-4]", async () => {
    const world = createWorld();
    const a = await world.opened("/a");
    const b = await world.opened("/b", [bad]);
    const { show } = world;
    world.show = () => {
      throw new Error("no");
    };
    world.put("a", 1);
    await world.clock.settle();
    world.show = show;
    world.put("b", 1);
    await world.clock.settle();
    expect(briefs(a, 2)).toEqual(["200 @1", "304 @1"]);
    expect(briefs(b, 2)).toEqual(["201 /b/1 @2"]);
    expect(world.errors).toMatchObject([{ stage: "encode" }]);
  });

  it("starts those over who find it while catching up", async () => {
    const world = createWorld();
    world.put("a", 1);
    world.show = () => ({ contentType: "a\nb", body: "" });
    const peer = await world.opened("/a", [["Last-Event-ID", "m:0.0"]]);
    expect(briefs(peer)).toEqual(["304 @0", "200 @1", "304 @1"]);
    expect(world.errors).toMatchObject([{ stage: "encode" }]);
  });
});

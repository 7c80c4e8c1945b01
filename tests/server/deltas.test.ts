import { describe, expect, it } from "vitest";
import { type Field, fieldValue, type HttpResponse } from "../../src/protocol/index.ts";
import { Deltas } from "../../src/server/delivery/deltas.ts";
import type { Change, Representation } from "../../src/server/index.ts";
import { isDelta, type MemoryPeer, Replica } from "../../src/testing/index.ts";
import { brief, createWorld, lastEventId, type World, type WorldOptions } from "./fixture.ts";

const named: Field = ["Accept", "application/json, application/merge-patch+json;q=0.5"];
const plain: Field = ["Accept", "application/json"];
const padding = "p".repeat(300);

/** A world with two records that are longer than what is changed of them. */
function worldOf(options: WorldOptions = {}): World {
  const world = createWorld(options);
  for (const id of [1, 2]) world.put("a", id, { padding, n: 0 });
  return world;
}

async function changed(world: World, id: number, columns: Record<string, string | number | null>): Promise<void> {
  world.put("a", id, { padding, ...columns });
  await world.clock.settle();
}

/** How each message from a place on was told: `δ` before those by a delta. */
function told(peer: MemoryPeer, from = 2): string[] {
  return peer.messages.slice(from).map((message) => `${isDelta(message) ? "δ " : ""}${brief(message)}`);
}

/** What a client holds that takes in all that came. */
function held(peer: MemoryPeer, url: string): Record<string, unknown> {
  const replica = new Replica(url);
  for (const message of peer.messages) replica.take(message);
  return Object.fromEntries([...replica.records].map(([name, text]) => [name, JSON.parse(text)]));
}

describe("A change of a direct view", () => {
  it("comes as a delta to who named merge patches, with both tags; to others as ever [R-DELTA-1] [R-DELTA-6]", async () => {
    const world = worldOf();
    const asks = await world.opened("/a", [named]);
    const other = await world.opened("/a", [plain]);
    const anything = await world.opened("/a", [["Accept", "*/*, application/*"]]);
    const old = await world.opened("/a", [named], 0);
    const before = await world.store.origin({ method: "GET", target: "/a/1", fields: [], body: "" });
    await changed(world, 1, { n: 1 });
    const after = await world.store.origin({ method: "GET", target: "/a/1", fields: [], body: "" });
    const [base, etag] = [before, after].map(({ fields }) => fieldValue(fields, "etag"));
    expect(asks.messages[2]).toEqual({
      status: 202,
      reason: "Accepted",
      fields: [
        ["Content-Type", "application/merge-patch+json"],
        ["Content-Location", "/a/1"],
        ["Delta-Base", base],
        ["ETag", etag],
        ["Event-ID", "m:3.0"],
      ],
      body: '{"record":{"n":1}}',
    });
    const whole = { status: 202, reason: "Accepted", body: after.body };
    const fields = [
      ["Content-Type", "application/json"],
      ["Content-Location", "/a/1"],
    ];
    for (const peer of [other, anything]) {
      expect(peer.messages[2]).toEqual({ ...whole, fields: [...fields, ["ETag", etag], ["Event-ID", "m:3.0"]] });
    }
    expect(old.messages).toEqual([{ ...whole, fields }]);
  });

  it("comes so in band, where a SUBSCRIBE asks for it itself, or the handshake did [R-DELTA-1] [R-BAND-9]", async () => {
    const world = worldOf();
    const peer = await world.opened("/a/1", [named]);
    peer.request("SUBSCRIBE", "/a", [["Request-ID", "1"]]);
    peer.request("SUBSCRIBE", "/a/2", [["Request-ID", "2"], plain]);
    await world.clock.settle();
    const from = peer.messages.length;
    await changed(world, 1, { n: 1 });
    await changed(world, 2, { n: 1 });
    expect(told(peer, from)).toEqual([
      "δ 202 /a/1 @3 sub=/a",
      "δ 202 /a/1 @3",
      "δ 202 /a/2 @4 sub=/a",
      "202 /a/2 @4 sub=/a/2",
    ]);
    expect(fieldValue(peer.messages[from + 1]?.fields ?? [], "delta-base")).toMatch(/^"/);
  });

  it("comes as the last SUBSCRIBE asked for [R-BAND-5] [R-DELTA-1]", async () => {
    const world = worldOf();
    const peer = await world.opened("/.well-known/rocket");
    peer.request("SUBSCRIBE", "/a", [["Request-ID", "1"]]);
    await world.clock.settle();
    await changed(world, 1, { n: 1 });
    peer.request("SUBSCRIBE", "/a", [["Request-ID", "2"], named]);
    await world.clock.settle();
    await changed(world, 1, { n: 2 });
    peer.request("SUBSCRIBE", "/a", [["Request-ID", "3"], plain]);
    await world.clock.settle();
    await changed(world, 1, { n: 3 });
    expect(told(peer).filter((text) => text.includes("202"))).toEqual([
      "202 /a/1 @3 sub=/a",
      "δ 202 /a/1 @4 sub=/a",
      "202 /a/1 @5 sub=/a",
    ]);
  });

  it("is asked of the origin as without that name [R-DELTA-5] [R-EXT-1]", async () => {
    const world = worldOf();
    await world.opened("/a", [named]);
    await world.opened("/a", [["Accept", "application/merge-patch+json"]]);
    await world.opened("/a", [["Accept", "application/merge-patch+json"]], 0);
    const peer = await world.opened("/.well-known/rocket", [["Accept", "text/html"]]);
    peer.request("SUBSCRIBE", "/a", [
      ["Request-ID", "1"],
      ["Accept", "application/merge-patch+json"],
    ]);
    peer.request("UNSUBSCRIBE", "/a?", [["Request-ID", "2"], named]);
    await world.clock.settle();
    const accepts = world.asked.map(({ fields }) => fieldValue(fields, "accept"));
    expect(accepts).toEqual(["application/json", undefined, undefined, undefined, "application/json"]);
  });

  it("leaves plain requests in band as they are [R-DELTA-5]", async () => {
    const world = worldOf();
    const peer = await world.opened("/.well-known/rocket", [named]);
    peer.request("GET", "/a", [["Request-ID", "1"]]);
    peer.request("GET", "/a", [["Request-ID", "2"], named]);
    await world.clock.settle();
    expect(world.asked.map(({ fields }) => fieldValue(fields, "accept"))).toEqual(["application/json", named[1]]);
  });

  it("comes whole where a patch can't say it, or says no less [R-DELTA-2]", async () => {
    const world = worldOf();
    const peer = await world.opened("/a", [named]);
    await changed(world, 1, { n: null });
    await changed(world, 1, { n: 7 });
    await changed(world, 1, {});
    await changed(world, 1, { padding: "q".repeat(300) });
    await changed(world, 2, { padding: "", n: 1 });
    await changed(world, 2, { padding: "", n: 2 });
    expect(told(peer)).toEqual([
      "202 /a/1 @3",
      "δ 202 /a/1 @4",
      "δ 202 /a/1 @5",
      "202 /a/1 @6",
      "202 /a/2 @7",
      "202 /a/2 @8",
    ]);
    expect(held(peer, "/a")).toMatchObject({ "/a/1": { padding: "q".repeat(300) }, "/a/2": { n: 2 } });
  });

  it("comes whole where it entered, where it left and where it was deleted and created again [R-DELTA-6]", async () => {
    const world = worldOf();
    const [list, filtered] = [await world.opened("/a", [named]), await world.opened("/a?n=1", [named])];
    const record = await world.opened("/a/1", [named]);
    await changed(world, 1, { n: 1 });
    await changed(world, 1, { n: 1, m: 1 });
    await changed(world, 1, { n: 2 });
    world.store.transaction((writer) => {
      writer.remove("a", 1);
      writer.put("a", { id: 1, padding, n: 3 });
    });
    world.put("a", 3, { padding });
    await world.clock.settle();
    expect(told(list)).toEqual(["δ 202 /a/1 @3", "δ 202 /a/1 @4", "δ 202 /a/1 @5", "202 /a/1 @7", "201 /a/3 @8"]);
    expect(told(filtered)).toEqual(["201 /a/1 @3", "δ 202 /a/1 @4", "204 /a/1 @5"]);
    expect(told(record)).toEqual(["δ 202 /a/1 @3", "δ 202 /a/1 @4", "δ 202 /a/1 @5", "202 /a/1 @7"]);
    expect(held(record, "/a/1")).toEqual({ "/a/1": { record: { id: 1, padding, n: 3 } } });
  });

  it("comes in steps, where a record is changed twice at once [R-DELTA-6]", async () => {
    const world = worldOf();
    const peer = await world.opened("/a", [named]);
    world.store.transaction((writer) => {
      writer.put("a", { id: 1, padding, n: 1 });
      writer.put("a", { id: 2, padding, n: 5 });
      writer.put("a", { id: 1, padding, m: 2 });
    });
    await world.clock.settle();
    expect(told(peer)).toEqual(["δ 202 /a/1", "δ 202 /a/2", "δ 202 /a/1 @5"]);
    expect(held(peer, "/a")).toEqual({ "/a/1": { id: 1, padding, m: 2 }, "/a/2": { id: 2, padding, n: 5 } });
  });
});

describe("Until it is caught up, a subscription", () => {
  it("is sent whole records after a resume, and deltas from then on [R-DELTA-6]", async () => {
    const world = worldOf();
    await changed(world, 1, { n: 1 });
    await changed(world, 1, { n: 2 });
    const peer = await world.opened("/a", [named, lastEventId(2)]);
    await changed(world, 1, { n: 3 });
    expect(told(peer, 0)).toEqual(["304 @2", "202 /a/1 @3", "202 /a/1 @4", "304 @4", "δ 202 /a/1 @5"]);
  });

  it("is sent whole records of what came while its state was on its way [R-DELTA-6]", async () => {
    const world = worldOf({ latencyMs: () => 50 });
    const opening = world.open("/a", [named]);
    await world.clock.settle();
    world.put("a", 1, { padding, n: 1 });
    await world.clock.advance(60);
    const peer = await opening;
    await changed(world, 1, { n: 2 });
    expect(told(peer, 0)).toEqual(["200 @2", "202 /a/1 @3", "304 @3", "δ 202 /a/1 @4"]);
  });

  it("is sent whole records where it did not read, and what it holds is right [R-SUB-12] [R-DELTA-6]", async () => {
    const world = worldOf({ limits: { maxUnsentBytes: 1_024 } });
    const [slow, other] = [await world.opened("/a", [named]), await world.opened("/a", [named])];
    slow.pause();
    for (let n = 1; n <= 20; n += 1) await changed(world, 1 + (n % 2), { n });
    slow.resume();
    await world.clock.settle();
    await changed(world, 1, { n: 99 });
    const ways = told(slow);
    expect(ways.filter((text) => text.includes("202"))).toHaveLength(21);
    // First those that there was room for, then what was missed, and then it is live again.
    expect(ways.map((text) => text.startsWith("δ")).join()).toMatch(/^(true,)+(false,)+true$/);
    expect(told(other).every((text) => text.startsWith("δ"))).toBe(true);
    expect(held(slow, "/a")).toEqual(held(other, "/a"));
  });

  it("is sent whole records of a delivery that is too large to be written at once [R-SUB-12] [R-DELTA-6]", async () => {
    const world = createWorld({ limits: { maxUnsentBytes: 100_000 } });
    for (let id = 1; id <= 300; id += 1) world.put("a", id, { padding: padding.repeat(10), text: "" });
    const peer = await world.opened("/a", [named]);
    const text = "t".repeat(600);
    world.store.transaction((writer) => {
      for (let id = 1; id <= 300; id += 1) writer.put("a", { id, padding: padding.repeat(10), text });
    });
    await world.clock.settle();
    await world.clock.advance(100);
    expect(peer.messages.filter(({ status }) => status === 202)).toHaveLength(300);
    expect(peer.messages.filter(isDelta)).toEqual([]);
    world.put("a", 1, { padding: padding.repeat(10), text: "" });
    await world.clock.settle();
    expect(told(peer, -1)).toEqual(["δ 202 /a/1 @601"]);
  });
});

describe("A delta", () => {
  /** A change of a record that is shown so before and after. */
  function changeOf(before: Partial<Representation> = {}, after: Partial<Representation> = {}): Change {
    const shown = { contentType: "application/json", body: JSON.stringify({ padding, n: 1 }), etag: '"1"' };
    const body = JSON.stringify({ padding, n: 2 });
    return {
      position: 1,
      kind: "update",
      collection: "/a",
      url: "/a/1",
      represent: () => ({ ...shown, body, etag: '"2"', ...after }),
      representBefore: () => ({ ...shown, ...before }),
    };
  }

  it("is made of JSON of one type with strong tags, and only where the record before is known [R-DELTA-6]", () => {
    const made = (change: Change): unknown => new Deltas().of(change);
    expect(made(changeOf())).toEqual({ patch: '{"n":2}', base: '"1"' });
    const hal = { contentType: "application/hal+json; charset=utf-8" };
    expect(made(changeOf(hal, hal))).toEqual({ patch: '{"n":2}', base: '"1"' });
    expect(made(changeOf({}, hal))).toBeUndefined();
    expect(made(changeOf({ contentType: "text/plain" }, { contentType: "text/plain" }))).toBeUndefined();
    expect(made(changeOf({ etag: 'W/"1"' }))).toBeUndefined();
    expect(made(changeOf({}, { etag: 'W/"2"' }))).toBeUndefined();
    const { etag: _, ...untagged } = changeOf().represent();
    expect(made({ ...changeOf(), represent: () => untagged })).toBeUndefined();
    expect(made(changeOf({ body: new TextEncoder().encode("{}") }))).toBeUndefined();
    expect(made({ ...changeOf(), representBefore: () => undefined })).toBeUndefined();
    const { representBefore: __, ...plainChange } = changeOf();
    expect(made(plainChange)).toBeUndefined();
  });

  it("is sent only where the whole message is shorter [R-DELTA-2]", () => {
    // As long as what a delta has more than a record: 17 for Delta-Base: "1", and 12 for its longer type.
    const changeBy = (more: number): Change => {
      const rest = "r".repeat(19 + more);
      return changeOf({ body: JSON.stringify({ rest, n: 1 }) }, { body: JSON.stringify({ rest, n: 2 }) });
    };
    const lengths = [0, 1].map((more) => String(changeBy(more).represent().body).length - '{"n":2}'.length);
    expect(lengths).toEqual([29, 30]);
    expect([-1, 0, 1, 2].map((more) => new Deltas().of(changeBy(more)) !== undefined)).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  it("is made once for all who ask, and for nobody where nobody does [R-DELTA-1]", async () => {
    const world = worldOf();
    let made = 0;
    const tail = world.store.journal;
    tail.tail(({ changes }) => {
      for (const change of changes) {
        const before = change.representBefore?.bind(change);
        Object.assign(change, {
          representBefore: () => {
            made += 1;
            return before?.();
          },
        });
      }
    });
    const plainPeer = await world.opened("/a", [plain]);
    await changed(world, 1, { n: 1 });
    expect([made, told(plainPeer)]).toEqual([0, ["202 /a/1 @3"]]);
    const peers = [
      await world.opened("/a", [named]),
      await world.opened("/a", [named]),
      await world.opened("/a/1", [named]),
      await world.opened("/.well-known/rocket", [named]),
    ];
    peers[3]?.request("SUBSCRIBE", "/a?n=2", [["Request-ID", "1"]]);
    peers[3]?.request("SUBSCRIBE", "/a", [["Request-ID", "2"]]);
    await world.clock.settle();
    await changed(world, 1, { n: 2 });
    expect(made).toBe(1);
    await changed(world, 1, { n: 2, m: 1 });
    expect(made).toBe(2);
    expect(told(plainPeer)).toEqual(["202 /a/1 @3", "202 /a/1 @4", "202 /a/1 @5"]);
    expect(peers.map((peer) => told(peer).filter((text) => text.startsWith("δ")).length)).toEqual([2, 2, 2, 3]);
  });

  it("whose record can't be shown as it was leads to a fresh 200 [R-RES-6]", async () => {
    const world = worldOf();
    world.store.journal.tail(({ changes }) => {
      for (const change of changes) {
        Object.assign(change, {
          representBefore: () => {
            throw new Error("It is not there.");
          },
        });
      }
    });
    const [asks, other] = [await world.opened("/a", [named]), await world.opened("/a", [plain])];
    await changed(world, 1, { n: 1 });
    expect(held(asks, "/a")).toMatchObject({ "/a/1": { n: 1 } });
    expect(held(other, "/a")).toMatchObject({ "/a/1": { n: 1 } });
    expect(world.errors.map(({ stage }) => stage)).toEqual(["encode"]);
  });
});

describe("A replica", () => {
  it("refuses a delta for another tag, for what it does not have, and after a 204 [R-DELTA-8]", async () => {
    const world = worldOf();
    const peer = await world.opened("/a", [named]);
    await changed(world, 1, { n: 1 });
    await changed(world, 1, { n: 2 });
    const [state, caughtUp, first, second] = peer.messages as [HttpResponse, HttpResponse, HttpResponse, HttpResponse];
    const replicaOf = (messages: readonly HttpResponse[]): Replica => {
      const replica = new Replica("/a");
      for (const message of messages) replica.take(message);
      return replica;
    };
    const left: HttpResponse = { status: 204, reason: "", fields: [["Content-Location", "/a/1"]], body: "" };
    expect(replicaOf([state, caughtUp, first]).wholeOf(first)).toBeUndefined();
    expect(replicaOf([state, caughtUp, first]).wholeOf(second)?.body).toBe(
      JSON.stringify({ record: { id: 1, padding, n: 2 } }),
    );
    expect(replicaOf([state, caughtUp, left]).wholeOf(first)).toBeUndefined();
    const other = {
      ...first,
      fields: first.fields.map(([name, value]): Field => [name, value.replace("/a/1", "/a/7")]),
    };
    expect(replicaOf([state, caughtUp]).wholeOf(other)).toBeUndefined();
    expect(() => replicaOf([state, caughtUp, first, first])).toThrow("A delta does not fit.");
  });
});

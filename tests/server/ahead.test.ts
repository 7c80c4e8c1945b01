import { describe, expect, it } from "vitest";
import type { Field } from "../../src/protocol/index.ts";
import { View } from "../../src/server/direct/view.ts";
import type { Change } from "../../src/server/index.ts";
import { Replica } from "../../src/testing/index.ts";
import { briefs, createWorld, host, lastEventId, unshown, type World } from "./fixture.ts";

/**
 * A world whose GETs of `/a` answer a state ahead of its position: that of the journal at `position`, with the changes at
 * `shown` in it. What came otherwise, it has not seen.
 */
function aheadWorld(rows: readonly object[], position: number, shown: readonly number[]): World {
  return createWorld({
    around: (inner) => async (request) => {
      const response = await inner(request);
      if (!response.view || request.method === "HEAD") return response;
      const ahead = { shows: ({ position: at }: Change) => shown.includes(at) };
      const fields: Field[] = response.fields.filter(([name]) => name !== "ETag");
      return { ...response, fields, body: JSON.stringify({ a: rows }), view: { ...response.view, position, ahead } };
    },
  });
}

/** Version after version of the same records: 1 and 2 are v1, then 1 is v2, 2 is v2, 1 is v3. */
function write(world: World): void {
  world.put("a", 1, { v: 1 });
  world.put("a", 2, { v: 1 });
  world.put("a", 1, { v: 2 });
  world.put("a", 2, { v: 2 });
  world.put("a", 1, { v: 3 });
}

describe("An answer that shows what comes after its position", () => {
  it("is an opening without a position; what it shows is not told again, and the mark comes behind it [R-POS-3] [R-SUB-1]", async () => {
    const rows = [
      { id: 1, v: 2 },
      { id: 2, v: 1 },
    ];
    const world = aheadWorld(rows, 2, [3]);
    write(world);
    const peer = await world.opened("/a");
    expect(briefs(peer)).toEqual(["200", "202 /a/2", "202 /a/1 @5", "304 @5"]);
    world.put("a", 1, { v: 4 });
    await world.clock.settle();
    expect(briefs(peer, 4)).toEqual(["202 /a/1 @6"]);
  });

  it("tells nothing where all that came is shown", async () => {
    const world = aheadWorld([{ id: 1, v: 1 }], 0, [1]);
    world.put("a", 1, { v: 1 });
    expect(briefs(await world.opened("/a"))).toEqual(["200", "304 @1"]);
  });

  it("gives no position where an entity tag stands for it, either [R-SUB-7]", async () => {
    const world = createWorld({
      around: (inner) => async (request) => {
        const response = await inner(request);
        return response.view ? { ...response, view: { ...response.view, ahead: { shows: () => false } } } : response;
      },
    });
    world.put("a", 1);
    const etag = (await world.store.origin({ method: "GET", target: "/a", fields: [host], body: "" })).fields.find(
      ([name]) => name === "ETag",
    )?.[1];
    expect(briefs(await world.opened("/a", [["If-None-Match", etag ?? ""]]))).toEqual(["304", "304 @1"]);
  });

  it("is nothing to who resumes: what it missed is told", async () => {
    const world = aheadWorld([], 2, [3, 4, 5]);
    write(world);
    const peer = await world.opened("/a", [lastEventId(2)]);
    expect(briefs(peer)).toEqual(["304 @2", "202 /a/1 @3", "202 /a/2 @4", "202 /a/1 @5", "304 @5"]);
  });

  it("shows a record gone whose making anew comes later: that is one that enters", async () => {
    const world = aheadWorld([{ id: 2 }], 2, [3]);
    world.put("a", 1);
    world.put("a", 2);
    world.store.transaction((writer) => {
      writer.remove("a", 1);
      writer.put("a", { id: 1, v: 2 });
    });
    const peer = await world.opened("/a");
    expect(briefs(peer)).toEqual(["200", "201 /a/1 @4", "304 @4"]);
  });

  it("leaves a list as a GET answers it, which follows what comes then", async () => {
    const world = aheadWorld([{ id: 2, v: 1 }], 2, [3]);
    world.put("a", 1, { v: 1 });
    world.put("a", 2, { v: 1 });
    world.remove("a", 1);
    world.put("a", 3, { v: 1 });
    const replica = new Replica("/a");
    const peer = await world.opened("/a");
    for (const message of peer.messages) replica.take(message);
    expect(replica.order).toEqual(["/a/2", "/a/3"]);
  });

  it.each<[string, Change["kind"], boolean[]]>([
    ["made", "create", [false, false, true]],
    ["destroyed", "delete", [false, false, true]],
  ])("does not count what it shows as %s against the room that there is for more", (_how, kind, expected) => {
    const view = new View({
      ...{ url: "/a", collection: "/a", equals: [], position: 2, eventId: "m:2.0" },
      room: { rows: 1, bytes: 1_000_000 },
      ahead: { shows: ({ position }) => position === 3 },
    });
    const changeAt = (position: number, of: Change["kind"]): Change => {
      const image = { id: position };
      return {
        position,
        kind: of,
        collection: "/a",
        url: `/a/${position}`,
        before: image,
        after: image,
        represent: unshown,
      };
    };
    const outgrown = [changeAt(3, kind), changeAt(4, "create"), changeAt(5, "create")].map((change) => {
      view.count(change);
      return view.isOutgrown;
    });
    expect(outgrown).toEqual(expected);
  });
});

import { describe, expect, it } from "vitest";
import { fieldValue } from "../../src/protocol/index.ts";
import { View } from "../../src/server/direct/view.ts";
import { ViewIndex } from "../../src/server/direct/view-index.ts";
import { type Change, type Framing, type Hub, type Transport, webSocketFraming } from "../../src/server/index.ts";
import { briefs, createWorld, host, unshown } from "./fixture.ts";

interface Counted {
  readonly writes: Uint8Array[];
}

/** A peer that only counts. */
function connectCounting(hub: Hub, framing: Framing, target: string): Counted {
  const writes: Uint8Array[] = [];
  const transport: Transport = {
    framing,
    unsentBytes: 0,
    takenBytes: 0,
    write: (bytes) => writes.push(bytes),
    ping: () => {},
    close: () => {},
    abort: () => {},
    setReading: () => {},
  };
  hub.connect(transport, { level: 1, target, fields: [host] });
  return { writes };
}

function countingFraming(): { framing: Framing; framed: string[] } {
  const framed: string[] = [];
  const framing: Framing = {
    frame(message) {
      framed.push(String(message));
      return webSocketFraming.frame(message);
    },
  };
  return { framing, framed };
}

describe("fan-out", () => {
  it("encodes a notification once for all who follow the view, and gives them the same bytes", async () => {
    const world = createWorld();
    const { framing, framed } = countingFraming();
    const peers = Array.from({ length: 50 }, () => connectCounting(world.hub, framing, "/a"));
    await world.clock.settle();
    framed.length = 0;
    for (const { writes } of peers) writes.length = 0;
    world.put("a", 1);
    await world.clock.settle();
    expect(framed).toHaveLength(1);
    const [first] = peers[0]?.writes ?? [];
    for (const { writes } of peers) {
      expect(writes).toHaveLength(1);
      expect(writes[0]).toBe(first);
    }
  });

  it("encodes once per form: of the handshake's own, of those with a name, and of Level 0", async () => {
    const world = createWorld();
    const represented = new Set<unknown>();
    world.show = (change) => {
      const representation = change.represent();
      represented.add(representation);
      return representation;
    };
    const own = await world.opened("/a");
    const named = await world.opened("/.well-known/rocket");
    named.request("SUBSCRIBE", "/a", [["Request-ID", "1"]]);
    const zero = await world.opened("/a", [], 0);
    const filtered = await world.opened("/a?g=x");
    world.put("a", 1, { g: "x" });
    await world.clock.settle();
    expect(briefs(own).at(-1)).toBe("201 /a/1 @1");
    expect(briefs(named).at(-1)).toBe("201 /a/1 @1 sub=/a");
    expect(briefs(zero)).toEqual(["201 /a/1"]);
    expect(briefs(filtered).at(-1)).toBe("201 /a/1 @1");
    expect(represented.size).toBe(1);
  });

  it("writes once to each connection for all that happened in a turn", async () => {
    const world = createWorld();
    const peer = await world.opened("/a");
    peer.request("SUBSCRIBE", "/b", [["Request-ID", "1"]]);
    await world.clock.settle();
    const { writes } = peer;
    for (let id = 1; id <= 100; id += 1) world.put(id % 2 ? "a" : "b", id);
    await world.clock.settle();
    expect(peer.writes - writes).toBe(1);
    expect(peer.messages).toHaveLength(4 + 100);
  });

  it("encodes the fresh 200 of many once", async () => {
    const world = createWorld({ latencyMs: () => 1 });
    const { framing, framed } = countingFraming();
    for (let at = 0; at < 20; at += 1) connectCounting(world.hub, framing, "/a");
    await world.clock.advance(100);
    framed.length = 0;
    world.store.journal.commit([{ kind: "reset", collection: "/a", url: "" }]);
    await world.clock.advance(100);
    expect(framed.filter((text) => text.startsWith("HTTP/1.1 200"))).toHaveLength(1);
  });

  it("goes on for the others where one transport fails [R-SEC-4]", async () => {
    const world = createWorld();
    const failing: Transport = {
      framing: webSocketFraming,
      unsentBytes: 0,
      takenBytes: 0,
      write: () => {
        throw new Error("broken");
      },
      ping: () => {},
      close: () => {},
      abort: () => {},
      setReading: () => {},
    };
    world.hub.connect(failing, { level: 1, target: "/a", fields: [host] });
    const peer = await world.opened("/a");
    world.put("a", 1);
    await world.clock.settle();
    expect(briefs(peer).at(-1)).toBe("201 /a/1 @1");
    expect(world.errors[0]?.stage).toBe("write");
  });

  it("gives everybody the same order over many views [R-SUB-4]", async () => {
    const world = createWorld();
    const peer = await world.opened("/a");
    const filtered = await world.opened("/a?g=1");
    for (let at = 1; at <= 300; at += 1) {
      world.put("a", (at % 7) + 1, { g: at % 3 });
      if (at % 11 === 0) await world.clock.settle();
    }
    await world.clock.settle();
    for (const reader of [peer, filtered]) {
      const positions = reader.messages
        .slice(2)
        .map(({ fields }) => Number(/:(\d+)/.exec(fieldValue(fields, "event-id") ?? "")?.[1]));
      expect(positions).toEqual(positions.toSorted((left, right) => left - right));
      expect(new Set(positions).size).toBe(positions.length);
    }
    expect(peer.messages).toHaveLength(302);
  });
});

describe("the view index", () => {
  const view = (url: string, equals: View["columns"] | [string, string | number][] = [], record?: string): View =>
    new View({
      position: 0,
      eventId: "",
      url,
      collection: `/${url.split(/[/?]/)[1]}`,
      equals: equals as [string, string | number][],
      ...(record === undefined ? {} : { record }),
    });
  const change = (after: Change["after"], before?: Change["before"], url = "/a/1"): Change => ({
    position: 1,
    kind: before && after ? "update" : after ? "create" : "delete",
    collection: "/a",
    url,
    ...(after ? { after } : {}),
    ...(before ? { before } : {}),
    represent: unshown,
  });
  const visited = (index: ViewIndex<unknown>, by: Change): string[] => {
    const urls: string[] = [];
    index.visit(by, ({ url }) => urls.push(url));
    return urls.toSorted();
  };

  it("visits what matches before or after, once, whatever else there is", () => {
    const index = new ViewIndex();
    for (let at = 0; at < 1_000; at += 1) index.add(view(`/a?n=${at}`, [["n", at]]));
    for (let at = 0; at < 1_000; at += 1) index.add(view(`/a/${at}`, [], `/a/${at}`));
    index.add(view("/a"));
    index.add(view("/b"));
    index.add(
      view("/a?g=x&n=3", [
        ["n", 3],
        ["g", "x"],
      ]),
    );
    expect(visited(index, change({ n: 3 }))).toEqual(["/a", "/a/1", "/a?n=3"]);
    expect(visited(index, change({ n: 3, g: "x" }, { n: 4, g: "x" }))).toEqual([
      "/a",
      "/a/1",
      "/a?g=x&n=3",
      "/a?n=3",
      "/a?n=4",
    ]);
    expect(visited(index, change({ n: 3 }, { n: 3 }))).toEqual(["/a", "/a/1", "/a?n=3"]);
    expect(visited(index, change(undefined, { n: null }))).toEqual(["/a", "/a/1"]);
    expect(visited(index, { ...change({ n: 3 }), collection: "/c" })).toEqual([]);
  });

  it("is empty once every view was removed, and takes removals twice", () => {
    const index = new ViewIndex();
    const views = [view("/a"), view("/a?n=1", [["n", 1]]), view("/a/1", [], "/a/1"), view("/a?order=x")];
    for (const each of views) index.add(each);
    expect(index.all("/a")).toHaveLength(4);
    for (const each of [...views, ...views]) index.remove(each);
    expect(index.all()).toEqual([]);
    expect(visited(index, change({ n: 1 }))).toEqual([]);
  });

  it("keeps texts, numbers, booleans, bytes and whole numbers of either type apart", () => {
    const image = (n: NonNullable<Change["after"]>[string]) => change({ n });
    const index = new ViewIndex();
    const values = [1, "1", true, "true", new Uint8Array([1]), "a,b", 10n] as const;
    for (const [at, value] of values.entries()) {
      index.add(new View({ position: 0, eventId: "", url: `/a?${at}`, collection: "/a", equals: [["n", value]] }));
    }
    for (const [at, value] of values.entries()) expect(visited(index, image(value))).toEqual([`/a?${at}`]);
    expect(visited(index, image(1n))).toEqual(["/a?0"]);
    expect(visited(index, image(10))).toEqual(["/a?6"]);
  });
});

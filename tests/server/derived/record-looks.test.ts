import { describe, expect, it } from "vitest";
import { fieldValue } from "../../../src/protocol/index.ts";
import type { OriginRequest, OriginResponse } from "../../../src/server/index.ts";
import type { MemoryPeer } from "../../../src/testing/index.ts";
import { AppWorld, type AppWorldOptions, briefs, cookie, eventIdAt, json, plain, userOf } from "./fixture.ts";

type Paths = Readonly<Record<string, unknown>>;

/** An app of which each path has its document; what is not there is a 404. */
function appOf(paths: () => Paths, options?: AppWorldOptions): AppWorld {
  const world = new AppWorld(({ target }: OriginRequest): OriginResponse => {
    const document = paths()[target];
    return document === undefined ? plain(404) : json(document);
  }, options);
  world.hasRecords = false;
  return world;
}

function itemsAt({ messages }: MemoryPeer, at = 0): string | undefined {
  return fieldValue(messages.at(at)?.fields ?? [], "items");
}

describe("The URL of a row in a derived view [R-FLD-12]", () => {
  it.each([
    ["beside the list", "/posts/1"],
    ["above it", "/p"],
    ["with a query", "/posts?slug=one"],
    ["absolute, of the same host", "http://example.com/posts/1"],
  ])("is its own link, %s, which is not looked at", async (_where, url) => {
    const world = appOf(() => ({ "/pages/1/posts": [{ id: 1, url }] }));
    const peer = await world.opened("/pages/1/posts");
    expect(itemsAt(peer)).toBe('list="", record="", link="/url"');
    expect(world.takeGets()).toBe(1);
  });

  it.each<[string, unknown]>([
    ["the record itself", { id: 1, title: "one" }],
    ["the record with more to it", { id: 1, title: "one", text: "…" }],
    ["the record in an envelope", { post: { id: 1, title: "one" } }],
    ["the record of a moment later", { id: 1, title: "one", read: 4 }],
  ])("is made of its key where a look finds %s", async (_what, record) => {
    const world = appOf(() => ({ "/posts": [{ id: 1, title: "one", read: 3 }], "/posts/1": record }));
    const peer = await world.opened("/posts");
    expect(itemsAt(peer)).toBe('list="", record="", url="/posts/{id}"');
    expect(world.asked.map(({ target }) => target)).toEqual(["/posts", "/posts/1"]);
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["a list", [{ id: 1, title: "one" }]],
    ["another record", { id: 2, title: "one" }],
    ["something else of that key", { id: 1, title: "the page" }],
    ["no record", "one"],
  ])("is none where a look finds %s: a fragment tells rows apart", async (_what, record) => {
    const kept = Array.from({ length: 9 }, (_, at) => ({ id: at + 10, title: "kept" }));
    let rows = [{ id: 1, title: "one" }, ...kept];
    const world = appOf(() => ({ "/pages/1/posts": rows, "/pages/1/posts/1": record }));
    const peer = await world.opened("/pages/1/posts");
    expect(itemsAt(peer)).toBe('list="", record="", url="/pages/1/posts#{id}"');
    rows = [...kept, { id: 2, title: "two" }];
    await world.changed("/posts", "/pages/1/posts");
    expect(briefs(peer)).toEqual(["204 /pages/1/posts#1", "201 /pages/1/posts#2 #9"]);
  });

  it("is looked at as the viewer, once for each rule", async () => {
    const world = new AppWorld((request) => {
      if (userOf(request) !== "ann") return plain(403);
      return request.target === "/posts" ? json([{ id: 1 }]) : json({ id: 1 });
    });
    world.hasRecords = false;
    await world.opened("/posts", [cookie("ann")]);
    await world.opened("/posts", [cookie("ann"), ["X-Other", "1"]]);
    expect(world.asked.map((request) => [request.target, userOf(request)])).toEqual([
      ["/posts", "ann"],
      ["/posts/1", "ann"],
      ["/posts", "ann"],
    ]);
  });

  it("is looked for again after a minute where it was not there, and comes with a fresh 200", async () => {
    const kept = { id: 3, text: "long enough for a difference to be shorter" };
    let paths: Paths = { "/posts": [{ id: 1, n: 1 }, kept] };
    const world = appOf(() => paths);
    const peer = await world.opened("/posts");
    paths = { "/posts": [{ id: 1, n: 2 }, kept], "/posts/1": { id: 1, n: 2 } };
    await world.changed("/posts");
    expect(briefs(peer)).toEqual(["202 /posts#1 #0"]);
    await world.clock.advance(60_000);
    paths = { ...paths, "/posts": [{ id: 1, n: 2 }, { id: 2 }] };
    await world.changed("/posts");
    expect(briefs(peer, -2)).toEqual(["200", "304"]);
    expect(itemsAt(peer, -2)).toBe('list="", record="", url="/posts/{id}"');
  });

  it("makes another position than none", async () => {
    const rows = [{ id: 1 }];
    const without = await appOf(() => ({ "/posts": rows })).opened("/posts");
    const withUrls = await appOf(() => ({ "/posts": rows, "/posts/1": { id: 1 } })).opened("/posts");
    expect(eventIdAt(without, 0)).toBe(`${eventIdAt(withUrls, 0)}~`);
  });

  it("is what the application's option says, without a look", async () => {
    const world = appOf(() => ({ "/posts": [{ slug: "a" }] }), { derived: { records: { "/posts": { key: "slug" } } } });
    const peer = await world.opened("/posts");
    expect(itemsAt(peer)).toBe('list="", record="", url="/posts/{slug}"');
    expect(world.takeGets()).toBe(1);
  });

  it("is not known for good while a look is refused for a while", async () => {
    let isBusy = true;
    const world = new AppWorld(({ target }) => {
      if (target !== "/posts") return isBusy ? plain(503) : json({ id: 1 });
      return json([{ id: 1, isBusy }]);
    });
    world.hasRecords = false;
    const peer = await world.opened("/posts");
    expect(itemsAt(peer)).toContain("/posts#{id}");
    isBusy = false;
    await world.changed("/posts");
    expect(itemsAt(peer, 2)).toContain("/posts/{id}");
  });
});

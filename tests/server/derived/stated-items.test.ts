import { describe, expect, it } from "vitest";
import { type Field, fieldValue } from "../../../src/protocol/index.ts";
import { type MemoryPeer, Replica } from "../../../src/testing/index.ts";
import { AppWorld, briefs, eventIdAt, json, plain } from "./fixture.ts";

const text = "a text that is longer than what the difference costs beside it";

function itemsOf({ messages }: MemoryPeer, at = 0): string | undefined {
  return fieldValue(messages[at]?.fields ?? [], "items");
}

/** The last 200 that a peer was given. */
function lastItems({ messages }: MemoryPeer): string | undefined {
  return fieldValue(messages.findLast(({ status }) => status === 200)?.fields ?? [], "items");
}

/** The URLs of the rows that a peer was given, in order, as a client makes them. */
function urls(peer: MemoryPeer, target: string): string[] {
  const replica = new Replica(target);
  for (const message of peer.messages) replica.take(message);
  return replica.order;
}

/** Bookmarks, of which `url` is what they are of. */
const marks = (...ids: number[]) => ids.map((id) => ({ id, url: `/users/${id}`, text }));
const said: Field = ["Items", 'list="/marks", record="/mark", url="/marks/{id}"'];

describe("An answer that says itself where its records are [R-FLD-15]", () => {
  it.each<[string, string, (ids: number[]) => object, (id: number) => string, string]>([
    [
      "by a template over the key, beside rows that link to other things",
      'list="/marks", record="/mark", url="/marks/{id}"',
      (ids) => ({ marks: marks(...ids) }),
      (id) => `/marks/${id}`,
      'list="/marks", record="", url="/marks/{id}"',
    ],
    [
      "by a template over the key, beside a member url that is null",
      'list="/marks", url="/marks/{id}"',
      (ids) => ({ marks: ids.map((id) => ({ id, url: null, text })) }),
      (id) => `/marks/${id}`,
      'list="/marks", record="", url="/marks/{id}"',
    ],
    [
      "by a template over two members that nobody would guess",
      'list="/rows/0", url="/shops/{shop}/goods/{no}"',
      (ids) => ({ rows: [ids.map((no) => ({ id: 1, shop: "a b", no, text })), []], others: [] }),
      (id) => `/shops/a%20b/goods/${id}`,
      'list="/rows/0", record="", url="/shops/{shop}/goods/{no}"',
    ],
    [
      "by a link of another name than the usual ones, which are there, too",
      'link="/_url"',
      (ids) => ids.map((id) => ({ id, url: "/users/1", href: `/x/${id}`, _url: `/marks/${id}`, text })),
      (id) => `/marks/${id}`,
      'list="", record="", link="/_url"',
    ],
    [
      "by a link, relative and beside two lists",
      'list="/b", link="/self/0"',
      (ids) => ({ a: [{ id: 1 }], b: ids.map((id) => ({ id, self: [`marks/${id}`], text })) }),
      (id) => `/marks/${id}`,
      'list="/b", record="", link="/self/0"',
    ],
  ])("is followed as it says: %s", async (_how, field, documentOf, urlOf, told) => {
    const world = new AppWorld(() => json(documentOf([1, 2]), ["Items", field]));
    const peer = await world.opened("/list?limit=3");
    expect(itemsOf(peer)).toBe(told);
    world.answer = () => json(documentOf([2, 3]), ["Items", field]);
    await world.changed("/list");
    expect(briefs(peer)).toEqual([`204 ${urlOf(1)}`, `201 ${urlOf(3)} #1`]);
    expect(urls(peer, "/list")).toEqual([urlOf(2), urlOf(3)]);
    // Nothing had to be found out.
    expect(world.asked.map(({ target }) => target)).toEqual(["/list?limit=3", "/list?limit=3"]);
  });

  it("has an empty list stay one, whatever its rows will be, and takes null for one", async () => {
    const world = new AppWorld(() => json({ marks: null }, said));
    const peer = await world.opened("/other");
    world.answer = () => json({ marks: [] }, said);
    await world.changed("/other");
    await world.clock.advance(1_000);
    world.answer = () => json({ marks: marks(7) }, said);
    await world.changed("/other");
    expect(lastItems(peer)).toBe('list="/marks", record="", url="/marks/{id}"');
    expect(urls(peer, "/other")).toEqual(["/marks/7"]);
  });

  it("gives rows no URL that have none by it, and the first of several that have the same [R-FLD-4]", async () => {
    const rows = [{ id: null, url: "/a" }, { url: "/b" }, { id: 1, url: "/c" }, { id: 1, url: "/d" }];
    const world = new AppWorld(() => json({ marks: rows }, said));
    const peer = await world.opened("/marks");
    expect(itemsOf(peer)).toBe('list="/marks", record="", url="/marks/{id}"');
    expect(urls(peer, "/marks")).toEqual(["#0", "#1", "/marks/1", "#3"]);
    world.answer = () => json({ marks: [...rows, { id: 2, url: "/e", text }] }, said);
    await world.changed("/marks");
    expect(briefs(peer)).toEqual(["201 /marks/2 #4"]);
  });

  it("that says it is one record is one, whatever lists it has", async () => {
    const page = (title: string) => json({ page: { id: 1, title }, tags: [{ id: 1 }] }, ["Items", 'record="/page"']);
    const world = new AppWorld(() => page("a"));
    const peer = await world.opened("/pages/1");
    world.answer = () => page("b");
    await world.changed("/pages/1");
    expect(itemsOf(peer)).toBe('record="/page"');
    expect(briefs(peer)).toEqual(["202 /pages/1"]);
  });

  it("is a fresh 200 and another position where only that changed", async () => {
    const world = new AppWorld(() => json({ marks: marks(1) }, said));
    const peer = await world.opened("/marks");
    world.answer = () => json({ marks: marks(1) }, ["Items", 'list="/marks", link="/url"']);
    await world.changed("/marks");
    expect(briefs(peer)).toEqual(["200", "304"]);
    expect(urls(peer, "/marks")).toEqual(["/users/1"]);
    expect(eventIdAt(peer, -1)).not.toBe(eventIdAt(peer, 0));
  });

  it.each([
    ["a 304 that says so", true],
    ["a 304 that leaves it out", false],
  ])("is asked for by its entity tag, and by %s stays what it is", async (_how, isSaid) => {
    const world = new AppWorld(({ fields }) =>
      fieldValue(fields, "if-none-match") === undefined
        ? json({ marks: marks(1) }, said, ["ETag", '"a"'])
        : plain(304, ["ETag", '"a"'], ...(isSaid ? [said] : [])),
    );
    const peer = await world.opened("/marks");
    await world.changed("/marks");
    expect(briefs(peer)).toEqual([]);
    expect(world.asked.length).toBe(2);
  });

  it("is asked for as a whole where a 304 says something else of it", async () => {
    let field = said;
    const world = new AppWorld(({ fields }) =>
      fieldValue(fields, "if-none-match") === undefined
        ? json({ marks: marks(1) }, field, ["ETag", '"a"'])
        : plain(304, ["ETag", '"a"'], field),
    );
    const peer = await world.opened("/marks");
    field = ["Items", 'list="/marks", link="/url"'];
    await world.changed("/marks");
    expect(lastItems(peer)).toBe('list="/marks", record="", link="/url"');
  });

  it("comes after what the server was configured with", async () => {
    const records = { "/marks": { list: "marks", key: "no" } };
    const rows = [{ id: 1, no: 7, url: "/users/1" }];
    const world = new AppWorld(() => json({ marks: rows }, said), { derived: { records } });
    expect(itemsOf(await world.opened("/marks"))).toBe('list="/marks", record="", url="/marks/{no}"');
  });

  it.each([
    ["of another host", 'list="/marks", url="http://other.example/marks/{id}"'],
    ["of another host, without its scheme", 'list="/marks", url="//other.example/marks/{id}"'],
    ["that is no path", 'list="/marks", url="{url}"'],
    ["that is malformed", 'list="/marks", url=1'],
  ])("says nothing by a template %s", async (_what, field) => {
    const world = new AppWorld(() => json({ marks: [{ id: 1 }] }, ["Items", field]));
    expect(itemsOf(await world.opened("/marks"))).toBe('list="/marks", record="", url="/marks/{id}"');
  });

  it("is one record where something else than its list is at that place", async () => {
    const world = new AppWorld(() => json({ marks: { 1: "a" }, others: [{ id: 1 }] }, said));
    expect(itemsOf(await world.opened("/marks"))).toBeUndefined();
  });

  it.each([
    ["by a template", 'list="/rows", url="/rows/{no}"'],
    ["by a link", 'list="/rows", link="/self"'],
  ])("is no news where each look shows other stamps in the same rows: %s", async (_how, field) => {
    let [look, last] = [0, 2];
    const rows = () => [1, last].map((no) => ({ id: 9, no, self: `/rows/${no}`, now: { look } }));
    const world = new AppWorld(() => {
      look += 1;
      return json({ rows: rows(), beside: text.repeat(10) }, ["Items", field]);
    });
    const peer = await world.opened("/rows");
    await world.changed("/rows/7");
    await world.clock.advance(1_000);
    const seen = peer.messages.length;
    await world.changed("/rows/7");
    await world.clock.advance(2_000);
    expect(briefs(peer, seen).filter((brief) => brief !== "304")).toEqual([]);
    // Another row is.
    last = 3;
    await world.changed("/rows/7");
    await world.clock.advance(2_000);
    expect(briefs(peer, seen)).toContain("201 /rows/3 #1");
  });

  it.each<[string, string, string | undefined]>([
    ["below it", 'url="/api/marks/{id}"', 'list="", record="", url="/api/marks/{id}"'],
    [
      "above it, where a row's own record is looked for below",
      'url="/marks/{id}"',
      'list="", record="", url="/api/list/{id}"',
    ],
  ])("has URLs below the base path only: %s", async (_where, field, told) => {
    const world = new AppWorld(() => json([{ id: 1 }], ["Items", field]), { derived: { basePath: "/api" } });
    expect(itemsOf(await world.opened("/api/list"))).toBe(told);
  });
});

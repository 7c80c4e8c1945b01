import { describe, expect, it } from "vitest";
import { fieldValue, itemUrl, parseItems } from "../../../src/protocol/index.ts";
import { AppWorld, briefs, json } from "./fixture.ts";

const text = "a text that is longer than what the difference costs beside it";
const rows = (...ids: number[]) => ids.map((id) => ({ id, text }));

describe("The option records", () => {
  it.each<[string, unknown, string]>([
    ["a list that is no pointer", { "/a": { list: "/a~2b", key: "id" } }, 'has the list "/a~2b"'],
    ["a key without a name", { "/a": { key: "" } }, 'has the key ""'],
    ["a link that is no pointer", { "/a": { link: "/a~" } }, 'has the link "/a~"'],
    ["a pointer to the key", { "/a": { key: "/id" } }, 'has the key "/id"'],
    ["a name for the link", { "/a": { link: "self" } }, 'has the link "self"'],
    ["another member", { "/a": { lists: "rows", key: "id" } }, 'has "lists"'],
    ["neither key nor link", { "/a": { list: "rows" } }, "needs a key or a link"],
    ["both", { "/a": { key: "id", link: "/url" } }, "has a key and a link"],
    ["a path without its slash", { a: { key: "id" } }, "is no path"],
    ["a path with a query", { "/a?b": { key: "id" } }, "is no path"],
    ["nothing", { "/a": undefined }, "must be an object"],
  ])("is an error at once with %s", (_what, records, trouble) => {
    expect(() => new AppWorld(() => json([]), { derived: { records: records as never } })).toThrow(TypeError);
    expect(() => new AppWorld(() => json([]), { derived: { records: records as never } })).toThrow(trouble);
  });

  it.each<[string, object, object, string]>([
    [
      "a list of another name",
      { list: "rows", key: "id" },
      { hits: rows(1) },
      'has no list "rows" whose rows have "id"',
    ],
    ["a list that is none", { list: "hits", key: "id" }, { hits: 1 }, 'has no list "hits"'],
    ["no list at all", { key: "id" }, { hits: rows(1) }, "is no list whose rows"],
    ["no list at a pointer", { list: "/hits/rows", key: "id" }, { hits: rows(1) }, 'has no list "/hits/rows"'],
    ["a key that is not there", { list: "hits", key: "code" }, { hits: rows(1) }, 'have "code" of their own'],
    ["a link that is not there", { list: "hits", link: "/u" }, { hits: rows(1) }, 'have a link of their own at "/u"'],
  ])("tells once of a document with %s", async (_what, entry, document, trouble) => {
    const world = new AppWorld(() => json({ ...document, v: 1 }), {
      derived: { records: { "/search": entry as never } },
    });
    const peer = await world.opened("/search?q=a");
    await world.opened("/search?q=b");
    world.answer = () => json({ ...document, v: 2 });
    await world.changed("/search");
    expect(briefs(peer)).toEqual(["202 /search?q=a"]);
    expect(world.errors).toEqual(["records"]);
    expect(world.told).toEqual([expect.objectContaining({ code: "records-unfit" })]);
    expect(String(world.told[0])).toContain(trouble);
  });

  it.each([
    [
      "below a member of a member",
      "/_embedded/r",
      { page: { rows: [] } },
      (list: unknown) => ({ _embedded: { r: list } }),
    ],
    ["in an array", "/1", {}, (list: unknown) => [{ total: 9 }, list]],
    ["deep in both", "/0/a~1b/~0", {}, (list: unknown) => [{ "a/b": { "~": list } }, 7]],
    ["under a name that begins with a slash", "/~1r", {}, (list: unknown) => ({ "/r": list })],
  ])("finds a list by a pointer: %s", async (_title, list, beside, wrap) => {
    const answerOf = (...ids: number[]) =>
      json(Array.isArray(wrap([])) ? wrap(rows(...ids)) : { ...beside, ...(wrap(rows(...ids)) as object) });
    const world = new AppWorld(() => answerOf(1, 2), { derived: { records: { "/things": { list, key: "id" } } } });
    const peer = await world.opened("/things?page=2");
    expect(fieldValue(peer.messages[0]?.fields ?? [], "items")).toBe(`list="${list}", record="", url="/things/{id}"`);
    world.answer = () => answerOf(2, 3);
    await world.changed("/things");
    expect(briefs(peer)).toEqual(["204 /things/1", "201 /things/3 #1"]);
    expect(world.errors).toEqual([]);
  });

  it("takes the link of a row from deep within it, and the last of two members of one name", async () => {
    const row = (id: number) => ({ _links: { self: { href: `/people/${id}` } }, id });
    const answerOf = (...ids: number[]) => ({
      ...json({}),
      fields: [["Content-Type", "application/hal+json"]] as const,
      body: `{"_embedded":{"r":[{"id":0}]},"_embedded":{"x":[1,"]"],"r":${JSON.stringify(ids.map(row))}},"n":[2]}`,
    });
    const records = { "/people": { list: "/_embedded/r", link: "/_links/self/href" } };
    const world = new AppWorld(() => answerOf(4), { derived: { records } });
    const peer = await world.opened("/people");
    world.answer = () => answerOf(4, 5);
    await world.changed("/people");
    expect(briefs(peer)).toEqual(["201 /people/5 #1"]);
  });

  it("says the name of a key as a row has it, whatever characters that has", async () => {
    const world = new AppWorld(() => json([{ "a/b": 1 }]), { derived: { records: { "/things": { key: "a/b" } } } });
    const peer = await world.opened("/things");
    const items = parseItems(fieldValue(peer.messages[0]?.fields ?? [], "items") ?? "");
    expect(items && itemUrl(items, { "a/b": 1 }, "/things")).toBe("/things/1");
  });

  it.each([
    ["/things/", "/things"],
    ["/things", "/things/"],
    ["/b%c3%bccher", "/b%C3%BCcher"],
    ["/a%2Db", "/a-b"],
  ])("of %s counts for %s", async (path, target) => {
    const world = new AppWorld(() => json({ r: [{ no: 1 }], s: [] }), {
      derived: { records: { [path]: { list: "r", key: "no" } } },
    });
    const peer = await world.opened(target);
    expect(fieldValue(peer.messages[0]?.fields ?? [], "items")).toContain('list="/r"');
  });

  it.each<[string, object, string]>([
    ["an array of another name", { _embedded: { s: rows(1) } }, 'record="", unfit="/_embedded/r"'],
    ["something else", { _embedded: { r: 1 } }, 'record="", unfit="/_embedded/r"'],
    ["rows without the key", { _embedded: { r: [{ n: 1 }] } }, 'record="", unfit="/_embedded/r"'],
    ["nothing", { total: 0 }, 'list="/_embedded/r", record="", url="/people/{id}", unfit="/_embedded/r"'],
  ])(
    "tells the peer where rows were to be and is %s, and gives the list anew once they are [R-FLD-13]",
    async (_what, document, items) => {
      const records = { "/people": { list: "/_embedded/r", key: "id" } };
      const world = new AppWorld(() => json(document), { derived: { records } });
      const peer = await world.opened("/people");
      expect(fieldValue(peer.messages[0]?.fields ?? [], "items")).toBe(items);
      world.answer = () => json({ _embedded: { r: rows(1) }, total: 1 });
      await world.changed("/people");
      expect(briefs(peer)).toEqual(["200", "304"]);
      expect(fieldValue(peer.messages[2]?.fields ?? [], "items")).toBe(
        'list="/_embedded/r", record="", url="/people/{id}"',
      );
      expect(world.told).toEqual([expect.objectContaining({ code: "records-unfit" })]);
    },
  );

  it("takes null for an empty list, and has nothing to tell of it [R-FLD-13]", async () => {
    const records = { "/people": { list: "rows", key: "id" } };
    const world = new AppWorld(() => json({ rows: null }), { derived: { records } });
    const peer = await world.opened("/people");
    expect(fieldValue(peer.messages[0]?.fields ?? [], "items")).toBe('list="/rows", record="", url="/people/{id}"');
    expect(world.told).toEqual([]);
  });

  it("tells once of rows without a URL, and the list stays one [R-FLD-13]", async () => {
    const records = { "/people": { list: "rows", key: "id" } };
    const world = new AppWorld(() => json({ rows: [{ id: ".." }, ...rows(1, 1)] }), { derived: { records } });
    const peer = await world.opened("/people");
    expect(fieldValue(peer.messages[0]?.fields ?? [], "items")).toBe('list="/rows", record="", url="/people/{id}"');
    await world.opened("/people?page=2");
    expect(world.told).toEqual([expect.objectContaining({ code: "records-unfit" })]);
    expect(String(world.told[0])).toContain('a row without a "id" of its own');
  });

  it("tells of a document that says it is no JSON [R-FLD-13]", async () => {
    const answer = { ...json([{ id: 1 }]), fields: [["Content-Type", "text/plain"]] as const };
    const world = new AppWorld(() => answer, { derived: { records: { "/people": { key: "id" } } } });
    const peer = await world.opened("/people");
    expect(fieldValue(peer.messages[0]?.fields ?? [], "items")).toBe('record="", unfit=""');
    expect(world.told).toEqual([expect.objectContaining({ code: "records-unfit" })]);
  });

  it("has nothing to tell of an empty list, and of documents that are as it says", async () => {
    const world = new AppWorld(() => json({ hits: [] }), {
      derived: { records: { "/search": { list: "hits", key: "id" } } },
    });
    await world.opened("/search");
    world.answer = () => json({ hits: rows(1) });
    await world.changed("/search");
    expect(world.errors).toEqual([]);
  });
});

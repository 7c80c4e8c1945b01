import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readDocument, rereadDocument } from "../../../src/server/derived/document.ts";

const place = { target: "/items", authority: "example.com" };
const json = "application/json";

function urls(body: unknown, target = "/items"): readonly string[] | undefined {
  return readDocument(json, JSON.stringify(body), { ...place, target }).list?.rows.map(({ url }) => url);
}

describe("a document's records [R-FLD-9]", () => {
  test.each<[string, unknown, readonly string[] | undefined]>([
    ["stand in an array at the top", [{ id: 1 }, { id: 2 }], ["/items/1", "/items/2"]],
    ["stand in the member named like the path", { items: [{ id: 1 }], other: [{ id: 2 }] }, ["/items/1"]],
    ["stand in the only array member", { data: [{ id: "a b" }], total: 1 }, ["/items/a%20b"]],
    ["are not told where two members are arrays", { a: [{ id: 1 }], b: [] }, undefined],
    ["are named by links under the collection", [{ id: 1, url: "/items/x" }], ["/items/x"]],
    ["are named by absolute links of the same host", [{ href: "http://example.com/items/9?v=1" }], ["/items/9?v=1"]],
    ["are not named by links elsewhere", [{ id: 1, url: "http://other.example/items/1" }], ["/items/1"]],
    ["are not named by links beside the collection", [{ id: 4, self: "/others/4" }], ["/items/4"]],
    ["are named by nested links", [{ _links: { self: { href: "/items/5" } } }], ["/items/5"]],
    [
      "need a key that is unique",
      [
        { id: 1, key: "a" },
        { id: 1, key: "b" },
      ],
      ["/items/a", "/items/b"],
    ],
    ["need a key on every row", [{ id: 1 }, { name: "x" }], undefined],
    ["are none yet in an empty list", [], []],
    ["are none yet in an empty list named like the path", { items: [], total: 0 }, []],
    ["are not looked for in an empty member of another name", { tags: [] }, undefined],
    ["are none in a list of numbers", [1, 2], undefined],
    ["are none in a text", "x", undefined],
  ])("%s", (_title, body, expected) => {
    expect(urls(body)).toEqual(expected);
  });

  test("are taken with their own bytes", () => {
    const body = ' {"items" : [ {"id":1, "n":1.50} , {"id":2,"s":"]}\\"{"} ] , "x":1}';
    const list = readDocument(json, body, place).list;
    expect(list?.rows.map(({ text }) => text)).toEqual(['{"id":1, "n":1.50}', '{"id":2,"s":"]}\\"{"}']);
    expect([list?.head, list?.tail]).toEqual([' {"items" : [', '] , "x":1}']);
  });

  test("of a body that is no JSON are none", () => {
    expect(readDocument(json, "[{", place)).toEqual({ contentType: json, body: "[{" });
    expect(readDocument("text/html", "[]", place)).toEqual({ contentType: "text/html", body: "[]" });
  });
});

const row = fc.record({
  id: fc.integer({ min: 0, max: 30 }),
  v: fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constantFrom("a", "},{", '"', "\\", "[", "é")),
});
const rows = fc.uniqueArray(row, { maxLength: 8, selector: ({ id }) => id });
const text = fc
  .tuple(rows, fc.constantFrom("", " ", "\n"), fc.constantFrom("plain", "wrapped", "counted"))
  .map(([list, space, shape]) => {
    const array = `[${space}${list.map((item) => JSON.stringify(item)).join(`${space},${space}`)}${space}]`;
    if (shape === "plain") return array;
    return shape === "wrapped" ? `{"items":${array}}` : `{"items":${array},"total":${list.length}}`;
  });

test("a document reread beside the one before is the same as one read from scratch", () => {
  fc.assert(
    fc.property(text, text, (before, after) => {
      const fresh = readDocument(json, after, place);
      const reread = rereadDocument(readDocument(json, before, place), json, after, place);
      if (fresh.list && reread.list) {
        expect(reread.list.rows).toEqual(fresh.list.rows);
        expect([reread.list.head, reread.list.tail]).toEqual([fresh.list.head, fresh.list.tail]);
      } else expect(reread).toEqual(fresh);
    }),
    { numRuns: 20_000 },
  );
});

test("a document after a random edit of its text is reread as from scratch", () => {
  fc.assert(
    fc.property(
      text,
      fc.nat(),
      fc.nat(4),
      fc.constantFrom("", "1", "}", ",", "]", '"', '{"id":99}', ","),
      (before, at, cut, put) => {
        const start = at % (before.length + 1);
        const after = before.slice(0, start) + put + before.slice(start + cut);
        const fresh = readDocument(json, after, place);
        const reread = rereadDocument(readDocument(json, before, place), json, after, place);
        expect(reread.list?.rows).toEqual(fresh.list?.rows);
      },
    ),
    { numRuns: 20_000 },
  );
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestDocument } from "../../../src/server/derived/digest.ts";
import { type Document, readDocument, rereadDocument } from "../../../src/server/derived/document.ts";

const place = { target: "/items", authority: "example.com" };
const json = "application/json";

function urls(body: unknown, target = "/items"): readonly string[] | undefined {
  return readDocument(json, JSON.stringify(body), { ...place, target })
    .list?.rows.slice()
    .map(({ url }) => url);
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
    expect(list?.rows.slice().map(({ text }) => text)).toEqual(['{"id":1, "n":1.50}', '{"id":2,"s":"]}\\"{"}']);
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

/** All that counts of a document's list: its rows, what stands around them, and the position. */
function seen({ contentType, body, list, pieces }: Document): unknown {
  const position = digestDocument(contentType, body, pieces);
  return { contentType, body, position, rows: list?.rows.slice(), head: list?.head, tail: list?.tail };
}

/** A document reread beside another one; what it says to have kept is held against that. */
function reread(before: Document, after: string): Document {
  const document = rereadDocument(before, json, after, place);
  if (before.list && document.list) {
    const [old, rows] = [before.list.rows, document.list.rows];
    const { first, last } = rows.keptOf(old);
    expect(rows.slice(0, first)).toEqual(old.slice(0, first));
    expect(rows.slice(rows.length - last)).toEqual(old.slice(old.length - last));
  }
  return document;
}

test("a document reread beside the one before is the same as one read from scratch [R-POS-8]", () => {
  fc.assert(
    fc.property(text, text, text, (first, second, third) => {
      let document = readDocument(json, first, place);
      for (const after of [second, third]) {
        document = reread(document, after);
        expect(seen(document)).toEqual(seen(readDocument(json, after, place)));
      }
    }),
    { numRuns: 10_000 },
  );
});

test("a document after random edits of its text is reread as from scratch", () => {
  const edit = fc.tuple(fc.nat(), fc.nat(4), fc.constantFrom("", "1", "}", ",", "]", '"', '{"id":99}', " "));
  fc.assert(
    fc.property(text, fc.array(edit, { minLength: 1, maxLength: 3 }), (before, edits) => {
      let document = readDocument(json, before, place);
      let after = before;
      for (const [at, cut, put] of edits) {
        const start = at % (after.length + 1);
        after = after.slice(0, start) + put + after.slice(start + cut);
        document = reread(document, after);
        expect(seen(document)).toEqual(seen(readDocument(json, after, place)));
      }
    }),
    { numRuns: 20_000 },
  );
});

test("two documents of which a row, its place or the space between rows differs have other positions", () => {
  fc.assert(
    fc.property(text, text, (one, other) => {
      const positions = [one, other].map((body) => {
        return digestDocument(json, body, readDocument(json, body, place).pieces);
      });
      expect(positions[0] === positions[1]).toBe(one === other);
    }),
    { numRuns: 5_000 },
  );
});

test("equal documents have equal positions, whether their records have URLs for a viewer or not [R-POS-8]", () => {
  const body = JSON.stringify({ items: [{ url: "http://a.example/items/1" }, { url: "http://a.example/items/2" }] });
  const [named, unnamed] = ["a.example", "b.example"].map((authority) => {
    const { list, pieces } = readDocument(json, body, { ...place, authority });
    return { isList: list !== undefined, position: digestDocument(json, body, pieces) };
  });
  expect([named?.isList, unnamed?.isList]).toEqual([true, false]);
  expect(named?.position).toBe(unnamed?.position);
});

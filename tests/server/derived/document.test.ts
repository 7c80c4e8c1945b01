import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestDocument, sha256 } from "../../../src/server/derived/digest.ts";
import {
  type Document,
  readDocument,
  readingDocument,
  rereadDocument,
  rereadingDocument,
} from "../../../src/server/derived/document.ts";
import { finishInTurns, type Sliced } from "../../../src/server/derived/slices.ts";

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
    ["are named by links beside the collection", [{ id: 4, self: "/others/4" }], ["/others/4"]],
    ["are named by relative links", [{ id: 4, href: "x?n=4" }], ["/x?n=4"]],
    ["are not named by links that climb, as clients don't", [{ id: 4, href: "../x?n=4" }], ["/items/4"]],
    ["are not named by links to the list itself", [{ id: 4, url: "/items/" }], ["/items/4"]],
    ["are not named by keys that no URL keeps", [{ id: ".." }, { id: "" }, { id: 7 }], ["", "", "/items/7"]],
    [
      "are not named by whole numbers that a double can't tell apart",
      [{ id: 2 ** 53 }, { id: 0.5 }],
      ["", "/items/0.5"],
    ],
    ["are not named by links that URL parsers undo", [{ url: "/items/." }, { url: "/items/a" }], ["", "/items/a"]],
    ["of one URL have it once", [{ url: "/x/1" }, { url: "/x/1", n: 2 }, { url: "/x/2" }], ["/x/1", "", "/x/2"]],
    ["are named by nested links", [{ _links: { self: { href: "/items/5" } } }], ["/items/5"]],
    [
      "need a key that is unique",
      [
        { id: 1, key: "a" },
        { id: 1, key: "b" },
      ],
      ["/items/a", "/items/b"],
    ],
    ["need no key on every row", [{ id: 1 }, { name: "x" }], ["/items/1", ""]],
    ["need a key on half of the rows in another member", { rows: [{ id: 1 }, { n: 1 }, { n: 2 }] }, undefined],
    ["are not the images of a record", { id: 1, images: [{ url: "http://cdn.example/1" }] }, undefined],
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

/** All that counts of a document's list: its rows, and what stands around them. */
function seen({ contentType, body, list }: Document): unknown {
  return { contentType, body, rows: list?.rows.slice(), head: list?.head, tail: list?.tail, rule: list?.rule };
}

/** The records of a document by the plain way: parsed as a whole, those of `id` alone. */
function parsedUrls(body: string): readonly string[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const arrays = Object.entries(parsed).filter(([, value]) => Array.isArray(value));
  const named = arrays.find(([name]) => name === "items");
  const found = Array.isArray(parsed) ? parsed : (named ?? (arrays.length === 1 ? arrays[0] : undefined))?.[1];
  if (!Array.isArray(found) || (found.length === 0 && found !== parsed && !named)) return undefined;
  const ids = found.map((item) =>
    typeof item === "object" && item !== null && !Array.isArray(item) ? item.id : undefined,
  );
  const seen = new Set<string>();
  const urls = ids.map((id) => {
    const isKey = typeof id === "number" || (typeof id === "string" && !/^\.{0,2}$/.test(id));
    const url = isKey ? `/items/${encodeURIComponent(id)}` : "";
    const isOdd = url === "" || seen.has(url);
    seen.add(url);
    return isOdd ? "" : url;
  });
  if (found.length > 0 && !ids.some((id) => typeof id === "number" || typeof id === "string")) return undefined;
  const isSure = found === parsed || named !== undefined;
  const keyed = ids.filter((id) => typeof id === "number" || typeof id === "string");
  return isSure || keyed.length * 2 >= urls.length ? urls : undefined;
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
  const puts = ["", "1", "}", ",", "]", '"', '{"id":99}', '{"id":".."},', '{"id":1},', " "];
  const edit = fc.tuple(fc.nat(), fc.nat(4), fc.constantFrom(...puts));
  fc.assert(
    fc.property(text, fc.array(edit, { minLength: 1, maxLength: 3 }), (before, edits) => {
      let document = readDocument(json, before, place);
      let after = before;
      for (const [at, cut, put] of edits) {
        const start = at % (after.length + 1);
        after = after.slice(0, start) + put + after.slice(start + cut);
        const { list } = document;
        document = reread(document, after);
        expect(seen(document)).toEqual(seen(readDocument(json, after, place, list)));
      }
    }),
    { numRuns: 20_000 },
  );
});

test("a document is taken apart as if it were parsed as a whole, after random edits, too", () => {
  const puts = ["", "1", "}", ",", "]", "[", '"', '{"id":99}', '{"id":""},', '{"id":1},', " ", "\\"];
  const edit = fc.tuple(fc.nat(), fc.nat(4), fc.constantFrom(...puts));
  // Chance, too, comes upon the other names that tell where a record is: the plain way knows `id` alone.
  const chance = fc.json().filter((json) => !/"(url|href|self|_links|links|_id|uuid|key)"/.test(json));
  const more = fc.oneof(text, chance, fc.constantFrom('{"a":[],"items":[{"id":1}],"items":2}', '{"x":[{"id":"é"}]}'));
  fc.assert(
    fc.property(more, fc.array(edit, { maxLength: 3 }), (first, edits) => {
      let body = first;
      for (const [at, cut, put] of edits) {
        const start = at % (body.length + 1);
        body = body.slice(0, start) + put + body.slice(start + cut);
      }
      const { list } = readDocument(json, body, place);
      expect(list?.rows.slice().map(({ url }) => url)).toEqual(parsedUrls(body));
      if (list) expect(JSON.parse(`[${list.rows.slice().map((one) => one.text)}]`)).toHaveLength(list.rows.length);
    }),
    { numRuns: 20_000 },
  );
});

test("equal documents have equal positions, and others have others, byte for byte [R-POS-8]", () => {
  fc.assert(
    fc.property(text, text, (one, other) => {
      const [first, second] = [one, other].map((body) => digestDocument(sha256, { contentType: json, body }));
      expect(first === second).toBe(one === other);
    }),
    { numRuns: 1_000 },
  );
});

describe("a large document", () => {
  const count = 40_000;
  const items = (change: (row: { id: number; v: string }) => unknown = (row) => row) =>
    JSON.stringify({
      items: Array.from({ length: count }, (_, id) => change({ id, v: "x".repeat(60) })),
      total: count,
    });

  /** The most characters that JSON.parse was given at once while work was done, and in how many slices. */
  function measured<Result>(work: Sliced<Result>): { result: Result; slices: number; parsed: number } {
    const { parse } = JSON;
    let parsed = 0;
    let slices = 1;
    JSON.parse = (given: string) => {
      parsed = Math.max(parsed, given.length);
      return parse(given);
    };
    try {
      let step = work.next();
      for (; !step.done; step = work.next()) slices += 1;
      return { result: step.value, slices, parsed };
    } finally {
      JSON.parse = parse;
    }
  }

  test("is read in slices, and no more than a row is parsed at once", () => {
    const body = items();
    const { result, slices, parsed } = measured(readingDocument(json, body, place));
    expect(result.list?.rows.length).toBe(count);
    expect(slices).toBeGreaterThan(body.length / (256 * 1024));
    expect(parsed).toBeLessThan(1_000);
  });

  test("is reread in slices where its first and its last row changed, and all between them", () => {
    const before = readDocument(json, items(), place);
    const ends = items((row) => (row.id === 0 || row.id === count - 1 ? { ...row, v: "new" } : row));
    const { result, slices, parsed } = measured(rereadingDocument(before, json, ends, place));
    expect(seen(result)).toEqual(seen(readDocument(json, ends, place)));
    expect(slices).toBeGreaterThan(8);
    expect(parsed).toBeLessThan(1_000);
    const renamed = items((row) => ({ ...row, id: `a${row.id}` }));
    expect(seen(rereadDocument(before, json, renamed, place))).toEqual(seen(readDocument(json, renamed, place)));
  });

  test("that is one record is looked through in slices, and not parsed", () => {
    const body = JSON.stringify({ text: 'x"'.repeat(2_000_000), more: { deep: [[["y".repeat(2_000_000)]]] } });
    const { result, slices, parsed } = measured(readingDocument(json, body, place));
    expect(result.list).toBeUndefined();
    expect(slices).toBeGreaterThan(20);
    expect(parsed).toBeLessThan(1_000);
  });

  test.each([
    ["a row", JSON.stringify([{ id: 1, v: "x".repeat(1_100_000) }])],
    ["what stands around its rows", JSON.stringify({ items: [{ id: 1 }], more: "x".repeat(1_100_000) })],
    ["the space between its rows", `[{"id":1},${" ".repeat(1_100_000)}{"id":2}]`],
  ])("of which %s has more than 1 MiB is followed as a whole, and equally when reread", (_what, body) => {
    const small = readDocument(json, '[{"id":1}]', place);
    expect(readDocument(json, body, place)).toEqual({ contentType: json, body });
    expect(rereadDocument(small, json, body, place)).toEqual({ contentType: json, body });
  });
});

describe("work in slices", () => {
  function* counting(to: number, seen: number[] = []): Sliced<number> {
    for (let at = 1; at < to; at += 1) {
      seen.push(at);
      yield;
    }
    return to;
  }

  test("is done at once where it is one slice", () => {
    expect(finishInTurns(counting(1), () => expect.unreachable())).toBe(1);
  });

  test("is else done a slice in each turn", async () => {
    const deferred: (() => void)[] = [];
    const done: number[] = [];
    const work = finishInTurns(counting(4, done), (callback) => void deferred.push(callback));
    expect(done).toEqual([1]);
    for (const so of [2, 3]) {
      deferred.shift()?.();
      expect(done.at(-1)).toBe(so);
    }
    deferred.shift()?.();
    expect(deferred).toEqual([]);
    expect(await work).toBe(4);
  });

  test("that fails in a later slice rejects", async () => {
    function* failing(): Sliced<number> {
      yield;
      throw new Error("no");
    }
    await expect(finishInTurns(failing(), setImmediate)).rejects.toThrow("no");
  });
});

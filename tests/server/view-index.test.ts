import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Filter, groupOf, type Relation } from "../../src/filter/index.ts";
import { View } from "../../src/server/direct/view.ts";
import { ViewIndex } from "../../src/server/direct/view-index.ts";
import type { Change, Image, Value } from "../../src/server/index.ts";

type Part = Filter<string, Value>;

const compare = (column: string, relation: Relation, literal: Value): Part => ({
  kind: "compare",
  column,
  relation,
  literal,
});

let urls = 0;

function viewOf(filter: Part | undefined, equals: [string, Value][] = []): View {
  urls += 1;
  const place = { position: 0, eventId: "", collection: "/a", url: `/a?${urls}` };
  return new View({ ...place, equals, ...(filter ? { filter } : {}) });
}

function change(before: Image | undefined, after: Image | undefined): Change {
  const kind = before && after ? "update" : before ? "delete" : "create";
  const images = { ...(before ? { before } : {}), ...(after ? { after } : {}) };
  return {
    position: 1,
    kind,
    collection: "/a",
    url: "/a/1",
    ...images,
    represent: () => ({ contentType: "", body: "" }),
  };
}

function indexOf(...views: View[]): ViewIndex<unknown> {
  const index = new ViewIndex<unknown>();
  for (const view of views) index.add(view);
  return index;
}

function visited(index: ViewIndex<unknown>, by: Change): View[] {
  const found: View[] = [];
  index.visit(by, (view) => found.push(view));
  return found;
}

describe("A change visits", () => {
  const ranges = Array.from({ length: 100 }, (_, n) =>
    viewOf(groupOf("and", [compare("n", "gte", n * 10), compare("n", "lt", n * 10 + 10)])),
  );
  const lists = Array.from({ length: 100 }, (_, n) =>
    viewOf({ kind: "in", column: "n", isNot: false, literals: [n, n + 1_000, n + 2_000] }),
  );

  it("the views whose range has the value before or after, and none beside them", () => {
    const index = indexOf(...ranges);
    expect(visited(index, change({ n: 555 }, undefined))).toEqual([ranges[55]]);
    expect(visited(index, change({ n: 555 }, { n: 556 }))).toEqual([ranges[55]]);
    expect(visited(index, change({ n: 5 }, { n: 995 }))).toEqual([ranges[0], ranges[99]]);
    expect(visited(index, change(undefined, { n: null }))).toEqual([]);
    expect(visited(index, change(undefined, { n: 5_000 }))).toEqual([]);
  });

  it("a view of several values once, where it has both", () => {
    const index = indexOf(...lists);
    expect(visited(index, change({ n: 7 }, { n: 2_007 }))).toEqual([lists[7]]);
    expect(visited(index, change({ n: 7 }, { n: 1_008 }))).toEqual([lists[7], lists[8]]);
  });

  it("a view by its rarest part: equality before a list, a range with two ends before one without", () => {
    const open = compare("a", "gt", 0);
    const closed = groupOf<string, Value>("and", [compare("b", "gte", 5), compare("b", "lte", 6)]);
    const list: Part = { kind: "in", column: "c", isNot: false, literals: [1, 2, 3] };
    const both = { a: 1, b: 5, c: 9, d: 9 };
    expect(visited(indexOf(viewOf(groupOf("and", [open, closed]))), change(undefined, { ...both, b: 9 }))).toEqual([]);
    expect(visited(indexOf(viewOf(groupOf("and", [closed, list]))), change(undefined, both))).toEqual([]);
    expect(
      visited(indexOf(viewOf(groupOf("and", [list, compare("d", "eq", 1)]))), change(undefined, { ...both, c: 1 })),
    ).toEqual([]);
    expect(visited(indexOf(viewOf(list, [["d", 1]])), change(undefined, { ...both, c: 1 }))).toEqual([]);
  });

  it("a view by what all of its ranges of a column have in common", () => {
    const parts = [compare("a", "gt", 5), compare("a", "gt", 7), compare("a", "lt", 20), compare("a", "lte", 10)];
    const view = viewOf(groupOf("and", parts));
    const found = [6, 8, 11].map((a) => visited(indexOf(view), change(undefined, { a })));
    expect(found).toEqual([[], [view], []]);
  });

  it("a view of alternatives by each of them, and on each change where one has nothing to be found by", () => {
    const [found, scanned] = [
      viewOf({ kind: "or", parts: [compare("a", "eq", 1), compare("b", "gt", 5)] }),
      viewOf({ kind: "or", parts: [compare("a", "eq", 1), compare("b", "neq", 5)] }),
    ];
    const index = indexOf(found, scanned);
    expect(visited(index, change(undefined, { a: 1, b: 0 }))).toEqual([scanned, found]);
    expect(visited(index, change(undefined, { a: 0, b: 6 }))).toEqual([scanned, found]);
    expect(visited(index, change(undefined, { a: 0, b: 4 }))).toEqual([scanned]);
  });

  it("every view of a range where the value is missing, or bytes stand for a text", () => {
    const [texts, numbers] = [viewOf(compare("a", "lt", "b")), viewOf(compare("a", "lt", 5))];
    const index = indexOf(texts, numbers);
    expect(visited(index, change({}, undefined)).length).toBe(2);
    expect(visited(index, change({ a: new Uint8Array([200]) }, undefined))).toEqual([texts]);
  });
});

const literal = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom<Value>(2n ** 60n, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY),
  fc.constantFrom<Value>("", "a", "b", "é", "🎵", true, false),
  fc.constantFrom<Value>(new Uint8Array(), new Uint8Array([1])),
);
const column = fc.constantFrom("a", "b");
const condition: fc.Arbitrary<Part> = fc.oneof(
  fc
    .tuple(column, fc.constantFrom<Relation>("eq", "neq", "gt", "gte", "lt", "lte"), literal)
    .map(([name, relation, value]) => compare(name, relation, value)),
  fc
    .tuple(column, fc.boolean(), fc.array(literal, { maxLength: 3 }))
    .map(([name, isNot, literals]): Part => ({ kind: "in", column: name, isNot, literals })),
  fc
    .tuple(column, fc.boolean(), fc.constantFrom<("null" | "true" | "false")[]>("null", "true", "false"))
    .map(([name, isNot, state]): Part => ({ kind: "is", column: name, isNot, state })),
);
const { filter } = fc.letrec<{ filter: Part }>((tie) => ({
  filter: fc.oneof(
    { depthSize: "small" },
    condition,
    fc
      .tuple(fc.constantFrom<("and" | "or")[]>("and", "or"), fc.array(tie("filter"), { minLength: 1, maxLength: 3 }))
      .map(([kind, parts]) => groupOf(kind, parts)),
  ),
}));
const image = fc.record({ a: fc.oneof(fc.constant(null), literal), b: fc.oneof(fc.constant(null), literal) });
const someChange = fc
  .tuple(fc.option(image, { nil: undefined }), image, fc.boolean())
  .map(([before, after, isDelete]) => (isDelete ? change(after, undefined) : change(before, after)));

describe("Whatever views ask for", () => {
  it("a change visits each that it can touch, once", () => {
    fc.assert(
      fc.property(fc.array(filter, { maxLength: 12 }), fc.array(someChange, { maxLength: 5 }), (filters, changes) => {
        const views = filters.map((one) => viewOf(one));
        const index = indexOf(...views);
        for (const one of changes) {
          const found = visited(index, one);
          expect(new Set(found).size).toBe(found.length);
          const touched = views.filter((view) => view.judge(one) !== undefined);
          expect(touched.filter((view) => !found.includes(view))).toEqual([]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("none is left in the index once all were removed, in any order, and those that stay are found", () => {
    const moves = fc.array(fc.tuple(filter, fc.boolean()), { maxLength: 20 });
    fc.assert(
      fc.property(moves, someChange, (added, one) => {
        const views = added.map(([part]) => viewOf(part));
        const index = indexOf(...views);
        const [gone, kept] = [true, false].map((isGone) => views.filter((_, at) => added[at]?.[1] === isGone));
        for (const view of [...(gone ?? []), ...(gone ?? [])]) index.remove(view);
        const found = visited(index, one);
        const touched = (kept ?? []).filter((view) => view.judge(one) !== undefined);
        expect(found.filter((view) => gone?.includes(view))).toEqual([]);
        expect(touched.filter((view) => !found.includes(view))).toEqual([]);
        expect(new Set(index.all())).toEqual(new Set(kept));
        for (const view of kept ?? []) index.remove(view);
        expect(visited(index, one)).toEqual([]);
        expect(index.all()).toEqual([]);
      }),
    );
  });
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { listDifference, type Row, type Step } from "../../../src/server/derived/difference.ts";

function apply(before: readonly Row[], steps: readonly Step[]): Row[] {
  const list = [...before];
  for (const { status, url, text = "", index = 0 } of steps) {
    const at = list.findIndex((row) => row.url === url);
    expect(at >= 0).toBe(status !== 201);
    if (at >= 0) list.splice(at, 1);
    if (status === 204) continue;
    expect(index).toBeLessThanOrEqual(list.length);
    list.splice(index, 0, { url, text });
  }
  return list;
}

const rows = fc
  .uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 10 })
  .chain((ids) => fc.tuple(...ids.map((id) => fc.constantFrom("x", "y").map((text) => ({ url: `/${id}`, text })))));

test("the steps of a difference turn the old list into the new one, order included", () => {
  fc.assert(
    fc.property(rows, rows, (before, after) => {
      expect(apply(before, listDifference(before, after))).toEqual(after);
    }),
    { numRuns: 5_000 },
  );
});

test("the steps of rows without URLs have none, and where no step has none, they stay where they are", () => {
  const urls = fc.constantFrom("/1", "/2", "/3", "/4", "", "");
  const some = fc.array(fc.record({ url: urls, text: fc.constantFrom("x", "y") }), { maxLength: 8 });
  const mixed = some.map((list) =>
    list.filter(({ url }, at) => !url || at === list.findIndex((one) => one.url === url)),
  );
  let told = 0;
  fc.assert(
    fc.property(mixed, mixed, (before, after) => {
      const steps = listDifference(before, after);
      if (steps.some(({ url }) => url === "")) return;
      told += steps.length;
      expect(apply(before, steps)).toEqual(after);
    }),
    { numRuns: 5_000 },
  );
  expect(told).toBeGreaterThan(500);
});

test("rows without URLs that are the same in both lists take no step, whatever else moves", () => {
  const odd = fc.array(fc.constantFrom("o", "p"), { maxLength: 3 });
  const mixed = fc.tuple(odd, rows, rows, fc.infiniteStream(fc.nat())).map(([texts, before, after, places]) => {
    const within = (list: readonly Row[]): Row[] => {
      const at = texts.map(() => (places.next().value as number) % (list.length + 1)).sort((a, b) => b - a);
      const mix = [...list];
      for (const [nth, text] of [...texts].reverse().entries()) mix.splice(at[nth] ?? 0, 0, { url: "", text });
      return mix;
    };
    return [within(before), within(after)] as const;
  });
  fc.assert(
    fc.property(mixed, ([before, after]) => {
      const steps = listDifference(before, after);
      expect(steps.map(({ url }) => url)).not.toContain("");
      expect(apply(before, steps)).toEqual(after);
    }),
    { numRuns: 5_000 },
  );
});

test("a record that enters at the front takes one step", () => {
  const before = [1, 2, 3].map((id) => ({ url: `/${id}`, text: "" }));
  const entered = { url: "/9", text: "" };
  expect(listDifference(before, [entered, ...before])).toEqual([{ status: 201, url: "/9", text: "", index: 0 }]);
});

test("a record that moves takes one step, and the others none", () => {
  const [a, b, c] = ["/a", "/b", "/c"].map((url) => ({ url, text: "" })) as [Row, Row, Row];
  expect(listDifference([a, b, c], [b, c, a])).toEqual([{ status: 202, url: "/a", text: "", index: 2 }]);
});

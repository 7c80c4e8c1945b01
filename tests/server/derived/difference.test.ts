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

test("a record that enters at the front takes one step", () => {
  const before = [1, 2, 3].map((id) => ({ url: `/${id}`, text: "" }));
  const entered = { url: "/9", text: "" };
  expect(listDifference(before, [entered, ...before])).toEqual([{ status: 201, url: "/9", text: "", index: 0 }]);
});

test("a record that moves takes one step, and the others none", () => {
  const [a, b, c] = ["/a", "/b", "/c"].map((url) => ({ url, text: "" })) as [Row, Row, Row];
  expect(listDifference([a, b, c], [b, c, a])).toEqual([{ status: 202, url: "/a", text: "", index: 2 }]);
});

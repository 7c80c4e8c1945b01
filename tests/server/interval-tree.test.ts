import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Comparable, compareValues } from "../../src/filter/index.ts";
import { type Interval, IntervalTree } from "../../src/server/direct/interval-tree.ts";

const value: fc.Arbitrary<Comparable> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -30, max: 30 }) },
  fc.constantFrom(Number.NaN, -0, Number.POSITIVE_INFINITY, 2n ** 60n),
  fc.string({ maxLength: 2 }),
  fc.boolean(),
  fc.uint8Array({ maxLength: 2 }),
);
const end = fc.oneof({ weight: 5, arbitrary: value }, fc.constant(undefined));
const interval: fc.Arbitrary<Interval> = fc.record({ low: end, high: end });

function has({ low, high }: Interval, one: Comparable): boolean {
  return (low === undefined || compareValues(low, one) <= 0) && (high === undefined || compareValues(one, high) <= 0);
}

function foundAt(tree: IntervalTree<number>, one: Comparable): number[] {
  const found: number[] = [];
  tree.at(one, (item) => found.push(item));
  return found.sort((a, b) => a - b);
}

describe("A tree of intervals", () => {
  it("finds just what has a value, whatever came and went", () => {
    fc.assert(
      fc.property(
        fc.array(interval, { minLength: 1, maxLength: 400 }),
        fc.array(value, { maxLength: 20 }),
        fc.nat(),
        (all, values, seed) => {
          const tree = new IntervalTree<number>();
          for (const [item, one] of all.entries()) tree.add(one, item);
          const kept = all.map((_, item) => (item * 7 + seed) % 3 !== 0);
          all.forEach((one, item) => {
            if (!kept[item]) tree.remove(one, item);
            if (!kept[item]) tree.remove(one, item);
          });
          for (const one of values) {
            const expected = all.flatMap((each, item) => (kept[item] && has(each, one) ? [item] : []));
            expect(foundAt(tree, one)).toEqual(expected);
          }
          const rest: number[] = [];
          tree.all((item) => rest.push(item));
          expect(rest.sort((a, b) => a - b)).toEqual(all.flatMap((_, item) => (kept[item] ? [item] : [])));
          for (const [item, one] of all.entries()) tree.remove(one, item);
          expect(tree.isEmpty).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("finds few among ten thousand, in any order of coming and going", () => {
    const count = 10_000;
    const tree = new IntervalTree<number>();
    const orders = [(at: number) => at, (at: number) => count - 1 - at, (at: number) => (at * 7_919) % count];
    for (const order of orders) {
      for (let at = 0; at < count; at += 1) tree.add({ low: order(at) * 10, high: order(at) * 10 + 15 }, order(at));
      for (const at of [0, 1, 63, 64, 65, 4_095, 4_096, 9_999]) {
        expect(foundAt(tree, at * 10)).toEqual(at === 0 ? [0] : [at - 1, at]);
        expect(foundAt(tree, at * 10 + 7)).toEqual([at]);
      }
      for (let at = 0; at < count; at += 1) tree.remove({ low: order(at) * 10, high: order(at) * 10 + 15 }, order(at));
      expect(tree.isEmpty).toBe(true);
    }
  });

  it("compares a value with few of many intervals", () => {
    const tree = new IntervalTree<number>();
    for (let at = 0; at < 20_000; at += 1) {
      const ends = new Uint8Array([at >> 8, at & 255]);
      tree.add({ low: ends, high: ends }, at);
    }
    let compared = 0;
    const value = new Proxy(new Uint8Array([7, 5]), {
      getPrototypeOf: () => Uint8Array.prototype,
      get(bytes, name) {
        if (name === "length") compared += 1;
        return Reflect.get(bytes, name);
      },
    });
    expect(foundAt(tree, value)).toEqual([7 * 256 + 5]);
    expect(compared).toBeGreaterThan(0);
    expect(compared).toBeLessThan(1_000);
  });
});

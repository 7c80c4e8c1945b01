import { describe, expect, test } from "vitest";
import { LongShapes } from "../../../src/scaffold/sqlite/threads/shapes.ts";

function longShapes(mainLimitMs: number): LongShapes {
  return new LongShapes({ now: () => 0 }, mainLimitMs);
}

describe("A read that took too long for the main thread", () => {
  test("is known to be long once the next of its like took too long as well", () => {
    const shapes = longShapes(2);
    shapes.add("a");
    expect(shapes.has("a")).toBe(false);
    shapes.add("a");
    expect([shapes.has("a"), shapes.has("b")]).toEqual([true, false]);
  });

  test("is not where the next of its like did not: something else was in its way", () => {
    const shapes = longShapes(2);
    shapes.add("a");
    shapes.clear("a");
    shapes.add("a");
    expect(shapes.has("a")).toBe(false);
  });

  test("is known at once where the main thread is not to be tried", () => {
    const shapes = longShapes(0);
    shapes.add("a");
    expect(shapes.has("a")).toBe(true);
  });
});

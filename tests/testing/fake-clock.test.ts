import { describe, expect, it } from "vitest";
import { createFakeClock, createRandom } from "../../src/testing/index.ts";

describe("a fake clock", () => {
  it("fires timers in order, with what follows from each, and not before", async () => {
    const clock = createFakeClock();
    const seen: string[] = [];
    clock.setTimer(() => seen.push(`late ${clock.now()}`), 20);
    clock.setTimer(() => {
      seen.push(`early ${clock.now()}`);
      clock.setTimer(() => seen.push(`nested ${clock.now()}`), 5);
      clock.defer(() => seen.push("deferred"));
    }, 10);
    const cancel = clock.setTimer(() => seen.push("cancelled"), 1);
    cancel();
    await clock.advance(9);
    expect(seen).toEqual([]);
    await clock.advance(91);
    expect(seen).toEqual(["early 10", "deferred", "nested 15", "late 20"]);
    expect([clock.now(), clock.timers]).toEqual([100, 0]);
  });

  it("repeats its chance from the seed", () => {
    const first = createRandom(7);
    const second = createRandom(7);
    const drawn = Array.from({ length: 100 }, () => first.below(10));
    expect(Array.from({ length: 100 }, () => second.below(10))).toEqual(drawn);
    expect(new Set(drawn).size).toBe(10);
    expect(() => first.pick([])).toThrow(RangeError);
  });
});

import { describe, expect, it } from "vitest";
import { areRandom } from "../../src/check/client/waits.ts";

const capsMs = [500, 1_000, 2_000, 4_000];

describe("waits before retries", () => {
  it.each([
    ["ten milliseconds each time", [10, 10, 10, 10]],
    ["a fixed wait, and what connections take", [60, 70, 65, 75]],
    ["all far below their bounds, the last ones long", [20, 45, 90, 190]],
    ["short in their sum", [30, 30, 30, 90]],
  ])("are not random where they are %s", (_what, waitsMs) => {
    expect(areRandom(waitsMs, capsMs, 1)).toBe(false);
  });

  it.each([
    ["long", [250, 500, 1_000, 2_000]],
    ["short but for one", [10, 10, 10, 400]],
    ["short but for the first", [210, 10, 10, 10]],
  ])("may be random where they are %s", (_what, waitsMs) => {
    expect(areRandom(waitsMs, capsMs, 1)).toBe(true);
  });

  it("are judged by the times that the client was given", () => {
    const tenthMs = capsMs.map((capMs) => capMs / 10);
    expect(areRandom([21, 10, 10, 10], tenthMs, 0.1)).toBe(true);
    expect(areRandom([6, 7, 6, 7], tenthMs, 0.1)).toBe(false);
  });
});

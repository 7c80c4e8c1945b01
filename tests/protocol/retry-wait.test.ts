import { describe, expect, it } from "vitest";
import { triesAfter } from "../../src/protocol/index.ts";

describe("The tries that count after a connection", () => {
  it.each([
    ["none was ready", Number.NEGATIVE_INFINITY, [0, 1, 2, 7]],
    ["it was dropped at once", 0, [0, 1, 2, 7]],
    ["it was dropped within a second", 999, [0, 1, 2, 7]],
    ["it lived for a second", 1_000, [0, 1, 2, 2]],
    ["it was not yet stable", 9_999, [0, 1, 2, 2]],
    ["it was stable", 10_000, [0, 0, 0, 0]],
  ])("are right where %s [R-CLOSE-5]", (_, lastedMs, tries) => {
    expect([0, 1, 2, 7].map((before) => triesAfter(before, lastedMs))).toEqual(tries);
  });
});

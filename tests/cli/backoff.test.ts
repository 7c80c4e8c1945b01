import { describe, expect, it } from "vitest";
import { Backoff } from "../../src/cli/backoff.ts";

describe("the backoff", () => {
  it("doubles its upper end from 0.5 s to 30 s [R-CLOSE-5]", () => {
    const backoff = new Backoff(() => 1, false);
    const waits = Array.from({ length: 9 }, () => backoff.next());
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it("has full jitter, from 0, at the first retry already [R-CLOSE-5]", () => {
    const random = [0, 0.25];
    const backoff = new Backoff(() => random.shift() ?? 0, false);
    expect([backoff.next(), backoff.next()]).toEqual([0, 250]);
  });

  it("ends at 2 s for a server on the same machine [R-CLOSE-5]", () => {
    const backoff = new Backoff(() => 1, true);
    const waits = Array.from({ length: 5 }, () => backoff.next());
    expect(waits).toEqual([500, 1_000, 2_000, 2_000, 2_000]);
  });

  it("begins again after a stable connection", () => {
    const backoff = new Backoff(() => 1, false);
    for (let at = 0; at < 2_000; at += 1) backoff.next();
    expect(backoff.next()).toBe(30_000);
    backoff.lasted(10_000);
    expect(backoff.next()).toBe(500);
  });
});

import { describe, expect, it } from "vitest";
import { Pace } from "../../../src/scaffold/postgres/journal/pace.ts";

describe("the pace of looks", () => {
  it("is quick while something is found, and slower and slower while nothing is, to a limit", () => {
    const pace = new Pace(4, 20);
    const waits = [pace.waitMs];
    for (let look = 0; look < 6; look += 1) {
      pace.slow();
      waits.push(pace.waitMs);
    }
    expect(waits).toEqual([4, 6, 9, 13.5, 20, 20, 20]);
    pace.quicken();
    expect(pace.waitMs).toBe(4);
  });

  it("is slow at once after a failure", () => {
    const pace = new Pace(4, 20);
    pace.rest();
    expect(pace.waitMs).toBe(20);
  });
});

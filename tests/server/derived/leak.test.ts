import { afterAll, describe, expect, inject, it } from "vitest";
import { createHub } from "../../../src/server/index.ts";
import { createFakeClock } from "../../../src/testing/index.ts";
import { copyPatched, loadSystem, removeCopy } from "../../convergence/patched-system.ts";
import { leaks } from "./leak-defects.ts";
import { runLeaks } from "./leak-run.ts";

const seeds = Number(process.env.ROCKET_SEEDS ?? (process.env.ROCKET_LONG ? 10 : 3));
const steps = 900;
/** A leak that takes more seeds than this to be seen counts as not seen. */
const maxSeeds = 60;
const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) removeCopy(folder);
});

describe("A derived view", () => {
  it(`shows nobody what its own GET would not give, over ${seeds} seeds [R-DER-1] [R-DER-2]`, async () => {
    const sum = { transitions: 0, own: 0, shared: 0, gone: 0, refused: 0 };
    for (let seed = 1; seed <= seeds; seed += 1) {
      const { found, transitions, counts } = await runLeaks({ createHub, createFakeClock }, seed, steps);
      expect(found, `seed ${seed}`).toEqual([]);
      sum.transitions += transitions;
      for (const kind of ["own", "shared", "gone", "refused"] as const) sum[kind] += counts[kind];
    }
    if (process.env.ROCKET_SHOW) console.log(sum);
    expect(sum.transitions).toBeGreaterThanOrEqual(4_000 * seeds);
    expect(Math.min(sum.own, sum.shared, sum.gone, sum.refused)).toBeGreaterThan(20 * seeds);
  }, 240_000);

  it.each(leaks.map((leak, nth) => [leak.name, leak, nth] as const))(
    "is caught where %s",
    async (_name, leak, nth) => {
      expect(inject("buildError")).toBe("");
      const folder = copyPatched(`leak-${nth}`, ["protocol", "filter", "server", "testing"], leak);
      folders.push(folder);
      const system = await loadSystem(folder);
      let seed = 0;
      let found: readonly string[] = [];
      while (found.length === 0 && seed < maxSeeds) {
        seed += 1;
        ({ found } = await runLeaks(system, seed, steps, leak.targets));
      }
      if (process.env.ROCKET_SHOW) console.log(seed, found[0]?.slice(0, 100));
      expect(found.length).toBeGreaterThan(0);
    },
    60_000,
  );
});

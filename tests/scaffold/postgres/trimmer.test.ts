import { expect, it } from "vitest";
import type { Pool } from "../../../src/scaffold/postgres/driver.ts";
import { Trimmer } from "../../../src/scaffold/postgres/journal/trimmer.ts";
import { createFakeClock } from "../../../src/testing/index.ts";

it("A journal that can't be trimmed is told once for each outage, and trimmed again after it", async () => {
  const clock = createFakeClock();
  const told: unknown[] = [];
  let asked = 0;
  let isAway = false;
  const script = async (): Promise<string[][]> => {
    asked += 1;
    if (isAway) throw new Error(`away ${asked}`);
    return [["0"]];
  };
  const pool = { script } as unknown as Pool;
  const onError = (error: unknown): void => void told.push((error as Error).message);
  const trimmer = new Trimmer({ pool, clock, maxChanges: 10, maxBytes: 1_000, maxAgeMs: undefined, onError });
  await clock.advance(2_000);
  isAway = true;
  await clock.advance(5_000);
  isAway = false;
  await clock.advance(2_000);
  isAway = true;
  await clock.advance(3_000);
  await trimmer.close();

  expect([asked, told]).toEqual([12, ["away 3", "away 10"]]);
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { eventNames, run } from "./model.ts";
import { createPage } from "./page.ts";

const seeds = Number(process.env.ROCKET_SEEDS ?? 2_000);

const page = createPage();
beforeAll(async () => {
  page.open();
  // What clients load when they need it is here already, so that no time passes then.
  await Promise.all([import("../../src/client/outbox.ts"), import("../../src/client/document-follower.ts")]);
});
afterAll(() => page.close());

test(`a client is what its server is, after anything, over ${seeds} seeds [R-RES-5] [R-POS-5] [R-HB-3] [R-CLOSE-5]`, async () => {
  const seen = new Map<string, number>();
  const failures = new Map<string, string>();
  const began = Date.now();
  let events = 0;
  const first = Number(process.env.ROCKET_FIRST ?? 1);
  for (let seed = first; seed < first + seeds; seed += 1) {
    try {
      events += await run(seed, seen);
    } catch (error) {
      if (!process.env.ROCKET_ALL) throw new Error(`Seed ${seed} fails.`, { cause: error });
      failures.set(String(seed), String(error).slice(0, 300));
    }
  }
  if (process.env.ROCKET_ALL) console.log(events, Date.now() - began, failures);
  expect([...seen.keys()].sort()).toEqual([...eventNames].sort());
  expect(page.listeners).toBe(0);
}, 240_000);

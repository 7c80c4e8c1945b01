import { describe, expect, it } from "vitest";
import { createScaffold } from "../../src/scaffold/index.ts";
import { createHub } from "../../src/server/index.ts";
import { connectMemoryPeer, createFakeClock, createMemoryStore } from "../../src/testing/index.ts";
import { runSqlSeed } from "./sql-runner.ts";
import type { SqlSystem } from "./sql-world.ts";

const system: SqlSystem = { createHub, createMemoryStore, createFakeClock, connectMemoryPeer, createScaffold };
const onlySeed = process.env.ROCKET_SEED;
const count = Number(process.env.ROCKET_SQL_SEEDS ?? 20);
const seeds = onlySeed ? [Number(onlySeed)] : Array.from({ length: count }, (_, nth) => nth + 1);

const requirements = "[R-SUB-3, R-SUB-4, R-SUB-5, R-POS-3, R-POS-4, R-POS-6, R-RES-1, R-RES-2]";

describe(`Every replica of a SQLite database equals a GET, and every promise holds ${requirements}`, () => {
  it.each(seeds)("for the seed %i", async (seed) => {
    expect(await runSqlSeed(system, seed)).toEqual([]);
  });
});

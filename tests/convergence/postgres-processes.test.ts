import { describe, expect, it, onTestFinished } from "vitest";
import { serverOfFile } from "../scaffold/postgres/server.ts";
import { PostgresRunDatabase, postgresFlags } from "./postgres-run-database.ts";
import { ProcessRun } from "./process-run.ts";
import { runProcesses } from "./process-story.ts";

const server = serverOfFile(...postgresFlags);
const onlySeed = process.env.ROCKET_SEED;
const count = Number(process.env.ROCKET_PROCESS_SEEDS ?? 2);
const seeds = onlySeed ? [Number(onlySeed)] : Array.from({ length: count }, (_, nth) => nth);
const kills = 25;

const requirements = "[R-SUB-3, R-SUB-4, R-SUB-5, R-POS-4, R-POS-7, R-RES-1, R-RES-2]";

describe(`Every replica equals a GET although servers, backends and PostgreSQL are killed ${requirements}`, () => {
  it.each(seeds)("with seed %i, two processes on one database", { timeout: 120_000 }, async (seed) => {
    const database = await PostgresRunDatabase.make(server, seed % 2 === 1);
    const run = new ProcessRun(seed, database);
    onTestFinished(() => run.endSql());
    const { violations, killed, counts } = await runProcesses(run, kills);
    expect(violations).toEqual([]);
    expect(Object.fromEntries(killed)).toEqual(database.kills);
    expect(counts.committed).toBeGreaterThan(60);
    expect(counts.logged).toBeGreaterThan(5);
    expect(counts.revisions).toBeGreaterThan(40);
  });
});

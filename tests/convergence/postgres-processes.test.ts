import { describe, expect, it, onTestFinished } from "vitest";
import { serverOfFile } from "../scaffold/postgres/server.ts";
import { PostgresRunDatabase, postgresSchema } from "./postgres-run-database.ts";
import { ProcessRun } from "./process-run.ts";
import { runProcesses } from "./process-story.ts";

const server = serverOfFile("synchronous_commit=off");
const onlySeed = process.env.ROCKET_SEED;
const count = Number(process.env.ROCKET_PROCESS_SEEDS ?? 2);
const seeds = onlySeed ? [Number(onlySeed)] : Array.from({ length: count }, (_, nth) => nth);

const requirements = "[R-SUB-3, R-SUB-4, R-SUB-5, R-POS-4, R-POS-7, R-RES-1, R-RES-2]";

describe(`Every replica equals a GET although servers, backends and PostgreSQL are killed ${requirements}`, () => {
  it.each(seeds)("with seed %i, two processes on one database", { timeout: 120_000 }, async (seed) => {
    const name = await server.database();
    const client = await server.connectWriter(name);
    await client.query(postgresSchema);
    await client.end();
    const run = new ProcessRun(seed, new PostgresRunDatabase(server, name));
    onTestFinished(() => run.endSql());
    const { violations, history } = await runProcesses(run);
    expect(violations).toEqual([]);
    expect(history.transactions.length).toBeGreaterThan(60);
  });
});

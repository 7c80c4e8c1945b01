import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openConnection } from "../../../../src/scaffold/sqlite/driver.ts";
import { createSqliteJournal } from "../../../../src/scaffold/sqlite/journal.ts";
import { createRandom } from "../../../../src/testing/index.ts";
import { plainFormat } from "../plain-format.ts";
import { databases, type RandomDatabase } from "./databases.ts";
import { programNames, startProgram } from "./programs.ts";
import { Replica } from "./replica.ts";
import { randomBatch } from "./statements.ts";

/** How many batches a program runs on each database. `ROCKET_ORACLE=1000` looks harder. */
function batchesOf(program: string): number {
  // What runs in this process costs next to nothing.
  return Number(process.env.ROCKET_ORACLE ?? (program === "node" ? 200 : 40));
}

const firstSeed = Number(process.env.ROCKET_SEED ?? 1);

/** Runs random batches by one program; gives what was wrong, with the statements that led to it. */
async function findTrouble(database: RandomDatabase, program: string, seed: number): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "rocket-oracle-"));
  const path = join(folder, "data.db");
  const connection = openConnection(path, { create: true });
  // Nothing is to survive a crash here.
  connection.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; ${database.sql}`);
  const errors: unknown[] = [];
  const journal = await createSqliteJournal({ path, format: plainFormat, onError: (error) => errors.push(error) });
  const replica = new Replica(connection, journal.schema);
  journal.tail((batch) => replica.apply(batch, journal.schema));
  const writer = startProgram(program, path);
  const random = createRandom(seed);
  await writer.run(["PRAGMA synchronous = OFF"]);
  try {
    for (let count = 0; count < batchesOf(program); count += 1) {
      const batch = randomBatch(random, database);
      await writer.run(batch);
      await journal.poll();
      replica.compare(journal.schema);
      if (replica.troubles.length > 0 || errors.length > 0) {
        return [`seed ${seed}, batch ${count}`, ...errors.map(String), ...replica.troubles, ...batch];
      }
    }
    return [];
  } finally {
    await writer.close();
    await journal.close();
    connection.close();
    rmSync(folder, { recursive: true });
  }
}

describe.each(programNames)("the journal of what %s writes", (program) => {
  it.each(databases)("tells every change of $title", { timeout: 0 }, async (database) => {
    const seed = firstSeed * 1_000 + databases.indexOf(database);
    expect(await findTrouble(database, program, seed)).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import type { Connection } from "../../../src/scaffold/sqlite/driver.ts";
import { inSlices } from "../../../src/scaffold/sqlite/journal/slices.ts";
import { inWrite } from "../../../src/scaffold/sqlite/journal/write-transaction.ts";
import type { Clock } from "../../../src/server/index.ts";
import { createFakeClock } from "../../../src/testing/index.ts";
import { ask, connect, newPath } from "./workspace.ts";

describe.each(["WAL", "DELETE"])("Work in slices of 20 ms, in mode %s,", (mode) => {
  /** Five slices, with pauses in which another program writes or does not. */
  async function pausesBeside(write: (count: number) => boolean): Promise<number[]> {
    const path = newPath();
    const other = connect(path, `PRAGMA journal_mode = ${mode}; CREATE TABLE t (n)`);
    const connection = connect(path);
    const fake = createFakeClock();
    let workedMs = 0;
    const pauses: number[] = [];
    const clock: Clock = {
      ...fake,
      random: () => fake.random(),
      defer: (callback) => fake.defer(callback),
      now: () => fake.now() + workedMs,
      setTimer(callback, ms) {
        pauses.push(ms);
        if (write(pauses.length)) other.exec("INSERT INTO t VALUES (1)");
        return fake.setTimer(callback, 0);
      },
    };
    let slices = 0;
    const work = inSlices(connection, { clock }, () => {
      workedMs += 20;
      connection.exec("INSERT INTO t VALUES (0)");
      slices += 1;
      return slices === 5;
    });
    await fake.advance(100);
    await work;
    expect(ask(other, "SELECT count(*) FROM t WHERE n = 0")).toEqual(["5"]);
    return pauses;
  }

  it("leaves as much time to others as it takes, and three times as much once they write", async () => {
    expect(await pausesBeside(() => false)).toEqual([20, 20, 20, 20]);
    expect(await pausesBeside((count) => count === 2)).toEqual([20, 20, 60, 60]);
  });
});

describe("A write transaction", () => {
  /** A connection whose commit finds readers in its way so many times. */
  function beside(readers: number): { connection: Connection; said: string[] } {
    const said: string[] = [];
    const busy = Object.assign(new Error("database is locked"), { code: "SQLITE_BUSY", errcode: 5 });
    let left = readers;
    const exec = (sql: string): void => {
      said.push(sql);
      if (sql === "COMMIT" && left-- > 0) throw busy;
    };
    return { connection: { exec } as unknown as Connection, said };
  }

  it("waits a moment for readers that stand in its way, and has not to be done again for them", () => {
    const { connection, said } = beside(3);
    expect(inWrite(connection, () => "done")).toBe("done");
    expect(said).toEqual(["BEGIN IMMEDIATE", "COMMIT", "COMMIT", "COMMIT", "COMMIT"]);
  });

  it("is rolled back where they go on", () => {
    const { connection, said } = beside(100);
    expect(() => inWrite(connection, () => "done")).toThrow("locked");
    expect(said.at(-1)).toBe("ROLLBACK");
    expect(said).toHaveLength(10);
  });
});

describe("A slice that finds the database locked", () => {
  it("is tried for half a minute, at least every 5 ms, and then given up", async () => {
    const path = newPath();
    const other = connect(path, "PRAGMA journal_mode = WAL; CREATE TABLE t (n); BEGIN IMMEDIATE");
    const clock = createFakeClock();
    const waits: number[] = [];
    const listening: Clock = {
      ...clock,
      now: () => clock.now(),
      wallTime: () => clock.wallTime(),
      random: () => clock.random(),
      defer: (callback) => clock.defer(callback),
      setTimer(callback, ms) {
        waits.push(ms);
        return clock.setTimer(callback, ms);
      },
    };
    const work = inSlices(connect(path), { clock: listening }, () => true);
    await clock.advance(29_000);
    other.exec("COMMIT");
    await clock.advance(5);
    await work;
    expect(Math.max(...waits)).toBeLessThanOrEqual(5);
    other.exec("BEGIN IMMEDIATE");
    const refused = expect(inSlices(connect(path), { clock }, () => true)).rejects.toMatchObject({
      code: "database-busy",
    });
    await clock.advance(31_000);
    await refused;
  });
});

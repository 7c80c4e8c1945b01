import { describe, expect, it } from "vitest";
import { inSlices } from "../../../src/scaffold/sqlite/journal/slices.ts";
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

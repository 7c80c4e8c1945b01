import { spawn } from "node:child_process";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { createScaffold } from "../../../src/scaffold/index.ts";
import { detach, pauseJournal } from "../../../src/scaffold/sqlite/journal.ts";
import type { SqlValue } from "../../../src/scaffold/sqlite/schema.ts";
import { type Clock, systemClock } from "../../../src/server/index.ts";
import { temporaryFile } from "./service.ts";
import { watch } from "./workspace.ts";

const birds = "CREATE TABLE birds (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO birds (name) VALUES ('wren')";

function makeDatabase(sql: string): { path: string; other: Database.Database } {
  const path = temporaryFile();
  const other = new Database(path);
  onTestFinished(() => void other.close());
  other.exec(sql);
  return { path, other };
}

/** Another process that holds the database EXCLUSIVE again and again, for up to 10 ms, until the test ends. */
async function hammer(path: string): Promise<void> {
  const script = `
    const database = new (require("better-sqlite3"))(process.argv[1], { timeout: 10000 });
    console.log("ready");
    const round = () => {
      database.exec("BEGIN EXCLUSIVE; UPDATE birds SET name = name || 'n'");
      setTimeout(() => { database.exec("COMMIT"); setTimeout(round, 1); }, Math.random() * 10);
    };
    round();`;
  const child = spawn(process.execPath, ["-e", script, path], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await new Promise((resolve) => child.stdout.once("data", resolve));
}

describe("createScaffold", () => {
  test("comes up each time beside a writer that locks the database again and again", async () => {
    const { path } = makeDatabase(birds);
    await hammer(path);
    for (let start = 0; start < 25; start += 1) {
      const scaffold = await createScaffold({ path });
      try {
        expect(await scaffold.collections()).toEqual([{ path: "/birds", count: 1 }]);
      } finally {
        await scaffold.close();
      }
    }
  }, 240_000);
});

describe("A journal's opening", () => {
  test("needs no two moments in a row without another's lock", async () => {
    const { path, other } = makeDatabase(birds);
    const openings: string[] = [];
    const functions = {
      // Asked for at each opening: every other one finds the database locked.
      get shout() {
        const isLocked = openings.at(-1) === "free";
        openings.push(isLocked ? "locked" : "free");
        if (other.inTransaction !== isLocked) other.exec(isLocked ? "BEGIN EXCLUSIVE" : "COMMIT");
        return (text: SqlValue) => text;
      },
    };
    await watch(path, { additions: { functions } });
    expect(openings).toEqual(["free", "locked", "free"]);
  });
});

describe("What takes triggers off", () => {
  test("tries often where others have the database locked nearly all the time", async () => {
    const { path, other } = makeDatabase(birds);
    const waits: number[] = [];
    const clock: Clock = {
      ...systemClock,
      setTimer(callback, ms) {
        if (other.inTransaction) waits.push(ms);
        if (other.inTransaction && waits.length % 20 === 0) other.exec("COMMIT");
        return systemClock.setTimer(callback, ms);
      },
    };
    for (const takeOff of [detach, pauseJournal]) {
      other.exec("BEGIN EXCLUSIVE");
      await takeOff(path, { clock });
    }
    expect(waits.length).toBeGreaterThanOrEqual(40);
    expect(Math.max(...waits)).toBeLessThanOrEqual(5);
  });
});

describe("A scaffold that is abandoned", () => {
  const objects = (other: Database.Database): unknown[] =>
    other.prepare("SELECT name FROM sqlite_schema ORDER BY rowid").pluck().all();

  test("leaves nothing where there was nothing of Rocket's before", async () => {
    const { path, other } = makeDatabase(birds);
    const scaffold = await createScaffold({ path });
    expect(objects(other).length).toBeGreaterThan(5);
    await scaffold.abandon();
    await scaffold.close();
    expect(objects(other)).toEqual(["birds"]);
  });

  test("leaves the journal that an earlier start made", async () => {
    const { path, other } = makeDatabase(birds);
    await (await createScaffold({ path })).close();
    const before = objects(other);
    await (await createScaffold({ path })).abandon();
    expect(objects(other)).toEqual(before);
  });

  test("leaves the journal that another process uses by now", async () => {
    const { path, other } = makeDatabase(birds);
    const first = await createScaffold({ path });
    const second = await createScaffold({ path });
    onTestFinished(() => second.close());
    const before = objects(other);
    await first.abandon();
    expect(objects(other)).toEqual(before);
  });
});

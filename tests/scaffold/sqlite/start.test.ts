import { spawn } from "node:child_process";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { createScaffold } from "../../../src/scaffold/index.ts";
import { temporaryFile } from "./service.ts";

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

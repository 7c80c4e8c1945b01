import { describe, expect, it } from "vitest";
import type { Connection } from "../../../src/scaffold/sqlite/driver.ts";
import type { SqliteJournalOptions } from "../../../src/scaffold/sqlite/journal.ts";
import { createFakeClock, type FakeClock } from "../../../src/testing/index.ts";
import { ask, connect, newPath, type Watched, watch } from "./workspace.ts";

const artists = "CREATE TABLE artists (id INTEGER PRIMARY KEY, name TEXT)";

interface Scene extends Watched {
  readonly clock: FakeClock;
  readonly path: string;
  /** The program that migrates. */
  readonly other: Connection;
  /** What the tail has said by itself since it was asked last. */
  told(): string[];
}

async function start(mode: string, options: Partial<SqliteJournalOptions> = {}): Promise<Scene> {
  const path = newPath();
  const other = connect(path, `PRAGMA journal_mode = ${mode}; ${artists}`);
  const clock = createFakeClock();
  const watched = await watch(path, { clock, quietMs: 250, ...options });
  const told = (): string[] =>
    watched.batches.splice(0).flatMap(({ changes }) => changes.map(({ kind, collection }) => `${kind} ${collection}`));
  return { ...watched, clock, path, other, told };
}

function armedTables(connection: Connection): string[] {
  return ask(connection, "SELECT DISTINCT tbl_name FROM sqlite_schema WHERE type = 'trigger' ORDER BY tbl_name");
}

describe.each(["WAL", "DELETE"])("A journal in mode %s, while another program migrates", (mode) => {
  it("writes nothing between its steps, so that a transaction that began by reading can write", async () => {
    const { other, clock, errors, told } = await start(mode);
    for (let step = 0; step < 5; step += 1) {
      other.exec(`CREATE TABLE step${step} (id INTEGER PRIMARY KEY)`);
      await clock.advance(30);
      other.exec("BEGIN; SELECT count(*) FROM artists");
      await clock.advance(60);
      other.exec(`INSERT INTO artists (name) VALUES ('${step}'); COMMIT`);
      await clock.advance(60);
    }
    expect(told()).toEqual(Array(5).fill("create /artists"));
    expect(armedTables(other)).toEqual(["artists"]);
    await clock.advance(1_000);
    expect(armedTables(other)).toHaveLength(6);
    expect(told()).toEqual([0, 1, 2, 3, 4].map((step) => `reset /step${step}`));
    expect(errors).toEqual([]);
  });

  it("waits for 30 seconds at most", async () => {
    const { other, clock } = await start(mode, { pollMs: 25 });
    for (let step = 0; step < 149; step += 1) {
      other.exec(`CREATE TABLE step${step} (id INTEGER PRIMARY KEY)`);
      await clock.advance(200);
    }
    expect(armedTables(other)).toEqual(["artists"]);
    other.exec("CREATE TABLE last (id INTEGER PRIMARY KEY)");
    await clock.advance(400);
    expect(armedTables(other).length).toBeGreaterThan(1);
  });

  it("waits for three times as long as its steps are apart, whose first two have told that", async () => {
    const { other, clock } = await start(mode, { pollMs: 25 });
    for (let step = 0; step < 12; step += 1) {
      other.exec(`CREATE TABLE step${step} (id INTEGER PRIMARY KEY)`);
      await clock.advance(400 + 150 * (step % 4));
      expect(armedTables(other)).toEqual(["artists", "step0"]);
    }
    await clock.advance(2_600);
    expect(armedTables(other)).toHaveLength(13);
  });

  it("takes steps that change no table for steps, but not what is written long after", async () => {
    const { other, clock } = await start(mode, { pollMs: 25 });
    other.exec("CREATE TABLE more (id INTEGER PRIMARY KEY)");
    for (let step = 0; step < 14; step += 1) {
      await clock.advance(200);
      other.exec("INSERT INTO artists (name) VALUES ('x')");
      expect(armedTables(other)).toEqual(["artists"]);
    }
    for (let step = 0; step < 3; step += 1) {
      await clock.advance(200);
      other.exec("INSERT INTO artists (name) VALUES ('x')");
    }
    expect(armedTables(other)).toEqual(["artists", "more"]);
  });

  it("knows the new schema when it is asked, and has the triggers right before a write of Rocket's own", async () => {
    const { other, journal, told } = await start(mode);
    other.exec("DROP TABLE artists; CREATE TABLE artists (id INTEGER PRIMARY KEY, name TEXT, age INTEGER)");
    await journal.poll();
    expect(journal.schema.tables[0]?.columns.map(({ name }) => name)).toEqual(["id", "name", "age"]);
    expect([armedTables(other), told()]).toEqual([[], []]);
    await journal.arm();
    other.exec("INSERT INTO artists VALUES (1, 'a', 2)");
    await journal.poll();
    expect(told()).toEqual(["reset /artists", "create /artists"]);
  });
});

describe("A journal whose moment has come", () => {
  it("tells what was written meanwhile, while another program has the database locked", async () => {
    const { other, path, clock, told, errors } = await start("WAL");
    other.exec("CREATE TABLE more (id INTEGER PRIMARY KEY); INSERT INTO artists VALUES (1, 'a')");
    const third = connect(path);
    third.exec("BEGIN IMMEDIATE");
    await clock.advance(400);
    expect(told()).toEqual(["create /artists"]);
    third.exec("COMMIT");
    await clock.advance(100);
    expect(told()).toEqual(["reset /more"]);
    expect(errors).toEqual([]);
  });

  it("mends a few tables at a time, and lets others write in between", async () => {
    const { other, clock, told } = await start("WAL", { pollMs: 10 });
    other.exec(Array.from({ length: 20 }, (_, at) => `CREATE TABLE t${at} (id INTEGER PRIMARY KEY)`).join(";"));
    const counts = new Set<number>();
    for (let look = 0; look < 400; look += 1) {
      await clock.advance(10);
      counts.add(armedTables(other).length);
      other.exec("INSERT INTO artists (name) VALUES ('x')");
    }
    expect([...counts]).toEqual([1, 5, 9, 13, 17, 21]);
    await clock.advance(20);
    const news = told();
    expect(news.filter((one) => one.startsWith("reset"))).toHaveLength(20);
    expect(news.filter((one) => one === "create /artists")).toHaveLength(400);
  });
});

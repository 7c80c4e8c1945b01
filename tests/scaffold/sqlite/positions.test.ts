import { copyFileSync, renameSync } from "node:fs";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import type { Page } from "../../../src/server/index.ts";
import { createFakeClock } from "../../../src/testing/index.ts";
import { ask, connect, newPath, watch } from "./workspace.ts";

const artists = "CREATE TABLE artists (id INTEGER PRIMARY KEY, name TEXT)";

function insertMany(count: number): string {
  return `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    INSERT INTO artists SELECT NULL, 'x' FROM n`;
}

function urlsOf(page: Page | undefined): string[] | undefined {
  return page?.changes.map(({ url }) => decodeURI(url));
}

describe("a position", () => {
  it("is found again, and what follows it is read", async () => {
    const path = newPath();
    const connection = connect(path, artists);
    const { journal } = await watch(path);
    const empty = journal.head;
    connection.exec("INSERT INTO artists VALUES (1, 'Ann')");
    await journal.poll();
    const one = journal.head;
    connection.exec("INSERT INTO artists VALUES (2, 'Bo')");
    expect(await journal.locate(empty.eventId)).toBe(empty.position);
    expect(await journal.locate(one.eventId)).toBe(one.position);
    expect(urlsOf(await journal.read(empty.position, 10))).toEqual(["/artists/number 1", "/artists/number 2"]);
    expect(urlsOf(await journal.read(one.position, 10))).toEqual(["/artists/number 2"]);
    expect(await journal.read(journal.head.position, 10)).toEqual({
      ...journal.head,
      after: journal.head.position,
      changes: [],
      more: false,
    });
  });

  it("is given at each page's end, which says whether there is more", async () => {
    const path = newPath();
    const connection = connect(path, artists);
    const { journal } = await watch(path);
    connection.exec(insertMany(5));
    await journal.poll();
    const first = await journal.read(0, 3);
    const second = await journal.read(first?.position ?? 0, 3);
    expect([first?.changes.length, first?.more, second?.changes.length, second?.more]).toEqual([3, true, 2, false]);
    expect(second).toMatchObject({ ...journal.head, after: first?.position });
    expect(await journal.locate(first?.eventId ?? "")).toBe(first?.position);
  });

  it("holds over restarts, and in every server on the same database", async () => {
    const path = newPath();
    const connection = connect(path, artists);
    const first = await watch(path);
    connection.exec("INSERT INTO artists VALUES (1, 'Ann')");
    await first.news();
    const { eventId, position } = first.journal.head;
    await first.journal.close();
    connection.exec("INSERT INTO artists VALUES (2, 'Bo')");
    const second = await watch(path);
    const third = await watch(path);
    expect(second.journal.head.eventId).not.toBe(third.journal.head.eventId);
    expect(await second.journal.locate(eventId)).toBe(position);
    expect(await third.journal.locate(second.journal.head.eventId)).toBe(position + 1);
    expect(urlsOf(await third.journal.read(position, 10))).toEqual(["/artists/number 2"]);
  });

  it.each([
    ["of another segment", (id: string) => id.replace(/^[^:]+/, "other")],
    ["with another check", (id: string) => id.replace(/\.(\d+)$/, (_, check) => `.${Number(check) + 1}`)],
    ["beyond the end", (id: string) => id.replace(/:\d+/, ":99")],
    ["of an empty journal with a check", (id: string) => id.replace(/:.*/, ":0.5")],
    ["that is malformed", () => "what is this?"],
    ["that is empty", () => ""],
    ["of a derived view", () => "d-abc"],
  ])("%s is unknown", async (_, spoil) => {
    const path = newPath();
    const connection = connect(path, artists);
    const { journal } = await watch(path);
    connection.exec("INSERT INTO artists VALUES (1, 'Ann')");
    await journal.poll();
    expect(await journal.locate(spoil(journal.head.eventId))).toBeUndefined();
  });

  it("beyond the end can't be read from, nor can less than one change be read", async () => {
    const path = newPath();
    connect(path, artists);
    const { journal } = await watch(path);
    expect(await journal.read(1, 10)).toBeUndefined();
    await expect(journal.read(0, 0)).rejects.toThrow(/limit must be .* not 0/);
  });
});

describe("trimming", () => {
  it("forgets the oldest changes in steps, and what followed them can't be read", async () => {
    const path = newPath();
    const clock = createFakeClock();
    const connection = connect(path, artists);
    const { journal } = await watch(path, { clock, retention: { maxChanges: 10 } });
    const start = journal.head;
    connection.exec(insertMany(2_500));
    await journal.poll();
    expect(urlsOf(await journal.read(0, 1))).toEqual(["/artists/number 1"]);
    await clock.advance(1_000);
    expect(ask(connection, "SELECT min(position), max(position) FROM _rocket_journal")).toEqual(["2251|2500"]);
    expect(await journal.locate(start.eventId)).toBeUndefined();
    expect(await journal.read(2_249, 10)).toBeUndefined();
    expect(urlsOf(await journal.read(2_250, 1))).toEqual(["/artists/number 2251"]);
    expect(await journal.locate(journal.head.eventId)).toBe(2_500);
  });

  it("by age forgets all but the last change", async () => {
    const path = newPath();
    const clock = createFakeClock();
    const connection = connect(path, artists);
    const { journal } = await watch(path, { clock, retention: { maxAgeMs: 60_000 } });
    connection.exec(insertMany(1_500));
    await clock.advance(50_000);
    expect(ask(connection, "SELECT count(*) FROM _rocket_journal")).toEqual(["1500"]);
    await clock.advance(20_000);
    expect(ask(connection, "SELECT min(position), max(position) FROM _rocket_journal")).toEqual(["1500|1500"]);
    expect(await journal.locate(journal.head.eventId)).toBe(1_500);
    connection.exec("INSERT INTO artists VALUES (9999, 'Ann')");
    await journal.poll();
    expect(journal.head.position).toBe(1_501);
  });

  it("by age keeps what is young enough", async () => {
    const path = newPath();
    const clock = createFakeClock();
    const connection = connect(path, artists);
    await watch(path, { clock, retention: { maxAgeMs: 60_000 } });
    connection.exec(insertMany(100));
    await clock.advance(40_000);
    connection.exec(insertMany(100));
    await clock.advance(30_000);
    expect(ask(connection, "SELECT min(position), max(position) FROM _rocket_journal")).toEqual(["101|200"]);
  });

  it("waits for a locked database", async () => {
    const path = newPath();
    const clock = createFakeClock();
    const connection = connect(path, `PRAGMA journal_mode = WAL; ${artists}`);
    const { errors, journal } = await watch(path, { clock, retention: { maxChanges: 10 } });
    connection.exec(insertMany(1_500));
    connection.exec("BEGIN IMMEDIATE");
    await journal.poll();
    await clock.advance(1_000);
    expect(ask(connection, "SELECT min(position) FROM _rocket_journal")).toEqual(["1"]);
    connection.exec("COMMIT");
    await clock.advance(1_000);
    expect(ask(connection, "SELECT min(position) FROM _rocket_journal")).toEqual(["1251"]);
    expect(errors).toEqual([]);
  });
});

/** Restores an older copy in place, by SQLite's own means. */
async function restore(path: string): Promise<void> {
  const copy = new Database(`${path}.copy`);
  await copy.backup(path);
  copy.close();
}

describe("a database that went back in time", () => {
  it("is noticed where the journal is shorter than before: everyone starts afresh", async () => {
    const path = newPath();
    const connection = connect(path, `PRAGMA journal_mode = DELETE; ${artists}; INSERT INTO artists VALUES (1, 'Ann')`);
    const { journal, news } = await watch(path);
    copyFileSync(path, `${path}.copy`);
    connection.exec("INSERT INTO artists VALUES (2, 'Bo')");
    expect(await news()).toEqual(["create /artists/number 2"]);
    const { eventId } = journal.head;
    await restore(path);
    expect(await news()).toEqual(["lost"]);
    expect(await journal.locate(eventId)).toBeUndefined();
    expect(await journal.locate(journal.head.eventId)).toBe(journal.head.position);
    connection.exec("INSERT INTO artists VALUES (3, 'Cy')");
    expect(await news()).toEqual(["create /artists/number 3"]);
  });

  it("is noticed where the journal has grown past its old head", async () => {
    const path = newPath();
    const connection = connect(path, `PRAGMA journal_mode = DELETE; ${artists}`);
    const { journal, news } = await watch(path);
    copyFileSync(path, `${path}.copy`);
    connection.exec("INSERT INTO artists VALUES (2, 'Bo')");
    await news();
    const { eventId } = journal.head;
    await restore(path);
    for (const id of [3, 4, 5]) connection.exec(`INSERT INTO artists VALUES (${id}, 'Cy')`);
    expect(await news()).toEqual(["lost"]);
    expect(await journal.locate(eventId)).toBeUndefined();
  });

  it("is noticed at the next start by the position's check", async () => {
    const path = newPath();
    const connection = connect(path, `PRAGMA journal_mode = DELETE; ${artists}`);
    const first = await watch(path);
    await first.journal.close();
    copyFileSync(path, `${path}.copy`);
    connection.exec("INSERT INTO artists VALUES (2, 'Bo')");
    const second = await watch(path);
    const ids = [second.journal.head.eventId];
    await second.journal.close();
    await restore(path);
    connection.exec("INSERT INTO artists VALUES (3, 'Cy'), (4, 'Di')");
    const third = await watch(path);
    // The same place in the segment that the copy knows.
    ids.push((ids[0] ?? "").replace(/^[^:]+/, first.journal.head.eventId.split(":")[0] ?? ""));
    expect(await Promise.all(ids.map((id) => third.journal.locate(id)))).toEqual([undefined, undefined]);
  });
});

describe("a database whose file was replaced", () => {
  it("is opened anew, and everyone starts afresh", async () => {
    const path = newPath();
    const clock = createFakeClock();
    const connection = connect(path, artists);
    const told: string[] = [];
    const { journal, news, errors } = await watch(path, {
      clock,
      onReplaced: () => told.push("replaced"),
      onSchema: (schema) => told.push(schema.tables.map(({ name }) => name).join()),
    });
    connection.exec("INSERT INTO artists VALUES (1, 'Ann')");
    expect(await news()).toEqual(["create /artists/number 1"]);
    const { eventId } = journal.head;
    connect(`${path}.new`, `${artists}; CREATE TABLE songs (id INTEGER PRIMARY KEY)`).close();
    renameSync(`${path}.new`, path);
    await clock.advance(100);
    expect(await news()).toEqual(["lost"]);
    expect(told).toEqual(["replaced", "artists,songs"]);
    expect(await journal.locate(eventId)).toBeUndefined();
    connect(path).exec("INSERT INTO songs VALUES (1)");
    expect(await news()).toEqual(["create /songs/number 1"]);
    expect(errors).toEqual([]);
  });

  it("is followed as it is while nothing stands in its place, and that is said once", async () => {
    const path = newPath();
    const clock = createFakeClock();
    const connection = connect(path, `PRAGMA journal_mode = WAL; ${artists}`);
    const { news, errors } = await watch(path, { clock });
    renameSync(path, `${path}.old`);
    await clock.advance(100);
    connection.exec("INSERT INTO artists VALUES (1, 'Ann')");
    expect(await news()).toEqual(["create /artists/number 1"]);
    await clock.advance(1_000);
    expect(errors.map(String)).toEqual([expect.stringMatching(/was removed or renamed/)]);
  });
});

import { describe, expect, it } from "vitest";
import { createFakeClock } from "../../../src/testing/index.ts";
import { connect, newPath, watch } from "./workspace.ts";

const mib = 1024 * 1024;
const notes = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);";
/** A text of `bytes` characters, in SQL. */
const text = (bytes: number) => `hex(zeroblob(${bytes / 2}))`;
const range = "SELECT min(position), max(position) FROM _rocket_journal";

/** Inserts rows of so many bytes in one transaction. */
function insert(count: number, bytes: number): string {
  return `INSERT INTO notes (text) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    SELECT ${text(bytes)} FROM n`;
}

describe("Trimming by bytes", () => {
  it("keeps about as many bytes as it may, however few changes that are [R-SEC-5]", async () => {
    const path = newPath();
    const clock = createFakeClock();
    const connection = connect(path, notes);
    const { journal } = await watch(path, { clock, retention: { maxBytes: 5 * mib } });
    for (let position = 1; position <= 20; position += 1) {
      connection.exec(insert(1, mib));
      await journal.poll();
      await clock.advance(100);
    }
    expect(connection.prepare(range).all()).toEqual([[16, 20]]);
    expect(await journal.read(14, 10)).toBeUndefined();
    expect((await journal.read(15, 1))?.changes).toHaveLength(1);
  });

  it("counts what an update wrote, but not what it replaced, and many small changes together [R-SEC-5]", async () => {
    const path = newPath();
    const clock = createFakeClock();
    const connection = connect(path, notes + insert(1, mib));
    const { journal } = await watch(path, { clock, retention: { maxBytes: 5 * mib } });
    for (let position = 1; position <= 10; position += 1) {
      connection.exec(`UPDATE notes SET text = ${text(mib)}`);
      await journal.poll();
      await clock.advance(100);
    }
    expect(connection.prepare(range).all()).toEqual([[6, 10]]);
    connection.exec(insert(20_000, 1_000));
    await journal.poll();
    await clock.advance(5_000);
    const [[first, last] = []] = connection.prepare(range).all() as [number, number][];
    expect(last).toBe(20_010);
    expect((Number(last) - Number(first)) * 1_000).toBeGreaterThan(5 * mib - 1_000);
    expect((Number(last) - Number(first)) * 1_000).toBeLessThan(7 * mib);
  });

  it("measures what was there before it began, step by step [R-SEC-5]", async () => {
    const path = newPath();
    const connection = connect(path, notes);
    const { journal: former } = await watch(path);
    connection.exec(insert(30, mib));
    await former.close();
    const clock = createFakeClock();
    const { errors } = await watch(path, { clock, retention: { maxBytes: 5 * mib } });
    expect(connection.prepare(range).all()).toEqual([[1, 30]]);
    await clock.advance(60);
    const [[halfway] = []] = connection.prepare(range).all();
    expect(halfway).toBeLessThan(26);
    await clock.advance(5_000);
    expect(connection.prepare(range).all()).toEqual([[26, 30]]);
    expect(errors).toEqual([]);
  });

  it("sums images of more columns than one expression may have [R-SEC-5]", async () => {
    const path = newPath();
    const clock = createFakeClock();
    const columns = Array.from({ length: 985 }, (_, at) => `c${at} TEXT`).join(", ");
    const connection = connect(path, `CREATE TABLE wide (id INTEGER PRIMARY KEY, ${columns});`);
    const { journal, errors } = await watch(path, { clock, retention: { maxBytes: 2 * mib } });
    for (let position = 1; position <= 5; position += 1) {
      connection.exec(`INSERT INTO wide (c0, c984) VALUES (${text(mib / 2)}, ${text(mib / 2)})`);
      await journal.poll();
      await clock.advance(100);
    }
    expect(connection.prepare(range).all()).toEqual([[4, 5]]);
    expect(errors).toEqual([]);
  });

  it.each([0, -1, 1.5])("can't be by %d bytes", async (maxBytes) => {
    await expect(watch(newPath(), { retention: { maxBytes } })).rejects.toThrow(/retention.maxBytes must be/);
  });
});

describe("The record before a change", () => {
  const long = 65_537;

  it("is in the journal without what is too long for a filter, but for its key [R-SEC-5]", async () => {
    const path = newPath();
    const connection = connect(
      path,
      "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT, bytes BLOB, number INTEGER, any) WITHOUT ROWID;",
    );
    const { batches, journal } = await watch(path);
    const key = "k".repeat(long);
    const insert = connection.prepare("INSERT INTO notes VALUES (?, ?, ?, ?, ?)");
    insert.run(key, "t".repeat(long), new Uint8Array(long), 7, null);
    insert.run("short", "t".repeat(long - 1), new Uint8Array(long - 1), 2 ** 40, 1.5);
    connection.exec("UPDATE notes SET text = 'new', bytes = NULL; DELETE FROM notes WHERE id = 'short'");
    await journal.poll();
    const changes = batches.flatMap((batch) => batch.changes);
    const former = changes.filter(({ kind }) => kind === "update").map(({ before }) => ({ ...before }));
    expect(former).toEqual([
      // What is NULL there may be what was left out.
      { id: key, number: 7 },
      { id: "short", text: "t".repeat(long - 1), bytes: Buffer.alloc(long - 1), number: 2 ** 40, any: 1.5 },
    ]);
    expect(changes.at(-1)?.before).toMatchObject({ id: "short", text: "new", bytes: null });
    expect(changes[0]?.after?.text).toBe("t".repeat(long));
  });

  it("that was displaced is, too", async () => {
    const path = newPath();
    const connection = connect(path, `CREATE TABLE notes (id INTEGER PRIMARY KEY, name TEXT UNIQUE, text TEXT);`);
    const { batches, journal } = await watch(path);
    const insert = connection.prepare("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)");
    insert.run(1, "one", "t".repeat(long));
    insert.run(2, "one", "u");
    insert.run(2, "two", "v".repeat(long));
    insert.run(2, "three", "w");
    await journal.poll();
    const seen = batches.flatMap(({ changes }) =>
      changes.map(({ kind, before, after }) => [kind, before?.name, before?.text?.toString().length, after?.name]),
    );
    expect(seen).toEqual([
      ["create", undefined, undefined, "one"],
      ["delete", "one", undefined, undefined],
      ["create", undefined, undefined, "one"],
      ["update", "one", 1, "two"],
      ["update", "two", undefined, "three"],
    ]);
  });
});

describe("A stretch of the journal", () => {
  it("ends by bytes as well, and goes on where it ended [R-SEC-5]", async () => {
    const path = newPath();
    const connection = connect(path, notes);
    const { journal } = await watch(path);
    const start = journal.head;
    connection.exec(insert(10, mib));
    const positions: number[] = [];
    for (let at = start.position; ; ) {
      const page = await journal.read(at, 1_000);
      positions.push(...(page?.changes ?? []).map(({ position }) => position));
      expect(page?.changes.length).toBeLessThanOrEqual(4);
      if (!page?.more) break;
      at = page.position;
    }
    expect(positions).toEqual(Array.from({ length: 10 }, (_, at) => start.position + at + 1));
  });

  it("that is written at once and too large for memory is a reset of its collections, and can be read later [R-SEC-5]", async () => {
    const path = newPath();
    const connection = connect(
      path,
      `${notes} CREATE TABLE other (id INTEGER PRIMARY KEY); CREATE TABLE quiet (id INTEGER PRIMARY KEY)`,
    );
    const { journal, news } = await watch(path);
    const start = journal.head;
    connection.exec("INSERT INTO other DEFAULT VALUES");
    expect(await news()).toEqual(["create /other/number 1"]);
    connection.exec(`BEGIN; INSERT INTO other DEFAULT VALUES; ${insert(20, mib)}; COMMIT`);
    expect((await news()).sort()).toEqual(["reset /notes", "reset /other"]);
    expect(journal.head.position).toBe(start.position + 22);
    connection.exec("INSERT INTO quiet DEFAULT VALUES");
    expect(await news()).toEqual(["create /quiet/number 1"]);
    const page = await journal.read(start.position + 1, 1_000);
    expect(page?.changes[0]?.url).toBe("/other/number%202");
  });
});

import { closeSync, openSync, writeSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { detach } from "../../../src/scaffold/sqlite/journal.ts";
import { createFakeClock } from "../../../src/testing/index.ts";
import { ask, connect, newPath, OtherProcess, watch } from "./workspace.ts";

const artists = "CREATE TABLE artists (id INTEGER PRIMARY KEY, name TEXT)";
const modes = ["WAL", "DELETE"] as const;

describe.each(modes)("a journal in mode %s", (mode) => {
  const setUp = `PRAGMA journal_mode = ${mode}; ${artists}`;

  it("tells creates, updates and deletes with their images", async () => {
    const path = newPath();
    const connection = connect(path, setUp);
    const { journal, batches } = await watch(path);
    connection.exec("INSERT INTO artists VALUES (1, 'Ann'); UPDATE artists SET name = 'Bo'; DELETE FROM artists");
    await journal.poll();
    const changes = batches.flatMap((batch) => batch.changes);
    expect(changes.map(({ kind, url, collection }) => [kind, url, collection])).toEqual([
      ["create", "/artists/number%201", "/artists"],
      ["update", "/artists/number%201", "/artists"],
      ["delete", "/artists/number%201", "/artists"],
    ]);
    expect(changes.map(({ before, after }) => [before && { ...before }, after && { ...after }])).toEqual([
      [undefined, { id: 1, name: "Ann" }],
      [
        { id: 1, name: "Ann" },
        { id: 1, name: "Bo" },
      ],
      [{ id: 1, name: "Bo" }, undefined],
    ]);
    expect(changes.slice(0, 2).map((change) => change.represent().body)).toEqual([
      '["artists",["number 1"],["number 1","string Ann"]]',
      '["artists",["number 1"],["number 1","string Bo"]]',
    ]);
  });

  it("keeps the type of each value", async () => {
    const path = newPath();
    const connection = connect(
      path,
      `PRAGMA journal_mode = ${mode}; CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c, d REAL)`,
    );
    await watch(path);
    connection.exec("INSERT INTO t VALUES (1, 1.0, '1', CAST(x'6100' AS TEXT), 7)");
    expect(
      ask(connection, "SELECT typeof(n0), typeof(n1), typeof(n2), hex(n3), typeof(n4) FROM _rocket_journal"),
    ).toEqual(["integer|real|text|6100|real"]);
  });

  it("tells nothing of what was rolled back", async () => {
    const path = newPath();
    const connection = connect(path, setUp);
    const { news } = await watch(path);
    connection.exec("BEGIN; INSERT INTO artists VALUES (1, 'Ann'); ROLLBACK");
    connection.exec("BEGIN; SAVEPOINT s; INSERT INTO artists VALUES (2, 'Bo'); ROLLBACK TO s; COMMIT");
    connection.exec("INSERT INTO artists VALUES (3, 'Cy')");
    expect(await news()).toEqual(["create /artists/number 3"]);
    expect(ask(connection, "SELECT count(*) FROM _rocket_journal")).toEqual(["1"]);
  });

  it("never splits a transaction", async () => {
    const path = newPath();
    const connection = connect(path, setUp);
    const { journal, batches } = await watch(path);
    const other = new OtherProcess(path);
    const rows =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT NULL, 'x' FROM n";
    let isWriting = true;
    const writing = (async () => {
      for (let count = 0; count < 5; count += 1) {
        let answer = "";
        while (answer !== "ok") answer = await other.run(`INSERT INTO artists ${rows}`);
      }
      isWriting = false;
    })();
    while (isWriting) {
      await journal.poll();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writing;
    await journal.poll();
    expect(batches.map(({ changes }) => changes.length % 200)).toEqual(batches.map(() => 0));
    expect(batches.reduce((sum, { changes }) => sum + changes.length, 0)).toBe(1_000);
    expect(ask(connection, "SELECT count(*) FROM artists")).toEqual(["1000"]);
  });

  it("tells what another process wrote by itself, without being asked", async () => {
    const path = newPath();
    connect(path, setUp);
    const { journal } = await watch(path);
    const heard = new Promise<string>((resolve) => {
      journal.tail((batch) => resolve(batch.changes[0]?.url ?? ""));
    });
    const other = new OtherProcess(path);
    expect(await other.run("INSERT INTO artists VALUES (7, 'Di')")).toBe("ok");
    expect(await heard).toBe("/artists/number%207");
  });

  it("tells nothing of a writer that was killed in its transaction, and goes on", async () => {
    const path = newPath();
    const connection = connect(path, setUp);
    const { news } = await watch(path);
    const other = new OtherProcess(path);
    const many =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT NULL, hex(randomblob(50)) FROM n";
    // More than the page cache holds, so that pages reach the disk before the commit.
    expect(await other.run("PRAGMA cache_size = 10")).toBe("ok");
    expect(await other.run(`BEGIN; INSERT INTO artists ${many}`)).toBe("ok");
    await other.kill();
    connection.exec("INSERT INTO artists VALUES (1, 'Ann')");
    expect(await news()).toEqual(["create /artists/number 1"]);
    expect(ask(connection, "PRAGMA integrity_check")).toEqual(["ok"]);
  });

  it("leaves the journal mode as it is", async () => {
    const path = newPath();
    const connection = connect(path, setUp);
    await watch(path);
    expect(ask(connection, "PRAGMA journal_mode")).toEqual([mode.toLowerCase()]);
  });
});

describe("a journal", () => {
  it("lets the loop go on while another process has the database locked", async () => {
    const path = newPath();
    connect(path, `PRAGMA journal_mode = DELETE; ${artists}`);
    const { journal, news } = await watch(path);
    const other = new OtherProcess(path);
    let answer = "";
    while (answer !== "ok") answer = await other.run("BEGIN EXCLUSIVE");
    const order: string[] = [];
    const polled = journal.poll().then(() => order.push("poll"));
    await new Promise((resolve) => setImmediate(resolve));
    order.push("tick");
    expect(await other.run("INSERT INTO artists VALUES (1, 'Ann')")).toBe("ok");
    order.push("written");
    expect(await other.run("COMMIT")).toBe("ok");
    await polled;
    expect([...order, ...(await news())]).toEqual(["tick", "written", "poll", "create /artists/number 1"]);
  });

  it("gives up on a lock after 5 seconds, with a code", async () => {
    const path = newPath();
    const clock = createFakeClock();
    const connection = connect(path, `PRAGMA journal_mode = DELETE; ${artists}`);
    const { journal } = await watch(path, { clock });
    connection.exec("BEGIN EXCLUSIVE");
    const polls = [journal.poll(), journal.poll(), journal.read(0, 1), journal.locate(journal.head.eventId)];
    const settled = Promise.allSettled(polls);
    await clock.advance(6_000);
    expect((await settled).map((one) => one.status === "rejected" && one.reason.code)).toEqual(
      polls.map(() => "journal-busy"),
    );
    connection.exec("COMMIT");
    await expect(journal.poll()).resolves.toBeUndefined();
  });

  it("polls only while somebody listens, and not after its end", async () => {
    const path = newPath();
    const clock = createFakeClock();
    connect(path, artists);
    const { journal } = await watch(path, { clock });
    expect(clock.timers).toBe(1);
    const end = journal.tail(() => undefined);
    expect(clock.timers).toBe(1);
    end();
    expect(clock.timers).toBe(1);
    await journal.close();
    await journal.close();
    expect(clock.timers).toBe(0);
  });

  it("tells a listener that comes later what follows its head", async () => {
    const path = newPath();
    const connection = connect(path, artists);
    const { journal, news } = await watch(path);
    connection.exec("INSERT INTO artists VALUES (1, 'Ann')");
    await news();
    const heard: string[] = [];
    const { position } = journal.head;
    const end = journal.tail((batch) => heard.push(`${batch.after - position} ${batch.changes[0]?.url}`));
    connection.exec("INSERT INTO artists VALUES (2, 'Bo')");
    await journal.poll();
    end();
    connection.exec("INSERT INTO artists VALUES (3, 'Cy')");
    await journal.poll();
    expect(heard).toEqual(["0 /artists/number%202"]);
  });

  it("gives position and state in one read transaction", async () => {
    const path = newPath();
    const connection = connect(path, `PRAGMA journal_mode = WAL; ${artists}`);
    const { journal, news } = await watch(path);
    const reader = connect(path);
    expect(journal.bookmarkIn(reader)).toEqual({ ...journal.head, schemaVersion: journal.schema.version });
    reader.exec("BEGIN");
    const before = journal.bookmarkIn(reader);
    connection.exec("INSERT INTO artists VALUES (1, 'Ann')");
    expect([journal.bookmarkIn(reader), ask(reader, "SELECT count(*) FROM artists")]).toEqual([before, ["0"]]);
    reader.exec("COMMIT");
    const after = journal.bookmarkIn(reader);
    expect(after.position).toBe(before.position + 1);
    await news();
    expect(journal.head).toEqual({ position: after.position, eventId: after.eventId });
  });

  it("watches only the tables that it is told to", async () => {
    const path = newPath();
    const connection = connect(path, `${artists}; CREATE TABLE secrets (id INTEGER PRIMARY KEY)`);
    const all = await watch(path);
    const one = await watch(path, { tables: (name) => name === "artists" });
    connection.exec("INSERT INTO secrets VALUES (1); INSERT INTO artists VALUES (1, 'Ann')");
    expect(await all.news()).toEqual(["create /secrets/number 1", "create /artists/number 1"]);
    expect(await one.news()).toEqual(["create /artists/number 1"]);
    expect(one.journal.head.position).toBe(all.journal.head.position);
  });

  it("reports a table that it can't watch, leaves its writes alone and watches the others", async () => {
    const path = newPath();
    const columns = Array.from({ length: 1_000 }, (_, index) => `c${index}`).join(", ");
    const connection = connect(path, `${artists}; CREATE TABLE wide (id INTEGER PRIMARY KEY, ${columns})`);
    const { errors, news } = await watch(path);
    expect(errors).toMatchObject([{ code: "table-not-live", message: expect.stringContaining("wide") }]);
    connection.exec("INSERT INTO wide (id) VALUES (1); INSERT INTO artists VALUES (1, 'Ann')");
    expect(await news()).toEqual(["create /artists/number 1"]);
  });

  it("is refused for a database that can't be written", async () => {
    const path = newPath();
    const connection = connect(path, artists);
    connection.close();
    // The write version in the header: one that no SQLite writes yet.
    const file = openSync(path, "r+");
    writeSync(file, new Uint8Array([9]), 0, 1, 18);
    closeSync(file);
    await expect(watch(path)).rejects.toMatchObject({ name: "RocketError", code: "journal-readonly" });
  });

  it("refuses options that make no sense, by name", async () => {
    const path = newPath();
    connect(path, artists);
    await expect(watch(path, { pollMs: 0 })).rejects.toThrow(/pollMs must be above 0, not 0/);
    await expect(watch(path, { retention: { maxChanges: 0 } })).rejects.toThrow(/maxChanges.*not 0/);
    await expect(watch(path, { retention: { maxAgeMs: -1 } })).rejects.toThrow(/maxAgeMs.*not -1/);
    await expect(watch("")).rejects.toThrow(/path must name a file/);
  });

  it("is refused for a file that is not there", async () => {
    await expect(watch(newPath())).rejects.toMatchObject({ code: "database-missing" });
  });
});

describe("detaching", () => {
  const dump = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid";

  it("leaves the schema exactly as it was, and the data", async () => {
    const path = newPath();
    const connection = connect(
      path,
      `${artists}; CREATE UNIQUE INDEX i ON artists (name); CREATE TRIGGER mine AFTER INSERT ON artists BEGIN SELECT 1; END`,
    );
    const before = ask(connection, dump);
    const { journal } = await watch(path);
    connection.exec("INSERT INTO artists VALUES (1, 'Ann')");
    expect(ask(connection, dump)).not.toEqual(before);
    await journal.close();
    await detach(path);
    expect(ask(connection, dump)).toEqual(before);
    connection.exec("INSERT INTO artists VALUES (2, 'Bo')");
    expect(ask(connection, "SELECT id FROM artists")).toEqual(["1", "2"]);
  });

  it("does nothing to a database that has no journal", async () => {
    const path = newPath();
    const connection = connect(path, artists);
    const before = ask(connection, dump);
    await detach(path);
    expect(ask(connection, dump)).toEqual(before);
  });

  it("is noticed by a running journal, which begins anew when the tables are back", async () => {
    const path = newPath();
    const connection = connect(path, artists);
    const { journal, news } = await watch(path);
    connection.exec("INSERT INTO artists VALUES (1, 'Ann')");
    await news();
    const { eventId } = journal.head;
    await detach(path);
    await expect(journal.poll()).rejects.toMatchObject({ code: "journal-detached" });
    const other = await watch(path);
    connection.exec("INSERT INTO artists VALUES (2, 'Bo')");
    await other.news();
    expect(await news()).toEqual(["lost"]);
    expect(await journal.locate(eventId)).toBeUndefined();
  });
});

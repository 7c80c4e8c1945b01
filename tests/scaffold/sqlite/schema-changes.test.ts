import { describe, expect, it } from "vitest";
import { openConnection } from "../../../src/scaffold/sqlite/driver.ts";
import { plainFormat } from "./plain-format.ts";
import { ask, connect, newPath, watch } from "./workspace.ts";

const artists = "CREATE TABLE artists (id INTEGER PRIMARY KEY, name TEXT)";
const reset = "reset /artists";

describe("a schema that another program changes", () => {
  it.each([
    ["gets a column", "ALTER TABLE artists ADD COLUMN age INT", [reset], "INSERT INTO artists VALUES (2, 'Bo', 30)"],
    [
      "has a column renamed",
      "ALTER TABLE artists RENAME COLUMN name TO title",
      [reset],
      "INSERT INTO artists VALUES (2, 'Bo')",
    ],
    [
      "has a table made anew",
      "CREATE TABLE x (id INTEGER PRIMARY KEY, name TEXT, age); INSERT INTO x SELECT id, name, 1 FROM artists; DROP TABLE artists; ALTER TABLE x RENAME TO artists",
      [reset],
      "INSERT INTO artists VALUES (2, 'Bo', 1)",
    ],
    [
      "has a table made anew as it was",
      `DROP TABLE artists; ${artists}`,
      [reset],
      "INSERT INTO artists VALUES (2, 'Bo')",
    ],
    [
      "gets a unique index",
      "CREATE UNIQUE INDEX i ON artists (name)",
      [reset],
      "INSERT OR REPLACE INTO artists VALUES (2, 'Bo')",
    ],
    [
      "gets a trigger of the app",
      "CREATE TRIGGER t AFTER INSERT ON artists BEGIN SELECT 1; END",
      [reset],
      "INSERT INTO artists VALUES (2, 'Bo')",
    ],
    [
      "loses a trigger of ours",
      'DROP TRIGGER "rocket: run migrations with ""rocket migrate"" (1 after insert 2)"',
      [reset],
      "INSERT INTO artists VALUES (2, 'Bo')",
    ],
    ["gets an index", "CREATE INDEX i ON artists (name)", [], "INSERT INTO artists VALUES (2, 'Bo')"],
    ["gets a view", "CREATE VIEW v AS SELECT 1", [], "INSERT INTO artists VALUES (2, 'Bo')"],
  ])("%s: it is watched on, and who must know starts afresh", async (_, change, told, insert) => {
    const path = newPath();
    const connection = connect(path, `${artists}; INSERT INTO artists VALUES (1, 'Ann')`);
    const { journal, news, errors } = await watch(path);
    const { eventId, position } = journal.head;
    connection.exec(change);
    expect(await news()).toEqual(told);
    connection.exec(insert);
    expect(await news()).toEqual(["create /artists/number 2"]);
    expect(await journal.locate(eventId)).toBe(position);
    expect((await journal.read(position, 10))?.changes.map(({ kind }) => kind)).toEqual([
      ...told.map(() => "reset"),
      "create",
    ]);
    expect(errors).toEqual([]);
  });

  it("is told of before the changes that follow it", async () => {
    const path = newPath();
    const connection = connect(path, artists);
    const order: string[] = [];
    const { journal } = await watch(path, {
      onSchema: (schema) => order.push(schema.tables[0]?.columns.map(({ name }) => name).join() ?? ""),
    });
    journal.tail((batch) => order.push(...batch.changes.map(({ kind }) => kind)));
    connection.exec("ALTER TABLE artists ADD COLUMN age INT; INSERT INTO artists VALUES (1, 'Ann', 2)");
    await journal.poll();
    expect(order).toEqual(["id,name,age", "create", "reset"]);
    expect(journal.schema.version).toBe(Number(ask(connection, "PRAGMA schema_version")[0]));
  });

  it("shows old changes with the columns of their time", async () => {
    const path = newPath();
    const connection = connect(path, artists);
    const { journal } = await watch(path);
    connection.exec("INSERT INTO artists VALUES (1, 'Ann'); ALTER TABLE artists ADD COLUMN age INT");
    await journal.poll();
    connection.exec("UPDATE artists SET age = 5");
    const page = await journal.read(0, 10);
    expect(page?.changes.map(({ after }) => after && { ...after })).toEqual([
      { id: 1, name: "Ann" },
      undefined,
      { id: 1, name: "Ann", age: 5 },
    ]);
  });

  it("drops a table: its watchers are told", async () => {
    const path = newPath();
    const connection = connect(path, `${artists}; CREATE TABLE songs (id INTEGER PRIMARY KEY)`);
    const { journal, news } = await watch(path);
    connection.exec("DROP TABLE artists");
    expect(await news()).toEqual([reset]);
    expect(journal.schema.tables.map(({ name }) => name)).toEqual(["songs"]);
    connection.exec("INSERT INTO songs VALUES (1)");
    expect(await news()).toEqual(["create /songs/number 1"]);
  });

  it("renames a table: the watchers of both names are told", async () => {
    const path = newPath();
    const connection = connect(path, artists);
    const { news } = await watch(path);
    connection.exec("ALTER TABLE artists RENAME TO people; INSERT INTO people VALUES (1, 'Ann')");
    // What came before the change was noticed is told under the old name.
    expect((await news()).sort()).toEqual(["create /artists/number 1", reset, "reset /people"]);
    connection.exec("INSERT INTO people VALUES (2, 'Bo')");
    expect(await news()).toEqual(["create /people/number 2"]);
  });

  it("makes a table: it is watched from then on", async () => {
    const path = newPath();
    const connection = connect(path, artists);
    const { news } = await watch(path);
    const columns = Array.from({ length: 30 }, (_, index) => `c${index}`);
    connection.exec(`CREATE TABLE songs (id INTEGER PRIMARY KEY, ${columns.join(", ")})`);
    expect(await news()).toEqual(["reset /songs"]);
    connection.exec("INSERT INTO songs (id) VALUES (1); INSERT INTO artists VALUES (1, 'Ann')");
    expect(await news()).toEqual(["create /songs/number 1", "create /artists/number 1"]);
  });

  it("can't drop a column while it is watched, and the error says what to do", async () => {
    const path = newPath();
    const connection = connect(path, artists);
    await watch(path);
    expect(() => connection.exec("ALTER TABLE artists DROP COLUMN name")).toThrow(
      /run migrations with "rocket migrate"/,
    );
  });

  it("is mended at the next start, and those who resume start afresh", async () => {
    const path = newPath();
    const connection = connect(path, artists);
    const first = await watch(path);
    const { position, eventId } = first.journal.head;
    await first.journal.close();
    connection.exec(`DROP TABLE artists; ${artists}; INSERT INTO artists VALUES (1, 'Ann')`);
    const { journal } = await watch(path);
    expect(await journal.locate(eventId)).toBe(position);
    expect((await journal.read(position, 10))?.changes.map(({ kind }) => kind)).toEqual(["reset"]);
  });

  it("is left alone where nothing changed since the last start", async () => {
    const path = newPath();
    const connection = connect(path, artists);
    const first = await watch(path);
    await first.journal.close();
    const before = ask(connection, "SELECT name, sql FROM sqlite_schema");
    const { journal } = await watch(path);
    expect(ask(connection, "SELECT name, sql FROM sqlite_schema")).toEqual(before);
    expect(journal.head.position).toBe(0);
  });

  it("is mended once where several servers notice the change", async () => {
    const path = newPath();
    const connection = connect(path, artists);
    const servers = [await watch(path), await watch(path)];
    connection.exec("ALTER TABLE artists ADD COLUMN age INT");
    const told = [];
    for (const { news } of [...servers, ...servers]) told.push(await news());
    expect(told).toEqual([[reset], [reset], [], []]);
  });

  it("waits until the program that changes it is through", async () => {
    const path = newPath();
    const connection = connect(path, `PRAGMA journal_mode = WAL; ${artists}`);
    const { journal, news } = await watch(path);
    connection.exec(
      "ALTER TABLE artists ADD COLUMN age INT; BEGIN IMMEDIATE; INSERT INTO artists VALUES (1, 'Ann', 1)",
    );
    const polled = journal.arm();
    setImmediate(() => connection.exec("COMMIT"));
    await polled;
    expect(await news()).toEqual(["create /artists/number 1", reset]);
  });
});

describe("VACUUM", () => {
  it("resets tables whose records are told apart by their rowids, and no others", async () => {
    const path = newPath();
    const connection = connect(
      path,
      `${artists}; CREATE TABLE lines (text); INSERT INTO lines VALUES ('a'), ('b'), ('c')`,
    );
    const { news } = await watch(path);
    connection.exec("DELETE FROM lines WHERE text = 'a'");
    expect(await news()).toEqual(["delete /lines/number 1"]);
    connection.exec("VACUUM");
    expect(await news()).toEqual(["reset /lines"]);
    expect(ask(connection, "SELECT rowid, text FROM lines")).toEqual(["1|b", "2|c"]);
    connection.exec("DELETE FROM lines WHERE text = 'b'");
    expect(await news()).toEqual(["delete /lines/number 1"]);
  });

  it("is noticed at the next start", async () => {
    const path = newPath();
    const connection = connect(path, "CREATE TABLE lines (text)");
    const first = await watch(path);
    await first.journal.close();
    connection.exec("VACUUM");
    const second = await watch(path);
    expect((await second.journal.read(0, 10))?.changes.map(({ kind }) => kind)).toEqual(["reset"]);
    await second.journal.close();
    const third = await watch(path);
    expect(third.journal.head.position).toBe(1);
  });
});

describe("an old database format", () => {
  it("with a table that hides its name is watched like any other", async () => {
    const path = newPath();
    const connection = openConnection(path, { create: true });
    connection.exec(`CREATE TABLE "old" (id INTEGER PRIMARY KEY, "new" UNIQUE)`);
    const { news } = await watch(path, { format: plainFormat });
    connection.exec(`INSERT INTO old VALUES (1, 1); INSERT OR REPLACE INTO old VALUES (2, 1)`);
    expect(await news()).toEqual(["create /old/number 1", "delete /old/number 1", "create /old/number 2"]);
    connection.close();
  });
});

import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { loadBetterSqlite } from "../../../src/scaffold/sqlite/better-sqlite.ts";
import { retryWhenBusy } from "../../../src/scaffold/sqlite/busy.ts";
import { openConnection } from "../../../src/scaffold/sqlite/driver.ts";
import { constraintOf, isBusy } from "../../../src/scaffold/sqlite/sqlite-error.ts";
import { createFakeClock } from "../../../src/testing/index.ts";
import { ask, connect, newPath } from "./workspace.ts";

function failureOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("Nothing was thrown.");
}

/** A blob, of whichever class the driver gives. */
function bytes(...values: number[]): unknown {
  return expect.toSatisfy((blob) => blob instanceof Uint8Array && String([...blob]) === String(values));
}

describe("a connection", () => {
  it("gives rows as arrays, whole numbers as numbers where that is exact and as bigints elsewhere", () => {
    const connection = connect(newPath());
    const rows = connection.prepare("SELECT 1, 1.5, 9007199254740993, 9007199254740991, 'a', x'00ff', NULL, 1").all();
    expect(rows).toEqual([[1, 1.5, 9007199254740993n, 9007199254740991, "a", bytes(0, 255), null, 1]]);
  });

  it("binds whole numbers as integers", () => {
    const connection = connect(newPath());
    const rows = connection.prepare("SELECT typeof(?), typeof(?), typeof(?), typeof(?)").all(1, 2n ** 60n, 0.5, "1");
    expect(rows).toEqual([["integer", "integer", "real", "text"]]);
  });

  it("reads text and blobs with zeros in them", () => {
    const connection = connect(newPath());
    const rows = connection.prepare("SELECT ?, ?").all("a\0b", new Uint8Array([0, 1, 0]));
    expect(rows).toEqual([["a\0b", bytes(0, 1, 0)]]);
  });

  it("counts the rows that a statement changed, also where it returns some", () => {
    const connection = connect(newPath(), "CREATE TABLE t (a)");
    expect(connection.prepare("INSERT INTO t VALUES (1), (2)").run()).toBe(2);
    expect(connection.prepare("INSERT INTO t VALUES (3), (4), (5) RETURNING a").run()).toBe(3);
    expect(connection.prepare("DELETE FROM t").all()).toEqual([]);
  });

  it("enforces foreign keys, syncs each commit and waits for nobody", () => {
    const connection = connect(newPath());
    const settings = ["foreign_keys", "synchronous", "busy_timeout"].map(
      (name) => ask(connection, `PRAGMA ${name}`)[0],
    );
    expect(settings).toEqual(["1", "2", "0"]);
  });

  it("can be closed twice", () => {
    const connection = openConnection(newPath(), { create: true });
    connection.close();
    expect(() => connection.close()).not.toThrow();
  });

  it("refuses writes when it is to read only", () => {
    const path = newPath();
    connect(path, "CREATE TABLE t (a)");
    const connection = openConnection(path, { readOnly: true });
    expect(() => connection.exec("INSERT INTO t VALUES (1)")).toThrow(/readonly/);
    connection.close();
  });

  it("is refused where the file is missing or something else", () => {
    const path = newPath();
    writeFileSync(`${path}.txt`, "This is no database. ".repeat(100));
    mkdirSync(`${path}.d`);
    expect(failureOf(() => openConnection(path))).toMatchObject({ name: "RocketError", code: "database-missing" });
    expect(failureOf(() => openConnection(`${path}.txt`))).toMatchObject({ code: "database-invalid" });
    expect(failureOf(() => openConnection(`${path}.d`))).toMatchObject({ code: "database-invalid" });
  });
});

describe("the package better-sqlite3", () => {
  /** A `require` of a project that has such a better-sqlite3; without a text, none. */
  function projectWith(text?: string): NodeJS.Require {
    const folder = `${newPath()}.project`;
    mkdirSync(`${folder}/node_modules/better-sqlite3`, { recursive: true });
    if (text !== undefined) writeFileSync(`${folder}/node_modules/better-sqlite3/index.js`, text);
    return createRequire(`${folder}/index.js`);
  }

  it.each([
    [
      "no binary",
      "module.exports = class { constructor() { throw new Error('Could not locate the bindings file.'); } };",
    ],
    [
      "a binary of another Node",
      "throw Object.assign(new Error('NODE_MODULE_VERSION'), { code: 'ERR_DLOPEN_FAILED' });",
    ],
  ])("is to be built again where it is there with %s", (_what, text) => {
    expect(failureOf(() => loadBetterSqlite(projectWith(text)))).toMatchObject({
      code: "driver-missing",
      message: "The package better-sqlite3 is here, but was not built for this Node. Type: npm rebuild better-sqlite3",
    });
  });

  it("is to be installed where it is not there", () => {
    expect(failureOf(() => loadBetterSqlite(projectWith()))).toMatchObject({
      code: "driver-missing",
      message: expect.stringMatching(/Type: npm i better-sqlite3$/),
    });
  });
});

describe("a broken constraint", () => {
  it.each([
    ["INSERT INTO t (a, b) VALUES (1, 2)", { kind: "unique", table: "t", columns: ["a", "b"] }],
    ["INSERT INTO t (id, n) VALUES (1, 1)", { kind: "unique", table: "t", columns: ["id"] }],
    ["INSERT INTO t (e) VALUES (-5)", { kind: "unique", columns: [] }],
    ["INSERT INTO t (n) VALUES (NULL)", { kind: "notNull", table: "t", columns: ["n"] }],
    ["INSERT INTO t (c) VALUES (11)", { kind: "check", columns: [], text: "c < 10" }],
    ["INSERT INTO t (f) VALUES (9)", { kind: "foreignKey", columns: [] }],
    ["INSERT INTO s VALUES ('x')", { kind: "datatype", table: "s", columns: ["i"] }],
    ["INSERT INTO t (id) VALUES ('x')", { kind: "datatype", columns: [] }],
    ["INSERT INTO t (c) VALUES (-1)", { kind: "check", columns: [], text: "too little" }],
  ])("is told of by %s", (sql, constraint) => {
    const connection = connect(
      newPath(),
      `CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c CHECK (c < 10), e, f REFERENCES t, n NOT NULL DEFAULT 0, UNIQUE (a, b));
       CREATE UNIQUE INDEX i ON t (abs(e)); CREATE TABLE s (i INT) STRICT; INSERT INTO t (id, a, b, e) VALUES (1, 1, 2, 5);
       CREATE TRIGGER r BEFORE INSERT ON t WHEN new.c < 0 BEGIN SELECT RAISE(ABORT, 'too little'); END`,
    );
    expect(constraintOf(failureOf(() => connection.exec(sql)))).toEqual(constraint);
  });

  it("is not seen in other errors", () => {
    const connection = connect(newPath());
    expect(constraintOf(failureOf(() => connection.exec("SELECT nothing")))).toBeUndefined();
    expect(constraintOf(new Error("UNIQUE constraint failed: t.a"))).toBeUndefined();
  });
});

describe("waiting for a lock", () => {
  it("tries again until the lock is gone", async () => {
    const path = newPath();
    const one = connect(path, "CREATE TABLE t (a)");
    const other = connect(path);
    one.exec("BEGIN EXCLUSIVE");
    setImmediate(() => one.exec("COMMIT"));
    await retryWhenBusy(() => other.exec("INSERT INTO t VALUES (1)"));
    expect(ask(one, "SELECT a FROM t")).toEqual(["1"]);
  });

  it("gives up after its time", async () => {
    const path = newPath();
    const clock = createFakeClock();
    const one = connect(path, "CREATE TABLE t (a)");
    const other = connect(path);
    one.exec("BEGIN EXCLUSIVE");
    const attempt = retryWhenBusy(() => other.exec("INSERT INTO t VALUES (1)"), { clock, waitMs: 100 });
    const settled = expect(attempt).rejects.toMatchObject({ name: "RocketError", code: "database-busy" });
    await clock.advance(200);
    await settled;
    one.exec("COMMIT");
  });

  it("is not done for other errors", async () => {
    const connection = connect(newPath());
    const attempts: number[] = [];
    const attempt = retryWhenBusy(() => {
      attempts.push(1);
      connection.exec("SELECT nothing");
    });
    await expect(attempt).rejects.toThrow(/nothing/);
    expect(attempts).toHaveLength(1);
    expect(isBusy(new Error("database is locked"))).toBe(false);
  });
});

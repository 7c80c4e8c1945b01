import { spawnSync } from "node:child_process";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { createScaffold, type Scaffold } from "../../../src/scaffold/index.ts";
import { serve, temporaryFile } from "./service.ts";

/** Programs that take "text" for a string, as most do; better-sqlite3 does not. */
const shells: readonly (readonly [string, ...string[]])[] = [
  ["sqlite3", "-bail"],
  ["python3", "-c", "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])"],
];

function run(path: string, sql: string): boolean {
  return shells.some(([file, ...args]) => spawnSync(file, [...args, path, sql]).status === 0);
}

const hasShell = run(
  ":memory:",
  `CREATE TABLE t (a); CREATE TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM t WHERE a = "b"; END`,
);

/** A scaffold over a database that a shell has made. */
async function serveShells(sql: string): Promise<{ path: string; scaffold: Scaffold; errors: unknown[] }> {
  const path = temporaryFile();
  expect(run(path, sql)).toBe(true);
  const errors: unknown[] = [];
  return { path, scaffold: await createScaffold({ path, onError: (error) => errors.push(error) }), errors };
}

async function post(scaffold: Scaffold, target: string, body: object): Promise<[number, unknown]> {
  const fields = [["Content-Type", "application/json"]] as const;
  const answer = await scaffold.origin({ method: "POST", target, fields, body: JSON.stringify(body) });
  return [answer.status, JSON.parse(String(answer.body))];
}

async function get(scaffold: Scaffold, target: string) {
  const answer = await scaffold.origin({ method: "GET", target, fields: [], body: "" });
  return { view: answer.view, json: JSON.parse(String(answer.body)) as Record<string, readonly object[]> };
}

describe.skipIf(!hasShell)("Strings in double quotes", () => {
  test.each([
    ["in a trigger", `CREATE TRIGGER x AFTER INSERT ON t BEGIN INSERT INTO log VALUES ("it's me", NEW."a"); END`],
    [
      "in WHEN",
      `CREATE TRIGGER x AFTER INSERT ON t WHEN NEW.a <> "no" BEGIN INSERT INTO log VALUES ('it''s me', NEW.a); END`,
    ],
    [
      "that are a column elsewhere in the trigger",
      `CREATE TRIGGER x AFTER INSERT ON t BEGIN
         INSERT INTO log SELECT "it's me", "a" FROM t WHERE "a" <> "zz"; UPDATE log SET "who" = "who" WHERE "who" = "a"; END`,
    ],
    [
      "in triggers that set off others with the same word",
      `CREATE TRIGGER x AFTER INSERT ON t BEGIN INSERT INTO log SELECT "it's me", "a" FROM t; END;
       CREATE TRIGGER y AFTER INSERT ON log WHEN NEW.who = "a" BEGIN DELETE FROM log; END;
       CREATE TRIGGER z BEFORE INSERT ON t BEGIN DELETE FROM log WHERE who = "a"; END`,
    ],
  ])("%s mean what they mean to the shell", async (_where, trigger) => {
    const tables = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); CREATE TABLE log (who TEXT, what TEXT)";
    const { path, scaffold, errors } = await serveShells(`${tables}; ${trigger}`);
    expect((await post(scaffold, "/t", { a: "first" }))[0]).toBe(201);
    const ours = (await get(scaffold, "/log")).json;
    expect(ours).toEqual({ log: [{ url: "/log/1", rowid: 1, who: "it's me", what: "first" }] });
    expect(run(path, "DELETE FROM log; DELETE FROM t; INSERT INTO t (a) VALUES ('first')")).toBe(true);
    expect((await get(scaffold, "/log")).json).toEqual(ours);
    expect((await get(scaffold, "/t")).view).toBeDefined();
    expect(errors).toEqual([]);
    await scaffold.close();
  });

  test("in defaults, checks, generated columns and indexes let a table be written to and followed", async () => {
    const { path, scaffold, errors } = await serveShells(`
      CREATE TABLE books (id INTEGER PRIMARY KEY, kind TEXT NOT NULL DEFAULT "isbn", state TEXT NOT NULL DEFAULT 'new',
        code TEXT, label TEXT AS (kind || "-" || code), CHECK (state IN ("new", "old")), UNIQUE (kind, code));
      CREATE UNIQUE INDEX codes ON books (lower("code") || "x") WHERE state = "new" AND "code" <> "none"`);
    const seen: string[] = [];
    scaffold.journal?.tail(({ changes }) => seen.push(...changes.map(({ kind, url }) => `${kind} ${url}`)));
    expect(await post(scaffold, "/books", { code: "A" })).toMatchObject([
      201,
      { book: { kind: "isbn", state: "new", label: "isbn-A" } },
    ]);
    expect(run(path, "INSERT OR REPLACE INTO books (id, code, kind) VALUES (7, 'a', 'other')")).toBe(true);
    await scaffold.journal?.poll();
    expect(seen).toEqual(["create /books/1", "delete /books/1", "create /books/7"]);
    expect((await get(scaffold, "/books")).json.books).toMatchObject([{ id: 7, kind: "other" }]);
    expect(errors).toEqual([]);
    await scaffold.close();
  });

  test("that come with a later change of the schema are understood as well, and leave the file as it is", async () => {
    const { path, scaffold } = await serveShells("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)");
    const trigger = `CREATE TRIGGER x AFTER INSERT ON t BEGIN UPDATE t SET a = "late" WHERE id = NEW.id; END`;
    expect(await post(scaffold, "/t", { a: "x" })).toMatchObject([201, { t: { a: "x" } }]);
    expect(run(path, trigger)).toBe(true);
    expect(await post(scaffold, "/t", { a: "x" })).toMatchObject([201, { t: { a: "late" } }]);
    expect(await post(scaffold, "/t", { a: "x" })).toMatchObject([201, { t: { a: "late" } }]);
    const file = new Database(path, { readonly: true });
    expect(file.prepare("SELECT sql FROM sqlite_schema WHERE name = 'x'").pluck().get()).toBe(trigger);
    file.close();
    await scaffold.close();
  });
});

describe("A trigger that can't run here", () => {
  test("makes a 500 with a hint for the peer, and the reason for the operator", async () => {
    const { send, errors } = await serve(`CREATE TABLE t (id INTEGER PRIMARY KEY);
      CREATE TRIGGER x AFTER INSERT ON t BEGIN INSERT INTO nowhere VALUES (1); END`);
    const { status, json } = await send("POST", "/t", {});
    expect([status, json]).toMatchObject([
      500,
      {
        detail:
          "The database has a trigger, check, index or view that this server can't run. The server's log says more.",
      },
    ]);
    expect(errors.map(String)).toEqual(["Error: POST /t: no such table: main.nowhere"]);
  });
});

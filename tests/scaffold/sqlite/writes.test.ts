import { copyFileSync, renameSync } from "node:fs";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { musicSql, serve } from "./service.ts";

describe("PUT", () => {
  test("gives every kind of default its value", async () => {
    const defaults = [
      ["a", "-5", -5],
      ["b", "'it''s'", "it's"],
      ["c", "bare", "bare"],
      ["d", '"quoted ""name"', 'quoted "name'],
      ["e", "(1 + 2)", 3],
      ["f", "TRUE", 1],
      ["g", "NULL", null],
      ["h", "(lower('X'))", "x"],
    ] as const;
    const columns = defaults.map(([name, sql]) => `${name} DEFAULT ${sql}`);
    const { send } = await serve(`CREATE TABLE t (id INTEGER PRIMARY KEY, bare, ${columns.join(", ")}, z);
      INSERT INTO t VALUES (1, 8, 9, 9, 9, 9, 9, 9, 9, 9, 9)`);
    const expected = Object.fromEntries(defaults.map(([name, , value]) => [name, value]));

    const put = await send("PUT", "/t/1", { bare: 8 });
    const post = await send("POST", "/t", { bare: 8 });

    expect(put.json).toEqual({ t: { url: "/t/1", id: 1, bare: 8, ...expected, z: null } });
    expect(post.json).toEqual({ t: { url: "/t/2", id: 2, bare: 8, ...expected, z: null } });
  });

  test("creates at a rowid", async () => {
    const { send } = await serve("CREATE TABLE loose (x)");

    expect((await send("PUT", "/loose/42", { x: 1, rowid: 42 })).field("Location")).toBe("/loose/42");
  });
});

describe("Writes in one turn", () => {
  test("survive one whose failure rolls the transaction back", async () => {
    const { send } = await serve(`CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE ON CONFLICT ROLLBACK);
      INSERT INTO t VALUES (1, 1)`);

    const answers = await Promise.all([1, 2, 1, 3].map((a) => send("POST", "/t", { a })));

    expect(answers.map(({ status }) => status)).toEqual([409, 201, 409, 201]);
    expect((await send("GET", "/t")).json).toMatchObject({ t: [{ a: 1 }, { a: 2 }, { a: 3 }] });
  });
});

describe("a write where the database's file is not at its path", () => {
  test("is a 503, and not lost: the file was removed, or another one has taken its place", async () => {
    const { path, send, other } = await serve(musicSql);
    other.pragma("wal_checkpoint(TRUNCATE)");
    const create = () => send("POST", "/artists", { name: `a${Math.random()}` });
    expect((await create()).status).toBe(201);
    renameSync(path, `${path}.old`);
    const refused = await create();
    expect([refused.status, refused.field("Retry-After")]).toEqual([503, "1"]);
    expect(refused.text).toContain("removed or renamed");
    expect((await send("GET", "/artists")).status).toBe(200);
    renameSync(`${path}.old`, path);
    expect((await create()).status).toBe(201);
    copyFileSync(path, `${path}.new`);
    renameSync(`${path}.new`, path);
    const [first] = [await create()];
    expect([503, 201]).toContain(first.status);
    await expect.poll(async () => (await create()).status, { timeout: 10_000 }).toBe(201);
    const kept = new Database(path, { readonly: true });
    const { status, json } = await send("GET", "/artists");
    expect([status, (json as { artists: object[] }).artists.length]).toEqual([
      200,
      kept.prepare("SELECT count(*) FROM artists").pluck().get(),
    ]);
    kept.close();
  });
});

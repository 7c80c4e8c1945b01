import { copyFileSync, renameSync } from "node:fs";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/server/index.ts";
import { musicSql, type Service, serve } from "./service.ts";

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

describe("A write that takes long", () => {
  /** A table each of whose changes takes a time that the test says. */
  async function startSlow(ms: number): Promise<Service> {
    let late = 0;
    const linger = (): number => {
      late += ms;
      return 1;
    };
    return serve(
      `CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER);
       WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 50) INSERT INTO t SELECT i, 0 FROM c;
       CREATE TRIGGER slow AFTER UPDATE ON t BEGIN SELECT linger(); END;`,
      {
        clock: { ...systemClock, now: () => systemClock.now() + late },
        functions: { linger },
        prepare: (other) => void other.function("linger", linger),
      },
    );
  }

  test("is ended after five seconds, with nothing of it done, and the next one is carried out", async () => {
    const { send, other, errors } = await startSlow(200);
    const refused = await send("PATCH", "/t?id=lte.50", { n: 1 });
    expect([refused.status, refused.text]).toEqual([503, expect.stringContaining("longer than 5 s")]);
    expect((await send("PATCH", "/t/7", { n: 2 })).status).toBe(200);
    expect(other.prepare("SELECT id, n FROM t WHERE n > 0").all()).toEqual([{ id: 7, n: 2 }]);
    expect(errors).toEqual([]);
  });

  test("is ended by time in a batch, too", async () => {
    const { send, other } = await startSlow(200);
    const requests = Array.from({ length: 50 }, (_, at) => ({ method: "PATCH", url: `/t/${at + 1}`, body: { n: 1 } }));
    const refused = await send("POST", "/.well-known/rocket/batch", requests);
    expect(refused.status).toBe(503);
    expect(other.prepare("SELECT count(*) FROM t WHERE n > 0").pluck().get()).toBe(0);
  });

  test("has those that came with it, and have not begun, wait for the next group", async () => {
    const { send } = await startSlow(300);
    const answers = await Promise.all([1, 2, 3].map((id) => send("PATCH", `/t/${id}`, { n: id })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const [first, second, third] = answers.map(({ field }) => field("Event-ID"));
    expect([second === first, third === first]).toEqual([true, false]);
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

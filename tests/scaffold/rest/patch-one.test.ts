import { describe, expect, test } from "vitest";
import type { Batch } from "../../../src/server/index.ts";
import { type EngineSql, serve } from "./service.ts";

/** Whose records say how often their name was written, and keep some names. */
const countedSql: EngineSql = {
  sqlite: `CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT CHECK (name <> 'bad'), n INTEGER NOT NULL DEFAULT 0, on_air BOOLEAN);
    INSERT INTO t VALUES (1, 'one', 0, TRUE), (2, NULL, 0, NULL);
    CREATE TRIGGER kept BEFORE UPDATE OF name ON t WHEN new.name = 'kept' BEGIN SELECT RAISE(IGNORE); END;
    CREATE TRIGGER counted AFTER UPDATE OF name ON t BEGIN UPDATE t SET n = n + 1 WHERE id = new.id; END`,
  postgres: `CREATE TABLE t (id int PRIMARY KEY, name text CHECK (name <> 'bad'), n int NOT NULL DEFAULT 0, on_air boolean);
    INSERT INTO t VALUES (1, 'one', 0, TRUE), (2, NULL, 0, NULL);
    CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
    CREATE TRIGGER kept BEFORE UPDATE OF name ON t FOR EACH ROW WHEN (new.name = 'kept') EXECUTE FUNCTION keep();
    CREATE FUNCTION count_it() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN UPDATE t SET n = n + 1 WHERE id = new.id; RETURN NULL; END $$;
    CREATE TRIGGER counted AFTER UPDATE OF name ON t FOR EACH ROW EXECUTE FUNCTION count_it()`,
};

describe("A PATCH of one member", () => {
  test("answers the record as triggers leave it, and is told once", async () => {
    const { send, scaffold } = await serve(countedSql);
    const batches: Batch[] = [];
    const end = scaffold.journal?.tail((batch) => batches.push(batch));

    const answer = await send("PATCH", "/t/1", { name: "first" });

    expect(answer.json).toEqual({ t: { url: "/t/1", id: 1, name: "first", n: 1, on_air: true } });
    expect(answer.field("ETag")).toBe((await send("GET", "/t/1")).field("ETag"));
    await scaffold.journal?.poll();
    expect(batches.at(-1)?.eventId).toBe(answer.field("Event-ID"));
    end?.();
  });

  test("that the record has already writes nothing, null included", async () => {
    const { send, rows } = await serve(countedSql);

    const answers = [
      await send("PATCH", "/t/1", { name: "one" }),
      await send("PATCH", "/t/2", { name: null }),
      await send("PATCH", "/t/1", { on_air: true }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await rows("SELECT sum(n) FROM t"))[0]?.map(Number)).toEqual([0]);
  });

  test("of a record that is not there is 404, whatever it says", async () => {
    const { send } = await serve(countedSql);

    for (const body of [{ name: "x" }, { name: "bad" }, { n: "x" }, { nothing: 1 }]) {
      expect([body, (await send("PATCH", "/t/9", body)).status]).toEqual([body, 404]);
    }
  });

  test("that breaks a rule is 422 and names it, and others of its turn are carried out", async () => {
    const { send, rows } = await serve(countedSql);

    const answers = await Promise.all([
      send("PATCH", "/t/1", { name: "a" }),
      send("PATCH", "/t/1", { name: "bad" }),
      send("PATCH", "/t/2", { n: null }),
      send("PATCH", "/t/2", { name: "b" }),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([200, 422, 422, 200]);
    expect(JSON.stringify(answers[2]?.json)).toContain('"n"');
    expect(await rows("SELECT name FROM t ORDER BY id")).toEqual([["a"], ["b"]]);
  });

  test("that the database ignores is 409", async () => {
    const { send, rows } = await serve(countedSql);

    expect((await send("PATCH", "/t/1", { name: "kept" })).status).toBe(409);
    expect(await rows("SELECT name FROM t WHERE id = 1")).toEqual([["one"]]);
  });

  test("is carried out once with an Idempotency-Key, and not at all where its condition does not hold", async () => {
    const { send, rows } = await serve(countedSql);
    const once = { "Idempotency-Key": '"k"' };

    const first = await send("PATCH", "/t/1", { name: "a" }, once);
    const again = await send("PATCH", "/t/1", { name: "a" }, once);
    const refused = await send("PATCH", "/t/1", { name: "b" }, { "If-Match": '"other"' });

    expect([first.status, again.status, refused.status]).toEqual([200, 200, 412]);
    expect(await rows("SELECT name FROM t WHERE id = 1")).toEqual([["a"]]);
  });

  test("counts the member that columns names", async () => {
    const { send } = await serve(countedSql);

    const { json } = await send("PATCH", "/t/1?columns=name", { name: "a", n: 9 });

    expect(json).toEqual({ t: { url: "/t/1", id: 1, name: "a", n: 1, on_air: true } });
  });
});

import { describe, expect, test } from "vitest";
import { here, musicSql, serve } from "./service.ts";

const kraftwerk = { url: "/artists/1", id: 1, name: "Kraftwerk", genre: "electronic", year: 1970, active: true };

describe("POST", () => {
  test("creates a record and answers it with its URL", async () => {
    const { send, rows } = await serve(musicSql);

    const answer = await send("POST", "/artists", { name: "Cluster", active: false });

    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      artist: { url: "/artists/5", id: 5, name: "Cluster", genre: "rock", year: null, active: false },
    });
    expect(answer.field("Location")).toBe("/artists/5");
    expect(answer.field("Content-Location")).toBe("/artists/5");
    expect(answer.field("ETag")).toBe((await send("GET", "/artists/5")).field("ETag"));
    expect(answer.field("Event-ID")).toBeDefined();
    expect(await rows("SELECT name FROM artists WHERE id = 5")).toEqual([["Cluster"]]);
  });

  test("takes the record in its envelope too", async () => {
    const { send } = await serve(musicSql);

    const answer = await send("POST", "/artists", { artist: { id: 9, name: "Cluster" } });

    expect([answer.status, answer.field("Location")]).toEqual([201, "/artists/9"]);
  });

  test("of a copy ignores its url and its generated columns", async () => {
    const { send } = await serve({
      sqlite: "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b AS (a * 2)); INSERT INTO t VALUES (1, 2)",
      postgres: `CREATE TABLE t (id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) STORED);
        INSERT INTO t VALUES (1, 2)`,
    });
    const { t } = (await send("GET", "/t/1")).json as { t: object };

    const answer = await send("POST", "/t", { ...t, id: 2 });

    expect(answer.json).toEqual({ t: { url: "/t/2", id: 2, a: 2, b: 4 } });
  });

  test("without members stores the defaults", async () => {
    const { send } = await serve({
      sqlite: "CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL DEFAULT (hex(7)), n DEFAULT 3)",
      postgres: "CREATE TABLE t (id text PRIMARY KEY DEFAULT to_hex(55), n int DEFAULT 3)",
    });

    const answer = await send("POST", "/t", {});

    expect(answer.json).toEqual({ t: { url: "/t/37", id: "37", n: 3 } });
  });

  test("answers the record as triggers leave it", async () => {
    const { send } = await serve({
      sqlite: `CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, slug TEXT);
        CREATE TRIGGER slugs AFTER INSERT ON t BEGIN UPDATE t SET slug = lower(new.name) WHERE id = new.id; END`,
      postgres: `CREATE TABLE t (id serial PRIMARY KEY, name text, slug text);
        CREATE FUNCTION slug() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN UPDATE t SET slug = lower(new.name) WHERE id = new.id; RETURN new; END $$;
        CREATE TRIGGER slugs AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION slug()`,
    });

    const answer = await send("POST", "/t", { name: "Neu!" });

    expect(answer.json).toEqual({ t: { url: "/t/1", id: 1, name: "Neu!", slug: "neu!" } });
    expect(answer.text).toBe((await send("GET", "/t/1")).text);
  });

  test("of a record that a trigger takes away is 204", async () => {
    const { send } = await serve({
      sqlite: `CREATE TABLE t (id INTEGER PRIMARY KEY);
        CREATE TRIGGER gone AFTER INSERT ON t BEGIN DELETE FROM t WHERE id = new.id; END`,
      postgres: `CREATE TABLE t (id serial PRIMARY KEY);
        CREATE FUNCTION go() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN DELETE FROM t WHERE id = new.id; RETURN new; END $$;
        CREATE TRIGGER gone AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION go()`,
    });

    expect((await send("POST", "/t", {})).status).toBe(204);
  });
});

describe("PUT", () => {
  test("replaces the record: what is missing gets its default", async () => {
    const { send } = await serve(musicSql);

    const answer = await send("PUT", "/artists/1", { name: "KRAFTWERK" });

    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ artist: { ...kraftwerk, name: "KRAFTWERK", genre: "rock", year: null } });
    expect(answer.field("Content-Location")).toBe("/artists/1");
    expect(answer.field("Event-ID")).toBeDefined();
  });

  test("creates the record where there is none", async () => {
    const { send } = await serve(musicSql);

    const answer = await send("PUT", "/artists/70", { name: "Cluster" });

    expect([answer.status, answer.field("Location")]).toEqual([201, "/artists/70"]);
    expect((await send("GET", "/artists/70")).text).toBe(answer.text);
  });

  test("takes what GET gave, and changes nothing", async () => {
    const { send } = await serve(musicSql);
    const get = await send("GET", "/artists/1");

    const answer = await send("PUT", "/artists/1", get.text);

    expect([answer.status, answer.text, answer.field("ETag")]).toEqual([200, get.text, get.field("ETag")]);
  });

  test("creates at a composite key", async () => {
    const { send } = await serve(
      "CREATE TABLE pairs (a TEXT NOT NULL, b INTEGER NOT NULL, c INTEGER, PRIMARY KEY (a, b))",
    );

    expect((await send("PUT", "/pairs/x%2Cy,7", { c: 1 })).json).toEqual({
      pair: { url: "/pairs/x%2Cy,7", a: "x,y", b: 7, c: 1 },
    });
    expect((await send("GET", "/pairs/x")).status).toBe(404);
  });
});

describe("PATCH", () => {
  test("changes the members that it has", async () => {
    const { send } = await serve(musicSql);

    const answer = await send("PATCH", "/artists/1", { year: null, active: false });

    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ artist: { ...kraftwerk, year: null, active: false } });
    expect(answer.field("ETag")).toBe((await send("GET", "/artists/1")).field("ETag"));
  });

  test("takes a merge patch by that name, which goes into JSON", async () => {
    const { send } = await serve(`CREATE TABLE t (id INTEGER PRIMARY KEY, data JSON);
      INSERT INTO t VALUES (1, '{"a":1,"b":{"c":2,"d":3}}'), (2, NULL), (3, '[1]')`);
    const patch = { data: { a: null, b: { c: 4 } } };
    const fields = { "Content-Type": "application/merge-patch+json" };
    const dataOf = async (url: string): Promise<unknown> =>
      ((await send("PATCH", url, patch, fields)).json as { t: { data: unknown } }).t.data;

    expect(await dataOf("/t/1")).toEqual({ b: { c: 4, d: 3 } });
    expect(await dataOf("/t/2")).toEqual({ b: { c: 4 } });
    expect(await dataOf("/t/3")).toEqual({ b: { c: 4 } });
  });

  test("of nothing changes nothing, and answers the record with a position", async () => {
    const { send } = await serve(musicSql);

    const answer = await send("PATCH", "/artists/1", {});

    expect([answer.status, answer.json]).toEqual([200, { artist: kraftwerk }]);
    expect(answer.field("Event-ID")).toBeDefined();
  });
});

describe("DELETE", () => {
  test("deletes the record", async () => {
    const { send } = await serve(musicSql);

    const answer = await send("DELETE", "/artists/3");

    expect([answer.status, answer.body]).toEqual([204, ""]);
    expect(answer.field("Event-ID")).toBeDefined();
    expect((await send("GET", "/artists/3")).status).toBe(404);
    expect((await send("DELETE", "/artists/3")).status).toBe(404);
  });
});

describe("OPTIONS", () => {
  test("names the methods and the bodies that they take", async () => {
    const { send } = await serve(musicSql);

    const collection = await send("OPTIONS", "/artists");
    const record = await send("OPTIONS", "/artists/1");

    expect([collection.status, collection.field("Allow")]).toEqual([204, "GET, HEAD, POST, PATCH, DELETE, OPTIONS"]);
    expect(collection.field("Accept-Post")).toBe("application/json, application/x-www-form-urlencoded");
    expect(record.field("Allow")).toBe("GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
    expect(record.field("Accept-Patch")).toBe(
      "application/json, application/merge-patch+json, application/json-patch+json, application/x-www-form-urlencoded",
    );
    expect((await send("OPTIONS", "/")).field("Allow")).toBe("GET, HEAD, OPTIONS");
    expect((await send("OPTIONS", "/nothing")).status).toBe(404);
  });
});

describe("Writes in one turn", () => {
  test("are one transaction in which a failure takes nothing with it", async () => {
    const { send } = await serve(musicSql);

    const answers = await Promise.all([
      send("POST", "/artists", { name: "Cluster" }),
      send("POST", "/artists", { name: "Can" }),
      send("POST", "/artists", { nothing: 1 }),
      send("PATCH", "/artists/5", { year: 1971 }),
      send("DELETE", "/artists/1"),
      send("GET", "/artists"),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([201, 409, 422, 200, 409, 200]);
    const positions = [0, 3].map((at) => answers[at]?.field("Event-ID"));
    expect(positions[0]).toBe(positions[1]);
    expect((await send("GET", "/artists/5")).json).toMatchObject({ artist: { name: "Cluster", year: 1971 } });
  });

  test("keep their order", async () => {
    const { send } = await serve(musicSql);

    await Promise.all(Array.from({ length: 20 }, (_, year) => send("PATCH", "/artists/1", { year: 1900 + year })));

    expect((await send("GET", "/artists/1")).json).toMatchObject({ artist: { year: 1919 } });
  });

  test("survive one whose foreign key fails at the commit", async () => {
    const { send } = await serve({
      sqlite: `CREATE TABLE a (id INTEGER PRIMARY KEY);
        CREATE TABLE b (id INTEGER PRIMARY KEY, a_id REFERENCES a DEFERRABLE INITIALLY DEFERRED)`,
      postgres: `CREATE TABLE a (id int PRIMARY KEY);
        CREATE TABLE b (id serial PRIMARY KEY, a_id int REFERENCES a DEFERRABLE INITIALLY DEFERRED)`,
    });

    const answers = await Promise.all([
      send("POST", "/b", { a_id: 7 }),
      send("POST", "/a", { id: 1 }),
      send("POST", "/b", { a_id: 1 }),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([409, 201, 201]);
  });

  test("that fail leave nothing behind, whatever they had done before", async () => {
    const { send } = await serve({
      sqlite: `CREATE TABLE t (id INTEGER PRIMARY KEY, a);
        CREATE TRIGGER refuse AFTER INSERT ON t WHEN new.a = 1 BEGIN SELECT RAISE(FAIL, 'no'); END`,
      postgres: `CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a int);
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE TRIGGER refuse AFTER INSERT ON t FOR EACH ROW WHEN (new.a = 1) EXECUTE FUNCTION refuse()`,
    });

    const answers = await Promise.all([1, 2].map((a) => send("POST", "/t", { a })));

    expect(answers.map(({ status }) => status)).toEqual([422, 201]);
    // PostgreSQL gives no number of a sequence twice.
    const id = here({ sqlite: 1, postgres: 2 });
    expect((await send("GET", "/t")).json).toEqual({ t: [{ url: `/t/${id}`, id, a: 2 }] });
  });

  test("see a column that another program has just added", async () => {
    const { send, run } = await serve(musicSql);
    await run("ALTER TABLE artists ADD COLUMN country TEXT");

    const answer = await send("PATCH", "/artists/1", { country: "DE" });

    expect([answer.status, answer.json]).toEqual([200, { artist: { ...kraftwerk, country: "DE" } }]);
  });

  test("see the schema as another program has just changed it", async () => {
    const { send, run } = await serve(musicSql);
    await run({
      sqlite: "ALTER TABLE artists ADD COLUMN country TEXT; CREATE TABLE labels (id INTEGER PRIMARY KEY)",
      postgres: "ALTER TABLE artists ADD COLUMN country TEXT; CREATE TABLE labels (id serial PRIMARY KEY)",
    });

    const answers = await Promise.all([
      send("PATCH", "/artists/1", { country: "DE" }),
      send("POST", "/labels", {}),
      send("GET", "/artists/1"),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([200, 201, 200]);
    expect((await send("GET", "/artists/1")).json).toEqual({ artist: { ...kraftwerk, country: "DE" } });
  });
});

import { describe, expect, test } from "vitest";
import { serve } from "./service.ts";

const tables = `CREATE TABLE artists (id INTEGER PRIMARY KEY, name TEXT UNIQUE, data TEXT CHECK (json_valid(data)), raw);
  CREATE TABLE songs (id INTEGER PRIMARY KEY, artist INTEGER REFERENCES artists, title TEXT, live BOOLEAN);
  CREATE TABLE plays (song INTEGER, day TEXT, PRIMARY KEY (song, day)) WITHOUT ROWID;
  CREATE TABLE codes (code TEXT PRIMARY KEY NOT NULL, label TEXT COLLATE NOCASE);
  CREATE TABLE coded (id INTEGER PRIMARY KEY, code TEXT, number INTEGER, loose TEXT COLLATE NOCASE);
  CREATE TABLE plain (code TEXT PRIMARY KEY NOT NULL);
  CREATE TABLE loose (a TEXT);
  CREATE TABLE plaincoded (id INTEGER PRIMARY KEY, code TEXT, number INTEGER);`;

describe("What tells a view's rows apart", () => {
  test.each([
    ["the table's key under another name", "SELECT name, id AS number FROM artists", ["number"]],
    ["all columns", "SELECT * FROM artists WHERE id > 1", ["id"]],
    ["the columns of one of two", "SELECT s.*, a.name FROM songs s JOIN artists AS a ON s.artist = a.id", ["id"]],
    ["a composite key", "SELECT day, song FROM plays", ["song", "day"]],
    ["a join by a key", "SELECT songs.id, name FROM songs LEFT JOIN artists ON artists.id = artist", ["id"]],
    [
      "a join by a key, and more",
      "SELECT s.id FROM songs s JOIN artists a ON a.id = s.artist AND a.name > 'b'",
      ["id"],
    ],
    ["a join by a text", "SELECT c.id FROM plaincoded c JOIN plain ON plain.code = c.code", ["id"]],
    ["names in quotes", 'SELECT "songs"."id" AS [x y] FROM "songs"', ["x y"]],
    ["groups", "SELECT id, count(*) AS n FROM songs GROUP BY artist", ["id"]],
    ["a view of a view", "SELECT number FROM base", ["number"]],
    ["what is not shown", "SELECT name FROM artists", []],
    ["a part of a key", "SELECT song FROM plays", []],
    ["what is computed", "SELECT id + 1 AS id FROM artists", []],
    ["the other's key", "SELECT a.id FROM songs s JOIN artists a ON s.artist = a.id", []],
    ["rows that are joined many times", "SELECT a.id FROM artists a JOIN songs s ON s.artist = a.id", []],
    ["rows that may be missing", "SELECT s.id FROM artists a LEFT JOIN songs s ON s.artist = a.id", []],
    ["a join with a choice", "SELECT s.id FROM songs s JOIN artists a ON a.id = s.artist OR a.id = 1", []],
    ["a part of the joined key", "SELECT s.id FROM songs s JOIN plays p ON p.song = s.id", []],
    ["a text that is compared as a number", "SELECT c.id FROM plaincoded c JOIN plain ON plain.code = c.number", []],
    ["a text whatever its case", "SELECT c.id FROM coded c JOIN codes ON c.loose = codes.code", []],
    ["a cross product", "SELECT a.id FROM artists a, loose", []],
    ["a union", "SELECT id FROM artists UNION ALL SELECT id FROM songs", []],
    ["a query in FROM", "SELECT id FROM (SELECT id FROM artists)", []],
    ["WITH", "WITH x AS (SELECT id FROM artists) SELECT id FROM x", []],
    ["a table-valued function", "SELECT a.id, j.value FROM artists a, json_each(a.data) j", []],
    ["a table without a key", "SELECT * FROM loose", []],
  ])("is known, or not, of %s", async (_, select, key) => {
    const { scaffold, send } = await serve(
      `${tables}; CREATE VIEW base AS SELECT id AS number FROM artists; CREATE VIEW v AS ${select}`,
    );
    const { fields } = await scaffold.origin({ method: "GET", target: "/v", fields: [], body: "" });
    expect(fields.some(([name]) => name === "Items")).toBe(true);
    const one = await send("OPTIONS", `/v/${key.map(() => "1").join(",") || "1"}`);
    expect(one.status).toBe(key.length > 0 ? 204 : 404);
    // Another order of parts would name others.
    if (key.length > 1) expect((await send("GET", "/v/x,1")).status).toBe(404);
  });
});

test("Views that are made of each other keep nothing else from being served", async () => {
  const { send } = await serve(`${tables} CREATE VIEW one AS SELECT * FROM two; CREATE VIEW two AS SELECT * FROM one;
    CREATE VIEW fine AS SELECT id FROM artists`);
  expect((await send("GET", "/fine")).json).toEqual({ fine: [] });
  expect((await send("GET", "/one")).status).toBe(404);
});

test("A view of a view that was made anew after it keeps its key", async () => {
  const { send, other } =
    await serve(`${tables}; CREATE VIEW base AS SELECT id FROM artists; CREATE VIEW v AS SELECT * FROM base;
    INSERT INTO artists (id, name) VALUES (1, 'Low')`);
  other.exec("DROP VIEW base; CREATE VIEW base AS SELECT id, name FROM artists");
  expect((await send("GET", "/v/1")).json).toEqual({ v: { url: "/v/1", id: 1, name: "Low" } });
});

describe("A view's columns", () => {
  test("are of the types of those that they show", async () => {
    const { send } = await serve(`${tables}
      INSERT INTO artists VALUES (1, 'Low', '{"a":[1]}', 'text');
      INSERT INTO songs VALUES (1, 1, 'Words', 1);
      CREATE VIEW v AS SELECT s.id, a.data, a.raw, s.live, s.live + 1 AS more FROM songs s JOIN artists a ON a.id = s.artist`);
    const row = { url: "/v/1", id: 1, data: { a: [1] }, raw: "text", live: true, more: 2 };
    expect((await send("GET", "/v/1")).json).toEqual({ v: row });
    expect((await send("GET", "/v?raw=text&live=true&more=2")).json).toEqual({ v: [row] });
  });

  test("without a type take what they show: texts, and not bytes", async () => {
    const { send } = await serve(`${tables}
      INSERT INTO artists VALUES (1, 'Low', NULL, 'Zm9v'), (2, 'Air', NULL, 7);
      CREATE VIEW v AS SELECT raw FROM artists UNION SELECT 'other'`);
    expect((await send("GET", "/v?raw=Zm9v")).json).toEqual({ v: [{ raw: "Zm9v" }] });
    expect((await send("GET", "/v?raw=gt.6&order=raw")).json).toEqual({
      v: [{ raw: 7 }, { raw: "Zm9v" }, { raw: "other" }],
    });
  });
});

describe("A view of what no trigger tells of", () => {
  test.each([
    ["a virtual table", "SELECT rowid AS id, body FROM texts", "texts"],
    ["the schema", "SELECT name FROM sqlite_schema", "schema"],
    ["the schema by a pragma", "SELECT name FROM pragma_table_info('artists')", "pragma"],
    ["such a view", "SELECT body FROM behind", "behind"],
  ])("is read, and says that it can't be followed: %s", async (_, select) => {
    const { send } =
      await serve(`${tables}; CREATE VIRTUAL TABLE texts USING fts5(body); INSERT INTO texts VALUES ('a');
      CREATE VIEW behind AS SELECT body FROM texts; CREATE VIEW v AS ${select}`);
    const answer = await send("GET", "/v");
    expect([answer.status, answer.notLive]).toEqual([200, expect.stringContaining("can't be followed")]);
  });

  test("is followed where a function reads only what it is given", async () => {
    const { scaffold } = await serve(
      `${tables}; CREATE VIEW v AS SELECT a.id, j.value FROM artists a, json_each(a.data) j`,
    );
    const { reads, url } = await scaffold.origin({ method: "GET", target: "/v", fields: [], body: "" });
    expect([url, reads]).toEqual(["/v", { collections: ["/v", "/artists"], isComplete: true }]);
  });

  test("names each table once that it is made of, through other views and WITHOUT ROWID", async () => {
    const { scaffold } = await serve(`${tables}
      CREATE VIEW inner AS SELECT a.id, a.name, (SELECT count(*) FROM plays WHERE song = a.id) AS n FROM artists a;
      CREATE VIEW v AS SELECT * FROM inner JOIN songs ON songs.artist = inner.id WHERE title IN (SELECT code FROM codes)`);
    const { reads } = await scaffold.origin({ method: "GET", target: "/v", fields: [], body: "" });
    expect([...(reads?.collections ?? [])].sort()).toEqual(["/artists", "/codes", "/plays", "/songs", "/v"]);
  });
});

describe("A view's triggers", () => {
  test("that take some columns refuse the others, and one that keeps a record is told so", async () => {
    const service =
      await serve(`CREATE TABLE p (id INTEGER PRIMARY KEY, a TEXT, b TEXT); INSERT INTO p VALUES (1, 'x', 'y');
      CREATE VIEW v AS SELECT * FROM p;
      CREATE TRIGGER set_a INSTEAD OF UPDATE OF a ON v BEGIN UPDATE p SET a = new.a WHERE id = old.id; END;
      CREATE TRIGGER adds INSTEAD OF INSERT ON v BEGIN SELECT RAISE(ABORT, 'No more.') WHERE new.a = 'stop'; INSERT INTO p (a) VALUES (new.a); END;
      CREATE TRIGGER keep INSTEAD OF DELETE ON v BEGIN SELECT RAISE(IGNORE); END`);
    const { send, errors } = service;
    expect((await send("PATCH", "/v/1", { a: "z" })).json).toEqual({ v: { url: "/v/1", id: 1, a: "z", b: "y" } });
    const other = await send("PATCH", "/v/1", { b: "z" });
    expect([other.status, other.text]).toEqual([422, expect.stringContaining("takes a change of just b.")]);
    const stop = await send("POST", "/v", { a: "stop" });
    expect([stop.status, stop.text]).toEqual([422, expect.stringContaining("No more.")]);
    expect((await send("DELETE", "/v/1")).status).toBe(409);
    expect(errors).toEqual([]);
  });
});

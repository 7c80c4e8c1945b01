import { describe, expect, test } from "vitest";
import { serve } from "./service.ts";

const tables = `CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT, j JSON, b BLOB, f REAL);
  CREATE TABLE tags (tag TEXT PRIMARY KEY NOT NULL, n INT)`;

describe("A body with half of a character", () => {
  test.each([
    ["/notes", '{"body":"a\\ud800"}', "body"],
    ["/notes", '{"body":"\\udfffb"}', "body"],
    ["/notes", '{"j":{"a":["x\\udc01"]}}', "j"],
    ["/notes", '{"j":{"\\ud9ff":1}}', "j"],
    ["/notes", '{"j":"\\ud800"}', "j"],
    ["/tags", '{"tag":"\\ud801","n":1}', "tag"],
    ["/notes", '{"x\\ud800":1}', "x\ufffd"],
  ])("is refused, and the column named: %s %s", async (url, body, field) => {
    const { send, other } = await serve(tables);
    const answer = await send("POST", url, body);
    expect([answer.status, answer.json]).toEqual([
      422,
      expect.objectContaining({ errors: [expect.objectContaining({ field })] }),
    ]);
    expect(other.prepare("SELECT (SELECT count(*) FROM notes) + (SELECT count(*) FROM tags) AS n").get()).toEqual({
      n: 0,
    });
  });

  test("is taken where it is a whole one, or a text that speaks of one", async () => {
    const { send } = await serve(tables);
    const sent = '{"body":"\\ud83d\\ude00","j":{"a":"\\\\ud800","b":"\\ud83d\\ude00"}}';
    expect((await send("POST", "/notes", sent)).status).toBe(201);
  });
});

describe("What a row has already", () => {
  test("stays where it is sent as it is shown: a text that is not UTF-8, too", async () => {
    const { send, other } = await serve(`${tables};
      INSERT INTO notes VALUES (1, CAST(x'636166e9' AS TEXT), CAST(x'7b2261223a22e922' || x'7d' AS TEXT), x'e900', 1.5),
        (2, CAST(x'eda080' AS TEXT), NULL, NULL, 2), (3, CAST(x'6100ff' AS TEXT), '1', x'', -0.0)`);
    const stored = () => other.prepare("SELECT id, hex(body), hex(j), hex(b), f FROM notes").raw().all();
    const before = stored();
    for (const id of [1, 2, 3]) {
      const { text } = await send("GET", `/notes/${id}`);
      expect((await send("PUT", `/notes/${id}`, text)).text).toBe(text);
      expect((await send("PATCH", `/notes/${id}`, text)).status).toBe(200);
    }
    expect(stored()).toEqual(before);
    expect((await send("PATCH", "/notes/1", { f: 2.5 })).status).toBe(200);
    expect(stored()[0]).toEqual([1, "636166E9", "7B2261223A22E9227D", "E900", 2.5]);
  });

  test("breaks no rule anew: a foreign key that names nothing", async () => {
    const { send, other } = await serve(`CREATE TABLE a (id INTEGER PRIMARY KEY);
      CREATE TABLE b (id INTEGER PRIMARY KEY, a INT REFERENCES a, t TEXT);
      PRAGMA foreign_keys = OFF; INSERT INTO b VALUES (1, 99, 'x')`);
    const { text } = await send("GET", "/b/1");
    expect((await send("PUT", "/b/1", text)).status).toBe(200);
    expect((await send("PATCH", "/b/1", { a: 99, t: "y" })).status).toBe(200);
    expect((await send("PATCH", "/b/1", { a: 98 })).status).toBe(409);
    expect(other.prepare("SELECT a, t FROM b").raw().all()).toEqual([[99, "y"]]);
  });
});

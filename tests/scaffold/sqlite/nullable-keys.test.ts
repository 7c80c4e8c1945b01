import { describe, expect, test } from "vitest";
import { itemUrl, parseItems } from "../../../src/protocol/index.ts";
import { serve } from "./service.ts";

const tables = `CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT);
  CREATE TABLE seats (number INT PRIMARY KEY, who TEXT);
  CREATE TABLE marks (pupil TEXT, course TEXT, mark INTEGER, PRIMARY KEY (pupil, course))`;

describe("A record whose key may be null", () => {
  test.each([
    ["/notes/abc", { body: "x" }, { id: "abc", body: "x" }],
    ["/notes/5", { body: "x" }, { id: "5", body: "x" }],
    ["/notes/rowid%3D1", { body: "x" }, { id: "rowid=1", body: "x" }],
    ["/seats/7", { who: "Ann" }, { number: 7, who: "Ann" }],
    ["/marks/Ann,Maths%2C%20A", { mark: 1 }, { pupil: "Ann", course: "Maths, A", mark: 1 }],
  ])("is put, read, changed and deleted at its key: %s", async (url, body, record) => {
    const { send } = await serve(tables);
    const put = await send("PUT", url, body);
    expect([put.status, put.field("Location"), put.json]).toEqual([
      201,
      url,
      { [url.split("/")[1]?.slice(0, -1) ?? ""]: { url, rowid: 1, ...record } },
    ]);
    const get = await send("GET", url);
    expect([get.status, get.text, get.view?.record]).toEqual([200, put.text, url]);
    expect((await send("PUT", url, get.text)).text).toBe(get.text);
    expect((await send("PATCH", url, { [Object.keys(body)[0] ?? ""]: null })).status).toBe(200);
    expect((await send("DELETE", url)).status).toBe(204);
    expect((await send("GET", url)).status).toBe(404);
  });

  test("is addressed by its rowid where the key is null, and only there", async () => {
    const { send } = await serve(`${tables}; INSERT INTO notes VALUES (NULL, 'a'), ('k', 'b'), (NULL, 'c')`);
    const list = await send("GET", "/notes");
    const urls = (list.json as { notes: { url: string }[] }).notes.map(({ url }) => url);
    expect(urls).toEqual(["/notes/rowid=1", "/notes/k", "/notes/rowid=3"]);
    for (const url of urls) expect((await send("GET", url)).status).toBe(200);
    for (const url of ["/notes/rowid=2", "/notes/1", "/notes/rowid=9", "/notes/rowid%3D1"]) {
      expect((await send("GET", url)).status).toBe(404);
    }
    const items = parseItems(list.field("Items") ?? "");
    const rows = (list.json as { notes: object[] }).notes;
    expect(rows.map((row) => items && itemUrl(items, row, "/notes"))).toEqual(urls);
  });

  test("keeps its key in a write to several, and in an upsert by another column", async () => {
    const { send } = await serve(
      "CREATE TABLE u (id TEXT PRIMARY KEY, handle TEXT UNIQUE, n INT); INSERT INTO u VALUES ('2', 'ann', 1), (NULL, 'ben', 1)",
    );
    const other = { errors: [{ field: "id", detail: "The key is given by the URL and can't be changed." }] };
    const upsert = (body: object) =>
      send("POST", "/u?on_conflict=handle", body, { Prefer: "resolution=merge-duplicates" });
    const refused = [await send("PATCH", "/u?id=eq.2", { id: "78" }), await upsert({ id: "42", handle: "ann", n: 2 })];
    expect(refused.map(({ status, json }) => [status, json])).toMatchObject([
      [422, other],
      [422, other],
    ]);
    expect((await send("PATCH", "/u?id=eq.2", { id: "2", n: 3 })).json).toMatchObject({ u: [{ id: "2", n: 3 }] });
    expect((await upsert({ id: "2", handle: "ann", n: 4 })).json).toMatchObject({ u: { id: "2", n: 4 } });
    // One without a key gets one.
    expect((await upsert({ id: "7", handle: "ben" })).json).toMatchObject({ u: { url: "/u/7", handle: "ben" } });
  });

  test("moves to its key's URL when it gets one", async () => {
    const { send, scaffold, other } = await serve(`${tables}; INSERT INTO notes VALUES (NULL, 'a')`);
    const seen: string[] = [];
    scaffold.journal?.tail(({ changes }) => seen.push(...changes.map(({ kind, url }) => `${kind} ${url}`)));
    const answer = await send("PATCH", "/notes/rowid=1", { id: "k" });
    expect([answer.status, answer.field("Content-Location")]).toEqual([200, "/notes/k"]);
    other.exec("UPDATE notes SET body = 'b'; UPDATE notes SET id = 'm'; UPDATE notes SET id = NULL");
    await scaffold.journal?.poll();
    expect(seen).toEqual([
      "delete /notes/rowid=1",
      "create /notes/k",
      "update /notes/k",
      "delete /notes/k",
      "create /notes/m",
      "delete /notes/m",
      "create /notes/rowid=1",
    ]);
  });

  test.each([
    ["the same key", "REPLACE INTO notes VALUES ('k', 'b')", ["update /notes/k"]],
    ["the same key and rowid", "REPLACE INTO notes (rowid, id, body) VALUES (1, 'k', 'b')", ["update /notes/k"]],
    ["its rowid", "REPLACE INTO notes (rowid, id) VALUES (1, 'm')", ["delete /notes/k", "create /notes/m"]],
    ["two", "REPLACE INTO notes (rowid, id) VALUES (2, 'k')", ["delete /notes/rowid=2", "update /notes/k"]],
    ["a nameless one", "REPLACE INTO notes (rowid, body) VALUES (2, 'c')", ["update /notes/rowid=2"]],
    [
      "another's key",
      "UPDATE OR REPLACE notes SET id = 'k' WHERE id IS NULL",
      ["delete /notes/rowid=2", "update /notes/k"],
    ],
    ["its own rowid", "UPDATE notes SET rowid = 9 WHERE id = 'k'", ["update /notes/k"]],
    [
      "a nameless one's rowid",
      "UPDATE notes SET rowid = 9 WHERE id IS NULL",
      ["delete /notes/rowid=2", "create /notes/rowid=9"],
    ],
    ["half a key", "UPDATE marks SET course = 'B'", ["update /marks/rowid=1"]],
  ])("is told by its URL where a write displaces %s", async (_, sql, said) => {
    const { scaffold, other } = await serve(
      `${tables}; INSERT INTO notes VALUES ('k', 'a'), (NULL, 'n'); INSERT INTO marks VALUES (NULL, 'A', 1)`,
    );
    const seen: string[] = [];
    scaffold.journal?.tail(({ changes }) => seen.push(...changes.map(({ kind, url }) => `${kind} ${url}`)));
    other.exec(sql);
    await scaffold.journal?.poll();
    expect(seen).toEqual(said);
  });
});

describe("A rowid that rows show", () => {
  test.each([
    ["of a table without a key", "CREATE TABLE t (a TEXT)", "rowid"],
    ["of a table whose key may be null", "CREATE TABLE t (a TEXT PRIMARY KEY)", "rowid"],
    ["under the name that no column has", "CREATE TABLE t (a TEXT, RowId TEXT)", "_rowid_"],
  ])("can be filtered and sorted by, and followed so, %s", async (_, sql, name) => {
    const { send, scaffold, other } = await serve(`${sql}; INSERT INTO t (a) VALUES ('p'), ('q'), (NULL)`);
    const get = await send("GET", `/t?${name}=2`);
    expect((get.json as { t: { a: string }[] }).t.map(({ a }) => a)).toEqual(["q"]);
    expect(get.view?.equals).toEqual([[name, 2]]);
    const sorted = await send("GET", `/t?order=${name}.desc`);
    expect((sorted.json as { t: { a: string }[] }).t.map(({ a }) => a)).toEqual([null, "q", "p"]);
    const seen: unknown[] = [];
    scaffold.journal?.tail(({ changes }) =>
      seen.push(...changes.map(({ before, after }) => [before?.[name], after?.[name]])),
    );
    other.exec("UPDATE t SET a = 'r' WHERE a = 'q'; DELETE FROM t WHERE a IS NULL");
    await scaffold.journal?.poll();
    expect(seen.slice(-1)).toEqual([[3, undefined]]);
    expect(seen.flat()).toContain(2);
  });

  test("is no filter where rows don't show it", async () => {
    const { send } = await serve("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)");
    const get = await send("GET", "/t?rowid=2");
    expect([get.status, get.json]).toMatchObject([400, { detail: 'There is no column "rowid"; there are id, a.' }]);
  });
});

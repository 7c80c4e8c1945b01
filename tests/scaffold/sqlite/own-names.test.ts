import { describe, expect, test } from "vitest";
import { itemUrl, parseItems } from "../../../src/protocol/index.ts";
import { serve } from "./service.ts";

/** What the journal says of each change from now on. */
type Seen = string[];

function watch({ scaffold }: Awaited<ReturnType<typeof serve>>): Seen {
  const seen: Seen = [];
  scaffold.journal?.tail(({ changes }) => seen.push(...changes.map(({ kind, url }) => `${kind} ${url}`)));
  return seen;
}

describe("The URL of a record beside a column named url", () => {
  test.each([
    ["the column is the key", "p (url TEXT PRIMARY KEY NOT NULL, n)", "('',1), ('.',2), ('..',3), ('a/b',4)"],
    ["the key is a text", "p (id TEXT PRIMARY KEY NOT NULL, url TEXT)", "('', '/p/x'), ('x', NULL), ('..', '/p/key=')"],
    ["the key may be null", "p (id TEXT PRIMARY KEY, url TEXT)", "(NULL, '/p/x'), ('x', ''), (NULL, 'y'), ('1', 'z')"],
    [
      "the key has parts",
      "p (a, b, url, PRIMARY KEY (a, b)) WITHOUT ROWID",
      "(1, '', 'q'), ('1', '', 'q'), ('', '', '')",
    ],
    ["the column is a key without a type", "p (url PRIMARY KEY)", "(1), ('1'), (x'31'), (NULL), ('')"],
    ["_url is a column, too", 'p (url TEXT PRIMARY KEY NOT NULL, "_URL" TEXT)', "('', 'a'), ('b', '/p/key=')"],
  ])("is one and the record's own, where %s", async (_, table, rows) => {
    const service = await serve(`CREATE TABLE ${table}; INSERT INTO p VALUES ${rows}`);
    const { send, other } = service;
    const list = await send("GET", "/p");
    const items = parseItems(list.field("Items") ?? "") ?? {};
    const shown = (list.json as { p: object[] }).p;
    const urls = shown.map((row) => itemUrl(items, row, "/p") ?? "");
    expect(new Set(urls).size).toBe(shown.length);
    expect(urls).not.toContain("");
    for (const [at, url] of urls.entries()) {
      const get = await send("GET", url);
      expect([url, get.json]).toEqual([url, { p: shown[at] }]);
      expect([url, get.view?.record]).toEqual([url, url]);
      expect((await send("PUT", url, get.text)).text).toBe(get.text);
    }
    const seen = watch(service);
    other.exec("DELETE FROM p");
    await service.scaffold.journal?.poll();
    expect(new Set(seen)).toEqual(new Set(urls.map((url) => `delete ${url}`)));
  });

  test.each([
    ["a (url TEXT PRIMARY KEY NOT NULL)", 'list="/a", record="/a", link="/_url"', { _url: "/a/x%2Fy", url: "x/y" }],
    ["a (url TEXT PRIMARY KEY NOT NULL, _url INT)", undefined, { __url: "/a/x%2Fy", url: "x/y", _url: null }],
    ["a (url INTEGER PRIMARY KEY)", 'list="/a", record="/a", url="/a/{url}"', { url: 7 }],
    ["a (id INTEGER PRIMARY KEY, URL TEXT)", 'list="/a", record="/a", url="/a/{id}"', { id: 1, URL: null }],
    ["a (url TEXT)", 'list="/a", record="/a", url="/a/{rowid}"', { url: "x", rowid: 1 }],
  ])("stands in a member of its own where the key gives none: %s", async (table, items, row) => {
    const { send, other } = await serve(`CREATE TABLE ${table}`);
    const { _url, __url, ...values } = { _url: undefined, __url: undefined, ...row } as Record<string, unknown>;
    other.exec(`INSERT INTO a (${Object.keys(values)[0]}) VALUES ('${Object.values(values)[0]}')`);
    const list = await send("GET", "/a");
    expect(list.json).toEqual({ a: [row] });
    expect(list.field("Items")).toBe(items ?? 'list="/a", record="/a", link="/__url"');
  });

  test("is nothing in a new record, and must be the record's in another", async () => {
    const { send } = await serve("CREATE TABLE a (url TEXT PRIMARY KEY NOT NULL, n INT)");
    const made = await send("POST", "/a", { _url: "/a/other", url: "x", n: 1 });
    expect([made.status, made.field("Location")]).toEqual([201, "/a/x"]);
    expect((await send("PATCH", "/a/x", { _url: "/a/x", n: 2 })).status).toBe(200);
    expect((await send("PATCH", "/a/x", { _url: "/a/y", n: 3 })).json).toMatchObject({
      status: 422,
      errors: [{ field: "_url", detail: "This is not the record's URL." }],
    });
  });

  test("never swallows a value that was meant for a column written in another case", async () => {
    const { send, other } = await serve("CREATE TABLE a (id INTEGER PRIMARY KEY, URL TEXT, Name TEXT)");
    const answer = await send("POST", "/a", { url: "http://x.example/", name: "x" });
    expect([answer.status, answer.json]).toMatchObject([
      422,
      {
        errors: [
          { field: "url", detail: 'There is no such column; there is "URL".' },
          { field: "name", detail: 'There is no such column; there is "Name".' },
        ],
      },
    ]);
    expect(other.prepare("SELECT count(*) FROM a").pluck().get()).toBe(0);
  });

  test("follows a key that changes", async () => {
    const service = await serve("CREATE TABLE t (id TEXT PRIMARY KEY, url TEXT); INSERT INTO t VALUES ('k', 'x')");
    const seen = watch(service);
    service.other.exec("UPDATE t SET id = 'm'; REPLACE INTO t VALUES ('m', 'y'); UPDATE t SET id = NULL");
    await service.scaffold.journal?.poll();
    expect(seen).toEqual([...["delete /t/k", "create /t/m", "update /t/m"], ...["delete /t/m", "create /t/rowid=2"]]);
  });
});

describe("A record's envelope", () => {
  test.each([
    ["t", "t", "t_record"],
    ["pages", "page", "page_record"],
  ])("has no name of a column for JSON: /%s with %s", async (table, column, envelope) => {
    const { send } = await serve(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, "${column}" JSON, n INT)`);
    const url = `/${table}/1`;
    const made = await send("POST", `/${table}`, { [column]: { id: 5 } });
    expect(made.json).toEqual({ [envelope]: { url, id: 1, [column]: { id: 5 }, n: null } });
    const get = await send("GET", url);
    expect(get.field("Items")).toBe(`record="/${envelope}"`);
    expect((await send("GET", `/${table}`)).field("Items")).toBe(
      `list="/${table}", record="/${envelope}", url="/${table}/{id}"`,
    );
    expect((await send("PUT", url, get.text)).text).toBe(get.text);
    await send("PATCH", url, { [envelope]: { n: 2 } });
    const patched = await send("PATCH", url, { [column]: { n: 3 } });
    expect(patched.json).toEqual({ [envelope]: { url, id: 1, [column]: { id: 5, n: 3 }, n: 2 } });
    expect((await send("PUT", `/${table}/2`, { [column]: {} })).json).toMatchObject({
      [envelope]: { [column]: {} },
    });
  });

  test("has a name where the table's is nothing but the plural's ending", async () => {
    const { send } = await serve("CREATE TABLE s (id INTEGER PRIMARY KEY, n INT)");
    expect((await send("POST", "/s", { s: { n: 1 } })).json).toEqual({ s: { url: "/s/1", id: 1, n: 1 } });
    expect((await send("GET", "/s")).field("Items")).toBe('list="/s", record="/s", url="/s/{id}"');
  });

  test("keeps its name where no object can be meant for the column", async () => {
    const { send } = await serve("CREATE TABLE tags (id INTEGER PRIMARY KEY, tag TEXT)");
    expect((await send("POST", "/tags", { tag: { tag: "x" } })).json).toEqual({
      tag: { url: "/tags/1", id: 1, tag: "x" },
    });
    expect((await send("PATCH", "/tags/1", { tag: "y" })).json).toMatchObject({ tag: { tag: "y" } });
  });
});

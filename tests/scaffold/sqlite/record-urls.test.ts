import { describe, expect, test } from "vitest";
import { itemUrl, parseItems } from "../../../src/protocol/index.ts";
import { serve } from "./service.ts";

describe("Record URLs", () => {
  const keysSql = `
    CREATE TABLE texts (name TEXT PRIMARY KEY NOT NULL, n INTEGER) WITHOUT ROWID;
    INSERT INTO texts VALUES ('a b', 1), ('a/b,c', 2), ('ü!''()*~', 3), ('', 4), ('A', 5), ('a', 6), ('.', 7), ('..', 8), ('key=.', 9), ('...', 10);
    CREATE TABLE pairs (a TEXT NOT NULL, "b-b" INTEGER NOT NULL, PRIMARY KEY (a, "b-b"));
    INSERT INTO pairs VALUES ('x,y', 1), ('x', 2);
    CREATE TABLE loose (x TEXT); INSERT INTO loose VALUES ('p'), ('p');
    CREATE TABLE bytes (id BLOB PRIMARY KEY NOT NULL); INSERT INTO bytes VALUES (x'fbff'), (x'');
    CREATE TABLE flags (id BOOLEAN PRIMARY KEY NOT NULL); INSERT INTO flags VALUES (0), (1), (2);
    CREATE TABLE big (id INTEGER PRIMARY KEY); INSERT INTO big VALUES (9007199254740993), (-5);
    CREATE TABLE reals (id REAL PRIMARY KEY NOT NULL); INSERT INTO reals VALUES (0.5), (1e21), (2), (9e999);
    CREATE TABLE links (url TEXT PRIMARY KEY NOT NULL); INSERT INTO links VALUES ('https://a.example/?b=c&d');
    CREATE TABLE "odd name's" (id INTEGER PRIMARY KEY); INSERT INTO "odd name's" VALUES (1);
    CREATE TABLE documents (id JSON PRIMARY KEY NOT NULL); INSERT INTO documents VALUES ('{"a":1}');
  `;

  test("made from Items over a snapshot's rows are those that GET answers and that rows carry", async () => {
    const { send, scaffold } = await serve(keysSql);
    const seen: string[] = [];

    for (const { path } of await scaffold.collections()) {
      const answer = await send("GET", path);
      const items = parseItems(answer.field("Items") ?? "");
      const [rows] = Object.values(answer.json as Record<string, Record<string, unknown>[]>);
      for (const row of rows ?? []) {
        const url = itemUrl(items ?? {}, row, path) ?? "";
        const record = await send("GET", url);
        expect([url, record.status]).toEqual([url, 200]);
        expect(record.view?.record).toBe(url);
        expect(Object.values(record.json as object)[0]).toEqual(row);
        if (path !== "/links") expect(row.url).toBe(url);
        seen.push(url);
      }
    }

    expect(seen).toContain("/texts/a%2Fb%2Cc");
    for (const part of ["key=", "key=.", "key=..", "key%3D.", "..."]) expect(seen).toContain(`/texts/${part}`);
    for (const part of ["", ".", ".."]) expect((await send("GET", `/texts/${part}`)).status).toBe(404);
    expect(seen).toContain("/bytes/key=");
    expect(seen).toContain("/pairs/x%2Cy,1");
    expect(seen).toContain("/loose/2");
    expect(seen).toContain("/bytes/%2B%2F8%3D");
    expect(seen).toContain("/flags/true");
    expect(seen).toContain("/links/https%3A%2F%2Fa.example%2F%3Fb%3Dc%26d");
    expect(seen).toContain("/odd%20name%27s/1");
    expect(seen).toHaveLength(28);
  });

  test("of a table without a key end in its rowid, which its rows show", async () => {
    const { send } = await serve(keysSql);

    expect((await send("GET", "/loose/2")).json).toEqual({ loose: { url: "/loose/2", x: "p", rowid: 2 } });
  });

  test("is the row's own where its key is a column without a name, which no template can give", async () => {
    const { send } = await serve(`CREATE TABLE t ("" INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 2)`);
    const answer = await send("GET", "/t");
    expect(answer.field("Items")).toBe('list="/t", record="/t", link="/url"');
    expect(answer.json).toEqual({ t: [{ url: "/t/1", "": 1, v: 2 }] });
  });
});

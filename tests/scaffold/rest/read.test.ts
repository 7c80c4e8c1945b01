import { describe, expect, test } from "vitest";
import {
  compareByItemOrder,
  itemUrl,
  parseAnyItems,
  parseItemOrder,
  parseItems,
  resolvePointer,
} from "../../../src/protocol/index.ts";
import { type EngineSql, here, musicSql, serve } from "./service.ts";

describe("GET", () => {
  test("of / lists the collections with their URLs", async () => {
    const { send } = await serve(musicSql);

    const answer = await send("GET", "/");

    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      collections: [
        { name: "artists", url: "/artists" },
        { name: "albums", url: "/albums" },
      ],
    });
    expect(answer.view).toBeUndefined();
  });

  test("of a collection answers its records with what a subscriber needs", async () => {
    const { send } = await serve(musicSql);

    const answer = await send("GET", "/albums");

    expect(answer.status).toBe(200);
    expect(answer.text).toBe(
      '{"albums":[{"url":"/albums/1","id":1,"artist_id":1,"title":"Autobahn"},' +
        '{"url":"/albums/2","id":2,"artist_id":2,"title":"Tago Mago"}]}',
    );
    expect(answer.field("Content-Type")).toBe("application/json");
    expect(answer.field("Items")).toBe('list="/albums", record="/album", url="/albums/{id}"');
    expect(answer.field("Item-Order")).toBe("id.asc-number");
    expect(answer.field("ETag")).toMatch(/^"[\w-]{20}"$/);
    expect(answer.field("Event-ID")).toBe(answer.view?.eventId);
    expect(answer.view).toMatchObject({ url: "/albums", collection: "/albums", equals: [] });
    expect(answer.view?.position).toBeTypeOf("number");
  });

  test("of a record answers it in its envelope", async () => {
    const { send } = await serve(musicSql);

    const answer = await send("GET", "/artists/1");

    expect(answer.json).toEqual({
      artist: { url: "/artists/1", id: 1, name: "Kraftwerk", genre: "electronic", year: 1970, active: true },
    });
    expect(answer.view).toMatchObject({ url: "/artists/1", collection: "/artists", record: "/artists/1", equals: [] });
    expect(answer.field("Event-ID")).toBe(answer.view?.eventId);
    expect(answer.field("ETag")).toBeDefined();
  });

  test("of a record says where in its body the record is [R-FLD-2] [R-FLD-3]", async () => {
    const { send } = await serve(
      'CREATE TABLE "künstler/in" (id INTEGER PRIMARY KEY); INSERT INTO "künstler/in" VALUES (1)',
    );

    const answer = await send("GET", "/k%C3%BCnstler%2Fin/1");

    const pointer = parseAnyItems(answer.field("Items") ?? "")?.record;
    expect(parseItems(answer.field("Items") ?? "")).toBeUndefined();
    expect(resolvePointer(answer.json, pointer ?? "")).toMatchObject({ id: 1 });
  });

  test.each([
    "/nothing",
    "/artists/99",
    "/artists/abc",
    "/artists/",
    "/artists/1/songs",
    "/sqlite_schema",
    "/pg_class",
    "//artists",
  ])("of %s is 404", async (target) => {
    const { send } = await serve(musicSql);

    const answer = await send("GET", target);

    expect(answer.status).toBe(404);
    expect(answer.field("Content-Type")).toBe("application/problem+json");
    expect(answer.json).toMatchObject({ type: "about:blank", title: "Not Found", status: 404 });
  });

  test("of a malformed URL is 400", async () => {
    const { send } = await serve(musicSql);

    expect((await send("GET", "/%zz")).status).toBe(400);
    expect((await send("GET", "/artists?name=%zz")).status).toBe(400);
    expect((await send("GET", "artists")).status).toBe(400);
  });

  test("that does not accept JSON is 406, and one that does is not", async () => {
    const { send } = await serve(musicSql);
    const statusOf = async (accept: string) => (await send("GET", "/artists", undefined, { Accept: accept })).status;

    expect(await statusOf("text/html")).toBe(406);
    expect(await statusOf("text/html, */*;q=0")).toBe(406);
    expect(await statusOf("text/html, application/*;q=0.5")).toBe(200);
    expect(await statusOf("*/*")).toBe(200);
    expect(await statusOf("application/json; q=1")).toBe(200);
  });

  test("of a table that another program has just made finds it", async () => {
    const { send, run } = await serve(musicSql);
    await run("CREATE TABLE labels (id INTEGER PRIMARY KEY); INSERT INTO labels VALUES (7)");

    const answer = await send("GET", "/labels");

    expect(answer.json).toEqual({ labels: [{ url: "/labels/7", id: 7 }] });
  });

  test("of a table that another program has changed shows it as it is now", async () => {
    const { send, run } = await serve(musicSql);
    await send("GET", "/albums");
    await run("ALTER TABLE albums ADD COLUMN year INTEGER; UPDATE albums SET year = 1974 WHERE id = 1");

    const answer = await send("GET", "/albums/1");

    expect(answer.json).toEqual({
      album: { url: "/albums/1", id: 1, artist_id: 1, title: "Autobahn", year: 1974 },
    });
  });
});

describe("HEAD", () => {
  test("of a collection has the fields and the view of the GET, and no body", async () => {
    const { send } = await serve(musicSql);

    const get = await send("GET", "/artists?genre=rock&order=name");
    const head = await send("HEAD", "/artists?genre=rock&order=name");

    expect(head.status).toBe(200);
    expect(head.body).toBe("");
    expect({ ...head.view, room: undefined }).toEqual({ ...get.view, room: undefined });
    expect(head.view?.room?.rows).toBe(get.view?.room?.rows);
    expect(head.field("Items")).toBe(get.field("Items"));
    expect(head.field("Item-Order")).toBe("name.asc,id.asc-number");
    expect(head.field("Event-ID")).toBe(get.field("Event-ID"));
  });

  test("of a record is as the GET without its body, and 404 where there is none", async () => {
    const { send } = await serve(musicSql);

    const head = await send("HEAD", "/artists/1");
    const get = await send("GET", "/artists/1");

    expect(head.fields).toEqual(get.fields);
    expect(head.view).toEqual(get.view);
    expect(head.body).toBe("");
    expect((await send("HEAD", "/artists/99")).status).toBe(404);
  });
});

describe("Record URLs", () => {
  const keysSql: EngineSql = {
    sqlite: `
      CREATE TABLE texts (name TEXT PRIMARY KEY NOT NULL, n INTEGER) WITHOUT ROWID;
      CREATE TABLE pairs (a TEXT NOT NULL, "b-b" INTEGER NOT NULL, PRIMARY KEY (a, "b-b"));
      CREATE TABLE bytes (id BLOB PRIMARY KEY NOT NULL); INSERT INTO bytes VALUES (x'fbff'), (x'');
      CREATE TABLE flags (id BOOLEAN PRIMARY KEY NOT NULL); INSERT INTO flags VALUES (0), (1);
      CREATE TABLE big (id INTEGER PRIMARY KEY);`,
    postgres: `
      CREATE TABLE texts (name text PRIMARY KEY, n int);
      CREATE TABLE pairs (a text, "b-b" int, PRIMARY KEY (a, "b-b"));
      CREATE TABLE bytes (id bytea PRIMARY KEY); INSERT INTO bytes VALUES ('\\xfbff'), ('');
      CREATE TABLE flags (id boolean PRIMARY KEY); INSERT INTO flags VALUES (false), (true);
      CREATE TABLE big (id bigint PRIMARY KEY);`,
  };
  const rowsSql = `
    INSERT INTO texts VALUES ('a b', 1), ('a/b,c', 2), ('ü!''()*~', 3), ('', 4), ('A', 5), ('a', 6), ('.', 7), ('..', 8),
      ('key=.', 9), ('...', 10);
    INSERT INTO pairs VALUES ('x,y', 1), ('x', 2); INSERT INTO big VALUES (9007199254740993), (-5);
    CREATE TABLE links (url TEXT PRIMARY KEY NOT NULL); INSERT INTO links VALUES ('https://a.example/?b=c&d');
    CREATE TABLE "odd name's" (id INTEGER PRIMARY KEY); INSERT INTO "odd name's" VALUES (1);
  `;

  test("made from Items over a snapshot's rows are those that GET answers and that rows carry", async () => {
    const { send, run, scaffold } = await serve(keysSql);
    await run(rowsSql);
    await send("GET", "/links");
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
    expect(seen).toContain("/bytes/%2B%2F8%3D");
    expect(seen).toContain("/flags/true");
    expect(seen).toContain("/links/https%3A%2F%2Fa.example%2F%3Fb%3Dc%26d");
    expect(seen).toContain("/odd%20name%27s/1");
    expect(seen).toHaveLength(20);
  });

  test("with a key in another spelling give the record's own URL", async () => {
    const { send } = await serve(musicSql);

    const answer = await send("GET", "/artists/%30%31");

    expect(answer.view?.url).toBe("/artists/1");
  });
});

describe("Item-Order", () => {
  const sql: EngineSql = {
    sqlite: "CREATE TABLE things (id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE, b REAL, c BOOLEAN, d BLOB)",
    // NULL stands at another end there, and NaN at none: then the order is not told.
    postgres: `CREATE TABLE things (id serial PRIMARY KEY, a text NOT NULL, b bigint NOT NULL, c boolean NOT NULL,
      d bytea NOT NULL DEFAULT '')`,
  };
  const yes = here({ sqlite: "1", postgres: "true" });
  const no = here({ sqlite: "0", postgres: "false" });
  const rows = `INSERT INTO things (a, b, c) VALUES ('b', 1, ${yes}), ('B', -2.5, ${no}), ('a', 1e9, ${yes}),
    ('\u{1f600}', 0, ${no}), ('\uffee', 3, ${yes}), ('', 2, ${no}),
    ${here({ sqlite: "(NULL, NULL, NULL), ('b', 2, NULL)", postgres: "('c', 7, true), ('b', 2, false)" })}`;

  test.each(["", "a", "a.desc", "b.desc,a", "c,b", "c.desc,a.desc", "id.desc"])(
    "holds for the records of order=%s",
    async (order) => {
      const { send, run } = await serve(sql);
      await run(rows);

      const answer = await send("GET", order === "" ? "/things" : `/things?order=${order}`);

      const { things } = answer.json as { things: object[] };
      const sorted = [...things]
        .reverse()
        .sort(compareByItemOrder(parseItemOrder(answer.field("Item-Order") ?? "") ?? []));
      expect(things).toHaveLength(8);
      expect(things).toEqual(sorted);
    },
  );

  test("says how the columns compare whose JSON alone does not tell [R-FLD-5]", async () => {
    const { send } = await serve(sql);

    expect((await send("GET", "/things?order=d,c.desc,b")).field("Item-Order")).toBe(
      `d.asc-bytes,c.desc-number,b.asc${here({ sqlite: "", postgres: "-number" })},id.asc-number`,
    );
  });
});

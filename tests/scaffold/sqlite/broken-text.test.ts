import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createClient } from "../../../src/client/index.ts";
import { createServer } from "../../../src/node/index.ts";
import { serve } from "./service.ts";

/** Texts as SQL, most of which are not UTF-8: a lone byte, halves of characters, surrogates, U+FFFD itself. */
const texts = ["e9", "ea", "efbfbd", "e282", "e4b880", "eda080", "6100e9", "610062", "80", "c3a9", "ff", "6f6b"].map(
  (bytes) => `CAST(x'${bytes}' AS TEXT)`,
);

interface Row {
  readonly url: string;
  readonly v: number;
}

describe("The URL of a record whose key is a text that is not UTF-8", () => {
  test.each([
    ["never null", "CREATE TABLE u (k TEXT PRIMARY KEY NOT NULL, v INT)"],
    ["maybe null", "CREATE TABLE u (k TEXT PRIMARY KEY, v INT)"],
    ["without a rowid", "CREATE TABLE u (k TEXT PRIMARY KEY, v INT) WITHOUT ROWID"],
    ["without a type", "CREATE TABLE u (k PRIMARY KEY NOT NULL, v INT)"],
    ["of a column for bytes", "CREATE TABLE u (k BLOB PRIMARY KEY NOT NULL, v INT)"],
    ["of a column for numbers", "CREATE TABLE u (k NUMERIC PRIMARY KEY NOT NULL, v INT)"],
    ["one part of two", "CREATE TABLE u (n INT NOT NULL DEFAULT 1, k TEXT NOT NULL, v INT, PRIMARY KEY (n, k))"],
  ])("leads to that record alone: %s", async (_, create) => {
    const inserts = texts.map((text, v) => `INSERT INTO u (k, v) VALUES (${text}, ${v})`).join(";");
    const { send, scaffold, other } = await serve(`${create}; ${inserts}`);
    const seen: string[] = [];
    scaffold.journal?.tail(({ changes }) => seen.push(...changes.map(({ kind, url }) => `${kind} ${url}`)));
    const stored = () => other.prepare("SELECT hex(k), v FROM u ORDER BY v").raw().all();
    const rows = ((await send("GET", "/u")).json as { u: Row[] }).u.sort((a, b) => a.v - b.v);
    expect(new Set(rows.map(({ url }) => url)).size).toBe(texts.length);
    const before = stored();
    for (const { url } of rows) {
      const get = await send("GET", url);
      expect([url, get.json]).toEqual([url, { u: rows.find((row) => row.url === url) }]);
      expect([url, get.view?.record]).toEqual([url, url]);
      expect([url, (await send("PUT", url, get.text)).text]).toEqual([url, get.text]);
    }
    expect(stored()).toEqual(before);
    for (const { url, v } of rows) {
      expect((await send("PATCH", url, { v: v + 100 })).json).toMatchObject({ u: { url, v: v + 100 } });
      expect(stored()).toContainEqual([texts[v]?.replace(/.*'(.*)'.*/, "$1").toUpperCase(), v + 100]);
    }
    for (const { url } of rows) expect((await send("DELETE", url)).status).toBe(204);
    expect(stored()).toEqual([]);
    await scaffold.journal?.poll();
    const urls = rows.map(({ url }) => url);
    expect(seen).toEqual([...urls.map((url) => `update ${url}`), ...urls.map((url) => `delete ${url}`)]);
  });

  test("has the bytes, and is made for nothing else", async () => {
    const { send, other } = await serve("CREATE TABLE u (k TEXT PRIMARY KEY NOT NULL, v INT)");
    other.exec("INSERT INTO u VALUES (CAST(x'636166e9' AS TEXT), 1), ('caf\ufffd', 2), ('ok', 3)");
    const rows = ((await send("GET", "/u")).json as { u: Row[] }).u;
    expect(rows).toEqual([
      { url: "/u/rawtext=Y2Fm6Q%3D%3D", k: "caf\ufffd", v: 1 },
      { url: "/u/caf%EF%BF%BD", k: "caf\ufffd", v: 2 },
      { url: "/u/ok", k: "ok", v: 3 },
    ]);
    expect((await send("GET", "/u?k=caf%EF%BF%BD")).json).toEqual({ u: [rows[1]] });
    // The bytes of "ok" are UTF-8: that is at its own URL only.
    expect((await send("GET", "/u/rawtext=b2s%3D")).status).toBe(404);
    const put = await send("PUT", "/u/rawtext=%2Fw%3D%3D", { v: 4 });
    expect([put.status, put.json]).toMatchObject([422, { detail: "No text is made here that is not UTF-8." }]);
  });

  test("is the new record's, too, where the database makes it", async () => {
    const { send } = await serve("CREATE TABLE u (k TEXT PRIMARY KEY NOT NULL DEFAULT (CAST(x'e9' AS TEXT)), v INT)");
    const made = await send("POST", "/u", { v: 1 });
    expect([made.status, made.field("Location"), made.json]).toEqual([
      201,
      "/u/rawtext=6Q%3D%3D",
      { u: { url: "/u/rawtext=6Q%3D%3D", k: "\ufffd", v: 1 } },
    ]);
  });

  test("is not looked for in a table that has as many columns as can be selected", async () => {
    const columns = Array.from({ length: 1999 }, (_, at) => `c${at}`).join(", ");
    const { send } = await serve(`CREATE TABLE u (k TEXT PRIMARY KEY NOT NULL, ${columns})`);
    expect((await send("PUT", "/u/%C3%A9", {})).status).toBe(201);
    expect((await send("GET", "/u")).json).toMatchObject({ u: [{ url: "/u/%C3%A9", k: "\u00e9", c0: null }] });
  });
});

describe("A list with texts that are not UTF-8", () => {
  test.each(["/u", "/u?order=name.desc", "/u?order=v,name"])("is followed in its order [R-FLD-5]: %s", async (url) => {
    const { scaffold, send, other } = await serve(
      "CREATE TABLE u (k TEXT PRIMARY KEY NOT NULL, name TEXT, v INT); INSERT INTO u VALUES ('ok', 'x', 1), ('z', 'y', 1)",
    );
    const server = createServer(scaffold);
    const { host, port } = await server.listen(0);
    const client = createClient(`http://${host}:${port}`);
    onTestFinished(async () => {
      client.close();
      await server.close();
    });
    const list = client.collection<Row>(url);
    onTestFinished(list.subscribe(() => {}));
    await list.ready();
    const statements = [
      "INSERT INTO u VALUES (CAST(x'ff' AS TEXT), CAST(x'e1' AS TEXT), 1), (CAST(x'e1' AS TEXT), CAST(x'ff' AS TEXT), 1)",
      "INSERT INTO u VALUES (char(0x4e00), char(0x4e00), 1), (char(0x1f600), char(0x1f600), 1)",
      "UPDATE u SET v = 2 WHERE k IN (CAST(x'e1' AS TEXT), char(0x4e00))",
      "DELETE FROM u WHERE k = CAST(x'ff' AS TEXT)",
      "UPDATE u SET name = 'a', k = 'a' || v WHERE k = CAST(x'e1' AS TEXT)",
    ];
    for (const statement of statements) {
      other.exec(statement);
      const { u } = (await send("GET", url)).json as { u: Row[] };
      await vi.waitFor(() => expect(list.getSnapshot().rows).toEqual(u), { timeout: 10_000 });
    }
  });

  test("has bytes for it where texts are compared, and a text where bytes are", async () => {
    const { scaffold, other } = await serve("CREATE TABLE u (k TEXT PRIMARY KEY NOT NULL, name TEXT, b BLOB)");
    const images: unknown[] = [];
    scaffold.journal?.tail(({ changes }) => images.push(...changes.map(({ after }) => ({ ...after }))));
    other.exec("INSERT INTO u VALUES (CAST(x'e9' AS TEXT), CAST(x'61ff' AS TEXT), CAST(x'ea' AS TEXT))");
    other.exec("INSERT INTO u VALUES (char(0xfffd), char(0xfffd), x'ea')");
    await scaffold.journal?.poll();
    expect(images).toEqual([
      { k: Buffer.from([0xe9]), name: Buffer.from([0x61, 0xff]), b: expect.any(String) },
      { k: "\ufffd", name: "\ufffd", b: Buffer.from([0xea]) },
    ]);
  });

  test("says of no order that it does not have, to GET and to HEAD", async () => {
    const { send, other } = await serve("CREATE TABLE u (k TEXT PRIMARY KEY NOT NULL, name TEXT, b BLOB, v INT)");
    const orders = async (url: string): Promise<unknown[]> =>
      Promise.all(["GET", "HEAD"].map(async (method) => (await send(method, url)).field("Item-Order")));
    other.exec("INSERT INTO u VALUES ('\u00e9', '\u00e9', x'e9', 1)");
    expect(await orders("/u?order=name")).toEqual(["name.asc,k.asc", "name.asc,k.asc"]);
    other.exec("INSERT INTO u VALUES ('y', CAST(x'e282' AS TEXT), x'e9', 1)");
    expect(await orders("/u?order=name")).toEqual([undefined, undefined]);
    expect(await orders("/u?order=v")).toEqual(["v.asc-number,k.asc", "v.asc-number,k.asc"]);
    expect(await orders("/u?order=b")).toEqual(["b.asc-bytes,k.asc", "b.asc-bytes,k.asc"]);
    other.exec("INSERT INTO u VALUES (CAST(x'e282' AS TEXT), 'x', x'', 1)");
    expect(await orders("/u")).toEqual([undefined, undefined]);
  });
});

describe("A merge patch into JSON", () => {
  const sql = `CREATE TABLE t (id INTEGER PRIMARY KEY, j JSON, n INT); INSERT INTO t VALUES
    (1, CAST(x'7b2261223a22e9222c2262223a317d' AS TEXT), 1), (2, '{"a":"\ufffd","b":1}', 1)`;
  const stored = "SELECT hex(j) FROM t WHERE id = 1";

  test("is refused where it would keep a text that is not UTF-8 as it is shown", async () => {
    const { send, other } = await serve(sql);
    const answer = await send("PATCH", "/t/1", { n: 2, j: { b: 2 } });
    expect([answer.status, answer.json]).toMatchObject([422, { errors: [{ field: "j" }] }]);
    expect(answer.text).toContain("which a merge would lose; PUT replaces all of it.");
    expect(other.prepare(stored).pluck().get()).toBe("7B2261223A22E9222C2262223A317D");
    expect((await send("PATCH", "/t/1", { n: 2 })).json).toMatchObject({ t: { n: 2, j: { a: "\ufffd", b: 1 } } });
    expect(other.prepare(stored).pluck().get()).toBe("7B2261223A22E9222C2262223A317D");
  });

  test("goes on where it takes away what is broken, or nothing is", async () => {
    const { send, other } = await serve(sql);
    expect((await send("PATCH", "/t/2", { j: { b: 2 } })).json).toMatchObject({ t: { j: { a: "\ufffd", b: 2 } } });
    expect((await send("PATCH", "/t/1", { j: { a: null } })).json).toMatchObject({ t: { j: { b: 1 } } });
    expect(other.prepare(stored).pluck().get()).toBe(Buffer.from('{"b":1}').toString("hex").toUpperCase());
  });

  test("is not in the way of a PUT that replaces it", async () => {
    const { send } = await serve(sql);
    expect((await send("PUT", "/t/1", { j: { a: "\ufffd", b: 3 } })).json).toMatchObject({ t: { j: { b: 3 } } });
  });
});

import { chmodSync, chownSync, existsSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { createScaffold, type ScaffoldOptions } from "../../../src/scaffold/index.ts";
import { musicSql, serve, temporaryFile } from "./service.ts";

/** Runs as a user that files can be closed to; root may write everything. */
function asNobody(path: string): void {
  if (process.getuid?.() !== 0) return;
  for (const one of [path, dirname(path)]) chownSync(one, 65534, 65534);
  process.seteuid?.(65534);
  onTestFinished(() => process.seteuid?.(0));
}

describe("A scaffold", () => {
  test("tells its collections and how many records they have", async () => {
    const { scaffold } = await serve(musicSql);

    expect(await scaffold.collections()).toEqual([
      { path: "/artists", count: 4 },
      { path: "/albums", count: 2 },
    ]);
    expect(scaffold.notLive).toBeUndefined();
  });

  test("counts up to 100,000 records of a collection", async () => {
    const rows = (count: number) =>
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) SELECT i FROM n`;
    const { scaffold } = await serve(`CREATE TABLE a (id INTEGER PRIMARY KEY); INSERT INTO a ${rows(100_000)};
      CREATE TABLE b (id INTEGER PRIMARY KEY); INSERT INTO b ${rows(100_001)}`);
    expect(await scaffold.collections()).toEqual([
      { path: "/a", count: 100_000 },
      { path: "/b", count: 100_000, hasMore: true },
    ]);
  });

  test("owns the URLs of its collections and what is below them, and those that are malformed", async () => {
    const { scaffold, send, other } = await serve(`${musicSql}; CREATE TABLE "a b" (id INTEGER PRIMARY KEY)`);
    const targets = ["/artists", "/artists?x=%", "/artists/9/albums", "/a%20b/1", "/%", "/artists%"];
    const others = [
      "/",
      "//artists",
      "/Artists",
      "/artists.js",
      "/artists%2F1",
      "/_rocket_journal",
      "/new",
      "/x?artists",
    ];

    expect(targets.filter((target) => !scaffold.owns(target))).toEqual([]);
    expect(others.filter((target) => scaffold.owns(target))).toEqual([]);
    other.exec("CREATE TABLE new (id INTEGER PRIMARY KEY)");
    await send("GET", "/new");
    expect(scaffold.owns("/new")).toBe(true);
  });

  test("serves the tables that it is told to, and no others", async () => {
    const { scaffold, send } = await serve(musicSql, { tables: ["albums"] });

    expect((await scaffold.collections()).map(({ path }) => path)).toEqual(["/albums"]);
    expect((await send("GET", "/artists")).status).toBe(404);
    expect((await send("GET", "/")).json).toEqual({ collections: [{ name: "albums", url: "/albums" }] });
  });

  test("leaves out a table that JSON objects can't hold, and says so", async () => {
    const { errors, send } = await serve(`${musicSql}; CREATE TABLE odd (id INTEGER PRIMARY KEY, "__proto__" TEXT)`);

    expect((await send("GET", "/odd")).status).toBe(404);
    expect(errors.map(String)).toEqual([expect.stringContaining('"odd"')]);
  });

  test("without the action subscribe gives no view, and says why", async () => {
    const { scaffold, send } = await serve(musicSql, { except: ["subscribe"] });

    const answer = await send("GET", "/artists");

    expect(answer.view).toBeUndefined();
    expect(answer.notLive).toContain("switched off");
    expect(scaffold.notLive).toContain("switched off");
  });

  test("makes a missing file where it is told to, in WAL mode", async () => {
    const path = temporaryFile();

    const scaffold = await createScaffold({ path, create: true });
    onTestFinished(() => scaffold.close());

    expect(existsSync(path)).toBe(true);
    expect(await scaffold.collections()).toEqual([]);
    const other = new Database(path);
    onTestFinished(() => void other.close());
    expect(other.pragma("journal_mode", { simple: true })).toBe("wal");
  });

  test("leaves the journal mode of a database that is there as it is", async () => {
    const { other } = await serve(`PRAGMA journal_mode = DELETE; ${musicSql}`, { create: true });

    expect(other.pragma("journal_mode", { simple: true })).toBe("delete");
  });

  test("of a file that can't be written is not live, and says why", async () => {
    const path = temporaryFile();
    const other = new Database(path);
    other.exec(musicSql);
    other.close();
    asNobody(path);
    chmodSync(path, 0o444);

    const scaffold = await createScaffold({ path });
    onTestFinished(() => scaffold.close());
    const get = await scaffold.origin({ method: "GET", target: "/artists?genre=rock", fields: [], body: "" });
    const post = await scaffold.origin({ method: "POST", target: "/artists", fields: [], body: "{}" });

    expect([scaffold.journal, scaffold.promises]).toEqual([undefined, []]);
    expect(scaffold.notLive).toContain("can't be written");
    expect([get.status, get.view, get.notLive]).toEqual([200, undefined, scaffold.notLive]);
    expect(JSON.parse(get.body as string).artists).toHaveLength(3);
    expect([post.status, post.fields.find(([name]) => name === "Allow")?.[1]]).toEqual([405, "GET, HEAD, OPTIONS"]);
  });

  test("can be closed twice, and takes nothing after it", async () => {
    const { scaffold, send } = await serve(musicSql);
    const write = send("PATCH", "/artists/1", { genre: "x" });

    await Promise.all([scaffold.close(), scaffold.close()]);

    expect((await write).status).toBe(200);
    expect((await send("POST", "/artists", { name: "x" })).status).toBe(503);
    expect((await send("GET", "/artists")).status).toBe(503);
  });
});

describe("createScaffold", () => {
  test("refuses a file that is not there, or no database", async () => {
    const path = temporaryFile();

    await expect(createScaffold({ path })).rejects.toMatchObject({ code: "database-missing" });
    writeFileSync(path, "This is a text, and long enough not to be taken for an empty database.".repeat(20));
    await expect(createScaffold({ path })).rejects.toMatchObject({ code: "database-invalid" });
  });

  test.each([
    [{ path: "" }, "path"],
    [{ maxRows: 0 }, "maxRows"],
    [{ maxRows: 1.5 }, "maxRows"],
    [{ only: ["fly"] }, "only"],
    [{ except: ["fly"] }, "except"],
    [{ only: [], except: [] }, "only and except"],
    [{ tables: ["nothing"] }, "tables"],
  ])("refuses an option that can't be, by its name: %j", async (options, named) => {
    const path = temporaryFile();
    new Database(path).exec(musicSql).close();

    await expect(createScaffold({ path, ...options } as ScaffoldOptions)).rejects.toThrow(named);
  });
});

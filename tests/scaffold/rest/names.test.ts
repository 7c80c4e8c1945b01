import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createClient } from "../../../src/client/index.ts";
import { createServer } from "../../../src/node/index.ts";
import { itemUrl, parseItems } from "../../../src/protocol/index.ts";
import { here, serve } from "./service.ts";

/** Names of tables, and the part of a URL that each has. PostgreSQL knows no empty name. */
const names: readonly (readonly [name: string, part: string])[] = [
  ...here({ sqlite: [["", "table="] as const], postgres: [] }),
  [".", "table=."],
  ["..", "table=.."],
  [".well-known", "table=.well-known"],
  ["...", "..."],
  [".hidden", ".hidden"],
  ["a/b", "a%2Fb"],
  ["a", "a"],
  ["%2e%2e", "%252e%252e"],
  ["table=", "table%3D"],
  ["table=..", "table%3D.."],
  ["key=.", "key%3D."],
  ["x?y#z", "x%3Fy%23z"],
  ["__proto__", "__proto__"],
];

const sql = names
  .map(([name]) => `CREATE TABLE "${name}" (id TEXT PRIMARY KEY NOT NULL, v TEXT);`)
  .concat(names.map(([name]) => `INSERT INTO "${name}" VALUES ('1', '${name}'), ('..', '${name}')`).join(";"))
  .join("\n");

describe("A table's URL", () => {
  test.each(["", "/api"])("leads to that table and no other, whatever its name, below %j", async (basePath) => {
    const { send } = await serve(sql, { basePath });
    const index = (await send("GET", `${basePath}/`)).json;
    expect(index).toEqual({ collections: names.map(([name, part]) => ({ name, url: `${basePath}/${part}` })) });
    for (const [name, part] of names) {
      const path = `${basePath}/${part}`;
      const answer = await send("GET", path);
      const items = parseItems(answer.field("Items") ?? "") ?? {};
      const rows = (answer.json as Record<string, object[]>)[name] ?? [];
      expect(rows.map((row) => itemUrl(items, row, path))).toEqual([`${path}/key=..`, `${path}/1`]);
      expect(rows.map((row) => Object(row).v)).toEqual([name, name]);
      expect([answer.view?.url, answer.view?.collection]).toEqual([path, path]);
      // What reads URLs as browsers do leaves it as it is.
      expect(new URL(`${path}/1`, "http://example.com").pathname).toBe(`${path}/1`);
      expect((await send("GET", `${path}/1`)).view?.record).toBe(`${path}/1`);
      expect((await send("DELETE", `${path}/1`)).status).toBe(204);
      expect((await send("GET", `${path}/1`)).status).toBe(404);
    }
  });

  test("is nothing where its name can't stand in a path by itself", async () => {
    const { send, scaffold } = await serve(sql);
    for (const target of ["//1", "/./1", "/../1", "/..", "/%2e%2e", "/%2E/1", "/.well-known/1", "/.well-known"]) {
      expect([target, (await send("GET", target)).status]).toEqual([target, 404]);
      expect(scaffold.owns(target)).toBe(false);
    }
    expect(scaffold.owns("/table=../1")).toBe(true);
  });

  test("is said in its refusal where it is not served", async () => {
    const { send } = await serve({
      sqlite: 'CREATE VIEW ".." AS SELECT a FROM nowhere; CREATE TABLE t (id INTEGER PRIMARY KEY)',
      postgres: 'CREATE TABLE ".." (); CREATE TABLE t (id INTEGER PRIMARY KEY)',
    });
    const { status, text } = await send("GET", "/table=..");
    const reason = here({
      sqlite: "this program can't read it (no such table: main.nowhere)",
      postgres: "it has no columns",
    });
    expect([status, text]).toEqual([404, expect.stringContaining(reason)]);
    expect((await send("GET", "/table=t")).status).toBe(404);
  });

  test("is the client's, too: rows are read, made, changed and destroyed live", async () => {
    const { scaffold, run, rows } = await serve(sql);
    const server = createServer(scaffold);
    const { host, port } = await server.listen(0);
    const client = createClient(`http://${host}:${port}`);
    onTestFinished(async () => {
      client.close();
      await server.close();
    });
    for (const [name, part] of names) {
      const list = client.collection<{ id: string; v: string }>(`/${part}`);
      const stop = list.subscribe(() => {});
      await list.ready();
      await list.create({ id: ".", v: "new" });
      await run(`UPDATE "${name}" SET v = 'changed' WHERE id = '1'`);
      await vi.waitUntil(() => list.getSnapshot().rows.at(-1)?.v === "changed", { timeout: 10_000 });
      const [made] = list.getSnapshot().rows;
      await list.update(made as { id: string; v: string }, { v: "newer" });
      expect(list.getSnapshot().rows.map(({ id, v }) => `${id} ${v}`)).toEqual([". newer", `.. ${name}`, "1 changed"]);
      await list.destroy(list.getSnapshot().rows[1] as { id: string; v: string });
      expect(await rows(`SELECT id FROM "${name}" ORDER BY id`)).toEqual([["."], ["1"]]);
      stop();
    }
  });
});

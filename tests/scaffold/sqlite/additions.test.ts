import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { createScaffold, type SqlFunction } from "../../../src/scaffold/index.ts";
import { serve, temporaryFile } from "./service.ts";

const require = createRequire(import.meta.url);
/** An extension with one function, which comes with the driver for its own tests. */
const extension = join(dirname(require.resolve("better-sqlite3/package.json")), "build/Release/test_extension.node");

const folded: SqlFunction = (text) => String(text).toLowerCase();

/** A database made by a program that has `folded`, which no other has. */
function makeForeign(): string {
  const path = temporaryFile();
  const database = new Database(path);
  database.function("folded", { deterministic: true }, folded);
  database.exec(`CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT, key TEXT AS (folded(name)) VIRTUAL);
    CREATE UNIQUE INDEX keys ON tags (folded(name));
    CREATE TRIGGER t AFTER INSERT ON tags WHEN folded(NEW.name) = 'x' BEGIN UPDATE tags SET name = folded(name) || 'y'; END`);
  database.close();
  return path;
}

describe("Functions that a scaffold is given", () => {
  test("make everything of a foreign database served, live and written to", async () => {
    const errors: unknown[] = [];
    const scaffold = await createScaffold({
      path: makeForeign(),
      functions: { folded },
      onError: (error) => errors.push(error),
    });
    onTestFinished(() => scaffold.close());
    const fields = [["Content-Type", "application/json"]] as const;
    const post = { method: "POST", target: "/tags", fields };
    const created = await scaffold.origin({ ...post, body: '{"name":"X"}' });
    expect([created.status, JSON.parse(String(created.body))]).toEqual([
      201,
      { tag: { url: "/tags/1", id: 1, name: "xy", key: "xy" } },
    ]);
    expect((await scaffold.origin({ ...post, body: '{"name":"XY"}' })).status).toBe(409);
    expect((await scaffold.origin({ method: "GET", target: "/tags", fields: [], body: "" })).view).toBeDefined();
    expect(errors).toEqual([]);
  });

  test("get big integers and bytes as they are", async () => {
    const seen: unknown[] = [];
    const note: SqlFunction = (value) => {
      seen.push(value);
      return value ?? null;
    };
    const service = await serve("CREATE TABLE t (id INTEGER PRIMARY KEY, v)", { functions: { note } });
    service.other.exec("CREATE TRIGGER n AFTER INSERT ON t BEGIN UPDATE t SET v = note(v); END");
    for (const v of ["1152921504606846977", "7", "text"]) await service.send("POST", "/t", { v });
    service.other.exec("DROP TRIGGER n; UPDATE t SET v = 1152921504606846977 WHERE id = 1");
    service.other.exec("CREATE TRIGGER n AFTER DELETE ON t BEGIN UPDATE t SET v = note(OLD.v); END");
    await service.send("DELETE", "/t/1");
    expect(seen).toContain(1152921504606846977n);
  });

  test("must be functions", async () => {
    const functions = { folded: 1 } as unknown as Record<string, SqlFunction>;
    await expect(createScaffold({ path: makeForeign(), functions })).rejects.toThrow("functions.folded");
  });
});

describe("Extensions that a scaffold is given", () => {
  test.skipIf(!existsSync(extension))("are loaded, and their functions may stand in triggers", async () => {
    const service = await serve("CREATE TABLE t (id INTEGER PRIMARY KEY, v)", { extensions: [extension] });
    service.other.exec("CREATE TRIGGER n AFTER INSERT ON t BEGIN UPDATE t SET v = testExtensionFunction(1, 2, 3); END");
    const { status, json } = await service.send("POST", "/t", {});
    expect([status, json]).toEqual([201, { t: { url: "/t/1", id: 1, v: 3 } }]);
  });

  test("that are not there are an error that says so", async () => {
    const path = temporaryFile();
    new Database(path).exec("CREATE TABLE t (id INTEGER PRIMARY KEY)").close();
    await expect(createScaffold({ path, extensions: ["/nowhere/none.so"] })).rejects.toMatchObject({
      code: "extension-failed",
      message: expect.stringContaining("/nowhere/none.so"),
    });
  });
});

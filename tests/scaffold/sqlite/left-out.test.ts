import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { RocketError } from "../../../src/protocol/index.ts";
import { createScaffold } from "../../../src/scaffold/index.ts";
import { createHub } from "../../../src/server/index.ts";
import { type Service, serve, temporaryFile } from "./service.ts";

/** Another program's own functions, which the server does not have: `slug`, and `shout` with side effects. */
function teach({ other }: Service): void {
  other.function("slug", { deterministic: true }, (text) => String(text).toLowerCase());
}

/** Lets `sql` be made by a program that knows the functions, then serves the database in one that does not. */
async function serveForeign(sql: string): Promise<Service> {
  const service = await serve("CREATE TABLE plain (id INTEGER PRIMARY KEY, title TEXT)");
  teach(service);
  service.other.exec(sql);
  await arm(service);
  return service;
}

/** Has the triggers made at once that fit the schema, as before each write. */
async function arm({ send }: Service): Promise<void> {
  await send("DELETE", "/plain/1");
}

function messages({ errors }: Service): string[] {
  return errors.map((error) => (error instanceof Error ? error.message : String(error)));
}

const python = spawnSync("python3", ["-c", "import sqlite3"]).status === 0;

describe("A table that can't be read", () => {
  test("is left out with its reason, and all others are served", async () => {
    const service = await serveForeign(
      "CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT, name TEXT AS (slug(title)) VIRTUAL)",
    );
    const { status, json } = await service.send("GET", "/posts");
    expect([status, json]).toEqual([
      404,
      expect.objectContaining({ detail: expect.stringMatching(/^This is not served: this program can't read it/) }),
    ]);
    expect((await service.send("GET", "/plain")).view).toBeDefined();
    expect(await service.scaffold.collections()).toEqual([{ path: "/plain", count: 0 }]);
    expect(messages(service)).toContainEqual(expect.stringMatching(/^Not served: "posts"; .*slug/));
  });

  test.skipIf(!python)("for its key's collation is left out, and leaves the others as they are", async () => {
    const path = temporaryFile();
    const script = `import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
c.create_collation("german", lambda a, b: (a > b) - (a < b))
c.executescript('''CREATE TABLE words (word TEXT PRIMARY KEY COLLATE german) WITHOUT ROWID;
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT COLLATE german);
CREATE TABLE plain (id INTEGER PRIMARY KEY);
INSERT INTO people (name) VALUES ('Ute'), ('Udo')''')`;
    expect(spawnSync("python3", ["-c", script, path]).status).toBe(0);
    const errors: unknown[] = [];
    const scaffold = await createScaffold({ path, onError: (error) => errors.push(error) });
    const get = (target: string) => scaffold.origin({ method: "GET", target, fields: [], body: "" });
    expect((await scaffold.collections()).map((one) => one.path)).toEqual(["/people", "/plain"]);
    expect((await get("/words")).status).toBe(404);
    expect((await get("/plain")).view).toBeDefined();
    // Its own collation is not needed to compare byte for byte.
    expect(JSON.parse(String((await get("/people?name=Udo")).body))).toMatchObject({ people: [{ name: "Udo" }] });
    expect(JSON.parse(String((await get("/people?order=name")).body)).people).toHaveLength(2);
    expect(errors.filter((error) => error instanceof RocketError && error.code === "table-not-served")).toHaveLength(1);
    await scaffold.close();
  });
});

describe("Virtual tables, and views of what is not there,", () => {
  test("are named with the reason, once, and again when there are new ones", async () => {
    const service = await serve(`CREATE TABLE t (id INTEGER PRIMARY KEY);
      CREATE VIEW one AS SELECT 1; CREATE VIEW two AS SELECT * FROM nowhere; CREATE VIRTUAL TABLE texts USING fts5(body)`);
    expect(messages(service)).toEqual([
      'Not served: "texts"; virtual tables are not served.',
      expect.stringMatching(
        /^Not served: "texts_data", .*"texts_config"; tables that hold what a virtual table shows are not served\.$/,
      ),
      'Not served: "two"; this program can\'t read it (no such table: main.nowhere).',
    ]);
    expect((await service.send("GET", "/texts_data")).json).toMatchObject({
      status: 404,
      detail: "This is not served: tables that hold what a virtual table shows are not served.",
    });
    service.other.exec("CREATE VIEW three AS SELECT three()");
    const reason = "this program can't read it (no such function: three)";
    const { json } = await service.send("GET", "/three");
    expect(json).toMatchObject({ status: 404, detail: `This is not served: ${reason}.` });
    expect(messages(service).slice(3)).toEqual([`Not served: "three"; ${reason}.`]);
  });

  test("are no news where only other tables are asked for", async () => {
    const service = await serve("CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE VIRTUAL TABLE v USING fts5(body)", {
      tables: ["t"],
    });
    expect(messages(service)).toEqual([]);
    expect((await service.send("GET", "/v")).text).not.toContain("virtual");
  });

  test("can't be asked for by name", async () => {
    await expect(
      serve("CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE VIRTUAL TABLE v USING fts5(body)", { tables: ["t", "v"] }),
    ).rejects.toThrow('tables names "v", which is not served: virtual tables are not served.');
  });
});

describe("A table whose changes can't be watched", () => {
  test.each([
    ["a whole collection", "/tags"],
    ["a filter", "/tags?name=a"],
    ["a window", "/tags?limit=2"],
    ["a record", "/tags/1"],
  ])("refuses to be followed, with the reason: %s", async (_what, target) => {
    const service = await serveForeign(`CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT);
      CREATE UNIQUE INDEX slugs ON tags (slug(name)); INSERT INTO tags (name) VALUES ('a')`);
    const answer = await service.send("GET", target);
    expect([answer.status, answer.view, answer.notLive]).toEqual([
      200,
      undefined,
      "Changes of this table can't be watched, so it can't be followed: unknown function: slug()",
    ]);
    const known = await service.send("GET", target, undefined, { "If-None-Match": answer.field("ETag") ?? "" });
    expect([known.status, known.notLive]).toEqual([304, answer.notLive]);
    const { origin, journal } = service.scaffold;
    const hub = createHub({ origin, derived: {}, ...(journal ? { journal } : {}) });
    const opening = await hub.authorise({ target, fields: [], level: 0 } as unknown as Parameters<
      typeof hub.authorise
    >[0]);
    expect(opening).toMatchObject({ kind: "refused", response: { status: 422 } });
    await hub.close(0);
  });

  test.each([
    ["an index", "CREATE TABLE x (id INTEGER PRIMARY KEY, a TEXT); CREATE INDEX i ON x (slug(a))"],
    ["a partial index", "CREATE TABLE x (id INTEGER PRIMARY KEY, a TEXT); CREATE INDEX i ON x (a) WHERE slug(a) = 'a'"],
    ["a CHECK", "CREATE TABLE x (id INTEGER PRIMARY KEY, a TEXT CHECK (slug(a) = a))"],
    ["a CHECK of the whole row", "CREATE TABLE x (id INTEGER PRIMARY KEY, a TEXT, CONSTRAINT c CHECK (slug(a) = 'a'))"],
  ])("over %s is read, refused to followers with the reason, and told to the operator", async (_what, sql) => {
    const service = await serveForeign(`${sql}; INSERT INTO x (a) VALUES ('a')`);
    for (const target of ["/x", "/x/1", "/x?a=a", "/x?order=a", "/x?limit=1"]) {
      const { status, text, notLive } = await service.send("GET", target);
      expect([target, status, notLive]).toEqual([target, 200, expect.stringMatching(/can't be followed: .*slug/)]);
      expect(text).toContain('"a":"a"');
    }
    expect(messages(service).filter((text) => /"x" can't be watched.*slug/.test(text))).toHaveLength(1);
    const written = await service.send("POST", "/x", { a: "b" });
    expect([written.status, written.text]).toEqual([500, expect.stringContaining("detail")]);
    expect(messages(service).at(-1)).toContain("slug");
  });

  test.each([
    ["a virtual column", "CREATE TABLE x (id INTEGER PRIMARY KEY, a TEXT, s AS (slug(a)))"],
    ["a stored column", "CREATE TABLE x (id INTEGER PRIMARY KEY, a TEXT, s AS (slug(a)) STORED)"],
  ])("or read over %s is named with the reason, and all else is served", async (_what, sql) => {
    const service = await serveForeign(`${sql}; INSERT INTO x (a) VALUES ('a')`);
    const { status, text, notLive } = await service.send("GET", "/x");
    const said = messages(service).filter((one) => one.includes('"x"'));
    expect(said).toEqual([expect.stringContaining("slug")]);
    if (status === 404) expect(text).toMatch(/This is not served: .*slug/);
    else expect(notLive).toContain("slug");
    expect((await service.send("GET", "/plain")).view).toBeDefined();
  });

  test("is reported once, not with each change of the schema", async () => {
    const service = await serveForeign(
      "CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT); CREATE INDEX slugs ON tags (slug(name))",
    );
    service.other.exec("CREATE TABLE more (id INTEGER PRIMARY KEY)");
    await arm(service);
    expect(messages(service).filter((text) => text.includes('"tags"'))).toHaveLength(1);
  });

  test("is told to those who followed it before that was known", async () => {
    const service = await serve("CREATE TABLE plain (id INTEGER PRIMARY KEY)");
    teach(service);
    const kinds: string[] = [];
    service.scaffold.journal?.tail(({ changes }) =>
      kinds.push(...changes.map((one) => `${one.kind} ${one.collection}`)),
    );
    service.other.exec(
      "CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT); CREATE UNIQUE INDEX s ON tags (slug(name))",
    );
    expect((await service.send("GET", "/tags")).view).toBeDefined();
    await arm(service);
    expect(kinds).toEqual(["reset /tags"]);
    expect((await service.send("GET", "/tags")).notLive).toContain("slug");
  });

  test("is told to those who follow it when it becomes so", async () => {
    const service = await serve(
      "CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE plain (id INTEGER PRIMARY KEY)",
    );
    teach(service);
    const kinds: string[] = [];
    service.scaffold.journal?.tail(({ changes }) => kinds.push(...changes.map(({ kind }) => kind)));
    expect((await service.send("GET", "/tags")).view).toBeDefined();
    service.other.exec("CREATE UNIQUE INDEX slugs ON tags (slug(name))");
    await arm(service);
    await service.scaffold.journal?.poll();
    expect(kinds).toEqual(["reset"]);
    expect((await service.send("GET", "/tags")).notLive).toContain("slug");
  });
});

describe("A trigger with functions of its own program", () => {
  test("keeps nothing from being followed: that program's writes are seen", async () => {
    const service = await serveForeign(`CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, sort TEXT);
      CREATE TRIGGER sorted AFTER INSERT ON books BEGIN UPDATE books SET sort = slug(NEW.title) WHERE id = NEW.id; END`);
    expect((await service.send("GET", "/books")).view).toBeDefined();
    const seen: string[] = [];
    service.scaffold.journal?.tail(({ changes }) => seen.push(...changes.map(({ kind, url }) => `${kind} ${url}`)));
    service.other.exec("INSERT INTO books (title) VALUES ('Tago Mago')");
    await service.scaffold.journal?.poll();
    expect(seen.sort()).toEqual(["create /books/1", "update /books/1"]);
  });
});

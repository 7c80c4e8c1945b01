import { describe, expect, test } from "vitest";
import { here, musicSql, type Service, serve as start } from "./service.ts";

interface Refused {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors?: readonly { readonly field: string; readonly detail: string }[];
}

async function refused(service: Service, ...request: Parameters<Service["send"]>): Promise<Refused> {
  const answer = await service.send(...request);
  expect(answer.field("Content-Type")).toBe("application/problem+json");
  const problem = answer.json as Refused;
  expect(problem.status).toBe(answer.status);
  expect(answer.text).not.toMatch(/constraint failed|SQLITE|INSERT|UPDATE|SELECT/);
  return problem;
}

describe("A body", () => {
  test.each([
    ["POST", "/artists", "text/plain", "Accept-Post"],
    ["POST", "/artists", "", "Accept-Post"],
    ["POST", "/artists", "application/octet-stream", "Accept-Post"],
    ["POST", "/artists", "application/json; charset=latin1", "Accept-Post"],
    ["PUT", "/artists/1", "application/merge-patch+json", "Accept"],
    ["PATCH", "/artists/1", "application/xml-patch+xml", "Accept-Patch"],
  ])("of %s %s that is %j is 415, and %s says what is taken", async (method, target, type, field) => {
    const { send } = await start(musicSql);

    const answer = await send(method, target, { name: "x" }, { "Content-Type": type });

    expect(answer.status).toBe(415);
    expect(answer.field(field)).toContain("application/json");
  });

  test("that is encoded is 415", async () => {
    const { send } = await start(musicSql);

    expect((await send("POST", "/artists", {}, { "Content-Encoding": "gzip" })).status).toBe(415);
  });

  test("that is not JSON, or not UTF-8, is 400", async () => {
    const service = await start(musicSql);

    expect((await refused(service, "POST", "/artists", "{")).status).toBe(400);
    expect((await refused(service, "POST", "/artists", "")).status).toBe(400);
    const fields = [["Content-Type", "application/json; charset=UTF-8"]] as const;
    const body = new Uint8Array([0x7b, 0xff, 0x7d]);
    const answer = await service.scaffold.origin({ method: "POST", target: "/artists", fields, body });
    expect(answer.status).toBe(400);
  });

  test.each(["[[]]", "null", '"x"', "1"])("that is %s is 422", async (body) => {
    const service = await start(musicSql);

    expect((await refused(service, "POST", "/artists", body)).status).toBe(422);
  });

  test("with members that can't be stored is 422 and names each", async () => {
    const service = await start(musicSql);

    const problem = await refused(
      service,
      "POST",
      "/artists",
      '{"name":"x","nothing":1,"__proto__":{"polluted":1},"constructor":2,"genre":["rock"],"year":true,"id":12345678901234567890}',
    );

    expect(problem.status).toBe(422);
    expect(problem.errors?.map(({ field }) => field)).toEqual([
      "nothing",
      "__proto__",
      "constructor",
      "genre",
      "year",
      "id",
    ]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("with a number that loses digits is 422", async () => {
    const service = await start(musicSql);

    const problem = await refused(service, "PATCH", "/artists/1", '{"year":9223372036854775808}');

    expect([problem.status, problem.errors?.[0]?.field]).toEqual([422, "year"]);
  });

  test("with bytes that are no base64 is 422", async () => {
    const service = await start({
      sqlite: "CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB)",
      postgres: "CREATE TABLE t (id serial PRIMARY KEY, b bytea)",
    });

    expect((await refused(service, "POST", "/t", { b: "*" })).errors?.[0]?.field).toBe("b");
  });

  test.each([
    [{ id: 2 }, "id"],
    [{ id: null }, "id"],
    [{ url: "/artists/2" }, "url"],
  ])("that gives another key than the URL is 422: %j", async (members, field) => {
    const service = await start(musicSql);

    for (const method of ["PUT", "PATCH"]) {
      const problem = await refused(service, method, "/artists/1", { name: "x", ...members });
      expect([problem.status, problem.errors?.map((error) => error.field)]).toEqual([422, [field]]);
    }
  });

  test("that gives the URL's key is taken", async () => {
    const { send } = await start(musicSql);

    expect((await send("PATCH", "/artists/1", { id: 1, url: "/artists/1" })).status).toBe(200);
    expect((await send("PATCH", "/artists/1", { id: "1" })).status).toBe(200);
  });
});

describe("A rule of the database that a write breaks", () => {
  test("is 409 for a unique value, with the column", async () => {
    const service = await start(musicSql);

    const problem = await refused(service, "POST", "/artists", { name: "Can" });

    expect([problem.status, problem.title, problem.errors?.[0]?.field]).toEqual([409, "Conflict", "name"]);
    expect((await refused(service, "POST", "/artists", { id: 1, name: "x" })).status).toBe(409);
  });

  test("is 409 for a foreign key", async () => {
    const service = await start(musicSql);

    expect((await refused(service, "POST", "/albums", { artist_id: 99, title: "x" })).status).toBe(409);
    expect((await refused(service, "DELETE", "/artists/1")).status).toBe(409);
  });

  test("is 422 for a value that must not be null, with the column", async () => {
    const service = await start(musicSql);

    const problem = await refused(service, "POST", "/artists", { genre: "rock" });

    expect([problem.status, problem.errors?.[0]?.field]).toEqual([422, "name"]);
  });

  test("is 422 for a check, a type and a trigger's own rule", async () => {
    const service = await start(musicSql);
    await service.run({
      sqlite: `CREATE TABLE strict (id INTEGER PRIMARY KEY, n INTEGER) STRICT;
        CREATE TRIGGER no AFTER DELETE ON albums BEGIN SELECT RAISE(ABORT, 'Albums stay.'); END`,
      postgres: `CREATE TABLE strict (id serial PRIMARY KEY, n integer);
        CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'Albums stay.'; END $$;
        CREATE TRIGGER no AFTER DELETE ON albums FOR EACH ROW EXECUTE FUNCTION no()`,
    });

    expect((await refused(service, "PATCH", "/artists/1", { year: 1 })).status).toBe(422);
    expect((await refused(service, "POST", "/artists", { id: "x", name: "x" })).status).toBe(422);
    expect((await refused(service, "POST", "/strict", { n: "x" })).status).toBe(422);
    expect((await refused(service, "DELETE", "/albums/1")).status).toBe(422);
    expect(service.errors).toEqual([]);
  });

  const trigger = (body: string): string => `CREATE FUNCTION r() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN ${body}; RETURN new; END $$; CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION r()`;
  test.each([
    [
      "a trigger raises",
      {
        sqlite: "CREATE TRIGGER r BEFORE INSERT ON t WHEN NEW.n = 1 BEGIN SELECT RAISE(ABORT, 'It''s one.'); END",
        postgres: trigger("IF new.n = 1 THEN RAISE EXCEPTION 'It''s one.'; END IF"),
      },
      "It's one.",
    ],
    [
      "a trigger makes of data",
      {
        sqlite: "CREATE TRIGGER r BEFORE INSERT ON t WHEN NEW.n = 1 BEGIN SELECT RAISE(ABORT, 'n ' || NEW.n); END",
        postgres: trigger("RAISE EXCEPTION 'n %', new.n"),
      },
      "The record breaks a rule of the database.",
    ],
    [
      "a CHECK names",
      {
        sqlite: `CREATE TABLE u (n, CONSTRAINT more_than_one CHECK (n <> 1));
          CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO u VALUES (NEW.n); END`,
        postgres: `CREATE TABLE u (n int, CONSTRAINT more_than_one CHECK (n <> 1));
          ${trigger("INSERT INTO u VALUES (new.n)")}`,
      },
      'The record breaks the rule "more_than_one" of the database.',
    ],
  ])("is told in the schema's own words, as far as it has some: what %s", async (_what, sql, detail) => {
    const service = await start("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)");
    await service.run(sql);
    const problem = await refused(service, "POST", "/t", { id: 1, n: 1 });
    expect([problem.status, problem.detail]).toEqual([422, detail]);
  });

  test.each([
    ["one column", "n INTEGER CHECK (n <> 1), m INTEGER", { n: 1 }, ["n"]],
    [
      "several, and texts that only look like names",
      "n INTEGER, m TEXT, o INTEGER, CHECK ( m <> 'o'\n AND n <> 1 )",
      { n: 1, m: "2", o: 3 },
      ["n", "m"],
    ],
    ["a rule with a name", "n INTEGER, m INTEGER, CONSTRAINT low CHECK (n + m < 3)", { n: 1, m: 2 }, ["n", "m"]],
    ["the second of two", "n INTEGER CHECK (n > 0), m INTEGER CHECK (m > (0))", { n: 1, m: 0 }, ["m"]],
  ])("names the columns of a CHECK: of %s", async (_what, columns, body, fields) => {
    const service = await start(`CREATE TABLE t (id INTEGER PRIMARY KEY, ${columns})`);
    const problem = await refused(service, "POST", "/t", { id: 1, ...body });
    expect([problem.status, problem.errors?.map(({ field }) => field)]).toEqual([422, fields]);
  });

  test("names the check that a column's value breaks, where it has a name", async () => {
    const service = await start(`CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, CONSTRAINT low CHECK (n < 3))`);
    const problem = await refused(service, "POST", "/t", { id: 1, n: 4 });
    expect(problem.errors).toEqual([{ field: "n", detail: 'It breaks the check "low" of the table.' }]);
  });

  const parents = `CREATE TABLE a (id INTEGER PRIMARY KEY, x INTEGER, y INTEGER, UNIQUE (x, y));
    INSERT INTO a VALUES (1, 1, 2);`;
  test.each([
    ["one of two", "one INTEGER REFERENCES a, two INTEGER REFERENCES a", { one: 1, two: 2 }, ["two"]],
    [
      "several columns",
      "x INTEGER, y INTEGER, n INTEGER REFERENCES a, FOREIGN KEY (x, y) REFERENCES a (x, y)",
      { x: 1, y: 1, n: 1 },
      ["x", "y"],
    ],
    ["one that names itself", "up INTEGER REFERENCES t, n INTEGER REFERENCES a", { id: 5, up: 5, n: 7 }, ["n"]],
    [
      "one that is checked at the commit",
      "n INTEGER REFERENCES a DEFERRABLE INITIALLY DEFERRED, m INTEGER REFERENCES a",
      { n: 2, m: 1 },
      ["n"],
    ],
  ])("names the columns of a foreign key that names nothing: of %s", async (_what, columns, body, fields) => {
    const service = await start(`${parents} CREATE TABLE t (id INTEGER PRIMARY KEY, ${columns})`);
    const created = await refused(service, "POST", "/t", { id: 5, ...body });
    expect([created.status, created.errors?.map(({ field }) => field)]).toEqual([409, fields]);
    expect((await service.send("POST", "/t", { id: 5 })).status).toBe(201);
    for (const method of ["PATCH", "PUT"]) {
      const changed = await refused(service, method, "/t/5", body);
      expect([changed.status, changed.errors?.map(({ field }) => field)]).toEqual([409, fields]);
    }
  });

  test("names no column where others name the record", async () => {
    const service = await start(
      `${parents} CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER REFERENCES a); INSERT INTO t VALUES (1, 1)`,
    );
    expect(await refused(service, "DELETE", "/a/1")).not.toHaveProperty("errors");
  });

  test("is 409 where the database ignores the write", async () => {
    const service = await start({
      sqlite: `CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE ON CONFLICT IGNORE, b);
        INSERT INTO t VALUES (1, 1, 1), (2, 2, 2);
        CREATE TRIGGER keep BEFORE DELETE ON t BEGIN SELECT RAISE(IGNORE); END`,
      postgres: `CREATE TABLE t (id serial PRIMARY KEY, a int, b int);
        INSERT INTO t VALUES (1, 1, 1), (2, 2, 2);
        CREATE FUNCTION ignore() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        CREATE TRIGGER keep BEFORE INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION ignore()`,
    });

    expect((await refused(service, "POST", "/t", { a: 1 })).status).toBe(409);
    expect((await refused(service, "PATCH", "/t/1", { a: 2 })).status).toBe(409);
    expect((await refused(service, "DELETE", "/t/1")).status).toBe(409);
  });
});

describe("A method", () => {
  test.each([
    ["PUT", "/artists", "GET, HEAD, POST, PATCH, DELETE, OPTIONS"],
    ["POST", "/artists/1", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"],
    ["DELETE", "/", "GET, HEAD, OPTIONS"],
    ["TRACE", "/artists", "GET, HEAD, POST, PATCH, DELETE, OPTIONS"],
    ["get", "/artists", "GET, HEAD, POST, PATCH, DELETE, OPTIONS"],
  ])("that does not belong there is 405: %s %s", async (method, target, allow) => {
    const { send } = await start(musicSql);

    const answer = await send(method, target);

    expect([answer.status, answer.field("Allow")]).toEqual([405, allow]);
  });

  test("of an action that is switched off is 405", async () => {
    const only = await start(musicSql, { only: ["read", "create"] });
    const except = await start(musicSql, { except: ["destroy", "read"] });
    const readOnly = await start(musicSql, { readOnly: true });

    expect((await only.send("DELETE", "/artists/1")).field("Allow")).toBe("GET, HEAD, OPTIONS");
    expect((await except.send("GET", "/artists")).field("Allow")).toBe("POST, PATCH, OPTIONS");
    expect((await readOnly.send("POST", "/artists", { name: "x" })).status).toBe(405);
    expect((await readOnly.send("GET", "/artists")).view).toBeDefined();
  });

  test("PUT creates nothing where that is switched off", async () => {
    const { send } = await start(musicSql, { except: ["create"] });

    expect((await send("PUT", "/artists/1", { name: "x" })).status).toBe(200);
    expect((await send("PUT", "/artists/99", { name: "y" })).status).toBe(404);
  });

  test("that writes has no parameters", async () => {
    const service = await start(musicSql);

    expect((await refused(service, "POST", "/artists?x=1", { name: "x" })).status).toBe(400);
  });

  test("that would be answered in JSON is 406 where that is not accepted, and writes nothing", async () => {
    const { send } = await start(musicSql);

    expect((await send("POST", "/artists", { name: "x" }, { Accept: "text/html" })).status).toBe(406);
    expect((await send("GET", "/artists?name=x")).json).toEqual({ artists: [] });
  });

  test.each(["POST", "PUT", "PATCH", "DELETE"])("%s of what is not there is 404", async (method) => {
    const service = await start(musicSql);

    expect((await refused(service, method, "/nothing/1", {})).status).toBe(404);
    if (method === "PATCH") expect((await refused(service, method, "/artists/99", {})).status).toBe(404);
  });
});

test("A record that others name by a foreign key with ON DELETE RESTRICT is not deleted: 409", async () => {
  const service = await start(`CREATE TABLE labels (id integer PRIMARY KEY);
    CREATE TABLE artists (id integer PRIMARY KEY, label_id integer REFERENCES labels ON DELETE RESTRICT);
    INSERT INTO labels VALUES (1), (2); INSERT INTO artists VALUES (1, 1)`);

  expect((await refused(service, "DELETE", "/labels/1")).status).toBe(409);
  expect((await service.send("DELETE", "/labels/2")).status).toBe(204);
});

describe("A function that is not there", () => {
  test("is 404, whatever the method, and SQLite says that it has none", async () => {
    const service = await start(musicSql);
    for (const method of ["GET", "POST", "OPTIONS"]) {
      const { status, detail } = await refused(service, method, "/rpc/nothing", method === "POST" ? {} : undefined);
      const sentence = here({ sqlite: /no functions to call here/, postgres: /no function "nothing"/ });
      expect([status, detail]).toEqual([404, expect.stringMatching(sentence)]);
    }
    expect((await refused(service, "GET", "/rpc/nothing/1")).status).toBe(404);
  });
});

import { describe, expect, test } from "vitest";
import { type Service, serve as start } from "./service.ts";

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

describe("A rule of the database that a write breaks", () => {
  test.each([
    [
      "a trigger raises",
      "CREATE TRIGGER r BEFORE INSERT ON t WHEN NEW.n = 1 BEGIN SELECT RAISE(ABORT, 'It''s one.'); END",
      "It's one.",
    ],
    [
      "a trigger makes of data",
      "CREATE TRIGGER r BEFORE INSERT ON t WHEN NEW.n = 1 BEGIN SELECT RAISE(ABORT, 'n ' || NEW.n); END",
      undefined,
    ],
    [
      "a CHECK has no name for",
      "CREATE TABLE u (n CHECK (n <> 1)); CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO u VALUES (NEW.n); END",
      undefined,
    ],
    [
      "a CHECK names",
      "CREATE TABLE u (n, CONSTRAINT more_than_one CHECK (n <> 1)); CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO u VALUES (NEW.n); END",
      'The record breaks the rule "more_than_one" of the database.',
    ],
  ])("is told in the schema's own words, as far as it has some: what %s", async (_what, sql, detail) => {
    const service = await start("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)");
    service.other.exec(sql);
    const problem = await refused(service, "POST", "/t", { n: 1 });
    expect([problem.status, problem.detail]).toEqual([422, detail ?? "The record breaks a rule of the database."]);
  });

  test.each([
    ["one column", "n INTEGER CHECK (n <> 1), m", { n: 1 }, ["n"]],
    [
      "several, and texts that only look like names",
      "n, m, o, CHECK ( m <> 'o'\n AND n <> 1 )",
      { n: 1, m: 2, o: 3 },
      ["n", "m"],
    ],
    ["a quoted name first", 'n CHECK ("n" <> 1), m', { n: 1 }, ["n"]],
    ["a rule with a name", "n, m, CONSTRAINT low CHECK (n + m < 3)", { n: 1, m: 2 }, ["n", "m"]],
    ["the second of two", "n CHECK (n > 0), m CHECK (m > (0))", { n: 1, m: 0 }, ["m"]],
    ["a type beside", "n NUMERIC(10, 2) CHECK (n <> 1), m CHECK (m = 1)", { n: 1 }, ["n"]],
  ])("names the columns of a CHECK: of %s", async (_what, columns, body, fields) => {
    const service = await start(`CREATE TABLE t (id INTEGER PRIMARY KEY, ${columns})`);
    const problem = await refused(service, "POST", "/t", body);
    expect([problem.status, problem.errors?.map(({ field }) => field)]).toEqual([422, fields]);
  });

  test("says of a CHECK without a name that it is the table's", async () => {
    const service = await start("CREATE TABLE t (id INTEGER PRIMARY KEY, n CHECK (n <> 1))");
    const problem = await refused(service, "POST", "/t", { n: 1 });
    expect(problem.errors).toEqual([{ field: "n", detail: "It breaks a check of the table." }]);
  });

  const parents = `CREATE TABLE a (id INTEGER PRIMARY KEY, code TEXT UNIQUE COLLATE NOCASE, x, y, UNIQUE (x, y));
    INSERT INTO a VALUES (1, 'One', 1, 2)`;
  test.each([
    ["one of two", "one REFERENCES a, two REFERENCES a", { one: 1, two: 2 }, ["two"]],
    ["both", "one REFERENCES a, two REFERENCES a", { one: 3, two: 2 }, ["one", "two"]],
    [
      "several columns",
      "x, y, n REFERENCES a, FOREIGN KEY (x, y) REFERENCES a (x, y)",
      { x: 1, y: 1, n: 1 },
      ["x", "y"],
    ],
    ["a text by its collation", "c REFERENCES a (code), n REFERENCES a", { c: "oNE", n: 7 }, ["n"]],
    ["one that names itself", "up REFERENCES t, n REFERENCES a", { id: 5, up: 5, n: 7 }, ["n"]],
    [
      "one that is checked at the commit",
      "n REFERENCES a DEFERRABLE INITIALLY DEFERRED, m REFERENCES a",
      { n: 2, m: 1 },
      ["n"],
    ],
  ])("names the columns of a foreign key that names nothing: of %s", async (_what, columns, body, fields) => {
    const service = await start(`${parents}; CREATE TABLE t (id INTEGER PRIMARY KEY, ${columns})`);
    const created = await refused(service, "POST", "/t", body);
    expect([created.status, created.errors?.map(({ field }) => field)]).toEqual([409, fields]);
    expect((await service.send("POST", "/t", { id: 5 })).status).toBe(201);
    for (const method of ["PATCH", "PUT"]) {
      const changed = await refused(service, method, "/t/5", body);
      expect([changed.status, changed.errors?.map(({ field }) => field)]).toEqual([409, fields]);
    }
  });
});

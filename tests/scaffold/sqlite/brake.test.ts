import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { brakeCondition } from "../../../src/scaffold/sqlite/brake.ts";
import { openConnection } from "../../../src/scaffold/sqlite/driver.ts";
import { newPath } from "./workspace.ts";

/** A connection to a table of a thousand rows. */
function openRows(): ReturnType<typeof openConnection> {
  const path = newPath();
  const database = new Database(path);
  database.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n INTEGER); CREATE INDEX names ON t (name);
    WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000)
    INSERT INTO t SELECT i, 'same', i FROM c`);
  database.close();
  return openConnection(path);
}

const where = `FROM t WHERE ${brakeCondition}`;

describe("A brake", () => {
  test.each([
    ["filters that nothing meets", `SELECT * ${where} AND n = -1`],
    ["a filter on an index, and another", `SELECT * ${where} AND name = 'same' AND n = -1`],
    ["a sort", `SELECT * ${where} ORDER BY n DESC LIMIT 1`],
    ["a long way to go", `SELECT * ${where} ORDER BY id LIMIT 1 OFFSET 999`],
    ["a count", `SELECT count(*) FROM (SELECT 1 ${where} AND n = -1 LIMIT 5)`],
  ])("acts while SQLite looks at rows, and ends the statement with what it throws: %s", (_, sql) => {
    const connection = openRows();
    let looks = 0;
    const look = (): void => {
      looks += 1;
      if (looks === 100) throw new RangeError("enough");
    };
    expect(() => connection.brake.guard(look, () => connection.prepare(sql).all())).toThrow(new RangeError("enough"));
    const each = () => connection.prepare(sql).each(() => true);
    looks = 0;
    expect(() => connection.brake.guard(look, each)).toThrow(new RangeError("enough"));
    // The statement can be used again, and nothing is in its way any more.
    expect(each).not.toThrow();
    expect(looks).toBe(100);
    connection.close();
  });

  test("leaves the index to a filter that has one", () => {
    const connection = openRows();
    const plan = connection.prepare(`EXPLAIN QUERY PLAN SELECT * ${where} AND name = 'x' ORDER BY id`).all();
    expect(plan.map((row) => row.at(-1))).toEqual(["SEARCH t USING INDEX names (name=?)"]);
    connection.close();
  });
});

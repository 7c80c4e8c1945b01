import Database from "better-sqlite3";
import { expect, test } from "vitest";
import type { Query } from "../../../src/scaffold/engine/query.ts";
import { filterFrom } from "../../../src/scaffold/rest/keyset.ts";
import { parseQuery } from "../../../src/scaffold/rest/query.ts";
import { resourceOf } from "../../../src/scaffold/rest/resource.ts";
import { parseTarget } from "../../../src/scaffold/rest/target.ts";
import { brakeFunction } from "../../../src/scaffold/sqlite/brake.ts";
import { Served, type SqliteQuery } from "../../../src/scaffold/sqlite/engine/served.ts";
import { selectRecords } from "../../../src/scaffold/sqlite/engine/sql.ts";
import { column, table } from "./samples.ts";

const columns = [
  column("id", "INTEGER", "integer"),
  column("name", "TEXT", "text"),
  column("folded", "TEXT", "text"),
  column("year", "INTEGER", "integer"),
];

/** How SQLite finds the records of a query. */
function planOf(query: string, isBinary: boolean): string[] {
  const served = new Served().table(isBinary ? { ...table("t", columns), binary: true } : table("t", columns));
  const database = new Database(":memory:");
  database.function(brakeFunction, () => 1);
  database.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, folded TEXT COLLATE NOCASE, year INTEGER);
    CREATE INDEX names ON t (name); CREATE INDEX foldeds ON t (folded); CREATE INDEX years ON t (year)`);
  const resource = resourceOf(served, "");
  const parsed = parseQuery(resource, parseTarget(`/t?${query}`).parameters);
  const asked: Query = { ...parsed, filter: filterFrom(parsed) };
  const { text, values } = selectRecords(served, asked as SqliteQuery, 10);
  const plan = database
    .prepare(`EXPLAIN QUERY PLAN ${text}`)
    .raw()
    .all(...values) as [number, number, number, string][];
  database.close();
  return plan.map((row) => row[3]).filter((line) => !line.includes("TEMP B-TREE"));
}

test.each([
  ["name=x", ["SEARCH t USING INDEX names (name=?)"]],
  ["folded=x", ["SEARCH t USING INDEX foldeds (folded=?)"]],
  ["year=1977", ["SEARCH t USING INDEX years (year=?)"]],
  ["year=gte.1977&order=year", ["SEARCH t USING INDEX years (year>?)"]],
  ["year=gte.1970&year=lt.1980", ["SEARCH t USING INDEX years (year>? AND year<?)"]],
  ["name=gt.a&name=lte.b", ["SEARCH t USING INDEX names (name>? AND name<?)"]],
  ["name=in.(a,b)", ["SEARCH t USING INDEX names (name=?)"]],
  ["folded=in.(a,b)", ["SEARCH t USING INDEX foldeds (folded=?)"]],
  ["year=in.(1,2)", ["SEARCH t USING INDEX years (year=?)"]],
  ["year=is.null", ["SEARCH t USING INDEX years (year=?)"]],
  ["name=like.A*", ["SEARCH t USING INDEX names (name>? AND name<?)"]],
  ["after=(5)", ["SEARCH t USING INTEGER PRIMARY KEY (rowid>?)"]],
  ["order=year&after=(1977,5)", ["SEARCH t USING INDEX years (year>?)"]],
  ["id=gt.5", ["SEARCH t USING INTEGER PRIMARY KEY (rowid>?)"]],
  [
    "or=(year.eq.5,name.eq.x)&order=name",
    [
      "MULTI-INDEX OR",
      "INDEX 1",
      "SEARCH t USING INDEX years (year=?)",
      "INDEX 2",
      "SEARCH t USING INDEX names (name=?)",
    ],
  ],
])("An index serves %s", (query, expected) => {
  const isBinary = !query.includes("folded");
  expect(planOf(query, isBinary)).toEqual(expected);
});

import { describe, expect, test } from "vitest";
import { createRandom } from "../../../src/testing/index.ts";
import { here, serve } from "./service.ts";

/** Columns of a table of odd values, with SQL for a value of each. */
type Columns = readonly (readonly [name: string, type: string, values: readonly string[]])[];

const texts = [
  "''",
  "'a'",
  "'\"\\/ ,{}()'",
  "'é'",
  "'🎸'",
  "'line\nline\ttab'",
  "'''x'''",
  "'NULL'",
  "'null'",
  "' '",
  "'(1,\"a\")'",
  "'\u2028'",
];
const numbers = ["0", "1", "-1", "2.5", "0.1", "1e300", "-1e-300", "123456.789", "3.0"];
const integers = ["0", "1", "-7", "9007199254740993", "9223372036854775807", "-9223372036854775807"];
const json = [`'{"a":[1,2.50,"é",null]}'`, "'1e2'", `'"text"'`, "'null'", "'[ ]'", "'12345678901234567890'"];

const sqliteColumns: Columns = [
  ["i", "INTEGER", [...integers, "'text'", "x'00ff'"]],
  ["r", "REAL", [...numbers, "9e999", "-9e999", "-0.0", "0.30000000000000004", "5e-324"]],
  ["n", "NUMERIC", [...numbers, ...integers, "'x'"]],
  ["t", "TEXT", [...texts, "char(97, 0, 98)", "CAST(x'61ff62' AS TEXT)", "CAST(x'c3' AS TEXT)", "x'61'"]],
  ["b", "BLOB", ["x''", "x'00'", "x'ff00fe'", "'text'", "12"]],
  ["j", "JSON", [...json, "'no json'", "7"]],
  ["flag", "BOOLEAN", ["0", "1", "2", "'x'"]],
  ["d", "DATE", ["'2024-02-29'", "20240229"]],
  ["u", "", [...texts, ...integers, ...numbers, "x'61'"]],
  ['"odd "" name"', "TEXT", texts],
];

const postgresColumns: Columns = [
  ["i", "bigint", integers],
  ["i2", "smallint", ["0", "-32768"]],
  [
    "r",
    "double precision",
    [...numbers, "'Infinity'", "'-Infinity'", "'NaN'", "'-0'", "0.30000000000000004", "5e-324"],
  ],
  ["f4", "real", ["0.1", "1e30", "'NaN'"]],
  ["n", "numeric", [...integers, "1.50", "12345678901234567890.0987654321", "'NaN'"]],
  ["t", "text", texts],
  ["c", "char(6)", ["'a'", "''", "'a b'"]],
  ["b", "bytea", ["'\\x'", "'\\x00'", "'\\xff00fe'"]],
  ["j", "json", json],
  ["jb", "jsonb", json],
  ["flag", "boolean", ["true", "false"]],
  ["d", "date", ["'2024-02-29'", "'infinity'", "'0044-03-15 BC'"]],
  ["ti", "time", ["'12:00:00.5'"]],
  ["tz", "timestamptz", ["'2024-02-29 12:00:00.25+02'", "'-infinity'", "'99999-01-01 00:00+00'"]],
  ["ts", "timestamp", ["'2024-02-29 12:00'"]],
  ["iv", "interval", ["'1 year 2 days 03:04:05.6'", "'-1 day'"]],
  ["u", "uuid", ["'11111111-1111-4111-8111-111111111111'"]],
  ["ip", "inet", ["'192.168.0.1'", "'192.168.0.0/24'", "'::1'"]],
  ["ia", "integer[]", ["'{}'", "'{1,NULL,3}'", "'{{1,2},{3,4}}'"]],
  ["ta", "text[]", [`'{"a,b",NULL,"NULL","\\"",""}'`]],
  ["ja", "jsonb[]", [`ARRAY['{"a":1}'::jsonb]`]],
  ["m", "money", ["'12.34'"]],
  ["p", "point", ["'(1,2)'"]],
  ["rg", "int4range", ["'[1,5)'", "'empty'"]],
  ["bits", "bit varying", ["B'101'", "B''"]],
  ["e", "mood", ["'so, so'", "'good'"]],
  ["pair", "pair", [`'(1,"a,b")'`, "'(,)'"]],
  ['"odd "" name"', "text", texts],
];

const columns = here({ sqlite: sqliteColumns, postgres: postgresColumns });

/** A table with some rows of random values for one parent, and one whose texts are keys. */
function tableSql(seed: number): string {
  const random = createRandom(seed);
  const rows = Array.from({ length: 40 }, (_, at) => {
    const values = columns.map(([, , one]) => (random.chance(0.15) ? "NULL" : random.pick(one)));
    return `(${[at + 1, 1, ...values].join(", ")})`;
  });
  const list = columns.map(([name, type]) => `${name} ${type}`).join(", ");
  const types = here({
    sqlite: "",
    postgres: "CREATE TYPE mood AS ENUM ('so, so', 'good'); CREATE TYPE pair AS (a int, b text);",
  });
  const keys = [
    ...new Set(texts.slice(1)),
    ...here({ sqlite: ["CAST(x'61ff' AS TEXT)", "x'61'", "'7'"], postgres: [] }),
  ];
  const escaped = here({ sqlite: "", postgres: "SET standard_conforming_strings = on;" });
  return `${escaped} ${types} CREATE TABLE parents (id INTEGER PRIMARY KEY); INSERT INTO parents VALUES (1), (2);
    CREATE TABLE odd (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parents (id), ${list});
    INSERT INTO odd VALUES ${rows.join(", ")};
    CREATE TABLE keyed (k TEXT NOT NULL, parent_id INTEGER NOT NULL REFERENCES parents (id), PRIMARY KEY (k, parent_id));
    INSERT INTO keyed SELECT k, 1 FROM (${keys.map((key) => `SELECT ${key} AS k`).join(" UNION ALL ")}) AS named`;
}

describe("What is embedded", () => {
  test.each([1, 2, 3])("is shown just as a GET of its own table shows it, whatever it is (seed %i)", async (seed) => {
    const { send } = await serve(tableSql(seed));

    const [odd, keyed] = [await send("GET", "/odd"), await send("GET", "/keyed")];
    const embedded = await send("GET", "/parents?select=odd(*),keyed(*)&id=eq.1");

    expect((odd.json as { odd: object[] }).odd).toHaveLength(40);
    const list = (text: string, name: string): string => text.slice(`{"${name}":`.length, -1);
    expect(embedded.text).toBe(
      `{"parents":[{"url":"/parents/1","odd":${list(odd.text, "odd")},"keyed":${list(keyed.text, "keyed")}}]}`,
    );
  });

  test("deeper, to one and by itself, is the same as well", async () => {
    const { send } = await serve(tableSql(4));

    const odd = await send("GET", "/odd/3");
    const deep = await send("GET", "/odd/3?select=parents(odd(*))&parents.odd.id=eq.3");
    const parent = await send("GET", "/odd/3?select=*,parents(id)");

    const record = odd.text.slice('{"odd":'.length, -1);
    expect(deep.text).toBe(`{"odd":{"url":"/odd/3","parents":{"url":"/parents/1","odd":[${record}]}}}`);
    expect(parent.text).toBe(`${odd.text.slice(0, -2)},"parents":{"url":"/parents/1","id":1}}}`);
  });

  test("has all columns of a wide table", async () => {
    const names = Array.from({ length: 1_100 }, (_, at) => `c${at}`);
    const { send } = await serve(
      `CREATE TABLE parents (id INTEGER PRIMARY KEY); INSERT INTO parents VALUES (1);
       CREATE TABLE wide (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parents (id), ${names.map((name) => `${name} INTEGER`).join(", ")});
       INSERT INTO wide VALUES (1, 1, ${names.map((_, at) => at).join(", ")})`,
    );

    const wide = await send("GET", "/wide");
    const embedded = await send("GET", "/parents?select=wide(*)");

    expect(embedded.text).toBe(`{"parents":[{"url":"/parents/1","wide":${wide.text.slice('{"wide":'.length, -1)}}]}`);
  });
});

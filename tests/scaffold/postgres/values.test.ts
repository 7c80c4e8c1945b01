import { describe, expect, it } from "vitest";
import { recordJson, setValueSettings, valueSettings } from "../../../src/scaffold/postgres/index.ts";
import { parseArray, parseRow } from "../../../src/scaffold/postgres/row-text.ts";
import type { ColumnType } from "../../../src/scaffold/postgres/table.ts";
import { serverOfFile } from "./server.ts";
import { newSite, type Site, watch } from "./workspace.ts";

const server = serverOfFile();

/** A column of each type, values of it, and how they are shown. */
const samples: readonly (readonly [type: string, value: string, json: string])[] = [
  ["smallint", "-32768", "-32768"],
  ["int", "2147483647", "2147483647"],
  ["bigint", "9007199254740991", "9007199254740991"],
  ["bigint", "9007199254740993", '"9007199254740993"'],
  ["bigint", "-9223372036854775808", '"-9223372036854775808"'],
  ["numeric", "1.50", "1.50"],
  ["numeric", "0.1", "0.1"],
  ["numeric", "123456789012345678901234567890.123", '"123456789012345678901234567890.123"'],
  ["numeric(6,3)", "-0.005", "-0.005"],
  ["numeric", "'NaN'", '"NaN"'],
  ["float8", "0.1::float8 + 0.2", "0.30000000000000004"],
  ["float8", "'Infinity'", '"Infinity"'],
  ["float8", "1e300", "1e+300"],
  ["float4", "3.4028235e38", "3.4028235e+38"],
  ["bool", "true", "true"],
  ["text", `E'a "b" \\\\ c, (d) \\n é {}'`, JSON.stringify('a "b" \\ c, (d) \n é {}')],
  ["text", "''", '""'],
  ["char(5)", "'ab'", '"ab   "'],
  ["date", "'2026-03-01'", '"2026-03-01"'],
  ["timestamp", "'2026-03-01 12:34:56.789'", '"2026-03-01T12:34:56.789"'],
  ["timestamptz", "'2026-03-01 12:34:56+05:30'", '"2026-03-01T07:04:56+00:00"'],
  ["timestamptz", "'infinity'", '"infinity"'],
  ["timestamp", "'0044-03-15 01:02:03 BC'", '"0044-03-15 01:02:03 BC"'],
  ["interval", "'1 year 2 months 3 days 04:05:06.7'", '"1 year 2 mons 3 days 04:05:06.7"'],
  ["money", "'12.34'", '"$12.34"'],
  ["bytea", "'\\x00ff10'", '"AP8Q"'],
  ["uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"'],
  ["json", `'{"b": 1,  "a": [1.0, "x,\\"y"]}'`, '{"b": 1,  "a": [1.0, "x,\\"y"]}'],
  ["jsonb", `'{"b": 1,  "a": null}'`, '{"a": null, "b": 1}'],
  ["json", "'null'", "null"],
  ["int[]", "'{1,NULL,3}'", "[1,null,3]"],
  ["int[]", "'[0:1]={1,2}'", "[1,2]"],
  ["text[]", `'{"a,b",NULL,"NULL","q\\"\\\\",""}'`, '["a,b",null,"NULL","q\\"\\\\",""]'],
  ["text[]", "'{{a,b},{c,d}}'", '[["a","b"],["c","d"]]'],
  ["timestamptz[]", "ARRAY['2026-03-01 12:00+02'::timestamptz]", '["2026-03-01T10:00:00+00:00"]'],
  ["bytea[]", "ARRAY['\\x01'::bytea]", '["AQ=="]'],
  ["float8[]", "ARRAY[0.1, 'NaN']::float8[]", '[0.1,"NaN"]'],
  ["int[]", "'{}'", "[]"],
  ["mood", "'ok'", '"ok"'],
  ["mood[]", "'{ok,sad}'", '["ok","sad"]'],
  ["positive", "7", "7"],
  ["very_positive", "8", "8"],
  ["int4range", "'[1,5)'", '"[1,5)"'],
  ["tstzrange", "'[2026-03-01 12:00+02,)'", '"[\\"2026-03-01 10:00:00+00\\",)"'],
  ["citext", "'MiXed'", '"MiXed"'],
  ["inet", "'10.0.0.1'", '"10.0.0.1"'],
  ["point", "'(1.5,2)'", '"(1.5,2)"'],
  ["pair", "ROW(1, 'x,y')", '"(1,\\"x,y\\")"'],
  ["int", "NULL", "null"],
];

const columns = samples.map(([type], place) => `c${place} ${type}`).join(", ");
const setUpSql = `CREATE EXTENSION citext; CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a int, b text);
  CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE DOMAIN very_positive AS positive;
  CREATE TABLE samples (id int PRIMARY KEY, ${columns})`;
const insertSql = `INSERT INTO samples VALUES (1, ${samples.map(([type, value]) => `(${value})::${type}`).join(", ")})`;
const expected = `{"id":1,${samples.map(([, , json], place) => `"c${place}":${json}`).join(",")}}`;

/** Settings that decide how values are written, none of them as usual. */
const strangeSettings = `SET DateStyle = 'SQL, DMY'; SET IntervalStyle = iso_8601; SET TimeZone = 'Asia/Kolkata';
  SET bytea_output = escape; SET extra_float_digits = -3; SET lc_monetary = 'C'; SET quote_all_identifiers = on`;

async function represented(site: Site, insert: () => Promise<unknown>): Promise<unknown[]> {
  const { journal, batches } = await watch(site);
  await insert();
  await journal.poll();
  return batches.flatMap(({ changes }) => changes.map((change) => change.represent().body));
}

describe("values", () => {
  it.each([
    ["of a usual session", ""],
    ["of a session with other settings", strangeSettings],
  ])("%s are shown exactly", async (_, settings) => {
    const site = await newSite(server, setUpSql);
    const bodies = await represented(site, async () => {
      await site.client.query(settings);
      await site.client.query(insertSql);
      await site.client.query("SET TimeZone = 'America/New_York'");
      await site.client.query("UPDATE samples SET id = 1");
    });
    expect(bodies).toEqual([expected, expected]);
    expect(() => JSON.parse(expected)).not.toThrow();
  });

  it("are shown by the journal as a GET reads them", async () => {
    const site = await newSite(server, setUpSql);
    const { journal, batches, pool } = await watch(site);
    await site.client.query(`ALTER DATABASE ${site.database} SET TimeZone = 'Asia/Kolkata'`);
    await site.client.query(insertSql);
    await journal.poll();
    const types = await pool.query(
      "SELECT a.attname, rocket.describe_type(a.atttypid) FROM pg_attribute a WHERE a.attrelid = 'samples'::regclass AND attnum > 0 ORDER BY attnum",
    );
    const described = types.map(([name, type]) => ({ name: name ?? "", type: JSON.parse(type ?? "") as ColumnType }));
    const [row = []] = await pool.transaction(`BEGIN; ${setValueSettings}`, (session) =>
      session.query("SELECT * FROM samples"),
    );
    expect(recordJson(described, row)).toBe(expected);
    expect(batches[0]?.changes[0]?.represent().body).toBe(expected);
  });

  it("depend on no setting that is not fixed", async () => {
    const site = await newSite(server);
    for (const name of Object.keys(valueSettings)) {
      const { rows } = await site.client.query("SELECT current_setting($1)", [name]);
      expect(rows).toHaveLength(1);
    }
  });
});

describe("a row's text", () => {
  it.each([
    ["(1,,a)", ["1", null, "a"]],
    ['("",x)', ["", "x"]],
    ['("a ""b"" \\\\ c","(d)")', ['a "b" \\ c', "(d)"]],
    ["(,)", [null, null]],
  ])("%s is taken apart", (text, values) => {
    expect(parseRow(text)).toEqual(values);
  });

  it.each(["", "(", '("a)', "a,b"])("%j is refused", (text) => {
    expect(() => parseRow(text)).toThrow(SyntaxError);
  });
});

describe("an array's text", () => {
  it.each([
    ["{1;2}", ";", ["1", "2"]],
    ["{{1},{2}}", ",", [["1"], ["2"]]],
  ])("%s is taken apart", (text, delimiter, items) => {
    expect(parseArray(text, delimiter)).toEqual(items);
  });

  it.each(["", "1,2", "{1", '{"a'])("%j is refused", (text) => {
    expect(() => parseArray(text, ",")).toThrow(SyntaxError);
  });
});

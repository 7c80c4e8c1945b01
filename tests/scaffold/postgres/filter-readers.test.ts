import { expect, onTestFinished, test } from "vitest";
import { createScaffold } from "../../../src/scaffold/index.ts";
import { compareReaders, hardPatterns, hardTexts, type SampleColumn, sampleTable, sqlText } from "../filter-readers.ts";
import { serverOfFile } from "./server.ts";

const server = serverOfFile();

const texts = { values: hardTexts.map(sqlText), literals: hardTexts, patterns: hardPatterns };
const integers = ["0", "1", "-1", "9007199254740993", "9223372036854775807", "-9223372036854775808"];
const fractions = [
  "0",
  "-0.0",
  "1",
  "1.0",
  "-1.5",
  "-1.55",
  "100",
  "99.9",
  "1e-20",
  "-1e20",
  "1e20",
  "0.1",
  "'NaN'",
  "'Infinity'",
  "'-Infinity'",
];
const fractionLiterals = [
  "0",
  "-0",
  "1",
  "1.000",
  "-1.5",
  "-1.55",
  "100",
  "1e2",
  "0.1",
  "1e20",
  "-1e20",
  "NaN",
  "Infinity",
  "-Infinity",
  "0.10000000001",
];
const dates = [
  "'2026-01-31'",
  "'0001-01-01'",
  "'9999-12-31'",
  "'12026-01-01'",
  "'0044-03-15 BC'",
  "'4000-01-01 BC'",
  "'infinity'",
  "'-infinity'",
];
const moments = [
  "'2026-01-31 20:00:00'",
  "'2026-01-31 20:00:00.5'",
  "'2026-01-31 20:00:00.500001'",
  "'2026-01-31 19:59:59.999999'",
];
const momentLiterals = [
  "2026-01-31",
  "2026-01-31T20:00",
  "2026-01-31 20:00:00.5",
  "2026-01-31T20:00:00.500000",
  "0044-03-15 BC",
  "infinity",
  "9999-12-31",
];

const columns: SampleColumn[] = [
  { name: "a_text", type: "text", ...texts, isPlain: true },
  { name: "bytewise", type: 'text COLLATE "C"', ...texts },
  { name: "folded", type: "text COLLATE folding", values: texts.values, literals: texts.literals },
  { name: "short", type: "varchar(40)", ...texts },
  { name: "padded", type: "char(12)", values: texts.values, literals: texts.literals },
  { name: "a_name", type: "name", ...texts },
  { name: "mood", type: "mood", values: ["'sad'", "'glad'"], literals: ["sad", "glad"] },
  {
    name: "a_smallint",
    type: "smallint",
    values: ["0", "1", "-1", "32767"],
    literals: ["0", "1.0", "-32768"],
    isPlain: true,
  },
  { name: "a_bigint", type: "bigint", values: integers, literals: [...integers, "+1"] },
  { name: "a_numeric", type: "numeric", values: fractions, literals: fractionLiterals },
  {
    name: "cents",
    type: "numeric(12,2)",
    values: ["1.5", "1.50", "0.1", "-7", "'NaN'"],
    literals: ["1.5", "1.501", "0.10", "-7.0", "NaN"],
  },
  { name: "a_double", type: "double precision", values: fractions, literals: fractionLiterals },
  { name: "a_real", type: "real", values: fractions, literals: fractionLiterals },
  {
    name: "a_boolean",
    type: "boolean",
    values: ["true", "false"],
    literals: ["true", "false", "1", "0"],
    isBoolean: true,
    isPlain: true,
  },
  {
    name: "a_date",
    type: "date",
    values: dates,
    literals: ["2026-01-31", "0001-01-01", "9999-12-31", "0044-03-15 BC", "infinity"],
  },
  { name: "a_timestamp", type: "timestamp", values: [...dates, ...moments], literals: momentLiterals },
  {
    name: "a_moment",
    type: "timestamptz",
    values: [...dates, ...moments],
    literals: [...momentLiterals, "2026-01-31T21:00:00+01:00", "2026-01-31T20:00Z"],
  },
  {
    name: "a_uuid",
    type: "uuid",
    values: ["'0a000000-0000-0000-0000-000000000000'", "'fa000000-0000-0000-0000-00000000000f'"],
    literals: ["0A000000-0000-0000-0000-000000000000", "ffffffff-0000-0000-0000-000000000000"],
  },
  {
    name: "bytes",
    type: "bytea",
    values: ["'\\x'", "'\\x00'", "'\\x0102'", "'\\xff'"],
    literals: ["", "AA==", "AQI=", "/w=="],
  },
  { name: "a_jsonb", type: "jsonb", values: ["'1'", "'[1]'", "'{}'"], literals: ["1", "[1]", "[ 1 ]"] },
  { name: "list", type: "int[]", values: ["'{1,2}'", "'{}'"], literals: ["{1,2}", "{ 1, 2 }"] },
  { name: "span", type: "interval", values: ["'1 day'", "'24:00'"], literals: ["1 day", "24 hours"] },
];

const ordered = [
  "a_smallint",
  "a_bigint",
  "a_numeric",
  "cents",
  "a_double",
  "a_real",
  "a_boolean",
  "a_uuid",
  "bytes",
  "a_date",
  "a_timestamp",
  "a_moment",
];
const all = ["eq", "neq", "gt", "gte", "lt", "lte", "in", "is", "isdistinct", "eq(any)"];

const databases = {
  "C.UTF-8 of the C library": ["LOCALE_PROVIDER libc LOCALE 'C.UTF-8'", true, 15],
  "a locale of ICU": ["LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C'", false, 15],
  "the builtin C.UTF-8": ["LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'", true, 17],
} as const;

test.each(Object.entries(databases))(
  "Views let in by their changes just what PostgreSQL gives, whatever is asked and stored: %s",
  async (what, [locale, isCodePoint, since]) => {
    const maker = await server.connect("postgres");
    const { rows } = await maker.query<{ version: string }>("SELECT current_setting('server_version_num') AS version");
    if (Number(rows[0]?.version) < since * 10_000) return;
    const name = `readers_${Object.keys(databases).indexOf(what)}`;
    await maker.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8' ${locale}`);
    const client = await server.connect(name);
    await client.query(`CREATE TYPE mood AS ENUM ('sad', 'glad');
      CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      ${sampleTable(columns, "int GENERATED ALWAYS AS IDENTITY PRIMARY KEY")}`);
    const scaffold = await createScaffold({ path: server.url(name), onError: () => undefined });
    onTestFinished(() => scaffold.close());

    const run = (sql: string) => client.query(sql);
    const decided = await compareReaders({ scaffold, run }, columns, { rows: 100, runs: 300 });

    const equality = ["eq", "neq", "in", "is", "isdistinct", "eq(any)"];
    const expected: [names: string[], operators: string[]][] = [
      [ordered, all],
      [["bytewise"], [...all, "like"]],
      [
        ["a_text", "short"],
        [...(isCodePoint ? all : equality), "like"],
      ],
      [["folded", "padded", "a_name", "a_jsonb", "list", "span"], ["is"]],
      [["mood"], []],
    ];
    for (const [names, operators] of expected) {
      for (const one of names) expect([one, decided.get(one)]).toEqual([one, operators]);
    }
  },
  120_000,
);

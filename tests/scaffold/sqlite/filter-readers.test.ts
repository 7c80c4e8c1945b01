import { expect, test } from "vitest";
import { compareReaders, hardPatterns, hardTexts, type SampleColumn, sampleTable, sqlText } from "../filter-readers.ts";
import { serve } from "./service.ts";

const numbers = [
  "0",
  "-0.0",
  "1",
  "-1",
  "1.5",
  "9007199254740993",
  "9223372036854775807",
  "-9223372036854775808",
  "1e300",
];
const strange = ["'abc'", "x'01'", "x''", "9e999"];
const numberLiterals = [
  "0",
  "-0",
  "1",
  "1.0",
  "-1",
  "1.5",
  "9007199254740992",
  "9007199254740993",
  "9223372036854775807",
  "1e300",
];

const texts = {
  values: [...hardTexts.map(sqlText), "'a' || char(0) || 'b'", "x'ff'"],
  literals: [...hardTexts, "a\0b"],
  patterns: hardPatterns,
};

const columns: SampleColumn[] = [
  { name: "a_text", type: "TEXT", ...texts },
  { name: "folded", type: "TEXT COLLATE NOCASE", ...texts, values: hardTexts.map(sqlText), isPlain: true },
  { name: "trimmed", type: "TEXT COLLATE RTRIM", ...texts },
  {
    name: "untyped",
    type: "",
    ...texts,
    values: [...texts.values, ...numbers],
    literals: [...hardTexts, ...numberLiterals],
  },
  { name: "an_integer", type: "INTEGER", values: [...numbers, ...strange], literals: [...numberLiterals, "Infinity"] },
  { name: "a_real", type: "REAL", values: [...numbers, ...strange], literals: [...numberLiterals, "Infinity"] },
  { name: "a_numeric", type: "NUMERIC", values: [...numbers, ...strange], literals: numberLiterals },
  {
    name: "a_count",
    type: "INTEGER",
    values: ["0", "-7", "9007199254740991"],
    literals: ["0", "-7.0", "9007199254740993", "1e3"],
    isPlain: true,
  },
  {
    name: "a_date",
    type: "DATETIME",
    values: ["'2026-01-31'", "'2026-11-29 20:00'", "''", "2026"],
    literals: ["2026-01-31", "2026-11-29", "2026", "x"],
    patterns: ["2026*", "*-31"],
  },
  {
    name: "a_boolean",
    type: "BOOLEAN",
    values: ["1", "0", "2"],
    literals: ["true", "false", "1", "0"],
    isBoolean: true,
    isPlain: true,
  },
  {
    name: "a_blob",
    type: "BLOB",
    values: ["x''", "x'00'", "x'0102'", "x'ff'", "'AQI='"],
    literals: ["", "AA==", "AQI=", "/w=="],
  },
];

test("Views let in by their changes just what SQLite gives, whatever is asked and stored", async () => {
  const { other, scaffold } = await serve(sampleTable(columns, "INTEGER PRIMARY KEY"));
  const run = async (sql: string) => other.exec(sql);

  const decided = await compareReaders({ scaffold, run }, columns, { rows: 150, runs: 1_000 });

  for (const { name, patterns } of columns) {
    const operators = [
      "eq",
      "neq",
      "gt",
      "gte",
      "lt",
      "lte",
      "in",
      "is",
      "isdistinct",
      "eq(any)",
      ...(patterns ? ["like", "ilike"] : []),
    ];
    expect([name, decided.get(name)]).toEqual([name, operators]);
  }
});

import Database from "better-sqlite3";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { toDriver } from "../../../src/scaffold/sqlite/connection.ts";
import { canonicalValue } from "../../../src/scaffold/sqlite/engine/value-kind.ts";
import { formatValue, resolveText } from "../../../src/scaffold/sqlite/engine/value-text.ts";
import { SqliteType } from "../../../src/scaffold/sqlite/engine/value-type.ts";
import type { Column, SqlValue } from "../../../src/scaffold/sqlite/schema.ts";
import { valueKey } from "../../../src/server/direct/image-key.ts";
import { column, columnTypes } from "./samples.ts";
import { storedValues, texts } from "./values.ts";

const database = new Database(":memory:");
database.defaultSafeIntegers();
for (const { name, declaredType } of columnTypes) database.exec(`CREATE TABLE ${name} (x ${declaredType})`);
afterAll(() => database.close());

/** What the column makes of a value. */
function store({ name }: Column, value: SqlValue): SqlValue {
  database.exec(`DELETE FROM ${name}`);
  database.prepare(`INSERT INTO ${name} VALUES (?)`).run(toDriver(value));
  const stored = database.prepare(`SELECT x FROM ${name}`).pluck().get() as SqlValue;
  return typeof stored === "bigint" ? canonicalValue(stored) : stored;
}

describe("A filter's value", () => {
  test.each(columnTypes)("means in SQL what it means to views, in $declaredType", (one) => {
    const type = new SqliteType(one, false);
    fc.assert(
      fc.property(storedValues, fc.option(texts, { nil: undefined }), (value, other) => {
        const stored = store(one, value);
        // Mostly what is there, or the question would hardly ever be answered by yes.
        const text = other ?? (stored === null ? "" : formatValue(type, stored));
        const wanted = resolveText(type, text);
        const found = database
          .prepare(`SELECT count(*) FROM ${one.name} WHERE x = ? AND x COLLATE BINARY = ?`)
          .pluck()
          .get(toDriver(wanted), toDriver(wanted));
        const isSame = stored !== null && valueKey(canonicalValue(stored)) === valueKey(canonicalValue(wanted));
        expect(Number(found)).toBe(isSame ? 1 : 0);
      }),
      { numRuns: 500 },
    );
  });

  test.each(columnTypes.slice(0, 4))("is what the column's affinity makes of the text, in $declaredType", (one) => {
    const type = new SqliteType(one, false);
    fc.assert(
      fc.property(
        texts.filter((text) => !text.includes("\0") && !text.includes("Infinity")),
        (text) => {
          const [resolved, stored] = [canonicalValue(resolveText(type, text)), canonicalValue(store(one, text))];
          if (typeof stored === "number" && typeof resolved === "number" && stored !== resolved) {
            expect(resolved).toBeCloseTo(stored, -Math.floor(Math.log10(Math.abs(stored))) + 14);
          } else {
            expect(valueKey(resolved)).toBe(valueKey(stored));
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  test.each([
    ["BOOLEAN", "true", 1],
    ["BOOLEAN", "false", 0],
    ["BOOLEAN", "1", 1],
    ["BOOLEAN", "yes", "yes"],
    ["INTEGER", "01", 1],
    ["INTEGER", "1e0", 1],
    ["INTEGER", "1.0", 1],
    ["INTEGER", "", ""],
    ["INTEGER", "ten", "ten"],
    ["INTEGER", "9007199254740993", 9007199254740993n],
    ["TEXT", "1", "1"],
    ["", "1", 1],
    ["", "01", "01"],
    ["BLOB", "!", "!"],
  ])("of %s in %s is %s", (declaredType, text, value) => {
    const one = columnTypes.find((type) => type.declaredType === declaredType) ?? column("x", "", "blob");

    expect(resolveText(new SqliteType(one, false), text)).toBe(value);
  });

  test("of a BLOB is base64", () => {
    expect(resolveText({ kind: "base64", affinity: "blob" }, "AQID")).toEqual(new Uint8Array([1, 2, 3]));
  });
});

describe("A value's text", () => {
  test.each(columnTypes)("means that value again, in $declaredType", (one) => {
    const type = new SqliteType(one, true);
    fc.assert(
      fc.property(texts, (text) => {
        const value = resolveText(type, text);
        const again = resolveText(type, formatValue(type, value));
        expect(valueKey(canonicalValue(again))).toBe(valueKey(canonicalValue(value)));
      }),
    );
  });
});

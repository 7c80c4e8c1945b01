import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SqlValue } from "../../../src/scaffold/sqlite/schema.ts";
import { serve } from "./service.ts";

const text = fc.string({ unit: "binary" }).filter((value) => !/\p{Surrogate}/u.test(value));
const integer = fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
const real = fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(1e17, 2 ** 60, 1e300, 0.1, -1e-7));
const json = fc.json().filter((value) => JSON.parse(value) !== null);

/** The values that a column of a type is made for; NULL goes for all. */
const values: readonly (readonly [declared: string, value: fc.Arbitrary<SqlValue>])[] = [
  ["INTEGER", integer],
  ["REAL", real],
  ["NUMERIC", fc.oneof(integer, real)],
  ["DECIMAL(10,2)", fc.oneof(integer, real)],
  ["TEXT", text],
  ["VARCHAR(20) COLLATE NOCASE", text],
  ["BLOB", fc.uint8Array({ maxLength: 20 })],
  ["", fc.oneof(fc.maxSafeInteger(), real, text)],
  ["BOOLEAN", fc.constantFrom(0, 1, 2)],
  [
    "DATETIME",
    fc.oneof(
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      integer,
    ),
  ],
  ["JSON", json],
];

describe("What goes out comes back in unchanged", () => {
  test.each(values)("in a column of type %j", async (declared, arbitrary) => {
    const { send, other } = await serve(`CREATE TABLE t (id INTEGER PRIMARY KEY, x ${declared})`);
    other.defaultSafeIntegers();
    const put = other.prepare("INSERT OR REPLACE INTO t VALUES (1, ?)");
    const stored = other.prepare("SELECT x, typeof(x) FROM t WHERE id = 1").raw();
    const clear = other.prepare("UPDATE t SET x = NULL");

    await fc.assert(
      fc.asyncProperty(fc.option(arbitrary), async (value) => {
        put.run(Number.isSafeInteger(value) ? BigInt(value as number) : value);
        const [before, type] = stored.get() as [unknown, string];
        const get = await send("GET", "/t/1");
        clear.run();
        const answer = await send("PUT", "/t/1", get.text);
        expect([answer.status, answer.text]).toEqual([200, get.text]);
        const after = stored.get() as [unknown, string];
        const isSameJson = declared === "JSON" && typeof before === "string";
        const shape = (one: unknown): unknown => (isSameJson ? JSON.parse(String(one)) : one);
        // An untyped column can't tell 1.0 from 1: JSON has one kind of number.
        if (declared === "" && type === "real") expect(Number(after[0])).toBe(before);
        else expect([shape(after[0]), after[1]]).toEqual([shape(before), type]);
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    ["BOOLEAN", "1", true],
    ["BOOLEAN", "0", false],
    ["JSON", `'{"a":[1,2]}'`, { a: [1, 2] }],
    ["JSON", "'no json'", "no json"],
    ["BLOB", "x'0102ff'", "AQL/"],
    ["INTEGER", "9007199254740992", "9007199254740992"],
    ["INTEGER", "9007199254740991", 9007199254740991],
    ["REAL", "9e999", Number.POSITIVE_INFINITY],
    ["DATE", "'2024-02-30'", "2024-02-30"],
    ["TEXT", "char(0x2028, 0, 34)", '\u2028\0"'],
  ])("as JSON: %s %s", async (declared, sql, shown) => {
    const { send } = await serve(
      `CREATE TABLE t (id INTEGER PRIMARY KEY, x ${declared}); INSERT INTO t VALUES (1, ${sql})`,
    );

    expect((await send("GET", "/t/1")).json).toEqual({ t: { url: "/t/1", id: 1, x: shown } });
  });
});

describe("A column", () => {
  test("named url stands in the place of the record's own URL", async () => {
    const { send } = await serve("CREATE TABLE t (id INTEGER PRIMARY KEY, url TEXT); INSERT INTO t VALUES (1, 'x')");

    const answer = await send("GET", "/t");

    expect(answer.json).toEqual({ t: [{ id: 1, url: "x" }] });
    expect(answer.field("Items")).toBe('list="/t", record="/t", url="/t/{id}"');
  });

  test("named as a member of every object does no harm", async () => {
    const { send } = await serve(`CREATE TABLE t (id INTEGER PRIMARY KEY, "constructor" TEXT, "toString" TEXT);
      INSERT INTO t VALUES (1, 'a', 'b')`);

    expect((await send("GET", "/t?constructor=a")).text).toBe(
      '{"t":[{"url":"/t/1","id":1,"constructor":"a","toString":"b"}]}',
    );
    expect((await send("PATCH", "/t/1", { toString: "c" })).text).toContain('"toString":"c"');
    expect((await send("GET", "/t?hasOwnProperty=a")).status).toBe(400);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { serve } from "./service.ts";

/** Sends a record as text, for JSON.stringify would change its numbers. */
async function put(declared: string, number: string) {
  const service = await serve(`CREATE TABLE t (id INTEGER PRIMARY KEY, x ${declared})`);
  service.other.defaultSafeIntegers();
  const { status, json } = await service.send("PUT", "/t/1", `{"x":${number}}`);
  const [row] = service.other.prepare("SELECT x, typeof(x) FROM t").raw().all() as [unknown, string][];
  return { ...service, status, json, row };
}

describe("A number in a body", () => {
  test.each([
    ["INTEGER", "9223372036854775807", 9223372036854775807n],
    ["BIGINT", "-9223372036854775808", -9223372036854775808n],
    ["NUMERIC", "1152921504606846977", 1152921504606846977n],
    ["DATETIME", "1152921504606846977", 1152921504606846977n],
    ["", "18014398509481985", 18014398509481985n],
    ["BLOB", "18014398509481985", 18014398509481985n],
    ["INTEGER", "1e3", 1000n],
    ["REAL", "2.50", 2.5],
    ["REAL", "0.10000000000000001", 0.1],
    ["REAL", "1e999", Number.POSITIVE_INFINITY],
    ["DECIMAL(10,2)", "19.99", 19.99],
    ["", "-0", -0],
    ["TEXT", "007e-0", undefined],
    ["TEXT", "12345678901234567890", "12345678901234567890"],
    ["TEXT", "2.50", "2.50"],
  ])("is stored as it was sent, in a column of type %j: %s", async (declared, number, stored) => {
    const { status, row } = await put(declared, number);
    if (stored === undefined) expect(status).toBe(400);
    else expect([status, row?.[0]]).toEqual([201, stored]);
  });

  test.each([
    ["INTEGER", "9223372036854775808"],
    ["INTEGER", "12345678901234567890123"],
    ["NUMERIC", "-9223372036854775809"],
    ["REAL", "9007199254740993"],
    ["REAL", "0.1000000000000000055511151231257827"],
    ["REAL", "1e400"],
    ["REAL", "1e-400"],
    ["DECIMAL(20,4)", "12345678901234567.8901"],
    ["DATETIME", "9007199254740993.0"],
    ["", "12345678901234567891"],
    ["JSON", "12345678901234567890"],
    ["INTEGER", `1${"0".repeat(5000)}1`],
  ])("is refused where digits would be lost, in a column of type %j: %s", async (declared, number) => {
    const { status, json, row } = await put(declared, number);
    expect([status, row]).toEqual([422, undefined]);
    expect(json).toMatchObject({ errors: [{ field: "x", detail: expect.stringContaining("Digits") }] });
  });

  test.each([
    ["INTEGER", '"seven"'],
    ["BIGINT UNSIGNED", '"1 000"'],
    ["REAL", '"1,5"'],
    ["DOUBLE PRECISION", '""'],
    ["DECIMAL(10,2)", '"abc"'],
    ["NUMBER", '"0x10"'],
  ])("is not a text: 422 in a column of type %j for %s", async (declared, text) => {
    const { status, json } = await put(declared, text);
    expect([status, json]).toMatchObject([422, { errors: [{ field: "x", detail: "This is no number." }] }]);
  });

  test.each([
    ["INTEGER", '"9223372036854775807"'],
    ["DECIMAL(10,2)", '"1.5"'],
    ["DATETIME", '"2024-05-06"'],
    ["INTERVAL", '"2 days"'],
    ["POINT", '"1 2"'],
    ["STRING", '"text"'],
  ])("may be a text where the column is for it: %j takes %s", async (declared, text) => {
    expect((await put(declared, text)).status).toBe(201);
  });
});

describe("JSON in a column", () => {
  const declarations = ["JSON", "JSONB", "TEXT CHECK (json_valid(x))", 'text CHECK ((JSON_VALID("x") OR "x" IS NULL))'];

  test.each(declarations)("keeps the digits of its numbers both ways: %s", async (declared) => {
    const sent = '{"a":12345678901234567890,"b":[2.50,1e400,-0,1E5,{"c":0.1000000000000000055}],"d":"2.50"}';
    const { send, status, row } = await put(declared, sent);
    expect([status, row?.[0]]).toEqual([201, sent]);
    const get = await send("GET", "/t/1");
    expect(get.text).toBe(`{"t":{"url":"/t/1","id":1,"x":${sent}}}`);
    expect((await send("PUT", "/t/1", get.text)).text).toBe(get.text);
    const patched = await send("PATCH", "/t/1", '{"x":{"b":null,"e":{"f":7.10}}}');
    expect(patched.text).toContain('"x":{"a":12345678901234567890,"d":"2.50","e":{"f":7.10}}');
  });

  test.each([
    ["JSON", "9007199254740993"],
    ["JSON", "0.5"],
    ["TEXT CHECK (json_valid(x))", "2.50"],
    ["TEXT CHECK (json_valid(x))", "12345678901234567890"],
  ])("may be a number alone: %s, %s", async (declared, number) => {
    const { send, status } = await put(declared, number);
    expect(status).toBe(201);
    expect((await send("GET", "/t/1")).text).toContain(`"x":${number}}`);
  });
});

describe("Bytes", () => {
  test.each(["VARBINARY(16)", "BINARY(16)", "IMAGE", "bytea", "MEDIUMBLOB"])(
    "in a column of type %s come back as they went",
    async (declared) => {
      const { send, row, status } = await put(declared, '"AQL/"');
      expect([status, row]).toEqual([201, [Buffer.from([1, 2, 255]), "blob"]]);
      expect((await send("GET", "/t/1")).json).toMatchObject({ t: { x: "AQL/" } });
    },
  );
});

describe("PUT of what GET gave", () => {
  const value = fc.oneof(
    fc.constantFrom("abc", "", "12", "1e5", "AQI=", '{"a": 1}', "no json", "null", "-0", 1.5, -0, 2 ** 60),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.double({ noNaN: true }),
    fc.uint8Array({ maxLength: 4 }),
  );

  test.each(["INTEGER", "REAL", "DECIMAL", "TEXT", "BLOB", "BOOLEAN", "DATE", "JSON", "VARBINARY(9)", ""])(
    "changes nothing of a row, whatever a column of type %j holds",
    async (declared) => {
      const { send, other } = await serve(`CREATE TABLE t (id INTEGER PRIMARY KEY, x ${declared}, y)`);
      other.defaultSafeIntegers();
      const fill = other.prepare("INSERT OR REPLACE INTO t VALUES (1, ?, 0)");
      const stored = other.prepare("SELECT x, typeof(x) FROM t").raw();
      await fc.assert(
        fc.asyncProperty(value, async (one) => {
          fill.run(one);
          const before = stored.get();
          const { text } = await send("GET", "/t/1");
          expect((await send("PUT", "/t/1", text)).text).toBe(text);
          // A column that converts nothing can't tell 1.0 from 1: JSON has one kind of number.
          const shape = (row: unknown): unknown => {
            const [x, type] = row as [unknown, string];
            return type === "real" && Number.isInteger(x) ? [BigInt(x as number), "integer"] : row;
          };
          expect(shape(stored.get())).toEqual(shape(before));
        }),
        { numRuns: 50 },
      );
    },
  );
});

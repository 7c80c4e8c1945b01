import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { View } from "../../../src/server/direct/view.ts";
import type { Change } from "../../../src/server/index.ts";
import { serverOfFile } from "./server.ts";
import { type Service, serviceOfFile } from "./service.ts";

const server = serverOfFile();

const text = fc.string({ unit: "binary" }).filter((value) => !/\p{Surrogate}|\0/u.test(value));
const int8 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const numeric = fc.tuple(int8, fc.integer({ min: 0, max: 999_999 })).map(([whole, part]) => `${whole}.${part}`);
const double = fc.oneof(fc.double().map(String), fc.constantFrom("NaN", "Infinity", "-Infinity", "1e300", "0.1", "-0"));
const time = fc.date({ noInvalidDate: true, min: new Date("0001-01-01"), max: new Date("9999-12-31") });
const instant = time.map((date) => date.toISOString());
const bytes = fc.uint8Array({ maxLength: 20 }).map((all) => `\\x${Buffer.from(all).toString("hex")}`);
const json = fc.json().filter((value) => JSON.parse(value) !== null && !/\\u0000|\\ud[89a-f]/.test(value));

/** The values that a column of a type is made for, as PostgreSQL reads them. */
const values: readonly (readonly [declared: string, value: fc.Arbitrary<string>])[] = [
  ["smallint", fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }).map(String)],
  ["integer", fc.integer().map(String)],
  ["bigint", int8],
  ["numeric", fc.oneof(numeric, int8, fc.constantFrom("NaN", "0.10", "1e40"))],
  ["numeric(10, 2)", fc.integer({ min: -9_999_999, max: 9_999_999 }).map((cents) => String(cents / 100))],
  ["real", fc.float({ noNaN: true }).map(String)],
  ["double precision", double],
  ["boolean", fc.constantFrom("true", "false")],
  ["text", text],
  ["varchar(30)", text.filter((value) => [...value].length <= 30)],
  ["char(5)", fc.constantFrom("a", "", "abcde", "ä")],
  ["bytea", bytes],
  ["uuid", fc.uuid()],
  ["date", fc.oneof(instant, fc.constantFrom("infinity", "0044-03-15 BC"))],
  ["timestamp", fc.oneof(instant, fc.constantFrom("infinity", "2024-02-29 12:00:00.123456"))],
  ["timestamptz", fc.oneof(instant, fc.constantFrom("-infinity", "2024-02-29 12:00:00.5+05:30"))],
  ["time", fc.constantFrom("12:34:56.789", "00:00", "24:00")],
  ["interval", fc.constantFrom("1 year 2 mons 3 days 04:05:06.7", "-1 day", "0")],
  ["json", json],
  ["jsonb", json],
  ["integer[]", fc.constantFrom("{}", "{1,NULL,3}", "{{1,2},{3,4}}")],
  [
    "text[]",
    fc
      .array(text, { maxLength: 3 })
      .map((all) => `{${all.map((one) => JSON.stringify(one.replace(/[\b\f\n\r\t\v]/g, ""))).join(",")}}`),
  ],
  ["inet", fc.constantFrom("192.168.0.1", "10.0.0.0/8", "::1")],
  ["int4range", fc.constantFrom("[1,5)", "empty", "(,7]")],
  ["mood", fc.constantFrom("sad", "it's ok", "happy")],
  ["year", fc.integer({ min: 1000, max: 3000 }).map(String)],
];

const typesSql = `CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy'); CREATE DOMAIN year AS int CHECK (value > 999)`;

/** The table with a column of a type: all are in one database. */
function tableOf(declared: string): string {
  return `t${values.findIndex(([one]) => one === declared)}`;
}

const tables = values.map(
  ([declared]) =>
    `CREATE TABLE ${tableOf(declared)} (id int PRIMARY KEY, x ${declared}); INSERT INTO ${tableOf(declared)} VALUES (1)`,
);
const service = serviceOfFile(server, [typesSql, ...tables].join("; "));

interface Served extends Service {
  readonly table: string;
  /** What the journal has told since the test began. */
  readonly changes: Change[];
  put(value: string | null): Promise<void>;
}

async function served(declared: string): Promise<Served> {
  const { client, scaffold } = service();
  const table = tableOf(declared);
  // The session of another program has settings of its own.
  await client.query("SET datestyle = 'German'; SET timezone = 'Asia/Kolkata'; SET intervalstyle = 'iso_8601'");
  const put = async (value: string | null): Promise<void> => {
    await client.query(`UPDATE ${table} SET x = $1 WHERE id = 1`, [value]);
  };
  const changes: Change[] = [];
  const stop = scaffold.journal?.tail((batch) => void changes.push(...batch.changes));
  onTestFinished(() => stop?.());
  return { ...service(), table, changes, put };
}

describe("What goes out comes back in unchanged, and the journal shows it just so", () => {
  test.each(values)("in a column of the type %s", async (declared, arbitrary) => {
    const { send, client, put, scaffold, table, changes } = await served(declared);
    const stored = async () => (await client.query(`SELECT x::text, xmin::text FROM ${table} WHERE id = 1`)).rows[0];

    await fc.assert(
      fc.asyncProperty(fc.option(arbitrary, { nil: null }), async (value) => {
        await put(value);
        const before = await stored();
        const shown = await send("GET", `/${table}/1`);

        const answer = await send("PUT", `/${table}/1`, shown.text);

        expect([shown.text, answer.status, answer.text]).toEqual([shown.text, 200, shown.text]);
        expect(await stored()).toEqual(before);
        // As a new value, too: no text stands there that would be kept.
        await put(null);
        expect([shown.text, (await send("PUT", `/${table}/1`, shown.text)).text]).toEqual([shown.text, shown.text]);
        expect((await stored()).x).toBe(before.x);
        await scaffold.journal?.poll();
        if (value !== null) expect(changes.at(-1)?.represent().body).toBe(shown.text);
      }),
      { numRuns: 5 },
    );
  });
});

describe("A filter", () => {
  test.each(["", "{", "[1,"])("of JSON that is none is a 400 that names column and value: %o", async (text) => {
    const { send, table } = await served("jsonb");
    const { status, json } = await send("GET", `/${table}?x=${encodeURIComponent(text)}`);
    expect([status, (json as { detail: string }).detail]).toEqual([400, expect.stringContaining('"x"')]);
  });

  const direct = values.filter(([declared]) => !["json"].includes(declared));
  test.each(direct)(
    "lets through in SQL what a view lets through, in a column of the type %s",
    async (declared, arbitrary) => {
      const { send, put, scaffold, table, changes } = await served(declared);

      await fc.assert(
        fc.asyncProperty(arbitrary, fc.option(arbitrary, { nil: undefined }), async (value, other) => {
          await put(value);
          await scaffold.journal?.poll();
          const shown = ((await send("GET", `/${table}/1`)).json as Record<string, { x: unknown }>)[table]?.x;
          const wanted = other ?? (typeof shown === "object" ? JSON.stringify(shown) : String(shown));
          const { status, json, view, url } = await send("GET", `/${table}?x=${encodeURIComponent(wanted)}`);
          if (status === 400) return;
          const found = (json as Record<string, unknown[]>)[table]?.length;
          expect(status).toBe(200);
          expect(view !== undefined || url !== undefined).toBe(true);
          const last = changes.at(-1);
          if (view && last) {
            const judged = new View(view).judge({
              ...last,
              kind: "create",
              collection: last.collection,
              url: last.url,
              after: last.after,
              represent: () => last.represent(),
            } as Change);
            expect([wanted, shown, judged !== undefined]).toEqual([wanted, shown, found === 1]);
          }
        }),
        { numRuns: 5 },
      );
    },
  );
});

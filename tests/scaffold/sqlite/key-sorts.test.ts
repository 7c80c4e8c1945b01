import { describe, expect, test } from "vitest";
import { serve } from "./service.ts";

/** Values that are written alike, or that a path can't have, as SQL. */
const values = [
  ...["1", "'1'", "x'31'", "1.5", "'1.5'", "'MQ=='", "x'32'", "''", "x''", "'.'", "x'2e'", "'..'", "'a,b'", "'true'"],
  ...[
    "0",
    "'false'",
    "'text=1'",
    "'bytes=MQ=='",
    "'number=1'",
    "'key=.'",
    "'rowid=1'",
    "'null'",
    "' 1'",
    "'1 '",
    "'x'",
  ],
  ...["'1' || char(0) || 'x'", "'2' || char(0)", "char(0)", "'AAAA'", "x'000000'", "'Infinity'", "9e999", "-9e999"],
  ...["9223372036854774784.0", "9223372036854775000", "9007199254740993", "'9007199254740993'", "1e300", "'1e300'"],
];

const types = ["", "BLOB", "NUMERIC", "REAL", "BOOLEAN", "VARCHAR COLLATE NOCASE"];

const shapes: readonly (readonly [shape: string, (type: string) => string])[] = [
  ["never null", (type) => `CREATE TABLE t (k ${type} PRIMARY KEY NOT NULL, v INTEGER)`],
  ["may be null", (type) => `CREATE TABLE t (k ${type} PRIMARY KEY, v INTEGER)`],
  ["is without a rowid", (type) => `CREATE TABLE t (k ${type} PRIMARY KEY, v INTEGER) WITHOUT ROWID`],
  ["has two parts", (type) => `CREATE TABLE t (n INT NOT NULL, k ${type} NOT NULL, v INTEGER, PRIMARY KEY (k, n))`],
];

const cases = shapes.flatMap(([shape, create]) =>
  types.map((type) => [type || "no type", shape, create(type)] as const),
);

function inserts(create: string): string {
  const n = create.includes("n INT") ? ", n" : "";
  return values
    .map((value, v) => `INSERT OR IGNORE INTO t (k, v${n}) VALUES (${value}, ${v}${n && ", 7"});`)
    .join("\n");
}

interface Row {
  readonly url: string;
  readonly v: number;
}

describe("The URLs of rows whose keys are of several sorts", () => {
  test.each(cases)("lead to just the rows that list them: a key of %s that %s", async (_, __, create) => {
    const { send, other } = await serve(`${create}; ${inserts(create)}`);
    const stored = (): unknown[][] =>
      other.prepare("SELECT quote(CAST(k AS BLOB)), typeof(k), v FROM t ORDER BY v").raw().all() as unknown[][];
    const rows = ((await send("GET", "/t")).json as { t: Row[] }).t;
    expect(rows).toHaveLength(stored().length);
    expect(new Set(rows.map(({ url }) => url)).size).toBe(rows.length);
    for (const { url, v } of rows) {
      // What reads URLs as browsers do leaves it as it is.
      expect(new URL(url, "http://example.com").pathname).toBe(url);
      const get = await send("GET", url);
      expect([url, get.json]).toMatchObject([url, { t: { url, v } }]);
      expect([url, (await send("PUT", url, get.text)).text]).toEqual([url, get.text]);
      const before = stored();
      expect((await send("PATCH", url, { v: v + 1000 })).json).toMatchObject({ t: { url, v: v + 1000 } });
      const changed = before.map((row) => (row[2] === v ? [row[0], row[1], v + 1000] : row));
      expect(new Set(stored().map(String))).toEqual(new Set(changed.map(String)));
    }
    for (const { url, v } of rows) {
      const before = stored();
      expect((await send("DELETE", url)).status).toBe(204);
      expect(stored()).toEqual(before.filter((row) => row[2] !== v + 1000));
    }
  });

  test.each([
    ["", "1", "/t/1"],
    ["", "'1'", "/t/text=1"],
    ["", "x'31'", "/t/bytes=MQ%3D%3D"],
    ["", "'MQ=='", "/t/MQ%3D%3D"],
    ["BLOB", "x'31'", "/t/MQ%3D%3D"],
    ["BLOB", "'MQ=='", "/t/text=MQ%3D%3D"],
    ["BLOB", "''", "/t/text="],
    ["BLOB", "x''", "/t/key="],
    ["BLOB", "1", "/t/number=1"],
    ["NUMERIC", "x'31'", "/t/bytes=MQ%3D%3D"],
    ["NUMERIC", "'Infinity'", "/t/text=Infinity"],
    ["BOOLEAN", "'true'", "/t/text=true"],
    ["TEXT", "x'31'", "/t/bytes=MQ%3D%3D"],
    ["TEXT", "'text=1'", "/t/text%3D1"],
  ])("say the sort where the plain text is another value's: %s %s", async (type, value, url) => {
    const { send, scaffold, other } = await serve(`CREATE TABLE t (k ${type} PRIMARY KEY NOT NULL, v INTEGER)`);
    const seen: string[] = [];
    scaffold.journal?.tail(({ changes }) => seen.push(...changes.map((change) => `${change.kind} ${change.url}`)));
    other.exec(`INSERT INTO t VALUES (${value}, 1); UPDATE t SET v = 2; DELETE FROM t`);
    await scaffold.journal?.poll();
    expect(seen).toEqual([`create ${url}`, `update ${url}`, `delete ${url}`]);
    const put = await send("PUT", url, { v: 3 });
    expect([put.status, put.field("Location")]).toEqual([201, url]);
    expect(other.prepare(`SELECT v, typeof(k) = typeof(${value}) AND k IS ${value} AS same FROM t`).all()).toEqual([
      { v: 3, same: 1 },
    ]);
  });

  test("are the rows' own, also where a key has several parts", async () => {
    const { send } = await serve("CREATE TABLE t (a TEXT NOT NULL, b NOT NULL, PRIMARY KEY (a, b))");
    await send("PUT", "/t/x%2Cy,text=1");
    const list = await send("PUT", "/t/x%2Cy,1", {});
    expect(list.json).toEqual({ t: { url: "/t/x%2Cy,1", a: "x,y", b: 1 } });
    expect((await send("GET", "/t")).field("Items")).toBe('list="/t", record="/t", link="/url"');
  });

  test("mean the plain text where no value of the column could have the mark", async () => {
    const { send } = await serve(
      `CREATE TABLE n (k NUMERIC PRIMARY KEY NOT NULL); INSERT INTO n VALUES (1);
       CREATE TABLE t (k TEXT PRIMARY KEY NOT NULL); INSERT INTO t VALUES ('1')`,
    );
    for (const url of ["/n/text=1", "/n/number=1", "/t/number=1", "/t/text=1", "/t/bytes=MQ"]) {
      expect([url, (await send("GET", url)).status]).toEqual([url, 404]);
    }
  });
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { createServer } from "../../src/node/index.ts";
import { createScaffold } from "../../src/scaffold/index.ts";

interface Row {
  readonly id: number | string;
}

/** A client of a server on a database of its own, and another program's connection to it. */
async function start(sql: string) {
  const place = mkdtempSync(join(tmpdir(), "rocket-order-"));
  const path = join(place, "data.db");
  const other = new Database(path);
  other.exec(sql);
  const scaffold = await createScaffold({ path });
  const server = createServer(scaffold);
  const { host, port } = await server.listen(0);
  const url = `http://${host}:${port}`;
  const client = createClient(url);
  onTestFinished(async () => {
    client.close();
    await server.close();
    await scaffold.close();
    other.close();
    rmSync(place, { recursive: true, force: true });
  });
  return { url, client, other };
}

/** A busy machine may take long. */
const patience = { timeout: 20_000, interval: 5 } as const;

const snowflakes = ["99999999999999999", "175928847299117063", "1000000000000000001", "9223372036854775807"];

/** What columns hold, as SQL, in the order in which it comes. */
const columns: readonly (readonly [what: string, declared: string, values: readonly string[]])[] = [
  ["ids of unequal length", "INTEGER", ["175928847299117063", "7", ...snowflakes.slice(2), "99999999999999999"]],
  ["the first integer beyond 2^53", "BIGINT", ["9", "1000", "9007199254740993", "80", "NULL", "9007199254740992"]],
  [
    "negative ones",
    "NUMERIC",
    ["-3", "-9007199254740993", "NULL", "-10000000000000000", "0.5", "-9223372036854775808"],
  ],
  ["texts beside them", "INTEGER", ["'a'", "10000000000000000", "'9007199254740993x'", "9007199254740993", "5", "''"]],
  ["texts that look like them", "TEXT", ["'10000000000000000'", "'9007199254740993'", "NULL", "'7'", "'99'"]],
  ["doubles beside them", "NUMERIC", ["1e18", "999999999999999998", "1000000000000000001", "1e300", "-1e18", "0"]],
  ["booleans and what is none", "BOOLEAN", ["1", "-1", "0", "0.5", "9007199254740993", "2", "'x'", "NULL"]],
  ["bytes", "BLOB", ["x'ff'", "x'00'", "x'3e'", "NULL", "x''", "x'0000'", "x'fb'", "x'fbff'", "x'61'", "x'7a'"]],
  ["the first bytes among texts", "TEXT", ["'a'", "'zz'", "x'00'", "'b'", "x'ff'", "NULL"]],
  ["the first text among bytes", "BLOB", ["x'61'", "x'00'", "'aa'", "x'ff'", "9007199254740993", "NULL"]],
];

describe.each([
  ["UTF-8", "asc"],
  ["UTF-8", "desc"],
  ["UTF-16le", "asc"],
])("A list in a database of %s, %s", (encoding, direction) => {
  const more: typeof columns =
    encoding === "UTF-8" ? [] : [["far texts", "TEXT", ["'a'", "'\u0100'", "'b'", "'\u0161'"]]];

  it.each([...columns, ...more])(
    "is the GET's, row by row as they come: %s [R-FLD-5]",
    async (_what, declared, values) => {
      const { url, client, other } = await start(
        `PRAGMA encoding = '${encoding}'; CREATE TABLE t (id INTEGER PRIMARY KEY, v ${declared})`,
      );
      const target = `/t?order=v.${direction}`;
      const list = client.collection<Row>("/t", { order: `v.${direction}` as never });
      onTestFinished(list.subscribe(() => {}));
      await list.ready();
      await vi.waitUntil(() => list.getSnapshot().status.state === "live", patience);
      const shown = () => list.getSnapshot().rows.map(({ id }) => id);
      const add = other.prepare.bind(other);
      for (const value of values) {
        add(`INSERT INTO t (v) VALUES (${value})`).run();
        const ids = ((await (await fetch(url + target)).json()) as { t: Row[] }).t.map(({ id }) => id);
        await vi.waitUntil(() => shown().length === ids.length, patience);
        expect(shown()).toEqual(ids);
      }
      for (const [at, value] of [...values].reverse().entries()) {
        add(`UPDATE t SET v = ${value} WHERE id = ?`).run(at + 1);
        add("INSERT INTO t (v) VALUES (NULL)").run();
        const ids = ((await (await fetch(url + target)).json()) as { t: Row[] }).t.map(({ id }) => id);
        await vi.waitUntil(() => shown().length === ids.length, patience);
        expect(shown()).toEqual(ids);
      }
    },
  );
});

describe("A list by its key", () => {
  it("stays followed by the journal when the first id beyond 2^53 comes, and rows stand where the GET has them", async () => {
    const { url, client, other } = await start("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (7)");
    const list = client.collection<Row>("/t");
    onTestFinished(list.subscribe(() => {}));
    await list.ready();
    await vi.waitUntil(() => list.getSnapshot().status.state === "live", patience);
    for (const id of [...snowflakes].reverse()) {
      other.exec(`INSERT INTO t VALUES (${id})`);
      await vi.waitUntil(() => list.getSnapshot().rows.some((row) => row.id === id), patience);
    }
    expect(list.getSnapshot().rows.map(({ id }) => id)).toEqual([7, ...snowflakes]);
    const answer = await fetch(`${url}/t`);
    expect([answer.headers.get("Item-Order"), answer.headers.has("Event-ID")]).toEqual(["id.asc-number", true]);
  });
});

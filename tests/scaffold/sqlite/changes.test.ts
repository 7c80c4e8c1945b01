import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { itemUrl, parseItems } from "../../../src/protocol/index.ts";
import { View } from "../../../src/server/direct/view.ts";
import type { Batch, Change, Journal } from "../../../src/server/index.ts";
import { columnTypes } from "./samples.ts";
import { type Service, serve } from "./service.ts";
import { storedValues, texts } from "./values.ts";

function journalOf({ scaffold }: Service): Journal {
  if (!scaffold.journal) throw new Error("This scaffold has no journal.");
  return scaffold.journal;
}

/** Every change that the journal gives from now on. */
function changesOf(service: Service): Change[] {
  const changes: Change[] = [];
  onTestFinished(journalOf(service).tail((batch: Batch) => void changes.push(...batch.changes)));
  return changes;
}

const typesSql = `CREATE TABLE things (id INTEGER PRIMARY KEY,
  ${columnTypes.map(({ name, declaredType }) => `${name} ${declaredType}`).join(", ")});
  CREATE TABLE pairs (a TEXT NOT NULL, b BLOB NOT NULL, c JSON, PRIMARY KEY (a, b));
  CREATE TABLE loose (x TEXT, y BOOLEAN)`;

describe("A change of the journal", () => {
  test("is shown byte for byte as GET shows the record, with the same entity tag", async () => {
    const service = await serve(typesSql);
    const changes = changesOf(service);
    const { other, send } = service;
    other.exec(`INSERT INTO things VALUES (1, 1, 1.5, 2, 'a', 'A', x'0102', 7, 1, '2024-01-01', '{"a": [1]}');
      INSERT INTO things VALUES (9007199254740993, 'x', 9e999, 1e18, 5, NULL, 'text', x'ff', 2, 3, 'no json');
      INSERT INTO pairs VALUES ('x,/y', x'fbff', 'null'); INSERT INTO loose VALUES ('p', 0), ('p', NULL);
      UPDATE things SET a_text = 'b' WHERE id = 1`);

    await journalOf(service).poll();

    const last = new Map(changes.map((change) => [change.url, change]));
    expect([...last.keys()].sort()).toEqual(
      ["/loose/1", "/loose/2", "/pairs/x%2C%2Fy,%2B%2F8%3D", "/things/1", "/things/9007199254740993"].sort(),
    );
    for (const [url, change] of last) {
      const get = await send("GET", url);
      const { body, etag, contentType } = change.represent();
      expect([body, etag, contentType]).toEqual([get.text, get.field("ETag"), get.field("Content-Type")]);
      expect(change.collection).toBe(get.view?.collection);
      const items = parseItems((await send("GET", change.collection)).field("Items") ?? "") ?? {};
      expect(itemUrl(items, Object.values(get.json as object)[0], change.collection)).toBe(url);
    }
  });

  test("matches a view's filter exactly where SQL does", async () => {
    const service = await serve(typesSql);
    const changes = changesOf(service);
    const { other, send } = service;
    const names = columnTypes.map(({ name }) => name);

    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), storedValues, texts, async (name, value, text) => {
        const bound = typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
        other.prepare(`INSERT INTO things (${name}) VALUES (?)`).run(bound);
        await journalOf(service).poll();
        const change = changes.at(-1) as Change;
        const shown = Object.values((await send("GET", change.url)).json as Record<string, Record<string, unknown>>)[0];
        for (const wanted of [text, String(shown?.[name] ?? "")]) {
          const { view, status, json } = await send("GET", `/things?${name}=${encodeURIComponent(wanted)}`);
          if (status === 400) continue;
          const found = (json as { things: { url: string }[] }).things.some(({ url }) => url === change.url);
          const judged = view && new View(view).judge(change);
          expect([name, wanted, judged?.status]).toEqual([name, wanted, found ? 201 : undefined]);
        }
      }),
      { numRuns: 150 },
    );
  });

  const declared = [
    ...[
      "IMAGE",
      "VARBINARY(10)",
      "BYTEA",
      "BLOB",
      "LONGBLOB",
      "JSON",
      "JSONB",
      "BOOL",
      "TIMESTAMP",
      "UUID",
      "MONEY",
      "STRING",
    ],
    ...[
      "DOUBLE PRECISION",
      "MEDIUMINT UNSIGNED",
      "CLOB",
      "NVARCHAR(3)",
      "",
      "TEXT CHECK (json_valid(c))",
      "CHECK (json_valid(c))",
    ],
  ];
  test.each(declared)(
    "matches a filter of a column declared %j exactly where SQL does, whatever is stored",
    async (type) => {
      const service = await serve(`CREATE TABLE t (id INTEGER PRIMARY KEY, c ${type})`);
      const changes = changesOf(service);
      const { other, send } = service;
      const values = [
        1,
        1n,
        "1",
        "01",
        "1.0",
        1.5,
        "1.5",
        "true",
        "null",
        "MQ==",
        "YQ",
        "s",
        9007199254740993n,
        1e20,
        null,
      ];
      for (const value of [...values, Buffer.from("1"), Buffer.from("s")]) {
        try {
          other.prepare("INSERT INTO t (c) VALUES (?)").run(value);
        } catch {
          // The CHECK refuses what is no JSON.
        }
      }
      await journalOf(service).poll();
      let matched = 0;
      for (const text of [
        "1",
        "01",
        "1.0",
        "1.5",
        "true",
        "1e20",
        "9007199254740993",
        "MQ==",
        "cw==",
        "s",
        "YQ",
        "null",
      ]) {
        const { view, json } = await send("GET", `/t?c=${encodeURIComponent(text)}`);
        const found = (json as { t: { url: string }[] }).t.map(({ url }) => url);
        matched += found.length;
        const judged = view && changes.filter((change) => new View(view).judge(change)?.status === 201);
        expect([text, judged?.map(({ url }) => url)]).toEqual([text, found]);
      }
      expect(matched).toBeGreaterThan(0);
    },
  );
});

import { expect, test } from "vitest";
import { matchRow, parseFilter } from "../../../src/filter/index.ts";
import { here, type Service, serve } from "./service.ts";

const rows = [
  `{"name":"Low","year":1993,"tags":["slow","quiet"],"live":true,"of":{"town":"Duluth","a.b":1,"0":"zero"}}`,
  `{"name":"Can","year":1968,"tags":["loud"],"live":false,"of":{"town":"Köln"}}`,
  `{"name":"Air","year":null,"tags":[],"of":null}`,
  `{"name":7,"year":20,"live":"true"}`,
  `[{"name":"first"},2]`,
  `"text"`,
];

const sql = here({
  sqlite: `CREATE TABLE t (id INTEGER PRIMARY KEY, data JSON, plain TEXT, "data->>odd" TEXT);
    INSERT INTO t (id, data) VALUES ${rows.map((row, at) => `(${at + 1}, '${row}')`).join(", ")};
    INSERT INTO t (id, data) VALUES (7, 'no JSON {'), (8, NULL)`,
  postgres: `CREATE TABLE t (id int PRIMARY KEY, data jsonb, plain text, "data->>odd" text);
    INSERT INTO t (id, data) VALUES ${rows.map((row, at) => `(${at + 1}, '${row}')`).join(", ")}, (7, '{}'), (8, NULL)`,
});

async function ask({ send }: Service, query: string): Promise<unknown> {
  const { status, json } = await send("GET", `/t?${query.replace(/[">{}\\]/g, encodeURIComponent)}`);
  return status === 200 ? (json as { t: { id: number }[] }).t.map(({ id }) => id) : (json as { detail: string }).detail;
}

test.each([
  ["data->>name=eq.Low", [1]],
  ["data->>name=Low", [1]],
  ["data->>name=neq.Low", [2, 3, 4]],
  ["data->>name=not.in.(Low,Can)", [3, 4]],
  ["data->>name=like.*a*", [2]],
  ["data->>name=ilike.*A*", [2, 3]],
  ["data->>name=7", [4]],
  ["data->>live=eq.true", [1, 4]],
  ["data->>year=is.null", [3, 5, 6, 7, 8]],
  ["data->>year=not.is.null", [1, 2, 4]],
  ["data->>year=gt.1970", [1, 4]],
  ["data->>tags=not.is.null", [1, 2, 3]],
  ["data->>missing=is.null", [1, 2, 3, 4, 5, 6, 7, 8]],
  ["data->year=gt.1970", [1]],
  ["data->year=eq.20.0", [4]],
  ["data->year=in.(1968,1993)", [1, 2]],
  ['data->name=eq."Low"', [1]],
  ["data->live=eq.true", [1]],
  ["data->of->>town=eq.Köln", [2]],
  ['data->of->>"a.b"=eq.1', [1]],
  ["data->of->>a.b=eq.1", [1]],
  ['data->of->>"0"=eq.zero', [1]],
  ["data->tags->>0=eq.slow", [1]],
  ["data->a>b-=is.null", [1, 2, 3, 4, 5, 6, 7, 8]],
  ["data->tags->>-1=eq.quiet", [1]],
  ["data->0->>name=eq.first", [5]],
  ["or=(data->>name.eq.Low,data->of->>town.eq.Köln)", [1, 2]],
  ["and=(data->>name.isdistinct.Low,data->>year.not.is.null)", [2, 4]],
  ["data->>name=like(any).{L*,C*}", [1, 2]],
  ["data->>name=not.is.null&order=data->year.desc&data->year=gt.0", [1, 2, 4]],
  ["data->>name=not.is.null&order=data->>name", [4, 3, 2, 1]],
])("A path into JSON is asked for as a column is: %s", async (query, expected) => {
  expect(await ask(await serve(sql), query)).toEqual(expected);
});

test("A client tells by a row's JSON only what the database says of it", async () => {
  const service = await serve(sql);
  const { json } = await service.send("GET", "/t");
  const shown = (json as { t: { id: number }[] }).t;
  const places = [
    "name",
    "year",
    "live",
    "tags",
    "of",
    "missing",
    "of->town",
    "tags->0",
    "tags->-1",
    "0->name",
    "0",
    "of->0",
  ];
  const texts = [
    "eq.Low",
    "neq.Low",
    "eq.7",
    "eq.true",
    "gt.5",
    "in.(Low,Can)",
    "not.in.(Low,7)",
    "like.*o*",
    "ilike.L*",
    "isdistinct.Can",
    "eq(any).{Low,slow}",
  ];
  const parts = [
    'eq."Low"',
    'neq."Low"',
    "eq.20",
    "neq.1968",
    "gt.20",
    "lte.1968",
    'in.("\\"Low\\"",7)',
    "not.in.(1968)",
    "isdistinct.7",
  ];
  let told = 0;
  for (const place of places) {
    const steps = place.split(/->(?=[^>]*$)/);
    const asText = ["data", ...steps.slice(0, -1)].join("->").concat(`->>${steps.at(-1)}`);
    const queries = [
      ...[...texts, "is.null", "not.is.null"].map((one) => [asText, one]),
      ...[...parts, "is.null"].map((one) => [`data->${place}`, one]),
    ];
    for (const [name = "", test = ""] of queries) {
      const found = await ask(service, `${encodeURIComponent(name)}=${encodeURIComponent(test)}`);
      const filter = parseFilter([[name, test]]);
      for (const row of shown) {
        const is = matchRow(filter, { value: (member) => Reflect.get(row, member), order: () => undefined });
        if (is === undefined) continue;
        told += 1;
        expect([name, test, row, is]).toEqual([name, test, row, (found as number[]).includes(row.id)]);
      }
    }
  }
  expect(told).toBeGreaterThan(800);
});

test.each([
  ["data->>name->x=1", "->>"],
  ["data->=1", "written as"],
  ["data->>=1", "written as"],
  ["plain->>x=1", '"plain" has no JSON'],
  ["nothing->>x=1", 'no column "nothing->>x"'],
  [`data${"->a".repeat(33)}=1`, "32 steps"],
  ["order=plain->x", '"plain" has no JSON'],
  ["data->year=gt.x", here({ sqlite: "no JSON", postgres: "does not take it" })],
])("A path that can't be is 400: %.40s", async (query, part) => {
  expect(await ask(await serve(sql), query)).toContain(part);
});

test("A column that is named like a path is that column", async () => {
  const service = await serve(sql);
  await service.run(`UPDATE t SET "data->>odd" = 'x' WHERE id = 3`);
  expect(await ask(service, "data->>odd=x")).toEqual([3]);
});

test("A view by a path into JSON is asked for again, under one URL for all spellings", async () => {
  const service = await serve(sql);
  const urls = new Set<unknown>();
  for (const query of ["data->>name=Low", 'data->>"name"=eq.Low', "and=(data->>name.eq.Low)"]) {
    const answer = await service.send("GET", `/t?${query.replace(/[">]/g, encodeURIComponent)}`);
    expect(answer.view).toBeUndefined();
    expect(answer.reads?.collections).toEqual(["/t"]);
    urls.add(decodeURIComponent(String(answer.url)));
  }
  expect([...urls]).toEqual(["/t?data->>name=Low"]);
});

test("A column of json has paths, too", async () => {
  const service = await serve(sql);
  await service.run(
    here({
      sqlite: `CREATE TABLE j (id INTEGER PRIMARY KEY, data TEXT CHECK (json_valid(data))); INSERT INTO j VALUES (1, '{"a":{"b":5}}')`,
      postgres: `CREATE TABLE j (id int PRIMARY KEY, data json); INSERT INTO j VALUES (1, '{"a":{"b":5}}')`,
    }),
  );
  for (const query of ["data->a->b=gte.5", "data->a->>b=5", 'data->a=eq.{"b":5}', "order=data->a"]) {
    const { json } = await service.send("GET", `/j?${query.replace(/[">{}]/g, encodeURIComponent)}`);
    expect([query, (json as { j: { id: number }[] }).j?.length]).toEqual([query, 1]);
  }
});

import { expect, test } from "vitest";
import { serverOfFile } from "./server.ts";
import { type Service, serve } from "./service.ts";

const server = serverOfFile();

const sql = `CREATE TABLE t (id int PRIMARY KEY, tags text[], grid int[], data jsonb, span int4range, days datemultirange,
    name varchar(20), words tsvector, note jsonb, plain json);
  INSERT INTO t VALUES
    (1, '{a,b}', '{{1,2},{3,4}}', '{"a":[1,2],"b":{"c":1}}', '[1,10)', '{[2026-01-01,2026-02-01)}', 'Low', 'blue moon', '{"x":"a blue moon"}', '{}'),
    (2, '{"a,b",NULL}', '{}', '[1,2]', '[10,20)', '{}', 'low', 'river', '{}', '{}'),
    (3, '{}', '{3}', '"x"', 'empty', '{[2026-01-15,2026-03-01)}', 'Ham', '', '{}', '{}'),
    (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);`;

async function ask({ send }: Pick<Service, "send">, query: string): Promise<unknown> {
  const { status, json } = await send("GET", `/t?${encodeURI(query).replaceAll("+", "%2B")}`);
  return status === 200 ? (json as { t: { id: number }[] }).t.map(({ id }) => id) : (json as { detail: string }).detail;
}

const found: [query: string, ids: number[]][] = [
  ["tags=cs.{a}", [1]],
  ["tags=not.cs.{a}", [2, 3]],
  ['tags=cs.{"a,b"}', [2]],
  ["tags=cd.{a,b,c}", [1, 3]],
  ["tags=ov.{b,c}", [1]],
  ["tags=cs.{}", [1, 2, 3]],
  ["tags=eq.{a,b}", [1]],
  ["grid=cs.{1,4}", [1]],
  ["grid=ov.{3}", [1, 3]],
  ['data=cs.{"a":[2]}', [1]],
  ['data=cs.{"b":{}}', [1]],
  ["data=cs.[2]", [2]],
  ["data=cd.[1,2,3]", [2]],
  ["data->a=cs.[1]", [1]],
  ["span=cs.[2,5)", [1]],
  ["span=cd.[0,15)", [1, 3]],
  ["span=ov.[9,11)", [1, 2]],
  ["span=sl.[10,20)", [1]],
  ["span=sr.[0,5)", [2]],
  ["span=nxr.[0,10)", [1]],
  ["span=nxl.[5,12)", [2]],
  ["span=adj.[10,11)", [1]],
  ["days=ov.{[2026-01-20,2026-01-21)}", [1, 3]],
  ['or=(tags.cs.{a,b},span.adj."[20,21)",tags.ov.{"a,b"})', [1, 2]],
  ["name=match.^[LH]", [1, 3]],
  ["name=imatch.^l", [1, 2]],
  ["name=not.match.o.$", [3]],
  ["name=match(any).{^L,m$}", [1, 3]],
  ["words=fts.blue", [1]],
  ["words=plfts(simple).blue moon", [1]],
  ["name=wfts(english).lows", [1, 2]],
  ["name=wfts(pg_catalog.english).lows", [1, 2]],
  ["note=fts(english).moons", [1]],
  ["note->>x=match.moon$", [1]],
];

const refused: [query: string, part: string][] = [
  ["tags=cs.a", '"tags"'],
  ["tags=sl.{a}", "it is no range"],
  ["data=ov.[1]", "it is no array or range"],
  ["data=cs.{", '"data"'],
  ["span=cs.x", '"span"'],
  ["name=cs.{a}", "it is no array, range or jsonb"],
  ["plain=cs.{}", "it is no array, range or jsonb"],
  ["id=match.1", "only texts"],
  ["name=match.(", '"name"'],
  ["name=match.a{9999}", '"name"'],
  ["tags=fts.a", "only texts"],
  ["name=fts.a b", '"name"'],
  ["name=fts(klingon).a", '"name"'],
  ["words=fts.a b", '"words"'],
  ["words=fts(klingon).a", '"words"'],
];

test("PostgreSQL tests arrays, ranges, JSON, regular expressions and full texts, and their views are asked for again", async () => {
  const service = await serve(server, sql);
  for (const [query, ids] of found) {
    expect([query, await ask(service, query)]).toEqual([query, ids]);
    const { view, reads, url } = await service.send("GET", `/t?${encodeURI(query)}`);
    const { json } = await service.send("GET", String(view?.url ?? url));
    expect([query, view === undefined || query.includes("eq."), (json as { t: unknown[] }).t.length]).toEqual([
      query,
      true,
      ids.length,
    ]);
    if (!view) expect(reads?.collections).toEqual(["/t"]);
  }
  for (const [query, part] of refused)
    expect([query, await ask(service, query)]).toEqual([query, expect.stringContaining(part)]);
  expect(service.errors).toEqual([]);
});

test("A regular expression that takes long is ended by the limit of reads", async () => {
  const service = await serve(server, "CREATE TABLE t (id int PRIMARY KEY, name text)", { readTimeoutMs: 300 });
  await service.client.query("INSERT INTO t SELECT n, repeat('ab', 2000) || n FROM generate_series(1, 20) n");
  const { status } = await service.send("GET", `/t?${encodeURI("name=match.^(..*)(..*)(..*)\\1\\2\\3\\1$")}`);
  expect(status).toBe(503);
  expect(await ask(service, "id=1")).toEqual([1]);
});

test("Indexes on just what is asked for serve paths into JSON, arrays and full texts", async () => {
  const service = await serve(
    server,
    `CREATE TABLE t (id int PRIMARY KEY, data jsonb, tags text[], title text);
     CREATE INDEX by_label ON t ((data->>'label')); CREATE INDEX by_data ON t USING gin (data);
     CREATE INDEX by_tags ON t USING gin (tags); CREATE INDEX by_title ON t USING gin (to_tsvector('english', title));
     INSERT INTO t SELECT n, jsonb_build_object('label', 'l' || n), ARRAY['t' || n], 'moon w' || n FROM generate_series(1, 20000) n`,
  );
  await service.client.query("VACUUM ANALYZE t");
  const queries = { by_label: "data->>label=l7", by_data: 'data=cs.{"label":"l7"}', by_tags: "tags=cs.{t7}" };
  for (const [index, query] of Object.entries({ ...queries, by_title: "title=plfts(english).w7" })) {
    expect([index, await ask(service, query)]).toEqual([index, [7]]);
    await expect
      .poll(
        async () => {
          // What a session did is counted once it does something else, after a second; and there are several.
          for (let nth = 0; nth < 8; nth += 1) await ask(service, "id=1");
          const sql = `SELECT idx_scan > 0 AS is_used FROM pg_stat_user_indexes WHERE indexrelname = '${index}'`;
          return [index, (await service.client.query(sql)).rows];
        },
        { timeout: 20_000, interval: 500 },
      )
      .toEqual([index, [{ is_used: true }]]);
  }
});

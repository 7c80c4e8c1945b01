import { describe, expect, test } from "vitest";
import { type EngineSql, here, musicSql, serve } from "./service.ts";

async function names(...targets: string[]): Promise<unknown> {
  const { send } = await serve(musicSql);
  const found: unknown[] = [];
  for (const target of targets) {
    const { json } = await send("GET", `/artists?${target}`);
    found.push((json as { artists: { name: string }[] }).artists.map(({ name }) => name).join());
  }
  return found;
}

describe("An operator", () => {
  test("compares with what its column would take", async () => {
    expect(await names("year=eq.1968", "year=neq.1968", "year=not.eq.1968")).toEqual([
      "Can",
      "Kraftwerk,Neu!",
      "Kraftwerk,Neu!",
    ]);
    expect(await names("year=gt.1970", "year=gte.1970", "year=lt.1970", "year=lte.01970")).toEqual([
      "Neu!",
      "Kraftwerk,Neu!",
      "Can",
      "Kraftwerk,Can",
    ]);
    expect(await names("year=gte.1969&year=lt.1971", "name=gt.C&name=lt.G")).toEqual(["Kraftwerk", "Can,Faust"]);
    expect(await names("id=in.(1,4,9)", "id=not.in.(1,4,9)", "id=in.()", 'name=in.("Neu!",Can)')).toEqual([
      "Kraftwerk,Faust",
      "Can,Neu!",
      "",
      "Can,Neu!",
    ]);
  });

  test("asks for what is known, and what is not", async () => {
    expect(await names("year=is.null", "year=is.not_null", "year=not.is.null")).toEqual([
      "Faust",
      "Kraftwerk,Can,Neu!",
      "Kraftwerk,Can,Neu!",
    ]);
    expect(await names("active=is.true", "active=not.is.true", "active=is.false")).toEqual([
      "Kraftwerk,Can,Neu!,Faust",
      "",
      "",
    ]);
  });

  test("compares with a pattern", async () => {
    expect(await names("name=like.*u*", "name=like.F*", "name=like.f*", "name=ilike.f*")).toEqual([
      "Neu!,Faust",
      "Faust",
      "",
      "Faust",
    ]);
    expect(await names("name=like.C_n", "name=not.like.*a*", "genre=like.100\\%25", "name=like.[C]*")).toEqual([
      "Can",
      "Neu!",
      "",
      "",
    ]);
  });

  test("joins conditions, in groups as well", async () => {
    expect(await names("or=(year.is.null,genre.eq.electronic)", "not.or=(year.is.null,genre.eq.electronic)")).toEqual([
      "Kraftwerk,Faust",
      "Can,Neu!",
    ]);
    expect(
      await names(
        "genre=rock&or=(year.lt.1970,and(year.gt.1970,name.like.N*))",
        "not.and=(genre.eq.rock,year.eq.1968)",
      ),
    ).toEqual(["Can,Neu!", "Kraftwerk,Neu!"]);
  });

  test("reaches columns that are named like other parameters", async () => {
    const { send } = await serve(`CREATE TABLE t (id integer PRIMARY KEY, "limit" integer, "or" text, "a.b" text);
      INSERT INTO t VALUES (1, 5, 'x', 'y'), (2, 6, 'x', 'z')`);
    for (const target of ["and=(limit.eq.5)", 'and=(or.eq.x,"a.b".eq.y)', "a.b=y"]) {
      const { json } = await send("GET", `/t?${target}`);
      expect((json as { t: { id: number }[] }).t.map(({ id }) => id)).toEqual([1]);
    }
  });

  test.each([
    ["/artists?nothing=gt.1", '"nothing"'],
    ["/artists?or=(nothing.eq.1)", '"nothing"'],
    ["/artists?year=gt.abc", '"year"', '"abc"', here({ sqlite: "INTEGER", postgres: "int4" })],
    ["/artists?or=(year.gt.abc)", '"year"', '"abc"', here({ sqlite: "INTEGER", postgres: "int4" })],
    ["/artists?active=lt.x", '"active"', '"x"', here({ sqlite: "BOOLEAN", postgres: "bool" })],
    ["/artists?year=is.true", '"year"', '"true"'],
    ["/artists?year=is.x", '"year"', '"x"'],
    ["/artists?year=like.1*", '"year"'],
    ["/artists?name=like.x\\", '"name"'],
    ["/artists?year=not.5", '"year"'],
    ["/artists?or=(year.eq.5", '"or"'],
    ["/artists?limit=1&limit=1", '"limit"'],
    [`/artists?name=${"x".repeat(8_192)}`, "8 KiB"],
    [`/artists?id=in.(${"1,".repeat(1_000)}1)`, "1000 values"],
  ])("that can't be is 400 and named: %.60s", async (target, ...named) => {
    const { send } = await serve(musicSql);

    const answer = await send("GET", target);

    expect(answer.status).toBe(400);
    for (const part of named) expect((answer.json as { detail: string }).detail).toContain(part);
  });
});

describe("A filter's canonical URL", () => {
  test.each([
    ["genre=eq.rock", "genre=rock"],
    ["genre=eq.%72ock", "genre=rock"],
    ["year=gte.01970", "year=gte.1970"],
    ["year=not.lt.1970", "year=gte.1970"],
    ["id=in.(2,01,2)", "id=in.(1,2)"],
    ["id=in.(01,1)", "id=1"],
    ["active=in.(true,1)", "active=true"],
    ["or=(year.eq.01970,genre.eq.rock)", "or=(genre.eq.rock,year.eq.1970)"],
    ["and=(genre.eq.rock)", "genre=rock"],
  ])("is one for all its spellings: %s", async (one, canonical) => {
    const { send } = await serve(musicSql);
    const answer = await send("GET", `/artists?${one}`);
    const url = answer.view?.url ?? answer.url;
    expect(decodeURIComponent(String(url))).toBe(`/artists?${canonical}`);
  });
});

const typesSql: EngineSql = {
  sqlite: `CREATE TABLE t (id INTEGER PRIMARY KEY, d DATE, b BLOB, j JSON, r REAL);
    INSERT INTO t VALUES (1, '2026-01-31', x'0102', '{}', 0.1), (2, '2026-11-29', x'01', '[]', -0.0)`,
  postgres: `CREATE TABLE t (id int PRIMARY KEY, d date, b bytea, j json, r real, m timestamptz, p point);
    INSERT INTO t VALUES (1, '2026-01-31', '\\x0102', '{}', 0.1, '2026-01-31 20:00:00+00', '(1,2)'),
      (2, '2026-11-29', '\\x01', '[]', -0.0, 'infinity', '(1,2)')`,
};

test("An operator compares dates, bytes and fractions by value", async () => {
  const { send } = await serve(typesSql);
  const ids = async (target: string) => {
    const { json } = await send("GET", `/t?${target}`);
    return (json as { t?: { id: number }[] }).t?.map(({ id }) => id) ?? (json as { detail: string }).detail;
  };
  expect(await ids("d=gt.2026-02-01")).toEqual([2]);
  expect(await ids("b=gt.AQ==")).toEqual([1]);
  expect(await ids("b=in.(AQ==)")).toEqual([2]);
  expect(await ids("r=0.1")).toEqual([1]);
  expect(await ids("r=0")).toEqual([2]);
  expect(await ids("r=lt.0.05")).toEqual([2]);
  expect(await ids("b=gt.x!")).toContain("base64");
  expect(await ids("j=gt.1")).toContain("JSON");
  expect(await ids("j=is.not_null")).toEqual([1, 2]);
  if (here({ sqlite: true, postgres: false })) return;
  expect(await ids("m=lte.2026-01-31T21:00:00%2B01:00")).toEqual([1]);
  expect(await ids("m=gt.now")).toEqual([2]);
  expect(await ids("d=neq.2026-1-31&r=gt.0")).toEqual([]);
  expect(await ids("m=2026-01-31T20:00&d=lt.foo")).toBe(
    'The column "d", of type date, can\'t be compared with "foo": PostgreSQL does not take it.',
  );
  expect(await ids("id=1&p=gt.(1,2)")).toContain('"p"');
});

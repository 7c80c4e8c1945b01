import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalUrl, parseQuery } from "../../../src/scaffold/rest/query.ts";
import { resourceOf } from "../../../src/scaffold/rest/resource.ts";
import { parseTarget } from "../../../src/scaffold/rest/target.ts";
import { servedTable } from "../../../src/scaffold/sqlite/engine/served.ts";
import { column, columnTypes, table } from "./samples.ts";
import { musicSql, serve } from "./service.ts";
import { texts } from "./values.ts";

const resource = resourceOf(servedTable(table("things", [column("id", "INTEGER", "integer"), ...columnTypes])), "");

function canonical(target: string): string {
  return canonicalUrl(resource, parseQuery(resource, parseTarget(target).parameters));
}

async function names(target: string): Promise<unknown> {
  const { send } = await serve(musicSql);
  const answer = await send("GET", target);
  return (answer.json as { artists: { name: string }[] }).artists.map(({ name }) => name);
}

describe("A filter", () => {
  test("leaves the records that have the value", async () => {
    expect(await names("/artists?genre=rock")).toEqual(["Can", "Neu!", "Faust"]);
    expect(await names("/artists?genre=rock&year=1968")).toEqual(["Can"]);
    expect(await names("/artists?active=true&year=1971.0")).toEqual(["Neu!"]);
    expect(await names("/artists?name=Neu%21")).toEqual(["Neu!"]);
    expect(await names("/artists?genre=Rock")).toEqual([]);
  });

  test("and a key are compared byte for byte, whatever the collation", async () => {
    const { send } = await serve(`CREATE TABLE t (id TEXT PRIMARY KEY COLLATE NOCASE NOT NULL, a TEXT COLLATE RTRIM);
      INSERT INTO t VALUES ('Abc', 'x')`);
    const countOf = async (target: string) => ((await send("GET", target)).json as { t: unknown[] }).t.length;

    expect([(await send("GET", "/t/abc")).status, (await send("GET", "/t/Abc")).status]).toEqual([404, 200]);
    expect([await countOf("/t?id=abc"), await countOf("/t?id=Abc")]).toEqual([0, 1]);
    expect([await countOf("/t?a=x+"), await countOf("/t?a=x")]).toEqual([0, 1]);
  });

  test("never matches null", async () => {
    expect(await names("/artists?year=")).toEqual([]);
    expect(await names("/artists?year=null")).toEqual([]);
  });

  test("is in the view as a typed value", async () => {
    const { send } = await serve(musicSql);

    const answer = await send("GET", "/artists?year=01977&genre=rock&active=true");

    expect(answer.view?.url).toBe("/artists?active=true&genre=rock&year=1977");
    expect(answer.view?.equals).toEqual([
      ["year", 1977],
      ["genre", "rock"],
      ["active", 1],
    ]);
  });

  test.each([
    ["/artists?nothing=1", '"nothing"'],
    ["/artists?url=1", '"url"'],
    ["/artists?genre=a&genre=b", '"genre"'],
    ["/artists?genre=eq.rock", '"eq."'],
    ["/artists?year=not.is.null", '"not."'],
    ["/artists?select=id", '"select"'],
    ["/artists?or=(a.eq.1)", '"or"'],
    ["/artists?and=(a.eq.1)", '"and"'],
    ["/artists?page=1", '"page"'],
    ["/artists?per_page=1", '"per_page"'],
    ["/artists?order=nothing", '"nothing"'],
    ["/artists?order=", '""'],
    ["/artists?limit=-1", '"-1"'],
    ["/artists?offset=x", '"x"'],
    ["/artists/1?genre=rock", '"genre"'],
    ["/?genre=rock", '"genre"'],
  ])("that can't be is 400 and named: %s", async (target, named) => {
    const { send } = await serve(musicSql);

    const answer = await send("GET", target);

    expect(answer.status).toBe(400);
    expect((answer.json as { detail: string }).detail).toContain(named);
  });

  test("on an unknown column is told the columns that there are", async () => {
    const { send } = await serve(musicSql);

    const answer = await send("GET", "/artists?nothing=1");

    expect((answer.json as { detail: string }).detail).toContain("id, name, genre, year, active");
  });

  test("with a dot is equality unless it begins with an operator", async () => {
    expect(await names("/artists?name=readme.md")).toEqual([]);
  });
});

describe("order, limit and offset", () => {
  test("sort and cut", async () => {
    expect(await names("/artists?order=name")).toEqual(["Can", "Faust", "Kraftwerk", "Neu!"]);
    expect(await names("/artists?order=genre.desc,name.desc")).toEqual(["Neu!", "Faust", "Can", "Kraftwerk"]);
    expect(await names("/artists?order=year")).toEqual(["Faust", "Can", "Kraftwerk", "Neu!"]);
    expect(await names("/artists?limit=2")).toEqual(["Kraftwerk", "Can"]);
    expect(await names("/artists?limit=2&offset=3")).toEqual(["Faust"]);
    expect(await names("/artists?limit=0")).toEqual([]);
  });

  test("give no view of their own: the hub derives it", async () => {
    const { send } = await serve(musicSql);

    for (const method of ["GET", "HEAD"]) {
      const answer = await send(method, "/artists?limit=2");
      expect(answer.status).toBe(200);
      expect(answer.view).toBeUndefined();
      expect(answer.notLive).toBeUndefined();
    }
  });

  test("name the next records in a Link, until there are no more", async () => {
    const { send } = await serve(musicSql);

    const first = await send("GET", "/artists?limit=2&genre=rock");
    const second = await send("GET", "/artists?genre=rock&limit=2&offset=2");

    expect(first.field("Link")).toBe('</artists?genre=rock&limit=2&offset=2>; rel="next"');
    expect(second.field("Link")).toBeUndefined();
  });
});

describe("A collection of more than maxRows records", () => {
  test("is answered in parts that Links connect, without a view", async () => {
    const { send } = await serve(musicSql, { maxRows: 2 });
    const seen: unknown[] = [];
    let target: string | undefined = "/artists?order=name";

    while (target !== undefined) {
      const answer = await send("GET", target);
      expect(answer.view).toBeUndefined();
      seen.push(...(answer.json as { artists: { name: string }[] }).artists.map(({ name }) => name));
      target = /^<(.*)>; rel="next"$/.exec(answer.field("Link") ?? "")?.[1];
    }

    expect(seen).toEqual(["Can", "Faust", "Kraftwerk", "Neu!"]);
  });

  test("is a part of the collection to a HEAD, too, and has no place in the journal", async () => {
    const { send } = await serve(musicSql, { maxRows: 2 });

    for (const method of ["HEAD", "GET"]) {
      const { view, notLive } = await send(method, "/artists");
      expect([view, notLive]).toEqual([undefined, undefined]);
    }
    expect((await send("GET", "/artists?genre=electronic")).view).toBeDefined();
  });
});

describe("A canonical URL", () => {
  test.each([
    ["/things?a_text=x&an_integer=1", "/things?an_integer=01&a_text=x"],
    ["/things?a_text=a+b", "/things?a_text=a%20b"],
    ["/things?a_real=1", "/things?a_real=1e0"],
    ["/things?a_boolean=1", "/things?a_boolean=true"],
    ["/things?order=id", "/things"],
    ["/things?order=id.asc,a_text", "/things?order="],
    ["/things?order=a_text", "/things?order=a_text.asc,id.asc,a_real"],
    ["/things?order=a_text,a_text.desc", "/things?order=a_text"],
    ["/things?offset=0", "/things"],
  ])("is the same for %s and %s", (one, other) => {
    expect(canonical(one)).toBe(canonical(other.replace(/\?order=$/, "")));
  });

  test.each([
    ["/things?a_text=1", "/things?a_text=01"],
    ["/things?a_text=a", "/things?a_text=A"],
    ["/things?order=a_text", "/things?order=a_text.desc"],
    ["/things?a_text=", "/things"],
    ["/things?untyped=1", "/things?untyped=1.0"],
  ])("is not the same for %s and %s", (one, other) => {
    expect(canonical(one)).not.toBe(canonical(other));
  });

  test("is its own canonical URL", () => {
    const names = columnTypes.map(({ name }) => name);
    const filters = fc.uniqueArray(fc.tuple(fc.constantFrom(...names), texts), { selector: ([name]) => name });
    const orders = fc.uniqueArray(fc.constantFrom(...names, "id"));

    fc.assert(
      fc.property(filters, orders, (pairs, order) => {
        const parameters = [...pairs, ...(order.length > 0 ? [["order", order.join(",")] as const] : [])];
        // A NUL is a 400 where SQL would stop at it.
        const asked = parameters.filter(([, value]) => value !== "eq." && !value.includes("\0"));
        const url = `/things?${asked.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;
        const once = canonical(url);
        expect(canonical(once)).toBe(once);
      }),
    );
  });
});

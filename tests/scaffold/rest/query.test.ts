import { describe, expect, test } from "vitest";
import { compareByItemOrder, parseItemOrder } from "../../../src/protocol/index.ts";
import { here, musicSql, serve } from "./service.ts";

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

  test("never matches null", async () => {
    expect(await names("/artists?genre=")).toEqual([]);
    expect(await names("/artists?genre=null")).toEqual([]);
  });

  test("is in the view as a typed value", async () => {
    const { send } = await serve(musicSql);

    const answer = await send("GET", "/artists?year=01977&genre=rock&active=true");

    expect(answer.view?.url).toBe("/artists?active=true&genre=rock&year=1977");
    expect(answer.view?.equals).toEqual([
      ["year", 1977],
      ["genre", "rock"],
      ["active", here<unknown>({ sqlite: 1, postgres: true })],
    ]);
  });

  test.each([
    ["/artists?nothing=1", '"nothing"'],
    ["/artists?url=1", '"url"'],
    ["/artists?genre=a&genre=b", '"genre"'],
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
    // NULL stands where the database puts it.
    const byYear = here({ sqlite: "Faust,Can,Kraftwerk,Neu!", postgres: "Can,Kraftwerk,Neu!,Faust" });
    expect(await names("/artists?order=year")).toEqual(byYear.split(","));
    expect(await names("/artists?limit=2")).toEqual(["Kraftwerk", "Can"]);
    expect(await names("/artists?limit=2&offset=3")).toEqual(["Faust"]);
    expect(await names("/artists?limit=0")).toEqual([]);
  });

  test("put NULL where it is asked to be", async () => {
    for (const order of ["year.nullslast", "year.asc.nullslast"]) {
      expect(await names(`/artists?order=${order}`)).toEqual(["Can", "Kraftwerk", "Neu!", "Faust"]);
    }
    expect(await names("/artists?order=year.nullsfirst")).toEqual(["Faust", "Can", "Kraftwerk", "Neu!"]);
    expect(await names("/artists?order=year.desc.nullsfirst")).toEqual(["Faust", "Neu!", "Kraftwerk", "Can"]);
    expect(await names("/artists?order=year.desc.nullslast,name")).toEqual(["Neu!", "Kraftwerk", "Can", "Faust"]);
  });

  test("say nothing of NULL where it stands there anyway, or nowhere", async () => {
    const { send } = await serve(musicSql);
    const canonical = async (order: string) => {
      const { view, url } = await send("GET", `/artists?limit=9&order=${order}`);
      return String(view?.url ?? url);
    };
    const [first, last] = here({ sqlite: ["first", "last"], postgres: ["last", "first"] });
    expect(await canonical(`year.nulls${first}`)).toBe(await canonical("year"));
    expect(await canonical(`year.desc.nulls${last}`)).toBe(await canonical("year.desc"));
    expect(await canonical("id.nullslast")).toBe(await canonical("id"));
    expect(await canonical("id.nullsfirst")).toBe(await canonical("id"));
    expect(decodeURIComponent(await canonical(`year.nulls${last}`))).toBe(
      `/artists?limit=9&order=year.asc.nulls${last},id.asc`,
    );
  });

  test.each([
    ["year", { sqlite: "", postgres: "-nullslast" }],
    ["year.desc", { sqlite: "", postgres: "-nullsfirst" }],
    ["year.nullsfirst", { sqlite: "", postgres: "" }],
    ["year.nullslast", { sqlite: "-nullslast", postgres: "-nullslast" }],
    ["year.desc.nullsfirst", { sqlite: "-nullsfirst", postgres: "-nullsfirst" }],
    ["year.desc.nullslast", { sqlite: "", postgres: "" }],
  ])("say in Item-Order where NULL stands, and are followed by the journal: %s [R-FLD-5]", async (order, nulls) => {
    const { send, run } = await serve(musicSql);
    await run("INSERT INTO artists (name, year) VALUES ('Cluster', NULL), ('Harmonia', 1974), ('La D', 1974)");

    const get = await send("GET", `/artists?order=${order}`);
    const head = await send("HEAD", `/artists?order=${order}`);

    const direction = order.includes("desc") ? "desc" : "asc";
    const field = `year.${direction}-number${here(nulls)},id.asc-number`;
    expect([get.field("Item-Order"), head.field("Item-Order")]).toEqual([field, field]);
    expect(head.view?.url).toBe(get.view?.url);
    const rows = (get.json as { artists: { id: number }[] }).artists;
    const sorted = [...rows].sort((a, b) => b.id - a.id).sort(compareByItemOrder(parseItemOrder(field) ?? []));
    expect(rows).toEqual(sorted);
    expect(get.view).toBeDefined();
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
    expect(second.field("Link")).not.toContain('rel="next"');
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
      target = /<([^>]*)>; rel="next"/.exec(answer.field("Link") ?? "")?.[1];
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

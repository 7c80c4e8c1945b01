import { describe, expect, test } from "vitest";
import { here, musicSql, type Service, serve } from "./service.ts";

async function ask({ send }: Service, target: string): Promise<unknown> {
  const { status, json } = await send("GET", encodeURI(target).replace("%2526", "%26"));
  const [records] = Object.values(json as Record<string, { id: number }[]>);
  return status === 200 ? records?.map(({ id }) => id) : (json as { detail: string }).detail;
}

describe("An operator that is made of others", () => {
  test.each([
    ["genre=isdistinct.rock", [1]],
    ["genre=not.isdistinct.rock", [2, 3, 4]],
    ["year=isdistinct.1968", [1, 3, 4]],
    ["not.or=(year.isdistinct.1968,id.gt.9)", [2]],
    ["id=eq(any).{1,3}", [1, 3]],
    ["id=gt(any).{1,3}", [2, 3, 4]],
    ["id=gt(all).{1,3}", [4]],
    ["id=not.gt(all).{1,3}", [1, 2, 3]],
    ["name=like(any).{*u*,C*}", [2, 3, 4]],
    ['name=like(all).{"*u*","*!"}', [3]],
    ["name=not.ilike(any).{k*,N*}", [2, 4]],
    ["id=eq(any).{}", []],
    ["id=lte(all).{}", [1, 2, 3, 4]],
    ["or=(year.isdistinct.1968,name.like(all).{C*,*n})", [1, 2, 3, 4]],
  ])("gives what they give, and changes decide it: %s", async (query, expected) => {
    const service = await serve(musicSql);
    expect(await ask(service, `/artists?${query}`)).toEqual(expected);
    const ordered = await service.send("GET", encodeURI(`/artists?${query}`));
    if (!query.includes("ilike")) expect(ordered.view?.url).toBe(ordered.url ?? ordered.view?.url);
    // Its canonical URL asks the same.
    const canonical = String(ordered.view?.url ?? ordered.url);
    const again = await service.send("GET", canonical);
    expect(again.json).toEqual(ordered.json);
    expect(String(again.view?.url ?? again.url)).toBe(canonical);
  });

  test("has a canonical URL that is no longer than one that is sent may be", async () => {
    const service = await serve(`CREATE TABLE t (id integer PRIMARY KEY, "${"é".repeat(30)}" text)`);
    const query = `${"é".repeat(30)}=like(any).{${Array.from({ length: 60 }, (_, at) => `${at}*`).join(",")}}`;
    expect(await ask(service, `/t?${query}`)).toContain("in its canonical form has more than 8 KiB");
  });
});

const textsSql = here({
  sqlite: `CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT, lyrics TEXT, year INTEGER);
    CREATE VIRTUAL TABLE found USING fts5(title, lyrics, content='songs', content_rowid='id');
    CREATE TRIGGER songs_ai AFTER INSERT ON songs BEGIN
      INSERT INTO found(rowid, title, lyrics) VALUES (new.id, new.title, new.lyrics); END;
    CREATE TRIGGER songs_au AFTER UPDATE ON songs BEGIN
      INSERT INTO found(found, rowid, title, lyrics) VALUES ('delete', old.id, old.title, old.lyrics);
      INSERT INTO found(rowid, title, lyrics) VALUES (new.id, new.title, new.lyrics); END;`,
  postgres: "CREATE TABLE songs (id int PRIMARY KEY, title text, lyrics text, year int);",
});
const songsSql = `${textsSql} INSERT INTO songs VALUES (1, 'Blue Moon', 'you saw me standing alone', 1934),
  (2, 'Moon River', 'wider than a mile', 1961), (3, 'Yellow', 'look at the stars, blue and cold', 2000), (4, NULL, NULL, NULL);`;

describe("A search in full texts", () => {
  test.each([
    ["title=fts.moon", [1, 2]],
    ["title=not.fts.moon", [3]],
    ["title=plfts.moon river", [2]],
    ["title=plfts.river moon", [2]],
    ["title=phfts.moon river", [2]],
    ["title=phfts.river moon", []],
    ["lyrics=fts.blue&year=gt.1990", [3]],
    ["or=(title.fts.blue,lyrics.phfts.wider than)", [1, 2]],
    [here({ sqlite: "title=fts.moon NOT blue", postgres: "title=fts.moon %26 !blue" }), [2]],
    [here({ sqlite: "title=fts.lyrics : blue", postgres: "title=wfts.moon -blue -river" }), []],
  ])("finds words: %s", async (query, expected) => {
    const service = await serve(songsSql);
    expect(await ask(service, `/songs?${query}`)).toEqual(expected);
  });

  test("is asked for again when its collection changed, and finds what is new", async () => {
    const service = await serve(songsSql);
    const answer = await service.send("GET", "/songs?title=plfts.moon");
    expect(answer.view).toBeUndefined();
    expect(answer.reads?.collections).toEqual(["/songs"]);
    await service.send("POST", "/songs", { title: "Harvest Moon" });
    expect(await ask(service, "/songs?title=plfts.moon")).toEqual(
      [1, 2, 5].filter((id) => here({ sqlite: true, postgres: id < 5 })),
    );
  });

  test.each([
    ["title=fts.(moon", '"title"'],
    ["year=fts.1961", '"year"'],
    ["title=match.(", '"title"'],
    ["title=cs.{a}", '"title"'],
    ["year=ov.{1}", '"year"'],
    ["title=adj.{1}", '"title"'],
    ...(here({
      sqlite: [
        ["title=wfts.moon", "PostgreSQL"],
        ["title=fts(english).moon", "FTS5 has no configurations"],
        ["title=match.moon", "SQLite has no regular expressions"],
      ],
      postgres: [["title=fts(klingon).moon", '"title"']],
    }) as [string, string][]),
  ])("that can't be is 400 and named: %s", async (query, part) => {
    const service = await serve(songsSql);
    expect(await ask(service, `/songs?${query}`)).toContain(part);
    expect(service.errors.filter((error) => !/^Not served/.test(String((error as Error).message)))).toEqual([]);
  });
});

test("Writes by a filter take what reads take, and refuse the same", async () => {
  const service = await serve(songsSql);
  const refused = await service.send("DELETE", "/songs?title=fts.(moon");
  expect([refused.status, (refused.json as { detail: string }).detail]).toEqual([
    400,
    expect.stringContaining('"title"'),
  ]);
  const changed = await service.send("PATCH", "/songs?title=plfts.moon&year=lt(any).{1950,1940}", { year: 1900 });
  expect(changed.status).toBe(200);
  expect(await ask(service, "/songs?year=1900")).toEqual([1]);
  expect((await service.send("DELETE", "/songs?lyrics=phfts.wider%20than")).status).toBe(204);
  expect(await ask(service, "/songs?id=gt.0")).toEqual([1, 3, 4]);
});

import { describe, expect, test } from "vitest";
import { type Answer, musicSql, serve } from "./service.ts";

const merge = { Prefer: "resolution=merge-duplicates" };
const ignore = { Prefer: "resolution=ignore-duplicates" };
const applied = (answer: Answer) => answer.field("Preference-Applied");

/** A table with all that a record can be known by. */
const partsSql = {
  sqlite: `CREATE TABLE parts (id INTEGER PRIMARY KEY, shop TEXT NOT NULL, code TEXT COLLATE NOCASE, data JSON, n INTEGER DEFAULT 7,
      UNIQUE (shop, code));
    INSERT INTO parts VALUES (1, 'a', 'X', '{"p":1,"q":2}', 1)`,
  postgres: `CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE parts (id serial PRIMARY KEY, shop text NOT NULL, code text COLLATE folded, data json, n int DEFAULT 7,
      UNIQUE (shop, code));
    INSERT INTO parts VALUES (1, 'a', 'X', '{"p":1,"q":2}', 1)`,
};

describe("A POST with Prefer: resolution=merge-duplicates", () => {
  test("makes a record that is not there, and says so", async () => {
    const { send } = await serve(musicSql);
    const answer = await send("POST", "/artists", { id: 9, name: "Low" }, merge);
    expect([answer.status, applied(answer)]).toEqual([201, "resolution=merge-duplicates"]);
    expect([answer.field("Location"), answer.field("Content-Location")]).toEqual(["/artists/9", "/artists/9"]);
    expect(answer.text).toBe((await send("GET", "/artists/9")).text);
  });

  test("changes the one that is there, which keeps what the body does not name", async () => {
    const { send, scaffold } = await serve(musicSql);
    const whole = await send("POST", "/artists", { id: 1, year: 1969 }, merge);
    expect([whole.status, whole.field("Location"), whole.field("Content-Location")]).toEqual([
      ...[200, undefined, "/artists/1"],
    ]);
    expect(whole.json).toEqual({
      artist: { url: "/artists/1", id: 1, name: "Kraftwerk", genre: "electronic", year: 1969, active: true },
    });
    expect(await scaffold.journal?.locate(whole.field("Event-ID") ?? "")).toBeTypeOf("number");
  });

  test("knows it by the columns that on_conflict names, as the database compares them", async () => {
    const { send } = await serve(partsSql);
    const target = "/parts?on_conflict=shop,code";
    const answer = await send("POST", target, { shop: "a", code: "x", data: { r: 3 } }, merge);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ part: { url: "/parts/1", id: 1, shop: "a", code: "x", data: { r: 3 }, n: 1 } });
    // NULL is the same as nothing.
    const nothing = await send("POST", target, { id: 5, shop: "a", code: null }, merge);
    const again = await send("POST", target, { id: 6, shop: "a", code: null }, merge);
    expect([nothing.status, again.status]).toEqual([201, 201]);
  });

  test("does not change the key of the one that is there", async () => {
    const { send } = await serve(musicSql);
    const answer = await send("POST", "/artists?on_conflict=name", { id: 9, name: "Can", year: 1967 }, merge);
    expect([answer.status, answer.json]).toMatchObject([422, { errors: [{ field: "id" }] }]);
    const same = await send("POST", "/artists?on_conflict=name", { url: "/x", id: 2, name: "Can", year: 1999 }, merge);
    expect([same.status, same.json]).toMatchObject([200, { artist: { id: 2, year: 1999, genre: "rock" } }]);
  });

  test("leaves every other unique value in the way", async () => {
    const { send } = await serve(musicSql);
    const answer = await send("POST", "/artists", { id: 9, name: "Can" }, merge);
    expect([answer.status, answer.json]).toMatchObject([409, { errors: [{ field: "name" }] }]);
  });

  test("takes a list: 201 where one was made, 200 where none was", async () => {
    const { send } = await serve(musicSql);
    const list = [{ name: "Low" }, { name: "Can", year: 1967 }, { name: "Low", year: 1993 }];
    const first = await send("POST", "/artists?on_conflict=name", list, merge);
    expect([first.status, applied(first)]).toEqual([201, "resolution=merge-duplicates"]);
    expect(first.json).toMatchObject({
      artists: [
        { name: "Low", year: 1993 },
        { url: "/artists/2", name: "Can", year: 1967, genre: "rock" },
        { name: "Low", year: 1993 },
      ],
    });
    const second = await send("POST", "/artists?on_conflict=name", list, { Prefer: `${merge.Prefer}, return=minimal` });
    expect([second.status, second.text, applied(second)]).toEqual([
      ...[204, "", "resolution=merge-duplicates, return=minimal"],
    ]);
  });

  test("below a record gives what is there to that one", async () => {
    const { send } = await serve(musicSql);
    const answer = await send("POST", "/artists/3/albums", { id: 1, title: "Neu! 2" }, merge);
    expect([answer.status, answer.json]).toEqual([
      ...[200, { album: { url: "/albums/1", id: 1, artist_id: 3, title: "Neu! 2" } }],
    ]);
    expect((await send("POST", "/artists/3/albums", { id: 2, artist_id: 1, title: "x" }, merge)).status).toBe(422);
  });

  test("of a list is all or nothing, and says which record is at fault", async () => {
    const { send, rows } = await serve(musicSql);
    const answer = await send(
      "POST",
      "/artists",
      [
        { id: 1, name: "Low" },
        { id: 2, name: "Neu!" },
      ],
      merge,
    );
    expect([answer.status, (answer.json as { detail: string }).detail]).toEqual([
      ...[409, "Record 2 of the list: There is a record with this value already."],
    ]);
    expect(await rows("SELECT name FROM artists ORDER BY id LIMIT 1")).toEqual([["Kraftwerk"]]);
  });
});

describe("A POST with Prefer: resolution=ignore-duplicates", () => {
  test("shows the record that is there, and changes nothing", async () => {
    const { send } = await serve(musicSql);
    const before = await send("GET", "/artists/2");
    const answer = await send("POST", "/artists?on_conflict=name", { name: "Can", year: 1999 }, ignore);
    expect([answer.status, answer.text, applied(answer)]).toEqual([200, before.text, "resolution=ignore-duplicates"]);
    expect((await send("GET", "/artists/2")).text).toBe(before.text);
    expect((await send("POST", "/artists?on_conflict=name", { name: "Low" }, ignore)).status).toBe(201);
  });
});

describe("on_conflict", () => {
  test.each([
    ["/artists?on_conflict=genre", merge, "No unique rule of the database is about just genre"],
    ["/artists?on_conflict=genre,id", merge, "No unique rule of the database is about just genre, id"],
    ["/artists?on_conflict=nothing", merge, 'There is no column "nothing"'],
    ["/artists?on_conflict=name", {}, "on_conflict means something with Prefer: resolution="],
    ["/artists?on_conflict=name&on_conflict=id", merge, "is given more than once"],
    ["/artists?genre=rock", merge, 'The parameter "genre" means nothing here'],
  ])("that can't be is 400: %s", async (target, fields, detail) => {
    const { send } = await serve(musicSql);
    const answer = await send("POST", target, { id: 2, name: "Low", genre: "rock" }, fields as Record<string, string>);
    expect([answer.status, (answer.json as { detail: string }).detail]).toEqual([400, expect.stringContaining(detail)]);
  });
});

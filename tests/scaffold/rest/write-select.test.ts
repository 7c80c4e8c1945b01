import { describe, expect, test } from "vitest";
import type { Rules } from "../../../src/scaffold/index.ts";
import { serveLibrary } from "./music-library.ts";
import { serveRules } from "./rules-site.ts";
import type { Answer } from "./service.ts";

const representation = { Prefer: "return=representation" };
const minimal = { Prefer: "return=minimal" };

interface Detail {
  readonly detail: string;
}

function detailOf(answer: Answer): string {
  return (answer.json as Detail).detail;
}

describe("What is selected of a record that is written", () => {
  test("is what a GET of the same URL has, after a POST, PATCH and PUT", async () => {
    const { send } = await serveLibrary();
    const select = "select=title,by:artists(name),songs(title)";

    const made = await send("POST", `/albums?${select}`, { id: 9, artist_id: 2, title: "Future Days" });
    expect(made.text).toBe(
      '{"album":{"url":"/albums/9","title":"Future Days","by":{"url":"/artists/2","name":"Can"},"songs":[]}}',
    );
    expect([made.status, made.field("Location")]).toEqual([201, "/albums/9"]);

    for (const [method, body] of [
      ["PATCH", { title: "Soon" }],
      ["PUT", { artist_id: 2, title: "Later" }],
    ] as const) {
      const answer = await send(method, `/albums/9?${select}`, body);
      const now = await send("GET", answer.field("Content-Location") ?? "");
      expect([answer.status, now.status]).toEqual([200, 200]);
      expect([answer.text, answer.field("ETag")]).toEqual([now.text, now.field("ETag")]);
      expect(answer.text).toContain(Object.values(body).at(-1));
    }
  });

  test("is what a DELETE has taken away, with what belonged to it then", async () => {
    const { send } = await serveLibrary();

    const answer = await send("DELETE", "/letters/1?select=text,sender(name)", undefined, representation);

    expect(answer.text).toBe('{"letter":{"url":"/letters/1","text":"hello","sender":{"url":"/staff/1","name":"Ann"}}}');
    expect((await send("GET", "/letters/1")).status).toBe(404);
    expect((await send("DELETE", "/letters/2?select=text")).status).toBe(204);
  });

  test("has conditions that compare what a GET of the same URL has", async () => {
    const { send } = await serveLibrary();
    const { ETag = "" } = Object.fromEntries((await send("GET", "/artists/2?select=name,albums(title)")).fields);

    const target = "/artists/2?select=name,albums(title)";
    const other = await send("PATCH", target, { name: "x" }, { "If-Match": '"other"' });
    const plain = await send("PATCH", "/artists/2", { name: "x" }, { "If-Match": ETag });
    const same = await send("PATCH", target, { name: "CAN" }, { "If-Match": ETag });

    expect([other.status, plain.status, same.status]).toEqual([412, 412, 200]);
    expect(same.text).toContain('"name":"CAN","albums":[{');
  });

  test("is left out with return=minimal, and told apart by its own ETag", async () => {
    const { send } = await serveLibrary();

    const answer = await send("PATCH", "/artists/2?select=name", { born: 1 }, minimal);

    expect([answer.status, answer.text, answer.field("Content-Location")]).toEqual([204, "", "/artists/2?select=name"]);
    expect(answer.field("ETag")).toBe((await send("GET", "/artists/2?select=name")).field("ETag"));
  });

  test("is what a repeat with the same Idempotency-Key shows", async () => {
    const { send } = await serveLibrary();
    const once = { "Idempotency-Key": '"a"' };
    const long = "x".repeat(20_000);
    const target = "/artists?select=name,albums(title)";

    const first = await send("POST", target, { id: 9, name: long }, once);
    const again = await send("POST", target, { id: 9, name: long }, once);
    await send("PATCH", "/artists/9", { name: "y" });
    const later = await send("POST", target, { id: 9, name: long }, once);

    expect([first.status, again.status, again.text]).toEqual([201, 201, first.text]);
    expect([later.status, later.text]).toEqual([201, ""]);
  });

  test("may be asked of what is posted below a record, and of an upsert", async () => {
    const { send } = await serveLibrary();
    const merge = { Prefer: "resolution=merge-duplicates, return=representation" };

    const below = await send("POST", "/artists/3/albums?select=title,artist(name)", { title: "Rarities" });
    const upsert = await send("POST", "/artists?on_conflict=id&select=name,born", { id: 2, name: "CAN" }, merge);

    expect(below.json).toMatchObject({ album: { title: "Rarities", artist: { name: "Neu!" } } });
    expect([upsert.status, upsert.text]).toEqual([200, '{"artist":{"url":"/artists/2","name":"CAN","born":1968}}']);
    expect(upsert.field("Preference-Applied")).toBe("resolution=merge-duplicates, return=representation");
  });
});

describe("What is selected of several records that are written", () => {
  test("is the list of them, of a POST in its order", async () => {
    const { send } = await serveLibrary();

    const answer = await send("POST", "/albums?columns=%22id%22,%22artist_id%22,%22title%22&select=id,artist(name)", [
      { id: 12, artist_id: 2, title: "b" },
      { id: 11, artist_id: 1, title: "a" },
    ]);

    expect([answer.status, answer.text]).toEqual([
      201,
      '{"albums":[{"url":"/albums/12","id":12,"artist":{"url":"/artists/2","name":"Can"}},' +
        '{"url":"/albums/11","id":11,"artist":{"url":"/artists/1","name":"Kraftwerk"}}]}',
    ]);
    expect(answer.field("Items")).toBe((await send("GET", "/albums?select=id,artist(name)")).field("Items"));
  });

  test("is that of the records that a filter lets through, as they are then", async () => {
    const { send } = await serveLibrary();
    const target = "/albums?artist_id=eq.2&select=id,year,tags(word)&tags.order=word.desc";

    const changed = await send("PATCH", target, { year: 1999 }, { Prefer: "return=representation, count=exact" });
    const now = await send("GET", target);
    await send("DELETE", "/albums_tags?album_id=eq.3&select=tag_id", undefined, representation);
    const gone = await send(
      "DELETE",
      "/songs?album_id=eq.2&select=title,album:albums(title)",
      undefined,
      representation,
    );

    expect([changed.status, changed.text, changed.field("Content-Range")]).toEqual([200, now.text, "items */2"]);
    expect(changed.text).toContain(
      '"year":1999,"tags":[{"url":"/tags/2","word":"loud"},{"url":"/tags/1","word":"long"}]',
    );
    expect(gone.json).toEqual({
      songs: ["Nummern", "Taschenrechner"].map((title, at) => ({
        ...{ url: `/songs/${at + 2}`, title, album: { url: "/albums/2", title: "Computerwelt" } },
      })),
    });
  });

  test("has conditions that compare what a GET of the same URL has", async () => {
    const { send } = await serveLibrary();
    const target = "/albums?artist_id=eq.2&select=id,tags(word)";
    const etag = (await send("GET", target)).field("ETag") ?? "";

    const same = await send("PATCH", target, { year: 1 }, { "If-Match": etag });
    await send("PATCH", "/tags/2", { word: "louder" });
    const other = await send("PATCH", target, { year: 2 }, { "If-Match": etag });

    expect([same.status, other.status]).toEqual([200, 412]);
  });

  test("leaves out of the answer what !inner does not let through, and no more", async () => {
    const { send, rows } = await serveLibrary();

    const answer = await send("PATCH", "/albums?artist_id=gt.1&select=id,labels!inner(name)", { year: 1 });

    expect(answer.json).toMatchObject({ albums: [{ id: 3 }, { id: 4 }] });
    expect((await rows("SELECT count(*) FROM albums WHERE year = 1")).flat().map(Number)).toEqual([3]);
  });

  test.each([
    ["/albums?id=gt.0&select=id,labels!inner(name)&labels.name=eq.Spoon", "can't choose which records are written"],
    ["/albums?id=gt.0&select=id,labels(name)&labels=not.is.null", "can't choose which records are written"],
    ["/albums?id=gt.0&select=id,labels(name)&labels=is.null", "can't choose which records are written"],
    ["/albums?id=gt.0&select=id,labels!inner(id,albums!inner(id))&labels.albums.id=eq.1", "can't choose which records"],
    ["/albums?id=gt.0&select=id,labels(name)&order=labels(name)", "not written in the order of embedded ones"],
    ["/albums?id=gt.0&select=count()", "is asked by GET"],
    ["/albums?select=id", "needs a filter"],
    ["/albums?id=gt.0&select=nothing", 'There is no column "nothing"'],
  ])("is 400 where that seems to choose what is written, and nothing is: %s", async (target, detail) => {
    const { send, rows } = await serveLibrary();

    for (const method of ["PATCH", "DELETE"]) {
      const answer = await send(method, target, method === "PATCH" ? { year: 1 } : undefined, representation);
      expect([answer.status, detailOf(answer)]).toEqual([400, expect.stringContaining(detail)]);
    }
    expect((await rows("SELECT count(*) FROM albums WHERE year > 1")).flat().map(Number)).toEqual([5]);
  });
});

describe("columns", () => {
  test("names the members of a body that are written, in a POST, an upsert and a PATCH", async () => {
    const { send } = await serveLibrary();
    const body = { id: 9, name: "Low", genre: "slowcore", born: 1993, nothing: true };
    const merge = { Prefer: "resolution=merge-duplicates" };

    const made = await send("POST", "/artists?columns=id,name", body);
    const merged = await send("POST", "/artists?columns=id,%22name%22,genre", { ...body, name: "LOW" }, merge);
    const changed = await send("PATCH", "/artists?id=eq.9&columns=born", { name: "x", born: 1 });
    const one = await send("PATCH", "/artists/9?columns=genre", { genre: "pop", born: 2 });
    const patch = [
      { op: "replace", path: "/born", value: 3 },
      { op: "replace", path: "/name", value: "y" },
    ];
    const patched = await send("PATCH", "/artists/9?columns=name", patch, {
      "Content-Type": "application/json-patch+json",
    });

    expect(made.json).toMatchObject({ artist: { id: 9, name: "Low", genre: null, born: null } });
    expect(merged.json).toMatchObject({ artist: { name: "LOW", genre: "slowcore", born: null } });
    expect(changed.json).toMatchObject({ artists: [{ name: "LOW", born: 1 }] });
    expect(one.json).toMatchObject({ artist: { genre: "pop", born: 1 } });
    expect(patched.json).toMatchObject({ artist: { name: "y", born: 1 } });
  });

  test("leaves to their defaults what a record of the list lacks", async () => {
    const { send } = await serveLibrary();
    const strict = { Prefer: "handling=strict, missing=default" };

    const answer = await send(
      "POST",
      "/artists?columns=id,name,born",
      [
        { id: 9, name: "a", born: 5 },
        { id: 10, name: "b" },
      ],
      strict,
    );

    expect(answer.json).toMatchObject({ artists: [{ born: 5 }, { born: null }] });
  });

  test("may name the record's own URL, which is nothing", async () => {
    const { send } = await serveLibrary();

    const answer = await send("POST", "/artists?columns=%22url%22,%22name%22", { url: "/artists/1", name: "Low" });

    expect([answer.status, answer.json]).toMatchObject([201, { artist: { name: "Low" } }]);
  });

  test.each([
    ["POST", "/artists?columns=name,nothing", 'There is no column "nothing"; there are id, name, genre, born.'],
    ["POST", "/artists?columns=", 'In "columns", a name was expected at character 1.'],
    ["POST", "/artists?columns=name,", 'In "columns", a name was expected at character 6.'],
    ["POST", "/artists?columns=%22name", 'In "columns", a name was expected at character 1.'],
    ["POST", "/artists?columns=name&columns=id", '"columns" is given more than once'],
    ["POST", "/artists?select=name&genre=rock", 'The parameter "genre" means nothing here.'],
    ["POST", "/artists?limit=1", 'The parameter "limit" means nothing here.'],
    ["PATCH", "/artists/1?on_conflict=id", 'The parameter "on_conflict" means nothing here.'],
    ["PUT", "/artists/1?columns=name", 'The parameter "columns" means nothing here.'],
    ["DELETE", "/artists/1?columns=name", 'The parameter "columns" means nothing here.'],
  ])("is 400 where it can't be: %s %s", async (method, target, detail) => {
    const { send } = await serveLibrary();

    const answer = await send(method, target, method === "DELETE" ? undefined : { name: "x" });

    expect([answer.status, detailOf(answer)]).toEqual([400, expect.stringContaining(detail)]);
  });
});

describe("What is selected of a write under rules", () => {
  const sql = `CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT NOT NULL, secret TEXT);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, team_id INTEGER REFERENCES teams (id), text TEXT, secret TEXT);
    CREATE TABLE box (id INTEGER PRIMARY KEY, text TEXT);
    INSERT INTO teams VALUES (1, 'Reds', 's'), (2, 'Blues', 's');
    INSERT INTO notes VALUES (1, 'ann', 1, 'a', 'x'), (2, 'ann', 2, 'b', 'y')`;
  const rules: Rules = {
    teams: { read: "name=eq.Reds", columns: { read: ["name"] } },
    notes: {
      ...{ read: "owner=eq.$sub", create: true, update: "owner=eq.$sub", delete: "owner=eq.$sub" },
      columns: { read: ["owner", "team_id", "text"], write: ["id", "owner", "team_id", "text"] },
    },
    box: { create: true },
  };
  const ann = { sub: "ann" };

  test("has only what its viewer may read, in what is embedded, too", async () => {
    const site = await serveRules(sql, rules);

    const changed = await site.as(ann, "PATCH", "/notes?id=gt.0&select=text,teams(*)", { text: "c" });
    const gone = await site.as(ann, "DELETE", "/notes/1?select=*,team(name)", undefined, representation);
    const hidden = await site.as(ann, "POST", "/notes?select=text,teams(*)", { id: 7, owner: "bob", text: "d" });

    expect(changed.json).toEqual({
      notes: [
        { url: "/notes/1", text: "c", teams: { url: "/teams/1", id: 1, name: "Reds" } },
        { url: "/notes/2", text: "c", teams: null },
      ],
    });
    expect(gone.json).toEqual({
      note: {
        ...{ url: "/notes/1", id: 1, owner: "ann", team_id: 1, text: "c" },
        team: { url: "/teams/1", name: "Reds" },
      },
    });
    expect([hidden.status, hidden.text]).toEqual([204, ""]);
  });

  test("can't name what may not be read, nor columns that may not be written", async () => {
    const site = await serveRules(sql, rules);

    const secret = await site.as(ann, "PATCH", "/notes/1?select=secret", { text: "c" });
    const unread = await site.as(ann, "POST", "/box?select=text", { id: 1, text: "c" });
    const written = await site.as(ann, "PATCH", "/notes/1?columns=text", { text: "c", secret: "z" });
    const named = await site.as(ann, "POST", "/box?columns=id", { id: 1, text: "c" });

    expect([secret.status, detailOf(secret)]).toEqual([400, expect.stringContaining('There is no column "secret"')]);
    expect([unread.status, written.status, named.status, named.text]).toEqual([403, 200, 201, ""]);
    expect(await site.rows("SELECT id, text FROM box")).toEqual([[1, null]]);
    expect(await site.rows("SELECT secret FROM notes WHERE id = 1")).toEqual([["x"]]);
  });
});

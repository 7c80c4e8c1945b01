import { describe, expect, test } from "vitest";
import type { Rules } from "../../../src/scaffold/index.ts";
import { connectMemoryPeer, createFakeClock, Replica } from "../../../src/testing/index.ts";
import { createPatientHub } from "./patient-hub.ts";
import { rowsIn, serveRules } from "./rules-site.ts";
import { type Service, serve } from "./service.ts";

const sql = `CREATE TABLE artists (id INTEGER PRIMARY KEY, name TEXT NOT NULL, secret TEXT);
  CREATE TABLE albums (id INTEGER PRIMARY KEY, title TEXT, year INTEGER, artist_id INTEGER REFERENCES artists (id));
  CREATE TABLE notes (album_id INTEGER PRIMARY KEY REFERENCES albums (id), text TEXT);
  CREATE TABLE tags (id INTEGER PRIMARY KEY, word TEXT);
  CREATE TABLE albums_tags (album_id INTEGER NOT NULL REFERENCES albums (id), tag_id INTEGER NOT NULL REFERENCES tags (id), PRIMARY KEY (album_id, tag_id));
  CREATE TABLE staff (id INTEGER PRIMARY KEY, name TEXT, boss_id INTEGER REFERENCES staff (id));
  CREATE VIEW old_albums AS SELECT title AS name, artist_id AS by_id, id AS number FROM albums WHERE year < 1980;
  CREATE VIEW oldest AS SELECT name, by_id, number FROM old_albums WHERE number < 3;
  CREATE VIEW people AS SELECT id, upper(name) AS loud FROM artists;
  CREATE VIEW album_notes AS SELECT album_id, text FROM notes;
  CREATE VIEW labelled AS SELECT album_id, tag_id FROM albums_tags;
  CREATE VIEW crew AS SELECT id, name, boss_id FROM staff;
  CREATE VIEW sums AS SELECT artist_id + 0 AS artist_id, count(*) AS n FROM albums GROUP BY artist_id;
  INSERT INTO artists VALUES (1, 'Can', 's'), (2, 'Neu!', 's');
  INSERT INTO albums VALUES (1, 'Ege', 1972, 1), (2, 'Hero', 1975, 2), (3, 'New', 1990, 1);
  INSERT INTO notes VALUES (1, 'good');
  INSERT INTO tags VALUES (1, 'loud'); INSERT INTO albums_tags VALUES (1, 1), (3, 1);
  INSERT INTO staff VALUES (1, 'Ann', NULL), (2, 'Ben', 1)`;

function open(): Promise<Service> {
  return serve(sql);
}

async function get(target: string): Promise<unknown[]> {
  const { send } = await open();
  const answer = await send("GET", target);
  expect([answer.status, answer.text]).toEqual([200, answer.text]);
  return rowsIn(answer);
}

describe("A view that shows a table's keys", () => {
  test("leads where the table leads, to tables and to views", async () => {
    expect(await get("/old_albums?select=name,artists(name),people(loud)&order=number")).toMatchObject([
      { name: "Ege", artists: { url: "/artists/1", name: "Can" }, people: { url: "/people/1", loud: "CAN" } },
      { name: "Hero", artists: { name: "Neu!" }, people: { loud: "NEU!" } },
    ]);
    expect(
      await get("/oldest?select=name,by(name),notes(text),album_notes(text),tags(word)&order=number"),
    ).toMatchObject([
      {
        name: "Ege",
        by: { name: "Can" },
        notes: { text: "good" },
        album_notes: { text: "good" },
        tags: [{ word: "loud" }],
      },
      { name: "Hero", by: { name: "Neu!" }, notes: null, album_notes: null, tags: [] },
    ]);
  });

  test("is led to where the table is", async () => {
    expect(await get("/artists?select=name,old_albums(name,number)&order=id")).toMatchObject([
      { name: "Can", old_albums: [{ url: "/old_albums/1", name: "Ege", number: 1 }] },
      { name: "Neu!", old_albums: [{ name: "Hero" }] },
    ]);
    expect(await get("/people?select=loud,albums(title)&albums.year=gt.1980&id=eq.1")).toMatchObject([
      { loud: "CAN", albums: [{ title: "New" }] },
    ]);
    expect(await get("/tags?select=word,old_albums(name)")).toMatchObject([{ old_albums: [{ name: "Ege" }] }]);
    expect(await get("/albums?select=title,...people!inner(loud)&people.loud=eq.NEU!")).toMatchObject([
      { loud: "NEU!" },
    ]);
  });

  test("takes no name from tables: what named one before names it still", async () => {
    expect(await get("/albums?select=artist(name),artist_id(name),artists(name),tags(word)&id=eq.1")).toMatchObject([
      { artist: { name: "Can" }, artist_id: { name: "Can" }, artists: { name: "Can" }, tags: [{ word: "loud" }] },
    ]);
    expect(await get("/staff?select=name,staff(name),boss(name),crew(name)&id=eq.1")).toMatchObject([
      { name: "Ann", staff: [{ name: "Ben" }], boss: null, crew: [{ name: "Ben" }] },
    ]);
    expect(await get("/crew?select=name,boss(name)&id=eq.2")).toMatchObject([
      { boss: { url: "/staff/1", name: "Ann" } },
    ]);
  });

  test("has URLs below records, and records below it", async () => {
    const { send } = await open();

    const below = await send("GET", "/artists/1/old_albums?select=name");
    const named = await send("GET", "/old_albums/2/by");

    expect([below.status, below.field("Content-Location")]).toEqual([200, "/old_albums?by_id=1&select=name"]);
    expect(named.json).toMatchObject({ artist: { name: "Neu!" } });
  });

  test("leads nowhere by what it computes", async () => {
    const { send } = await open();

    const answer = await send("GET", "/sums?select=n,artists(name)");

    expect([answer.status, (answer.json as { detail: string }).detail]).toEqual([
      ...[400, 'There is no relation "artists" from "sums"; there are none.'],
    ]);
  });

  test("is followed with what is embedded, on each side", async () => {
    const clock = createFakeClock();
    const service = await open();
    const { hub, advance } = createPatientHub(service.scaffold, clock);
    const target = "/artists?select=name,old_albums(name)&old_albums.order=number";
    const replica = new Replica(target);
    await connectMemoryPeer(hub, target, {
      fields: [["Host", "example.com"]],
      onMessage: (message) => void replica.take(message),
    });
    await advance(100);
    const isTrue = async (): Promise<void> => {
      const rows = rowsIn(await service.send("GET", target));
      expect(replica.order.map((url) => JSON.parse(replica.records.get(url) ?? "null"))).toEqual(rows);
    };

    await service.run("UPDATE albums SET year = 1960 WHERE id = 3");
    await advance(100);
    expect(replica.records.get("/artists/1")).toContain('"name":"New"');
    await isTrue();
    await service.run("UPDATE albums SET artist_id = 2 WHERE id = 1; UPDATE artists SET name = 'CAN' WHERE id = 1");
    await advance(100);
    await isTrue();
  });

  test("keeps to the rules of each side", async () => {
    const rules: Rules = {
      artists: { read: "name=eq.Can", columns: { read: ["name"] } },
      old_albums: { read: "number=lt.3", columns: { read: ["name", "by_id"] } },
      people: { read: "loud=eq.$sub" },
    };
    const site = await serveRules(sql, rules);

    const list = await site.as({ sub: "NEU!" }, "GET", "/old_albums?select=name,artists(*),people(*)&order=number");
    const secret = await site.as({ sub: "x" }, "GET", "/old_albums?select=artists(secret)");
    const closed = await site.as({ sub: "x" }, "GET", "/old_albums?select=albums(title)");

    expect(rowsIn(list)).toMatchObject([
      { name: "Ege", artists: { url: "/artists/1", id: 1, name: "Can" }, people: null },
      { name: "Hero", artists: null, people: { id: 2, loud: "NEU!" } },
    ]);
    expect(JSON.stringify(rowsIn(list))).not.toContain("secret");
    expect([secret.status, closed.status]).toEqual([400, 400]);
  });
});

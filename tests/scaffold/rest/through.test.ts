import { describe, expect, test } from "vitest";
import { connectMemoryPeer, createFakeClock, Replica } from "../../../src/testing/index.ts";
import { serveLibrary } from "./music-library.ts";
import { serveModelled } from "./music-models.ts";
import { createPatientHub } from "./patient-hub.ts";
import { serveRules } from "./rules-site.ts";

describe("The records that a third table ties to a record", () => {
  test("are below it, as a part of their collection", async () => {
    const { send } = await serveLibrary();

    const answer = await send("GET", "/albums/3/tags");
    expect([answer.status, answer.json]).toEqual([
      200,
      {
        tags: [
          { url: "/tags/1", id: 1, word: "long" },
          { url: "/tags/2", id: 2, word: "loud" },
        ],
      },
    ]);
    const place = answer.field("Content-Location") ?? "";
    expect((await send("GET", place)).text).toBe(answer.text);
    expect(answer.reads?.collections).toEqual(expect.arrayContaining(["/tags", "/albums", "/albums_tags"]));
    expect((await send("GET", "/albums/2/tags")).json).toEqual({ tags: [] });
    expect((await send("GET", "/tags/1/albums?select=title,artist(name)&order=title.desc&limit=1")).json).toMatchObject(
      {
        albums: [{ title: "Tago Mago", artist: { name: "Can" } }],
      },
    );
    expect((await send("GET", "/albums/3/tags?word=eq.loud&select=word")).json).toEqual({
      tags: [{ url: "/tags/2", word: "loud" }],
    });
  });

  test("are so by the names of models, and of tables that no model is", async () => {
    const { send } = await serveModelled("prisma");

    expect((await send("GET", "/Album/2/tags?select=word")).json).toEqual({
      Tag: [
        { url: "/Tag/1", word: "long" },
        { url: "/Tag/2", word: "loud" },
      ],
    });
    expect((await send("GET", "/Tag/2/albums?select=title")).json).toEqual({
      Album: [{ url: "/Album/2", title: "Tago Mago" }],
    });
  });

  test("are those that the viewer may read, by way of what it may read", async () => {
    const sql = `CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT NOT NULL);
      CREATE TABLE tags (id INTEGER PRIMARY KEY, word TEXT);
      CREATE TABLE notes_tags (note_id INTEGER NOT NULL REFERENCES notes (id), tag_id INTEGER NOT NULL REFERENCES tags (id), hidden INTEGER, PRIMARY KEY (note_id, tag_id));
      INSERT INTO notes VALUES (1, 'ann'), (2, 'bob'); INSERT INTO tags VALUES (1, 'a'), (2, 'b'), (3, 'c');
      INSERT INTO notes_tags VALUES (1, 1, 0), (1, 2, 1), (1, 3, 0), (2, 1, 0)`;
    const rules = {
      notes: { read: "owner=eq.$sub" },
      tags: { read: "word=neq.c" },
      notes_tags: { read: "hidden=eq.0" },
    };
    const site = await serveRules(sql, rules);

    expect((await site.as({ sub: "ann" }, "GET", "/notes/1/tags?select=word")).json).toEqual({
      tags: [{ url: "/tags/1", word: "a" }],
    });
    expect((await site.as({ sub: "ann" }, "GET", "/notes/2/tags")).status).toBe(404);
  });

  test("are followed: who is tied to it comes, and who is not any more leaves", async () => {
    const clock = createFakeClock();
    const service = await serveLibrary();
    const { hub, advance } = createPatientHub(service.scaffold, clock);
    const replica = new Replica("/albums/3/tags");
    const told: string[] = [];
    await connectMemoryPeer(hub, "/albums/3/tags", {
      fields: [["Host", "example.com"]],
      onMessage: (message) => {
        replica.take(message);
        if (message.status !== 304) told.push(String(message.status));
      },
    });
    await advance(100);
    const write = async (sql: string): Promise<string[]> => {
      told.length = 0;
      await service.run(sql);
      await advance(100);
      return [...told];
    };

    expect(await write("INSERT INTO albums_tags VALUES (3, 3)")).toEqual(["201"]);
    expect(await write("DELETE FROM albums_tags WHERE tag_id = 1 AND album_id = 3")).toEqual(["204"]);
    expect(await write("UPDATE tags SET word = 'LOUD' WHERE id = 2")).toEqual(["202"]);
    expect([...replica.records.keys()].sort()).toEqual(["/tags/2", "/tags/3"]);
  });
});

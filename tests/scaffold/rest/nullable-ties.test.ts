import { describe, expect, test } from "vitest";
import { serve } from "./service.ts";

// SQLite lets the parts of such a key be NULL; PostgreSQL does not.
const sql = `CREATE TABLE albums (id INTEGER PRIMARY KEY, title TEXT);
  CREATE TABLE tags (id INTEGER PRIMARY KEY, word TEXT);
  CREATE TABLE albums_tags (album_id INTEGER REFERENCES albums (id), tag_id INTEGER REFERENCES tags (id),
    PRIMARY KEY (album_id, tag_id));
  INSERT INTO albums VALUES (1, 'Autobahn'), (2, 'Tago Mago');
  INSERT INTO tags VALUES (1, 'long'), (2, 'loud');
  INSERT INTO albums_tags VALUES (1, 1), (2, 1), (2, 2);`;

describe("A third table whose key has columns without NOT NULL", () => {
  test("ties two tables", async () => {
    const { send } = await serve(sql);

    const embedded = await send("GET", "/albums?select=title,tags(word)");
    const below = await send("GET", "/albums/2/tags?order=word.desc");

    expect(embedded.json).toEqual({
      albums: [
        { url: "/albums/1", title: "Autobahn", tags: [{ url: "/tags/1", word: "long" }] },
        {
          ...{ url: "/albums/2", title: "Tago Mago" },
          tags: [
            { url: "/tags/1", word: "long" },
            { url: "/tags/2", word: "loud" },
          ],
        },
      ],
    });
    expect(below.json).toEqual({
      tags: [
        { url: "/tags/2", id: 2, word: "loud" },
        { url: "/tags/1", id: 1, word: "long" },
      ],
    });
    expect(embedded.reads?.collections).toEqual(expect.arrayContaining(["/albums", "/tags", "/albums_tags"]));
  });

  test("ties nothing by a row that lacks one of them", async () => {
    const { send, run } = await serve({ sqlite: sql, postgres: sql });

    await run({ sqlite: "INSERT INTO albums_tags VALUES (1, NULL), (NULL, 2), (NULL, NULL)", postgres: "SELECT 1" });

    expect((await send("GET", "/albums?id=eq.1&select=tags(word)")).json).toEqual({
      albums: [{ url: "/albums/1", tags: [{ url: "/tags/1", word: "long" }] }],
    });
    expect((await send("GET", "/tags/2/albums")).json).toEqual({
      albums: [{ url: "/albums/2", id: 2, title: "Tago Mago" }],
    });
  });
});

import { describe, expect, onTestFinished, test } from "vitest";
import type { Batch } from "../../../src/server/index.ts";
import { modelledSql, modelsFile, serveModelled } from "./music-models.ts";
import { here, type Service, serve, type TestOptions } from "./service.ts";

/** The records of a list, without their URLs. */
async function list({ send }: Service, target: string): Promise<unknown> {
  const answer = await send("GET", target);
  expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
  const [records] = Object.values(answer.json as object);
  return JSON.parse(JSON.stringify(records), (name, value: unknown) => (name === "url" ? undefined : value));
}

/** The changes that come while something is done. */
async function changesOf({ scaffold }: Service, action: () => Promise<unknown>): Promise<Batch["changes"]> {
  const { journal } = scaffold;
  if (!journal) throw new Error("This scaffold has no journal.");
  const changes: Batch["changes"][number][] = [];
  onTestFinished(journal.tail((batch) => void changes.push(...batch.changes)));
  await action();
  await journal.poll();
  return changes;
}

describe.each(["prisma", "drizzle"] as const)("By the names of models of %s", (kind) => {
  test("collections, records and their members are named, and found, sorted and shown", async () => {
    const service = await serveModelled(kind);

    expect((await service.send("GET", "/Song/1,2")).json).toMatchObject({
      Song: { url: "/Song/1,2", albumId: 1, trackNo: 2, title: "Morgenspaziergang" },
    });
    expect(await list(service, "/Artist?bornIn=gt.1000&order=fullName.desc&select=fullName,year:bornIn")).toEqual([
      { fullName: "Kraftwerk", year: 1970 },
      { fullName: "Can", year: 1968 },
    ]);
    expect(await list(service, "/Artist?more->>home_town=eq.Düsseldorf&select=id")).toEqual([{ id: 1 }]);
    expect(await list(service, "/Album?select=artistId,count()&order=artistId")).toEqual([
      { artistId: 1, count: 2 },
      { artistId: 2, count: 1 },
    ]);
    expect((await service.send("GET", "/artists")).status).toBe(404);
    expect(await service.send("GET", "/Artist?born_in=gt.1")).toMatchObject({ status: 400 });
    expect((await service.send("GET", "/Artist?order=bornIn")).field("Item-Order")).toMatch(/bornIn/);
  });

  test("what no model names has its own names", async () => {
    const service = await serveModelled(kind);

    expect((await service.send("POST", "/plain_things", { some_thing: "a" })).status).toBe(201);
    expect(await list(service, "/plain_things?select=some_thing")).toEqual([{ some_thing: "a" }]);
    expect((await service.send("GET", "/_prisma_migrations")).text).toContain(
      "it is where Prisma notes its migrations",
    );
  });

  test("records are made, changed and taken away, and what the database refuses is told", async () => {
    const service = await serveModelled(kind);
    const { send, rows } = service;

    expect((await send("POST", "/Artist", { fullName: "Faust", bornIn: 1971 })).json).toMatchObject({
      Artist: { fullName: "Faust", bornIn: 1971 },
    });
    expect((await send("PATCH", "/Album/1", { title: "Autobahn!" })).json).toMatchObject({
      Album: { title: "Autobahn!", artistId: 1 },
    });
    expect((await send("PUT", "/Song/2,1", { title: "x" })).status).toBe(200);
    expect((await send("PUT", "/Song/2,7", { title: "x" })).status).toBe(201);
    const merge = { Prefer: "resolution=merge-duplicates" };
    const upsert = { albumId: 2, trackNo: 7, title: "y" };
    expect((await send("POST", "/Song?on_conflict=albumId,trackNo", upsert, merge)).status).toBe(200);
    expect((await send("PATCH", "/Song?albumId=eq.1&trackNo=gt.1", { title: "z" })).status).toBe(200);
    expect((await send("DELETE", "/Song/1,1")).status).toBe(204);
    expect(await rows("SELECT album_id, track_no, song_title FROM songs ORDER BY 1, 2")).toEqual([
      [1, 2, "z"],
      [2, 1, "x"],
      [2, 7, "y"],
    ]);
    const refused = [
      await send("POST", "/Artist", { fullName: "Can" }),
      await send("POST", "/Album", { title: "Nobody's", artistId: 99 }),
      await send("POST", "/Artist", { bornIn: 1 }),
      await send("POST", "/Artist", { full_name: "Can" }),
    ];
    expect(
      refused.map(({ json }) => (json as { errors?: { field: string }[] }).errors?.map(({ field }) => field)),
    ).toEqual([["fullName"], ["artistId"], [expect.stringMatching(/^(?:fullName|bornIn)$/)], ["full_name"]]);
  });

  test("relations are embedded, asked for and followed below a record", async () => {
    const service = await serveModelled(kind);

    expect(
      await list(service, "/Album?select=title,artist(fullName),producer(fullName),tracks(title)&id=lt.3"),
    ).toEqual([
      {
        title: "Autobahn",
        artist: { fullName: "Kraftwerk" },
        producer: { fullName: "Can" },
        tracks: [{ title: "Autobahn" }, { title: "Morgenspaziergang" }],
      },
      { title: "Tago Mago", artist: { fullName: "Can" }, producer: null, tracks: [{ title: "Paperhouse" }] },
    ]);
    expect(
      await list(service, "/Artist?select=fullName,albums(title),produced(title)&albums.order=title.desc&id=eq.1"),
    ).toEqual([
      {
        fullName: "Kraftwerk",
        albums: [{ title: "Computerwelt" }, { title: "Autobahn" }],
        produced: [{ title: "Computerwelt" }],
      },
    ]);
    expect(await list(service, "/Album?select=title,artist()&order=artist(fullName),title&id=lt.3")).toEqual([
      { title: "Tago Mago" },
      { title: "Autobahn" },
    ]);
    expect(await list(service, "/Artist/1/albums?order=title.desc")).toMatchObject([
      { title: "Computerwelt" },
      { title: "Autobahn" },
    ]);
    expect(await list(service, "/Artist?select=fullName,life(text)&id=lt.3")).toEqual([
      { fullName: "Kraftwerk", life: null },
      { fullName: "Can", life: { text: "From Cologne" } },
    ]);
    expect((await service.send("GET", "/Biography/2/artist")).json).toMatchObject({ Artist: { fullName: "Can" } });
    expect((await service.send("POST", "/Album/2/tracks", { trackNo: 3, title: "Oh Yeah" })).status).toBe(201);
    expect((await service.send("GET", "/Album?select=nothing()")).text).toContain("artist");
  });

  test("changes name and show records as GETs do, whoever writes", async () => {
    const service = await serveModelled(kind);
    const answer = await service.send("GET", "/Artist/2");

    const changes = await changesOf(service, () =>
      service.run(
        "UPDATE artists SET full_name = 'CAN' WHERE id = 2; UPDATE albums SET album_title = 'T' WHERE id = 2",
      ),
    );

    expect(answer.view).toMatchObject({ collection: "/Artist", url: "/Artist/2" });
    expect(changes.map(({ url, collection }) => [url, collection])).toEqual([
      ["/Artist/2", "/Artist"],
      ["/Album/2", "/Album"],
    ]);
    const [change] = changes;
    expect(change?.after).toMatchObject({ fullName: "CAN" });
    expect(change?.before).toMatchObject({ fullName: "Can" });
    expect(change?.represent().body).toBe((await service.send("GET", "/Artist/2")).text);
  });

  test("rules speak of what models name", async () => {
    const rules = {
      Album: { read: "artist.fullName=eq.Kraftwerk", update: "title=like.A*" },
      Artist: { read: "", columns: { read: ["fullName"] } },
    };
    const service = await serveModelled(kind, { rules });

    expect(await list(service, "/Album?select=title,artist(fullName)")).toEqual([
      { title: "Autobahn", artist: { fullName: "Kraftwerk" } },
      { title: "Computerwelt", artist: { fullName: "Kraftwerk" } },
    ]);
    expect((await service.send("PATCH", "/Album/3", { title: "x" })).status).toBe(403);
    expect(Object.keys((await service.send("GET", "/Artist/1")).json as object)).toEqual(["Artist"]);
    await expect(serveModelled(kind, { rules: { albums: { read: "" } } })).rejects.toThrow(/"albums"/);
  });

  test("the schema is told, and only asked tables are served", async () => {
    const service = await serveModelled(kind, { tables: ["Album", "Artist"], basePath: "/api" });
    const schema = (await service.send("GET", "/api/.well-known/rocket/schema")).json as {
      collections: {
        name: string;
        url: string;
        columns: { name: string; references?: object }[];
        referrers: object[];
      }[];
    };

    expect(schema.collections.map(({ name, url }) => [name, url])).toEqual([
      ["Artist", "/api/Artist"],
      ["Album", "/api/Album"],
    ]);
    const [artist, album] = schema.collections;
    expect(artist?.referrers).toContainEqual({ name: "Album", url: "/api/Album", columns: { artistId: "id" } });
    expect(album?.columns.find(({ name }) => name === "artistId")?.references).toEqual({
      url: "/api/Artist",
      column: "id",
    });
    await expect(serveModelled(kind, { tables: ["albums"] })).rejects.toThrow('"albums"');
  });
});

/** What a tool's own migrations make of booleans and JSON, and the models that go with it. */
const kinds = {
  drizzle: {
    types: here({ sqlite: ["INTEGER", "TEXT"], postgres: ["boolean", "jsonb"] }),
    models: () =>
      modelsFile(
        "schema.mjs",
        `${here({
          sqlite: `import { integer, sqliteTable as table, sqliteView as view, text } from "drizzle-orm/sqlite-core";
const boolean = (name) => integer(name, { mode: "boolean" });
const json = (name) => text(name, { mode: "json" });`,
          postgres: `import { boolean, integer, jsonb as json, pgTable as table, pgView as view } from "drizzle-orm/pg-core";`,
        })}
export const Door = table("doors", { id: integer().primaryKey(), isOpen: boolean(), meta: json("meta_data"), since: integer() });
export const OpenDoor = view("open_doors").as((query) => query.select({ id: Door.id, isOpen: Door.isOpen }).from(Door));`,
      ),
  },
  prisma: {
    types: here({ sqlite: ["BOOLEAN", "JSONB"], postgres: ["boolean", "jsonb"] }),
    models: () =>
      modelsFile(
        "schema.prisma",
        `model Door {
  id     Int      @id
  isOpen Boolean? @map("is_open")
  meta   Json?    @map("meta_data")
  since  Int?
  @@map("doors")
}
view OpenDoor {
  id     Int     @unique
  isOpen Boolean @map("is_open")
  @@map("open_doors")
}`,
      ),
  },
} as const;

describe.each(["drizzle", "prisma"] as const)("Booleans and JSON of models of %s", (tool) => {
  const { types, models } = kinds[tool];
  const [boolean, json] = types;
  const yes = here<unknown>({ sqlite: 1, postgres: true });
  const serveDoors = (options: TestOptions = {}) =>
    serve(
      `CREATE TABLE doors (id INTEGER PRIMARY KEY, is_open ${boolean}, meta_data ${json}, since INTEGER);
      CREATE VIEW open_doors AS SELECT id, is_open FROM doors WHERE is_open;
      CREATE VIEW all_doors AS SELECT id, is_open, meta_data FROM doors;
      INSERT INTO doors VALUES (1, ${here({ sqlite: "1", postgres: "true" })}, '{"lock": {"keys": 2}}', 1), (2, ${here({ sqlite: "0", postgres: "false" })}, '[1]', 0), (3, NULL, NULL, NULL)`,
      { models: models(), ...options },
    );

  test("are shown, asked for and sorted by", async () => {
    const service = await serveDoors();

    expect(await list(service, "/Door")).toEqual([
      { id: 1, isOpen: true, meta: { lock: { keys: 2 } }, since: 1 },
      { id: 2, isOpen: false, meta: [1], since: 0 },
      { id: 3, isOpen: null, meta: null, since: null },
    ]);
    const found = async (query: string) => (await list(service, `/Door?select=id&${query}`)) as { id: number }[];
    for (const [query, ids] of [
      ["isOpen=is.true", [1]],
      ["isOpen=eq.true", [1]],
      ["isOpen=not.is.true", [2, 3]],
      ["isOpen=is.false", [2]],
      ["isOpen=in.(true,false)", [1, 2]],
      ["meta->lock->keys=eq.2", [1]],
      ["order=isOpen.desc.nullslast", [1, 2, 3]],
    ] as const) {
      expect([query, (await found(query)).map(({ id }) => id)]).toEqual([query, ids]);
    }
    expect((await service.send("GET", "/Door?since=is.true")).status).toBe(400);
    expect((await service.send("GET", "/OpenDoor")).json).toMatchObject({ OpenDoor: [{ id: 1, isOpen: true }] });
    expect(await list(service, "/all_doors?id=eq.1")).toMatchObject([
      { is_open: true, meta_data: { lock: { keys: 2 } } },
    ]);
    expect((await service.send("GET", "/Door?order=isOpen.desc.nullslast")).field("Item-Order")).toBe(
      "isOpen.desc-number,id.asc-number",
    );
  });

  test("are written as what they are, and nothing else is taken", async () => {
    const { send, rows } = await serveDoors();

    expect((await send("POST", "/Door", { id: 4, isOpen: true, meta: { a: [1] } })).json).toMatchObject({
      Door: { id: 4, isOpen: true, meta: { a: [1] } },
    });
    expect((await send("PATCH", "/Door/2", { isOpen: true, meta: "text" })).status).toBe(200);
    expect((await send("PATCH", "/Door?isOpen=is.null", { isOpen: false })).status).toBe(200);
    expect(await rows("SELECT is_open FROM doors WHERE id IN (2, 4)")).toEqual([[yes], [yes]]);
    expect((await send("GET", "/Door/2")).json).toMatchObject({ Door: { isOpen: true, meta: "text" } });
    expect((await send("GET", "/Door/3")).json).toMatchObject({ Door: { isOpen: false } });
    expect((await send("PATCH", "/Door/1", { isOpen: "perhaps" })).status).toBe(422);
    expect((await send("PATCH", "/Door/1", { since: true })).status).toBe(422);
  });

  test("come in changes as they are shown, and decide what a rule lets be seen", async () => {
    const service = await serveDoors({ rules: { Door: { read: "isOpen=is.true" } } });
    const answer = await service.send("GET", "/Door?isOpen=is.true");
    expect(answer.json).toMatchObject({ Door: [{ id: 1 }] });

    const changes = await changesOf(service, () =>
      service.run({
        sqlite: "UPDATE doors SET is_open = 1, meta_data = '{\"b\": null}' WHERE id = 2",
        postgres: "UPDATE doors SET is_open = true, meta_data = '{\"b\": null}' WHERE id = 2",
      }),
    );
    // What filters compare is what is stored; what is shown is what a GET shows.
    const no = here<unknown>({ sqlite: 0, postgres: false });
    expect(changes).toMatchObject([{ before: { isOpen: no }, after: { isOpen: yes } }]);
    expect(JSON.parse(String(changes[0]?.represent().body))).toEqual({
      Door: { url: "/Door/2", id: 2, isOpen: true, meta: { b: null }, since: 0 },
    });
    expect((await service.send("GET", "/Door?isOpen=is.true&order=id.desc")).json).toMatchObject({
      Door: [{ id: 2 }, { id: 1 }],
    });
  });
});

describe("By the names of Prisma's models", () => {
  test("a list of many on both sides goes through the table that no model is", async () => {
    const service = await serveModelled("prisma");

    expect(await list(service, "/Album?select=title,tags(word)&order=id")).toEqual([
      { title: "Autobahn", tags: [{ word: "long" }] },
      { title: "Tago Mago", tags: [{ word: "long" }, { word: "loud" }] },
      { title: "Computerwelt", tags: [] },
    ]);
    expect(await list(service, "/Tag?select=word,albums!inner(title)&albums.title=like.T*&id=eq.2")).toEqual([
      { word: "loud", albums: [{ title: "Tago Mago" }] },
    ]);
    const followed = await service.send("GET", "/Album?select=title,tags(word)");
    expect(followed.reads?.collections).toEqual(expect.arrayContaining(["/Album", "/Tag", "/_AlbumToTag"]));
  });

  test("nobody is shown what @ignore hides", async () => {
    const service = await serveModelled("prisma");
    const { send, rows } = service;

    expect((await send("GET", "/Artist/1")).json).toEqual({
      Artist: { url: "/Artist/1", id: 1, fullName: "Kraftwerk", bornIn: 1970, more: { home_town: "Düsseldorf" } },
    });
    for (const target of [
      "/Artist?secretNote=eq.x",
      "/Artist?secret_note=eq.x",
      "/Artist?select=secret_note",
      "/Artist?order=secretNote",
    ]) {
      expect((await send("GET", target)).status).toBe(400);
    }
    expect((await send("PATCH", "/Artist/1", { secretNote: "seen" })).status).toBe(422);
    expect((await send("GET", "/LogLine")).status).toBe(404);
    expect((await send("GET", "/log_lines")).status).toBe(404);
    expect((await send("PUT", "/Artist/1", { fullName: "Kraftwerk 2" })).status).toBe(200);
    expect(await rows("SELECT full_name, born_in, secret_note FROM artists WHERE id = 1")).toEqual([
      ["Kraftwerk 2", null, "x"],
    ]);
    const changes = await changesOf(service, () => service.run("UPDATE artists SET born_in = 1969 WHERE id = 1"));
    expect(Object.keys(changes.at(-1)?.after ?? {})).toEqual(["id", "fullName", "bornIn", "more"]);
    expect(changes.at(-1)?.represent().body).not.toContain("secret");
  });
});

describe("Models that don't fit", () => {
  async function refusal(schema: string): Promise<string> {
    try {
      await serve(modelledSql, { models: modelsFile("schema.prisma", schema) });
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  }

  test("are refused at the start, a sentence for each table and column that the database lacks", async () => {
    const message = await refusal(`model Artist {
      id Int @id
      nick String @map("nick_name")
      @@map("artists")
    }
    model Venue {
      id Int @id
      @@map("venues")
    }`);

    expect(message.split("\n")).toEqual([
      'The table "artists" has no column "nick_name", which the model Artist has. Run your migrations first (rocket migrate), or leave it out of the models.',
      'The database has no table "venues", which the model Venue is. Run your migrations first (rocket migrate), or leave it out of the models.',
    ]);
  });

  test("are refused with the first 20 sentences, and how many more there are", async () => {
    const venues = (count: number) => {
      const models = Array.from({ length: count }, (_, at) => `model Venue${at + 1} {\n id Int @id\n}`);
      return refusal(models.join("\n")).then((message) => message.split("\n"));
    };
    const lacks = (at: number) =>
      `The database has no table "Venue${at}", which the model Venue${at} is. Run your migrations first (rocket migrate), or leave it out of the models.`;
    const first = Array.from({ length: 20 }, (_, at) => lacks(at + 1));

    expect(await venues(20)).toEqual(first);
    expect(await venues(85)).toEqual([...first, "And 65 more like these."]);
  });

  test("are refused where two things would have one name, or a hidden column makes URLs", async () => {
    expect(await refusal('model tags {\n id Int @id\n @@map("albums")\n}')).toMatch(
      /The tables "albums" and "tags" would both be called "tags"/,
    );
    expect(await refusal('model Tag {\n id Int @id\n id2 String? @map("tag_word")\n @@map("tags")\n}')).toBe("");
    expect(
      await refusal(
        'model Tag {\n key Int @id @map("id")\n id String? @map("tag_word")\n key2 Int @ignore\n @@map("tags")\n}',
      ),
    ).toMatch(/no column "key2"/);
    expect(await refusal('model Tag {\n id Int @id @ignore\n @@map("tags")\n}')).toMatch(/The model Tag hides "id"/);
  });
});

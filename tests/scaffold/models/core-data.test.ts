import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createScaffold, isModelPath, prepareModel } from "../../../src/scaffold/index.ts";
import { readCoreData } from "../../../src/scaffold/models/core-data.ts";
import { tablesOf } from "../../../src/scaffold/models/tables.ts";
import { sendTo } from "../answer.ts";
import { serverOfFile } from "../postgres/server.ts";
import { connect } from "../sqlite/workspace.ts";
import { musicModel, writeModel } from "./music-model.ts";

const server = serverOfFile();

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "rocket-model-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An entity with members. */
function entity(name: string, members: string, attributes = ""): string {
  return `<entity name="${name}" ${attributes}>${members}</entity>`;
}

function model(...entities: string[]): string {
  return `<model type="com.apple.IDECoreDataModeler.DataModel">${entities.join("")}</model>`;
}

/** A relationship; of one with one where nothing else is said. */
function relationship(name: string, to: string, more: string): string {
  return `<relationship name="${name}" destinationEntity="${to}" ${more}/>`;
}

function describeTables(text: string): { tables: string[]; notes: readonly string[] } {
  const { tables, notes } = tablesOf(readCoreData(text));
  const shown = tables.map(({ name, columns, unique }) => {
    const list = columns.map(({ name: column, isOptional, references }) => {
      const to = references ? `→${references.table} ${references.onDelete}` : "";
      return `${column}${isOptional ? "?" : ""}${to}`;
    });
    return `${name}: ${list.join(", ")}${unique.length > 0 ? ` unique ${unique.map(String).join(" and ")}` : ""}`;
  });
  return { tables: shown, notes };
}

const databases = {
  SQLite: async () => join(newFolder(), "music.db"),
  PostgreSQL: async () => server.url(await server.database()),
};

/** Runs another program's statements. */
async function run(database: string, sql: string): Promise<void> {
  if (!database.startsWith("postgres")) return connect(database).exec(sql);
  const client = await server.connect(new URL(database).pathname.slice(1));
  await client.query(sql);
}

describe.each(Object.entries(databases))("A Core Data model on %s", (engine, newDatabase) => {
  const isSqlite = engine === "SQLite";

  it("becomes tables that take just what it takes", async () => {
    const database = await newDatabase();
    const path = writeModel(newFolder(), { "Music.xcdatamodel": musicModel() });
    const { made, differences, notes } = await prepareModel(path, database);
    expect(made).toEqual([
      "artists",
      "songs",
      "genres",
      "record_labels",
      "contracts",
      "artists_influences",
      "songs_genres",
    ]);
    expect(differences).toEqual([]);
    expect(notes).toEqual([
      "Artist.count is derived, so it is left out.",
      "The order of Artist.songs is not kept.",
      ...(isSqlite ? ["The regular expression of artists.code is not checked: SQLite has none."] : []),
    ]);

    const scaffold = await createScaffold({ path: database, onError: () => undefined });
    onTestFinished(() => scaffold.close());
    const send = sendTo(scaffold);
    const statusOf = async (target: string, body: object) => (await send("POST", target, body)).status;
    const code = { code: "AB1" };
    const first = await send("POST", "/artists", { name: "Low", ...code });
    expect(first.status).toBe(201);
    expect(first.json).toEqual({
      artist: {
        ...{ url: "/artists/1", id: 1, name: "Low", year: null, rating: 0.5, active: true, code: "AB1" },
        ...{ photo: null, label_id: null, since: isSqlite ? "2001-01-02T00:00:00.000Z" : "2001-01-02T00:00:00+00:00" },
      },
    });
    expect(await statusOf("/artists", { name: "Low", ...code })).toBe(409);
    expect(await statusOf("/artists", { name: "", ...code })).toBe(422);
    expect(await statusOf("/artists", { name: "x".repeat(41), ...code })).toBe(422);
    expect(await statusOf("/artists", { ...code })).toBe(422);
    for (const [member, value] of Object.entries({
      year: 1899,
      rating: null,
      active: 2,
      since: "2000-12-31T00:00:00Z",
    }))
      expect([member, await statusOf("/artists", { name: "Can", ...code, [member]: value })]).toEqual([member, 422]);
    expect(await statusOf("/artists", { name: "Can", code: "A1" })).toBe(isSqlite ? 201 : 422);
    expect(await statusOf("/artists", { name: "Air", year: 1995, since: "2026-01-31T00:00:00Z", ...code })).toBe(201);
    const { json: genre } = await send("POST", "/genres", { name: "rock" });
    expect((genre as { genre: { id: string } }).genre.id).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it("has its deletion rules kept by foreign keys", async () => {
    const database = await newDatabase();
    await prepareModel(writeModel(newFolder(), { "Music.xcdatamodel": musicModel() }), database);
    const scaffold = await createScaffold({ path: database, onError: () => undefined });
    onTestFinished(() => scaffold.close());
    const send = sendTo(scaffold);
    const idOf = async (target: string, body: object): Promise<string> => {
      const { json } = await send("POST", target, body);
      return String(Object.values(json as Record<string, { id: unknown }>)[0]?.id);
    };
    const statusOf = async (method: string, target: string) => (await send(method, target)).status;
    const label = await idOf("/record_labels", { town: "Köln" });
    const artist = await idOf("/artists", { name: "Can", code: "AB1", label_id: Number(label) });
    const other = await idOf("/artists", { name: "Neu!", code: "AB1" });
    const song = await idOf("/songs", { title: "Vitamin C", artist_id: Number(artist) });
    const contract = await idOf("/contracts", { artist_id: Number(artist) });
    const genre = await idOf("/genres", { name: "krautrock" });
    expect((await send("POST", "/songs_genres", { song_id: Number(song), genre_id: genre })).status).toBe(201);
    expect((await send("POST", "/contracts", { artist_id: Number(artist) })).status).toBe(409);
    expect(
      (await send("POST", "/artists_influences", { influenced_id: Number(other), influence_id: Number(artist) }))
        .status,
    ).toBe(201);
    // Deny: a label with artists, a genre with songs.
    expect(await statusOf("DELETE", `/record_labels/${label}`)).toBe(409);
    expect(await statusOf("DELETE", `/genres/${genre}`)).toBe(409);
    // Cascade: songs and the contract go with the artist, and what joins them to others.
    expect(await statusOf("DELETE", `/artists/${artist}`)).toBe(204);
    expect(await statusOf("GET", `/songs/${song}`)).toBe(404);
    expect(await statusOf("GET", `/contracts/${contract}`)).toBe(404);
    expect((await send("GET", "/songs_genres")).json).toEqual({ songs_genres: [] });
    expect((await send("GET", "/artists_influences")).json).toEqual({ artists_influences: [] });
    expect(await statusOf("DELETE", `/record_labels/${label}`)).toBe(204);
  });

  it("alters nothing where the database has tables, and says what differs", async () => {
    const database = await newDatabase();
    const path = writeModel(newFolder(), { "Music.xcdatamodel": musicModel() });
    await prepareModel(path, database);
    expect(await prepareModel(path, database)).toMatchObject({ made: [], differences: [] });

    await run(
      database,
      `DROP TABLE songs_genres; DROP TABLE contracts; ALTER TABLE songs ADD COLUMN length ${isSqlite ? "INTEGER" : "integer"};
       ALTER TABLE genres RENAME COLUMN name TO label; CREATE TABLE contracts (id bigint PRIMARY KEY, url text NOT NULL, artist_id bigint);
       CREATE TABLE others (id ${isSqlite ? "INTEGER" : "int"} PRIMARY KEY)`,
    );
    const { made, differences } = await prepareModel(path, database);
    expect(made).toEqual([]);
    expect(differences).toEqual([
      "The model has no column songs.length.",
      "There is no column genres.name.",
      "The model has no column genres.label.",
      ...(isSqlite ? ["contracts.id has the type bigint, and the model's is INTEGER."] : []),
      "contracts.url is never NULL, and the model's may be.",
      ...(isSqlite ? ["contracts.artist_id has the type bigint, and the model's is INTEGER."] : []),
      "contracts.artist_id may be NULL, and the model's may not.",
      "contracts.artist_id is no foreign key, and the model's names artists.",
      "There is no table songs_genres.",
    ]);
  });

  it("may have entities that name each other, and themselves", async () => {
    const text = model(
      entity(
        "Person",
        relationship("employer", "Firm", 'optional="YES"') +
          relationship("boss", "Person", 'optional="YES" inverseName="staff"') +
          relationship("staff", "Person", 'toMany="YES" optional="YES" inverseName="boss"'),
      ),
      entity("Firm", relationship("owner", "Person", 'optional="YES"')),
    );
    const database = await newDatabase();
    const path = writeModel(newFolder(), { "Music.xcdatamodel": text });
    expect((await prepareModel(path, database)).made).toEqual(["people", "firms"]);
    expect((await prepareModel(path, database)).differences).toEqual([]);
  });
});

it.each(Object.entries(databases))(
  "Indexes on %s have names that nothing else has, and none is there twice",
  async (_, newDatabase) => {
    const index = (...names: string[]) =>
      `<fetchIndex name="x">${names.map((name) => `<fetchIndexElement property="${name}"/>`).join("")}</fetchIndex>`;
    const text = model(
      entity(
        "Song",
        `<attribute name="id" attributeType="UUID" indexed="YES"/><attribute name="genres" attributeType="String" indexed="YES"/>
       <attribute name="b_c" attributeType="String"/>${index("genres")}${index("id")}${index("b_c")}${index("genres", "b_c")}`,
      ),
      entity("SongB", `<attribute name="c" attributeType="String" indexed="YES"/>`),
      entity("SongsGenre", ""),
    );
    const path = writeModel(newFolder(), { "Music.xcdatamodel": text });
    expect(tablesOf(readCoreData(text)).tables.map(({ indexes }) => indexes)).toEqual([
      [["genres"], ["b_c"], ["genres", "b_c"]],
      [["c"]],
      [],
    ]);
    expect((await prepareModel(path, await newDatabase())).made).toEqual(["songs", "song_bs", "songs_genres"]);
  },
);

it("PostgreSQL refuses a regular expression that it can't read, and makes nothing", async () => {
  const database = await databases.PostgreSQL();
  const text = model(entity("Note", '<attribute name="text" attributeType="String" regularExpressionString="(a"/>'));
  const path = writeModel(newFolder(), { "Music.xcdatamodel": text });
  await expect(prepareModel(path, database)).rejects.toThrow(
    "PostgreSQL can't read the regular expression of notes.text.",
  );
  const client = await server.connect(new URL(database).pathname.slice(1));
  expect((await client.query("SELECT FROM pg_tables WHERE schemaname = 'public'")).rowCount).toBe(0);
});

describe("The tables of a model", () => {
  const both = (one: string, other: string) =>
    model(
      entity("A", relationship("b", "B", `inverseName="a" ${one}`)),
      entity("B", relationship("a", "A", `inverseName="b" ${other}`)),
    );

  it.each([
    ["who needs the other", 'optional="YES"', "", "as: id", "bs: id, a_id→as RESTRICT unique a_id"],
    [
      "who goes with the other",
      'optional="YES" deletionRule="Cascade"',
      'optional="YES"',
      "as: id",
      "bs: id, a_id?→as CASCADE unique a_id",
    ],
    ["else the last", 'optional="YES"', 'optional="YES"', "as: id", "bs: id, a_id?→as SET NULL unique a_id"],
  ])("have the foreign key of one with one at %s", (_, one, other, ...tables) => {
    expect(describeTables(both(one, other)).tables).toEqual(tables);
  });

  it.each([
    [
      "no inverse, to one",
      model(entity("A", relationship("b", "B", 'optional="YES"')), entity("B", "")),
      ["as: id, b_id?→bs SET NULL", "bs: id"],
    ],
    [
      "no inverse, to many",
      model(
        entity("A", relationship("bs", "B", 'toMany="YES" optional="YES" deletionRule="Cascade"')),
        entity("B", ""),
      ),
      ["as: id", "bs: id, a_bs_id?→as CASCADE"],
    ],
    [
      "itself as inverse",
      model(entity("Person", relationship("friends", "Person", 'toMany="YES" optional="YES" inverseName="friends"'))),
      ["people: id", "people_friends: person_id→people CASCADE, friend_id→people CASCADE"],
    ],
    [
      "the key that the model has",
      model(
        entity("A", `<attribute name="id" attributeType="String"/>${relationship("b", "B", "")}`),
        entity("B", '<attribute name="id" attributeType="UUID" optional="YES"/>'),
      ),
      ["as: id, b_id→bs RESTRICT", "bs: id"],
    ],
    [
      "what they are a kind of",
      model(
        entity("Base", '<attribute name="x" attributeType="String"/>', 'isAbstract="YES"'),
        entity("Mid", '<attribute name="y" attributeType="String"/>', 'parentEntity="Base"'),
        entity("Top", '<attribute name="z" attributeType="String"/>', 'parentEntity="Mid"'),
      ),
      ["mids: id, x, y", "tops: id, x, y, z"],
    ],
  ])("come of relationships with %s", (_, text, tables) => {
    expect(describeTables(text).tables).toEqual(tables);
  });

  it("leave a note of what they don't keep", () => {
    const { notes } = describeTables(
      model(
        entity(
          "A",
          `${relationship("b", "B", 'deletionRule="Cascade" optional="YES" inverseName="as"')}<attribute name="x"/>`,
        ),
        entity("B", relationship("as", "A", 'toMany="YES" minCount="2" ordered="YES" inverseName="b"')),
      ),
    );
    expect(notes).toEqual([
      "A.x has the type Undefined, so it is left out.",
      "How many B.as there may be is not checked.",
      "The deletion rule of A.b (cascade) is not kept: no foreign key does that.",
      "The order of B.as is not kept.",
      "That B.as is never empty is not checked.",
    ]);
  });

  it.each([
    ["<model", "no XML"],
    ["<plist/>", "begins with <plist>"],
    [model(), "no entities"],
    [model(entity("A", ""), entity("A", "")), "two entities of one name"],
    [model(entity("A", '<attribute attributeType="String"/>')), "without a name"],
    [model(entity("A", '<attribute name="id" attributeType="Date"/>')), "A.id can't be the key"],
    [model(entity("A", relationship("b", "B", ""))), "A.b leads to B, which is no entity"],
    [model(entity("A", '<relationship name="b"/>')), "A.b leads to no entity"],
    [model(entity("A", relationship("b", "B", 'inverseName="c"')), entity("B", "")), "has the inverse c"],
    [model(entity("A", "", 'parentEntity="A"')), "a kind of A"],
    [
      model(entity("A", relationship("b", "B", "")), entity("B", ""), entity("C", "", 'parentEntity="B"')),
      "in several tables",
    ],
    [
      model(
        entity("M", relationship("bs", "B", 'toMany="YES" inverseName="m"'), 'isAbstract="YES"'),
        entity("A", "", 'parentEntity="M"'),
        entity("B", relationship("m", "M", 'inverseName="bs"')),
      ),
      "B.m leads to M, whose records are in several tables",
    ],
    [model(entity("x".repeat(64), "")), "more than 63 bytes"],
    [model(entity("Cat", ""), entity("Cats", "")), "the table cats"],
    [
      model(
        entity("A", `<attribute name="b_id" attributeType="String"/>${relationship("b", "B", "")}`),
        entity("B", ""),
      ),
      "two columns of one name",
    ],
  ])("are refused where there can be none: %.60s", (text, part) => {
    expect(() => describeTables(text)).toThrow(part);
  });
});

describe("A model's folder", () => {
  const other = model(entity("Other", ""));

  it("has a version that counts", async () => {
    const versions = { "Music.xcdatamodel": other, "Music 2.xcdatamodel": musicModel() };
    const path = writeModel(newFolder(), versions, "Music 2.xcdatamodel");
    expect((await prepareModel(path, join(newFolder(), "a.db"))).made).toContain("artists");
    expect((await prepareModel(join(path, "Music.xcdatamodel"), join(newFolder(), "a.db"))).made).toEqual(["others"]);
  });

  it("is refused where none counts, or is there", async () => {
    const database = join(newFolder(), "a.db");
    const two = { "Music.xcdatamodel": other, "Music 2.xcdatamodel": other };
    await expect(prepareModel(writeModel(newFolder(), two), database)).rejects.toThrow("2 versions");
    const outside = writeModel(newFolder(), two, "../Music.xcdatamodel");
    await expect(prepareModel(outside, database)).rejects.toThrow('no version "../Music.xcdatamodel"');
    await expect(prepareModel(join(newFolder(), "No.xcdatamodeld"), database)).rejects.toThrow("There is no folder");
    expect(["a.xcdatamodeld", "a.xcdatamodel/", "a.db", "postgres://x/a.xcdatamodel.b"].map(isModelPath)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

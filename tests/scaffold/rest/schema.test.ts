import { describe, expect, it } from "vitest";
import { serveRules } from "./rules-site.ts";
import { here, type Service, serve } from "./service.ts";

const sql = `
  CREATE TABLE artists (id INTEGER PRIMARY KEY, name TEXT NOT NULL, is_live BOOLEAN);
  CREATE TABLE albums (id INTEGER PRIMARY KEY, artist_id INTEGER NOT NULL REFERENCES artists(id), extra JSON);
`;
const readMethods = ["GET", "HEAD", "OPTIONS"];

interface Told {
  readonly name: string;
  readonly may: readonly string[];
}

interface Collection {
  readonly name: string;
  readonly url: string;
  readonly columns: readonly Told[];
  readonly unread: readonly Told[];
  readonly methods: { readonly collection: readonly string[]; readonly record: readonly string[] };
}

async function schemaOf(service: Pick<Service, "send">, base = ""): Promise<Collection[]> {
  const answer = await service.send("GET", `${base}/.well-known/rocket/schema`);
  expect(answer.status).toBe(200);
  return (JSON.parse(String(answer.body)) as { collections: Collection[] }).collections;
}

/** What may be done with each column: `name: read create update`. */
function rightsIn(columns: readonly Told[] = []): string[] {
  return columns.map(({ name, may }) => `${name}: ${may.join(" ")}`);
}

describe("the schema", () => {
  it("tells collections with their columns, keys and references", async () => {
    const [artists, albums] = await schemaOf(await serve(sql));
    expect(artists).toMatchObject({
      name: "artists",
      url: "/artists",
      record: "artist",
      key: ["id"],
      columns: [
        { name: "id", kind: "number", nullable: false, generated: false },
        { name: "name", kind: "text", nullable: false },
        { name: "is_live", kind: "boolean", nullable: true },
      ],
      referrers: [{ name: "albums", url: "/albums", columns: { artist_id: "id" } }],
    });
    expect(albums).toMatchObject({
      columns: [
        { name: "id" },
        { name: "artist_id", references: { url: "/artists", column: "id" } },
        { name: "extra", kind: "json" },
      ],
      referrers: [],
    });
    expect((artists as unknown as { columns: { type: string }[] }).columns.map(({ type }) => type)).toEqual(
      here({ sqlite: ["INTEGER", "TEXT", "BOOLEAN"], postgres: ["int4", "text", "bool"] }),
    );
  });

  it("tells what has a default, and which values a column takes where the database has a list of them", async () => {
    const enumerated = here({ sqlite: "TEXT CHECK (mood IN ('sad', 'ok'))", postgres: "mood" });
    const [told] = await schemaOf(
      await serve(`${here({ sqlite: "", postgres: "CREATE TYPE mood AS ENUM ('sad', 'ok');" })}
        CREATE TABLE visits (id INTEGER PRIMARY KEY, town TEXT NOT NULL, mood ${enumerated}, stars INTEGER CHECK (stars IN (1, 2, 3)),
          kind VARCHAR(9) NOT NULL DEFAULT 'it''s' CONSTRAINT kinds CHECK ("kind" IN ('it''s', 'b, c')),
          size TEXT CHECK (size IN ('s') OR length(size) > 3), flag BOOLEAN NOT NULL)`),
    );
    const columns = told?.columns as unknown as readonly Readonly<Record<string, unknown>>[];
    expect(columns.map(({ name, nullable, hasDefault, values }) => [name, nullable, hasDefault, values])).toEqual([
      ["id", false, here({ sqlite: true, postgres: false }), undefined],
      ["town", false, false, undefined],
      ["mood", true, false, ["sad", "ok"]],
      ["stars", true, false, [1, 2, 3]],
      ["kind", false, true, ["it's", "b, c"]],
      ["size", true, false, undefined],
      ["flag", false, false, undefined],
    ]);
  });

  it("tells what may be done", async () => {
    const methods = { collection: ["GET", "HEAD", "POST"], record: ["GET", "HEAD", "PUT", "PATCH", "DELETE"] };
    const [all] = await schemaOf(await serve(sql));
    expect(all?.methods).toEqual({
      collection: expect.arrayContaining(methods.collection),
      record: [...methods.record, "OPTIONS"],
    });
    expect(rightsIn(all?.columns)).toEqual(["id", "name", "is_live"].map((name) => `${name}: read create update`));
    const [none] = await schemaOf(await serve(sql, { readOnly: true }));
    expect(none?.methods).toEqual({ collection: readMethods, record: readMethods });
    expect(rightsIn(none?.columns)).toEqual(["id: read", "name: read", "is_live: read"]);
  });

  it("lets nobody give what the database computes", async () => {
    const computed =
      "CREATE TABLE sums (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER GENERATED ALWAYS AS (a + 1) STORED)";
    const [sums] = await schemaOf(await serve(computed));
    expect(rightsIn(sums?.columns)).toEqual(["id: read create update", "a: read create update", "b: read"]);
  });

  it("lets nobody write to a view that takes no writes", async () => {
    const service = await serve(`${sql} CREATE VIEW names AS SELECT DISTINCT name FROM artists;`);
    const names = (await schemaOf(service)).find(({ name }) => name === "names");
    expect(names).toMatchObject({ key: [], methods: { collection: readMethods, record: [] } });
  });

  it("has what is made while it is served, and is below the base path", async () => {
    const service = await serve(sql, { basePath: "/api" });
    await service.run("CREATE TABLE labels (id INTEGER PRIMARY KEY)");
    const collections = await schemaOf(service, "/api");
    expect(collections.map(({ url }) => url)).toEqual(expect.arrayContaining(["/api/artists", "/api/labels"]));
    expect((await service.send("GET", "/.well-known/rocket/schema")).status).toBe(404);
  });

  it("names only tables that are served", async () => {
    const [albums, ...others] = await schemaOf(await serve(sql, { tables: ["albums"] }));
    expect(others).toEqual([]);
    expect(JSON.stringify(albums)).not.toContain("artists");
  });

  it("takes GET, HEAD and OPTIONS only", async () => {
    const service = await serve(sql);
    const path = "/.well-known/rocket/schema";
    expect((await service.send("HEAD", path)).body).toBe("");
    expect((await service.send("OPTIONS", path)).status).toBe(204);
    expect((await service.send("POST", path, { a: 1 })).status).toBe(405);
  });
});

describe("the schema under row rules", () => {
  it("names neither closed tables, nor columns that nobody may read, nor what refers to them", async () => {
    const rules = {
      artists: { read: "", columns: { read: ["id", "name"] } },
      albums: { read: "", columns: { read: ["id", "extra"] } },
    };
    const service = await serve(`${sql} CREATE TABLE secrets (id INTEGER PRIMARY KEY);`, { rules });
    const collections = await schemaOf(service);
    expect(collections.map(({ name }) => name)).toEqual(["artists", "albums"]);
    const text = JSON.stringify(collections);
    for (const hidden of ["secrets", "is_live", "artist_id"]) expect(text).not.toContain(hidden);
    expect(text).toContain('"extra"');
  });

  it("tells each viewer what the rules let it do, without a look at any record", async () => {
    const site = await serveRules(sql, {
      artists: {
        read: "",
        create: { check: "", set: { is_live: true } },
        update: ({ claims }) => (claims.sub === "ann" ? "" : false),
        columns: { write: ["name", "is_live"] },
      },
      albums: { read: "", update: "artist_id=eq.1", delete: ({ claims }) => claims.sub === "ann" },
    });
    const tell = async (sub: string): Promise<Collection[]> => {
      const { json } = await site.as({ sub }, "GET", "/.well-known/rocket/schema");
      return (json as { collections: Collection[] }).collections;
    };

    const [artists, albums] = await tell("ann");
    expect(artists?.methods).toEqual({
      collection: ["GET", "HEAD", "POST", "PATCH", "OPTIONS"],
      record: ["GET", "HEAD", "PUT", "PATCH", "OPTIONS"],
    });
    expect(rightsIn(artists?.columns)).toEqual(["id: read", "name: read create update", "is_live: read update"]);
    expect(albums?.methods.collection).toEqual(["GET", "HEAD", "PATCH", "DELETE", "OPTIONS"]);
    expect(rightsIn(albums?.columns)).toEqual(["id: read update", "artist_id: read update", "extra: read update"]);

    const [others, otherAlbums] = await tell("bob");
    expect(others?.methods.record).toEqual(readMethods);
    expect(rightsIn(others?.columns)).toEqual(["id: read", "name: read create", "is_live: read"]);
    expect(otherAlbums?.methods.record).toEqual(["GET", "HEAD", "PUT", "PATCH", "OPTIONS"]);
  });

  it("has what may be given and not read: columns, and tables", async () => {
    const site = await serveRules(sql, {
      artists: { read: "", create: "", columns: { read: ["name"], write: ["name", "is_live"] } },
      albums: { create: "", columns: { write: ["artist_id"] } },
    });
    const { json } = await site.as({ sub: "ann" }, "GET", "/.well-known/rocket/schema");
    const [artists, albums] = (json as { collections: Collection[] }).collections;
    expect([rightsIn(artists?.columns), rightsIn(artists?.unread)]).toEqual([
      ["id: read", "name: read create"],
      ["is_live: create"],
    ]);
    expect(albums).toMatchObject({
      name: "albums",
      columns: [],
      methods: { collection: ["POST", "OPTIONS"], record: [] },
    });
    expect(rightsIn(albums?.unread)).toEqual(["artist_id: create"]);
  });

  it("says whether nobody asks, who may only read where tokens are needed to write", async () => {
    const site = await serveRules(sql, { artists: { read: "", create: "", update: "", delete: "" } });
    const schema = "/.well-known/rocket/schema";
    const [nobody, ann] = [await site.send("GET", schema), await site.as({ sub: "ann" }, "GET", schema)];
    expect(nobody.json).toMatchObject({ anonymous: true, collections: [{ methods: { record: readMethods } }] });
    expect(ann.json).toMatchObject({
      anonymous: false,
      collections: [{ methods: { record: expect.arrayContaining(["DELETE"]) } }],
    });
    const { json } = await (await serve(sql)).send("GET", schema);
    expect(json).toMatchObject({ anonymous: false });
  });
});

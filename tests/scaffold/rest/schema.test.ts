import { describe, expect, it } from "vitest";
import { here, serve } from "./service.ts";

const sql = `
  CREATE TABLE artists (id INTEGER PRIMARY KEY, name TEXT NOT NULL, is_live BOOLEAN);
  CREATE TABLE albums (id INTEGER PRIMARY KEY, artist_id INTEGER NOT NULL REFERENCES artists(id), extra JSON);
`;
const readMethods = ["GET", "HEAD", "OPTIONS"];

async function schemaOf(service: Awaited<ReturnType<typeof serve>>, base = "") {
  const answer = await service.send("GET", `${base}/.well-known/rocket/schema`);
  expect(answer.status).toBe(200);
  return (JSON.parse(String(answer.body)) as { collections: Record<string, unknown>[] }).collections;
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
    expect((artists as { columns: { type: string }[] }).columns.map(({ type }) => type)).toEqual(
      here({ sqlite: ["INTEGER", "TEXT", "BOOLEAN"], postgres: ["int4", "text", "bool"] }),
    );
  });

  it("tells what may be done", async () => {
    const methods = { collection: ["GET", "HEAD", "POST"], record: ["GET", "HEAD", "PUT", "PATCH", "DELETE"] };
    const [all] = await schemaOf(await serve(sql));
    expect(all?.methods).toEqual({
      collection: expect.arrayContaining(methods.collection),
      record: [...methods.record, "OPTIONS"],
    });
    const [none] = await schemaOf(await serve(sql, { readOnly: true }));
    expect(none?.methods).toEqual({ collection: readMethods, record: readMethods });
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
});

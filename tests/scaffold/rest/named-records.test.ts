import { describe, expect, test } from "vitest";
import type { Rules } from "../../../src/scaffold/index.ts";
import { connectMemoryPeer, createFakeClock, Replica } from "../../../src/testing/index.ts";
import { serveLibrary } from "./music-library.ts";
import { createPatientHub } from "./patient-hub.ts";
import { serveRules } from "./rules-site.ts";

/** A follower of a URL of the library. */
async function follow(target: string) {
  const clock = createFakeClock();
  const service = await serveLibrary();
  const { hub, advance } = createPatientHub(service.scaffold, clock);
  const replica = new Replica(target);
  const told: string[] = [];
  await connectMemoryPeer(hub, target, {
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
  /** Whether the follower has exactly what a GET has. */
  const isTrue = async (): Promise<void> => {
    const { text } = await service.send("GET", target);
    expect([...replica.records.values()]).toEqual([text]);
  };
  return { ...service, write, isTrue };
}

const single = { Accept: "application/vnd.pgrst.object+json" };

describe("The record that a record names", () => {
  test("is below it, under each name of the relation, as at its own URL", async () => {
    const { send } = await serveLibrary();
    const own = await send("GET", "/artists/2");

    for (const name of ["artist", "artists", "artist_id", "artists!artist_id"]) {
      const answer = await send("GET", `/albums/3/${name}`);
      expect([answer.status, answer.text, answer.field("Items")]).toEqual([200, own.text, own.field("Items")]);
      expect([answer.field("Content-Location"), answer.field("ETag")]).toEqual(["/artists/2", own.field("ETag")]);
      expect([answer.url, answer.reads]).toEqual([
        ...["/albums/3/artists", { collections: ["/artists", "/albums"], isComplete: true }],
      ]);
    }
    expect((await send("GET", "/staff/2/manager")).json).toMatchObject({ staff: { name: "Ann" } });
  });

  test("takes select, conditions and other forms", async () => {
    const { send } = await serveLibrary();
    const target = "/albums/3/artist?select=name,albums(title)&albums.limit=1";

    const answer = await send("GET", target);
    const again = await send("GET", target, undefined, { "If-None-Match": answer.field("ETag") ?? "" });
    const bare = await send("GET", "/albums/3/artist?select=name", undefined, single);

    expect(answer.text).toBe(
      '{"artist":{"url":"/artists/2","name":"Can","albums":[{"url":"/albums/3","title":"Tago Mago"}]}}',
    );
    expect(answer.url).toBe("/albums/3/artists?albums.limit=1&select=name%2Calbums%28title%29");
    expect(answer.field("Content-Location")).toBe("/artists/2?albums.limit=1&select=name%2Calbums%28title%29");
    expect([again.status, bare.text]).toEqual([304, '{"url":"/artists/2","name":"Can"}']);
    expect((await send("HEAD", target)).field("ETag")).toBe(answer.field("ETag"));
  });

  test.each([
    ["GET", "/albums/5/label", 404, "There is no such record."],
    ["GET", "/albums/99/artist", 404, "There is no such record."],
    ["GET", "/albums/99/tags", 404, "There is no such record."],
    ["POST", "/albums/3/tags", 405, "GET, HEAD, OPTIONS are."],
    ["GET", "/letters/1/staff", 404, "may be one of several"],
    ["GET", "/albums/3/artist?genre=rock", 400, 'The parameter "genre" means nothing here.'],
    ["PATCH", "/albums/3/artist", 405, "GET, HEAD, OPTIONS are."],
    ["POST", "/albums/3/artist", 405, "GET, HEAD, OPTIONS are."],
  ])("is refused where it is not there: %s %s", async (method, target, status, detail) => {
    const { send } = await serveLibrary();

    const answer = await send(method, target, method === "GET" ? undefined : { name: "x" });

    expect([answer.status, (answer.json as { detail: string }).detail]).toEqual([
      ...[status, expect.stringContaining(detail)],
    ]);
  });

  test("is one that the viewer may read, of a record that it may read", async () => {
    const sql = `CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
      CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, team_id INTEGER REFERENCES teams (id));
      INSERT INTO teams VALUES (1, 'Reds'), (2, 'Blues'); INSERT INTO notes VALUES (1, 'ann', 1), (2, 'ann', 2), (3, 'bob', 1)`;
    const rules: Rules = { teams: { read: "name=eq.Reds" }, notes: { read: "owner=eq.$sub" } };
    const site = await serveRules(sql, rules);

    const statuses = [];
    for (const id of [1, 2, 3]) statuses.push((await site.as({ sub: "ann" }, "GET", `/notes/${id}/team`)).status);

    expect(statuses).toEqual([200, 404, 404]);
  });

  test("is followed: it is told when it changes, and when another one is named", async () => {
    const target = "/albums/3/artist?select=name";
    const { write, isTrue } = await follow(target);

    expect(await write("UPDATE artists SET name = 'CAN' WHERE id = 2")).toEqual(["202"]);
    await isTrue();
    expect(await write("UPDATE artists SET born = 1 WHERE id = 2; UPDATE albums SET title = 'x' WHERE id = 3")).toEqual(
      [],
    );
    expect(await write("UPDATE albums SET artist_id = 3 WHERE id = 3")).toHaveLength(1);
    await isTrue();
    expect(await write("UPDATE artists SET name = 'NEU' WHERE id = 3")).toEqual(["202"]);
    await isTrue();
  });

  test("has left where none is named any more", async () => {
    const { write, send } = await follow("/albums/3/label");

    expect(await write("UPDATE albums SET label_id = 1 WHERE id = 3")).toHaveLength(1);
    expect(await write("UPDATE albums SET label_id = NULL WHERE id = 3")).toEqual(["204"]);
    expect((await send("GET", "/albums/3/label")).status).toBe(404);
  });
});

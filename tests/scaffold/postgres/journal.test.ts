import { describe, expect, it } from "vitest";
import { serverOfFile } from "./server.ts";
import { ask, newSite, watch } from "./workspace.ts";

const server = serverOfFile();
const artists = "CREATE TABLE artists (id int PRIMARY KEY, name text)";

describe("a journal", () => {
  it("tells creates, updates and deletes with their images", async () => {
    const site = await newSite(server, artists);
    const { journal, batches } = await watch(site);
    await site.client.query("INSERT INTO artists VALUES (1, 'Ann')");
    await site.client.query("UPDATE artists SET name = 'Bo'");
    await site.client.query("DELETE FROM artists");
    await journal.poll();
    const changes = batches.flatMap((batch) => batch.changes);
    expect(changes.map(({ kind, url, collection }) => [kind, url, collection])).toEqual([
      ["create", "/artists/1", "/artists"],
      ["update", "/artists/1", "/artists"],
      ["delete", "/artists/1", "/artists"],
    ]);
    expect(changes.map(({ before, after }) => [before && { ...before }, after && { ...after }])).toEqual([
      [undefined, { id: "1", name: "Ann" }],
      [
        { id: "1", name: "Ann" },
        { id: "1", name: "Bo" },
      ],
      [{ id: "1", name: "Bo" }, undefined],
    ]);
    expect(changes.slice(0, 2).map((change) => change.represent().body)).toEqual([
      '{"id":1,"name":"Ann"}',
      '{"id":1,"name":"Bo"}',
    ]);
    expect(changes[1]?.representBefore?.()?.body).toBe('{"id":1,"name":"Ann"}');
  });

  it("tells a change of a key as a delete and a create, between which it can be read on", async () => {
    const site = await newSite(server, artists);
    const { journal, news } = await watch(site);
    await site.client.query("INSERT INTO artists VALUES (1, 'Ann')");
    await journal.poll();
    const { position } = journal.head;
    await site.client.query("UPDATE artists SET id = 2");
    expect(await news()).toEqual(["create /artists/1", "delete /artists/1", "create /artists/2"]);
    const page = await journal.read(position, 10);
    const [deleted, created] = page?.changes ?? [];
    expect([deleted?.kind, created?.kind]).toEqual(["delete", "create"]);
    const rest = await journal.read(deleted?.position ?? 0, 10);
    expect(rest?.changes.map(({ kind }) => kind)).toEqual(["create"]);
  });

  it("tells nothing of what was rolled back, savepoints included", async () => {
    const site = await newSite(server, artists);
    const { news } = await watch(site);
    await site.client.query("BEGIN; INSERT INTO artists VALUES (1, 'Ann'); ROLLBACK");
    await site.client.query(`BEGIN; INSERT INTO artists VALUES (2, 'Bo');
      SAVEPOINT a; INSERT INTO artists VALUES (3, 'Cy'); SAVEPOINT b; UPDATE artists SET name = 'x';
      ROLLBACK TO b; INSERT INTO artists VALUES (4, 'Di'); RELEASE a;
      SAVEPOINT c; DELETE FROM artists; ROLLBACK TO c; COMMIT`);
    expect(await news()).toEqual(["create /artists/2", "create /artists/3", "create /artists/4"]);
  });

  it("gives a transaction's changes in one batch, next to one another, whatever others wrote meanwhile", async () => {
    const site = await newSite(server, artists);
    const other = await server.connect(site.database);
    const { journal, batches } = await watch(site);
    await site.client.query("BEGIN; INSERT INTO artists VALUES (1, 'a')");
    await other.query("BEGIN; INSERT INTO artists VALUES (2, 'b')");
    await site.client.query("INSERT INTO artists VALUES (3, 'a')");
    await other.query("INSERT INTO artists VALUES (4, 'b'); COMMIT");
    await site.client.query("INSERT INTO artists VALUES (5, 'a'); COMMIT");
    await journal.poll();
    expect(batches.map(({ changes }) => changes.map(({ url }) => url))).toEqual([
      ["/artists/2", "/artists/4", "/artists/1", "/artists/3", "/artists/5"],
    ]);
  });

  it("does not split a large transaction, nor one whose turn comes late, however small a tick is", async () => {
    const site = await newSite(server, artists);
    const other = await server.connect(site.database);
    const { journal, batches } = await watch(site, { maxTickChanges: 10 });
    await other.query("BEGIN; INSERT INTO artists VALUES (0, 'late')");
    await site.client.query("INSERT INTO artists SELECT g, 'x' FROM generate_series(1, 1000) g");
    for (let id = 1_001; id <= 1_100; id += 1) {
      await site.client.query("INSERT INTO artists VALUES ($1, 'x')", [id]);
    }
    await other.query("UPDATE artists SET name = 'y' WHERE id = 500; COMMIT");
    await journal.poll();
    const sizes = batches.map(({ changes }) => changes.length);
    expect(sizes[0]).toBe(1_000);
    expect(sizes.length).toBeGreaterThan(3);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(1_102);
    expect(
      batches
        .at(-1)
        ?.changes.slice(-2)
        .map(({ url }) => url),
    ).toEqual(["/artists/0", "/artists/500"]);
  });

  it("goes on while a transaction stays open elsewhere, and tells that one when it ends", async () => {
    const site = await newSite(server, artists);
    const [long, writer] = [await server.connect(site.database), await server.connect(site.database)];
    const { news } = await watch(site);
    await long.query(
      "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id(); SELECT count(*) FROM artists",
    );
    await writer.query("BEGIN; INSERT INTO artists VALUES (1, 'late')");
    for (const id of [2, 3, 4]) {
      await site.client.query("INSERT INTO artists VALUES ($1, 'x')", [id]);
      expect(await news()).toEqual([`create /artists/${id}`]);
    }
    await writer.query("COMMIT");
    expect(await news()).toEqual(["create /artists/1"]);
    await long.query("COMMIT");
    expect(await news()).toEqual([]);
  });

  it("keeps the order of the commits for each record where ids of transactions have another", async () => {
    const site = await newSite(server, `${artists}; INSERT INTO artists VALUES (1, '0')`);
    const [early, late] = [await server.connect(site.database), await server.connect(site.database)];
    const { journal, batches } = await watch(site);
    await early.query("BEGIN; SELECT pg_current_xact_id()");
    await late.query("UPDATE artists SET name = 'first'");
    await early.query("UPDATE artists SET name = 'second'; COMMIT");
    await journal.poll();
    expect(batches.flatMap(({ changes }) => changes.map(({ after }) => after?.name))).toEqual(["first", "second"]);
  });

  it("tells a prepared transaction when it is committed", async () => {
    const site = await newSite(server, artists);
    const { news } = await watch(site);
    await site.client.query("BEGIN; INSERT INTO artists VALUES (1, 'Ann'); PREPARE TRANSACTION 'later'");
    await site.client.query("INSERT INTO artists VALUES (2, 'Bo')");
    expect(await news()).toEqual(["create /artists/2"]);
    await site.client.query("COMMIT PREPARED 'later'");
    expect(await news()).toEqual(["create /artists/1"]);
  });

  it("tells what another session wrote by itself, without being asked", async () => {
    const site = await newSite(server, artists);
    const { journal } = await watch(site, { pollMs: 5 });
    const heard = new Promise<string>((resolve) => {
      journal.tail((batch) => resolve(batch.changes[0]?.url ?? ""));
    });
    await site.client.query("INSERT INTO artists VALUES (7, 'Di')");
    expect(await heard).toBe("/artists/7");
  });

  it("hears at once of what another process gave a position", async () => {
    const site = await newSite(server, artists);
    const first = await watch(site);
    const listening = await watch(site, { hints: true });
    // It may look by itself once, when it begins to listen.
    for (const id of [1, 2, 3]) {
      const heard = new Promise<string>((resolve) => {
        const end = listening.journal.tail((batch) => {
          end();
          resolve(batch.changes[0]?.url ?? "");
        });
      });
      await site.client.query("INSERT INTO artists VALUES ($1, 'Di')", [id]);
      await first.journal.poll();
      expect(await heard).toBe(`/artists/${id}`);
    }
  });

  it("writes nothing where nothing is new", async () => {
    const site = await newSite(server, artists);
    const { journal } = await watch(site);
    await site.client.query("INSERT INTO artists VALUES (1, 'Ann')");
    await journal.poll();
    const count = () => ask(site, "SELECT xmin, xmax, ctid FROM rocket.state");
    const before = await count();
    await journal.poll();
    expect(await count()).toEqual(before);
  });

  it("watches the schemas that it is told to, whatever others watch", async () => {
    const site = await newSite(server, `${artists}; CREATE SCHEMA shop; CREATE TABLE shop.items (id int PRIMARY KEY)`);
    const [shop, both] = [await watch(site, { schemas: ["shop"] }), await watch(site, { schemas: ["public", "shop"] })];
    await shop.news();
    await site.client.query("INSERT INTO artists VALUES (1, 'Ann'); INSERT INTO shop.items VALUES (1)");
    expect(await shop.news()).toEqual(["create /shop.items/1"]);
    expect(await both.news()).toEqual(["create /artists/1", "create /shop.items/1"]);
  });

  it("leaves tables alone that are not to be watched", async () => {
    const site = await newSite(server, `${artists}; CREATE TABLE others (id int PRIMARY KEY)`);
    const { news } = await watch(site, { tables: (_schema, name) => name === "artists" });
    await site.client.query("INSERT INTO others VALUES (1); INSERT INTO artists VALUES (1, 'Ann')");
    expect(await news()).toEqual(["create /artists/1"]);
    expect(await ask(site, "SELECT tgrelid::regclass FROM pg_trigger WHERE tgname LIKE '!rocket row%'")).toEqual([
      "artists",
    ]);
  });
});

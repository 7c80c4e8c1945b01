import { describe, expect, it } from "vitest";
import { serverOfFile } from "./server.ts";
import { ask, newSite, watch } from "./workspace.ts";

// Without it, what was committed with synchronous_commit = off is on disk soon after.
const server = serverOfFile("wal_writer_delay=10s");
const artists = "CREATE TABLE artists (id int PRIMARY KEY, name text)";

describe("a crash of the server", () => {
  it("undoes nothing that was told, whatever the writers' and the role's own settings are", async () => {
    const site = await newSite(server, artists);
    await site.client.query(`ALTER DATABASE ${site.database} SET synchronous_commit = off`);
    const { journal, news, pool } = await watch(site);
    const writer = await server.connect(site.database);
    await writer.query("INSERT INTO artists VALUES (1, 'told')");
    expect(await news()).toEqual(["create /artists/1"]);
    const told = journal.head;
    await writer.query("INSERT INTO artists VALUES (2, 'not told')");
    await server.crash();
    await server.start();
    await pool.query("SELECT 1").catch(() => undefined);
    const client = await server.connect(site.database);
    const ids = await ask({ client }, "SELECT id FROM artists ORDER BY id");
    expect(ids[0]).toBe("1");
    expect(await journal.locate(told.eventId)).toBe(told.position);
    await client.query("INSERT INTO artists VALUES (3, 'after')");
    expect(await news()).toEqual([...ids.slice(1), "3"].map((id) => `create /artists/${id}`));
  });

  it("is survived by a journal, which says so once and goes on by itself", async () => {
    const site = await newSite(server, artists);
    const { journal, errors } = await watch(site, { pollMs: 5, hints: true });
    await site.client.query("INSERT INTO artists VALUES (1, 'before')");
    await journal.poll();
    await server.crash();
    await expect(journal.poll()).rejects.toMatchObject({ code: "journal-busy" });
    await server.start();
    const heard = new Promise<string>((resolve) => {
      journal.tail((batch) => resolve(batch.changes[0]?.url ?? ""));
    });
    const client = await server.connect(site.database);
    await client.query("INSERT INTO artists VALUES (2, 'after')");
    expect(await heard).toBe("/artists/2");
    expect(new Set(errors.map(String)).size).toBe(errors.length);
  });
});

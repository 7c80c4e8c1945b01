import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { Client } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { journalSql } from "../../../src/scaffold/postgres/journal/sql-journal.ts";
import { programs, serverOfFile } from "./server.ts";
import { newSite, type Site, type Watched, watch } from "./workspace.ts";

const server = serverOfFile("wal_level=replica");
const artists = "CREATE TABLE artists (id int PRIMARY KEY, name text)";

/** What comes after a server was restarted: connections that broke are made anew. */
async function newsAfterRestart({ journal, news }: Watched): Promise<string[]> {
  for (let left = 10; left > 0; left -= 1) {
    const isUp = await journal.poll().then(
      () => true,
      () => false,
    );
    if (isUp) break;
  }
  return news();
}

/** Writes one artist by a connection of its own. */
async function write({ database }: Pick<Site, "database">, id: number, to = server): Promise<void> {
  const client = new Client(to.config(database));
  await client.connect();
  await client.query("INSERT INTO artists VALUES ($1, 'x')", [id]);
  await client.end();
}

describe("a database that is an older copy of itself", () => {
  it("is noticed by those who follow it, and all begin anew", async () => {
    const site = await newSite(server, artists);
    const [first, second] = [await watch(site), await watch(site)];
    await write(site, 1);
    await first.news();
    const known = first.journal.head;
    await server.keepCopy();
    await write(site, 2);
    await newsAfterRestart(first);
    await newsAfterRestart(second);
    const lost = first.journal.head;
    await server.bringBack();
    await write(site, 3);
    const [said] = await newsAfterRestart(first);
    expect(said).toBe("lost");
    expect((await newsAfterRestart(second))[0]).toBe("lost");
    expect(first.journal.segment).toBe(second.journal.segment);
    expect(await first.journal.locate(known.eventId)).toBeUndefined();
    expect(await second.journal.locate(lost.eventId)).toBeUndefined();
    await write(site, 4);
    expect(await second.news()).toEqual(["create /artists/4"]);
  });

  it("is noticed where it has grown past what was told, by a position's check alone", async () => {
    const site = await newSite(server, artists);
    const watched = await watch(site);
    await write(site, 1);
    await watched.news();
    const kept = watched.journal.head;
    await server.keepCopy();
    await write(site, 2);
    await newsAfterRestart(watched);
    const lost = watched.journal.head;
    await server.bringBack();
    // A process that knows nothing of what was told gives other changes the same positions.
    const other = await watch(site);
    await write(site, 3);
    await write(site, 4);
    await other.news();
    expect(other.journal.head.position).toBeGreaterThan(lost.position);
    expect(await other.journal.locate(lost.eventId)).toBeUndefined();
    expect(await other.journal.locate(kept.eventId)).toBe(kept.position);
    expect((await newsAfterRestart(watched))[0]).toBe("lost");
    expect((await other.news())[0]).toBe("lost");
  });
});

describe("a database that was copied", () => {
  it("has a history of its own, and the first one goes on with its", async () => {
    const site = await newSite(server, artists);
    const first = await watch(site);
    await write(site, 1);
    await first.news();
    const { eventId, position } = first.journal.head;
    await site.client.end();
    await first.pool.close();
    const database = await server.database(site.database);
    const copy = await watch({ ...site, database });
    expect(copy.journal.segment).not.toBe(first.journal.segment);
    expect(await copy.journal.locate(eventId)).toBeUndefined();
    await write({ database }, 2);
    expect(await copy.news()).toEqual(["create /artists/2"]);
    const again = await watch(site);
    expect(again.journal.segment).toBe(first.journal.segment);
    expect(await again.journal.locate(eventId)).toBe(position);
  });

  it("by a dump, which gives tables other numbers, too", async () => {
    const site = await newSite(server, `${artists}; INSERT INTO artists VALUES (1, 'Ann')`);
    const first = await watch(site);
    await site.client.query("INSERT INTO artists VALUES (2, 'Bo')");
    await first.news();
    // Not in the journal yet.
    await site.client.query("INSERT INTO artists VALUES (3, 'Cy')");
    const target = await newSite(server, "CREATE TABLE other (id int PRIMARY KEY)");
    await (programs ? restoreRealDump(programs, site, target) : restoreDump(site.client, target.client));
    const restored = await watch(target);
    expect(restored.journal.segment).not.toBe(first.journal.segment);
    expect(await restored.journal.locate(first.journal.head.eventId)).toBeUndefined();
    await target.client.query("INSERT INTO artists VALUES (4, 'Di'); UPDATE artists SET name = 'x' WHERE id = 3");
    expect(await restored.news()).toEqual(["create /artists/4", "update /artists/3"]);
  });
});

/** What `pg_dump` and a restore do, where the machine has them not: schemas, then rows, then triggers. Sequences go on where they were. */
async function restoreDump(from: Client, to: Client): Promise<void> {
  await to.query(`${artists}; ${journalSql}; DELETE FROM rocket.state`);
  for (const table of [
    "public.artists",
    "rocket.state",
    "rocket.watched",
    "rocket.shape",
    "rocket.journal",
    "rocket.outbox",
  ]) {
    const { rows } = await from.query<{ row: string }>(`SELECT t::text AS row FROM ${table} t`);
    for (const { row } of rows) {
      await to.query(`INSERT INTO ${table} OVERRIDING SYSTEM VALUE SELECT (CAST($1 AS ${table})).*`, [row]);
    }
  }
  await to.query(`SELECT setval(pg_get_serial_sequence('rocket.shape', 'id'), max(id)) FROM rocket.shape`);
  await to.query(`SELECT setval(pg_get_serial_sequence('rocket.watched', 'id'), max(id)) FROM rocket.watched`);
  const { rows } = await from.query<{ sql: string }>(`SELECT pg_get_triggerdef(oid) || format(
    '; ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', tgrelid::regclass, tgname) AS sql FROM pg_trigger WHERE tgname LIKE '!rocket%'`);
  for (const { sql } of rows) await to.query(sql);
}

/** Has `pg_dump` and `psql` do it. */
async function restoreRealDump(folder: string, from: Site, to: Site): Promise<void> {
  const options = ["-h", server.folder, "-U", "postgres"];
  const run = (program: string, input: string, ...more: readonly string[]): string =>
    execFileSync(join(folder, program), [...options, ...more], { input, encoding: "utf8", maxBuffer: 1e9 });
  const dump = run("pg_dump", "", from.database);
  run("psql", dump, "-v", "ON_ERROR_STOP=1", "-q", to.database);
}

describe("a standby", () => {
  it("can have no journal, and has one of its own once it is promoted", async () => {
    const site = await newSite(server, artists);
    const first = await watch(site);
    await write(site, 1);
    await first.news();
    const { eventId } = first.journal.head;
    const standby = await server.startStandby();
    onTestFinished(async () => {
      await standby.stop();
      standby.remove();
    });
    const { database } = site;
    const client = await standby.connect(database);
    const there = { server: standby, database, client };
    await expect(watch(there)).rejects.toMatchObject({ code: "journal-readonly" });
    await client.query("SELECT pg_promote(true, 60)");
    const promoted = await watch(there);
    expect(promoted.journal.segment).not.toBe(first.journal.segment);
    expect(await promoted.journal.locate(eventId)).toBeUndefined();
    await write(site, 2, standby);
    expect(await promoted.news()).toEqual(["create /artists/2"]);
  });
});

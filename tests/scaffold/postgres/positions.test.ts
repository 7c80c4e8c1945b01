import { describe, expect, it } from "vitest";
import type { PostgresJournalOptions } from "../../../src/scaffold/postgres/index.ts";
import type { Page } from "../../../src/server/index.ts";
import { createFakeClock } from "../../../src/testing/index.ts";
import { serverOfFile } from "./server.ts";
import { ask, connectPool, newSite, type Site, watch } from "./workspace.ts";

const server = serverOfFile();
const artists = "CREATE TABLE artists (id int PRIMARY KEY, name text)";

function insertMany(count: number): string {
  return `INSERT INTO artists SELECT g, 'x' FROM generate_series(1, ${count}) g`;
}

function urlsOf(page: Page | undefined): string[] | undefined {
  return page?.changes.map(({ url }) => url);
}

describe("a position", () => {
  it("is found again, and what follows it is read", async () => {
    const site = await newSite(server, artists);
    const { journal } = await watch(site);
    const start = journal.head;
    await site.client.query("INSERT INTO artists VALUES (1, 'Ann')");
    await journal.poll();
    const one = journal.head;
    await site.client.query("INSERT INTO artists VALUES (2, 'Bo')");
    expect(await journal.locate(start.eventId)).toBe(start.position);
    expect(await journal.locate(one.eventId)).toBe(one.position);
    expect(urlsOf(await journal.read(start.position, 10))).toEqual(["/artists/1", "/artists/2"]);
    expect(urlsOf(await journal.read(one.position, 10))).toEqual(["/artists/2"]);
    expect(await journal.read(journal.head.position, 10)).toEqual({
      ...journal.head,
      after: journal.head.position,
      changes: [],
      more: false,
    });
  });

  it("is given at each page's end, which says whether there is more", async () => {
    const site = await newSite(server, artists);
    const { journal } = await watch(site);
    const start = journal.head.position;
    await site.client.query(insertMany(5));
    const first = await journal.read(start, 3);
    const second = await journal.read(first?.position ?? 0, 3);
    expect([first?.changes.length, first?.more, second?.changes.length, second?.more]).toEqual([3, true, 2, false]);
    expect(second).toMatchObject({ ...journal.head, after: first?.position });
    expect(await journal.locate(first?.eventId ?? "")).toBe(first?.position);
  });

  it("ends a page where its rows have many bytes, after one at least", async () => {
    const site = await newSite(server, artists);
    const { journal } = await watch(site);
    const start = journal.head.position;
    await site.client.query("INSERT INTO artists SELECT g, repeat('x', 3000000) FROM generate_series(1, 5) g");
    const page = await journal.read(start, 10);
    expect([page?.changes.length, page?.more]).toEqual([2, true]);
    await site.client.query("INSERT INTO artists VALUES (9, repeat('x', 9000000))");
    expect((await journal.read(journal.head.position - 2, 10))?.changes.length).toBe(1);
  });

  it("holds over restarts, and is the same in every process", async () => {
    const site = await newSite(server, artists);
    const first = await watch(site);
    await site.client.query("INSERT INTO artists VALUES (1, 'Ann')");
    await first.news();
    const { eventId, position } = first.journal.head;
    await first.journal.close();
    await site.client.query("INSERT INTO artists VALUES (2, 'Bo')");
    const second = await watch(site);
    const third = await watch(site);
    await site.client.query("INSERT INTO artists VALUES (3, 'Cy')");
    expect(await third.news()).toEqual(["create /artists/3"]);
    expect(await second.news()).toEqual(["create /artists/3"]);
    expect(second.journal.head).toEqual(third.journal.head);
    expect(await second.journal.locate(eventId)).toBe(position);
    expect(urlsOf(await third.journal.read(position, 10))).toEqual(["/artists/2", "/artists/3"]);
  });

  it.each([
    ["of another segment", (id: string) => id.replace(/^[^:]+/, "other")],
    ["with another check", (id: string) => id.replace(/\.(\d+)$/, (_, check) => `.${Number(check) + 1}`)],
    ["beyond the end", (id: string) => id.replace(/:\d+/, ":98")],
    ["within a row", (id: string) => id.replace(/:\d+/, ":1")],
    ["of an empty journal with a check", (id: string) => id.replace(/:.*/, ":0.5")],
    ["that is malformed", () => "what is this?"],
    ["that is empty", () => ""],
    ["of a derived view", () => "d-abc"],
  ])("%s is unknown", async (_, spoil) => {
    const site = await newSite(server, artists);
    const { journal } = await watch(site);
    await site.client.query("INSERT INTO artists VALUES (1, 'Ann')");
    await journal.poll();
    expect(await journal.locate(spoil(journal.head.eventId))).toBeUndefined();
  });

  it("beyond the end can't be read from, nor can less than one change be read", async () => {
    const site = await newSite(server, artists);
    const { journal } = await watch(site);
    expect(await journal.read(journal.head.position + 2, 10)).toBeUndefined();
    await expect(journal.read(0, 0)).rejects.toThrow(/limit must be .* not 0/);
  });

  it("is had soon after a write that was nudged", async () => {
    const site = await newSite(server, artists);
    const { journal } = await watch(site);
    const { position } = journal.head;
    await site.client.query("INSERT INTO artists VALUES (1, 'Ann')");
    expect((await journal.settle(10_000))?.position).toBe(position + 2);
  });

  it("is done without where it can't be had in time", async () => {
    const site = await newSite(server, artists);
    const clock = createFakeClock();
    const { journal } = await watch(site, { clock });
    await site.client.query("BEGIN; INSERT INTO artists VALUES (1, 'Ann'); SELECT * FROM rocket.state FOR UPDATE");
    const other = await server.connect(site.database);
    await other.query("INSERT INTO artists VALUES (2, 'Bo')");
    const settled = journal.settle(250);
    await clock.advance(250);
    expect(await settled).toBeUndefined();
    await site.client.query("COMMIT");
  });
});

describe("a journal", () => {
  it("that somebody keeps locked is said to be busy, and goes on afterwards", async () => {
    const site = await newSite(server, artists);
    const { journal, news } = await watch(site, { waitMs: 50 });
    const other = await server.connect(site.database);
    await other.query("BEGIN; SELECT * FROM rocket.state FOR UPDATE");
    await site.client.query("INSERT INTO artists VALUES (1, 'Ann')");
    await expect(journal.poll()).rejects.toMatchObject({ code: "journal-busy" });
    await other.query("COMMIT");
    expect(await news()).toEqual(["create /artists/1"]);
  });

  it("tells nothing of what a trigger of an earlier watch has noted", async () => {
    const site = await newSite(server, artists);
    const { journal, news } = await watch(site);
    await site.client.query(
      "INSERT INTO rocket.outbox (relid, kind, via, new) VALUES ('artists'::regclass, 'c', 999, '(7,x)')",
    );
    await journal.poll();
    await site.client.query("INSERT INTO artists VALUES (1, 'Ann')");
    expect(await news()).toEqual(["create /artists/1"]);
  });

  it("is not slowed down by what a snapshot elsewhere keeps from being removed", async () => {
    const site = await newSite(server, artists);
    const { journal } = await watch(site);
    const long = await server.connect(site.database);
    await long.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id()");
    const open = await server.connect(site.database);
    await open.query("BEGIN; INSERT INTO artists SELECT g, 'x' FROM generate_series(10001, 15000) g");
    await site.client.query(insertMany(5_000));
    await journal.poll();
    const pool = await connectPool(site, { max: 1 });
    const watched = await watch(site, { pool });
    const readCount = async (): Promise<number> => {
      // Each connection counts for itself, and tells it when it is told to.
      await pool.query("SELECT pg_stat_force_next_flush()");
      const sql =
        "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE schemaname = 'rocket' AND relname = 'outbox'";
      return Number((await pool.query(sql))[0]?.[0]);
    };
    await watched.journal.poll();
    const before = await readCount();
    for (let round = 0; round < 5; round += 1) {
      await site.client.query("UPDATE artists SET name = 'y' WHERE id = 1");
      await watched.journal.poll();
    }
    expect((await readCount()) - before).toBeLessThan(1_000);
  });
});

describe("a tail", () => {
  it("is told that its tables changed where more was written than fits into memory", async () => {
    const site = await newSite(server, artists);
    const { news } = await watch(site);
    await site.client.query("INSERT INTO artists SELECT g, repeat('x', 1000000) FROM generate_series(1, 40) g");
    expect(await news()).toEqual(["reset /artists"]);
  });
});

describe("a tail whose place was trimmed before it went on", () => {
  it("has lost its thread, and begins anew at the end", async () => {
    const site = await newSite(server, artists);
    const { journal, news } = await watch(site);
    await site.client.query(insertMany(10));
    await news();
    const other = await watch(site);
    await site.client.query("UPDATE artists SET name = 'y'");
    await other.news();
    await site.client.query("SELECT rocket.trim(1, 1000000, NULL, 1000)");
    expect(await news()).toEqual(["lost"]);
    expect(journal.head).toEqual(other.journal.head);
    await site.client.query("UPDATE artists SET name = 'z' WHERE id = 1");
    expect(await news()).toEqual(["update /artists/1"]);
    expect(await other.news()).toEqual(["update /artists/1"]);
  });
});

describe("trimming", () => {
  const range = "SELECT min(position), max(position), (SELECT first FROM rocket.state) FROM rocket.journal";

  /** A journal that trims when `trim` is called, until nothing is left to be trimmed. */
  async function watchTrimmed(site: Site, retention: NonNullable<PostgresJournalOptions["retention"]>) {
    const clock = createFakeClock();
    // With one connection, what is asked after a step is answered after it.
    const pool = await connectPool(site, { max: 1 });
    const watched = await watch(site, { clock, pool, retention });
    const trim = async (): Promise<void> => {
      for (let before = ""; ; ) {
        await clock.advance(1_000);
        const now = String(await pool.query(range));
        if (now === before) return;
        before = now;
      }
    };
    return { ...watched, trim };
  }

  it("forgets the oldest changes in steps, and what followed them can't be read", async () => {
    const site = await newSite(server, artists);
    const { journal, trim } = await watchTrimmed(site, { maxChanges: 10 });
    const start = journal.head;
    await site.client.query(insertMany(2_500));
    await journal.poll();
    const { position } = journal.head;
    await trim();
    expect(await ask(site, range)).toEqual([`${position - 18}|${position}|${position - 20}`]);
    expect(await journal.locate(start.eventId)).toBeUndefined();
    expect(await journal.read(start.position, 10)).toBeUndefined();
    expect(await journal.read(position - 22, 10)).toBeUndefined();
    expect(urlsOf(await journal.read(position - 20, 1))).toEqual(["/artists/2491"]);
    expect(await journal.locate(journal.head.eventId)).toBe(position);
  });

  it("by bytes keeps the youngest", async () => {
    const site = await newSite(server, artists);
    const { journal, trim } = await watchTrimmed(site, { maxBytes: 10_000 });
    await site.client.query("INSERT INTO artists SELECT g, repeat('x', 1000) FROM generate_series(1, 50) g");
    await journal.poll();
    await trim();
    const [row = ""] = await ask(site, range);
    const [first, last] = row.split("|").map(Number);
    expect([last, first]).toEqual([journal.head.position, journal.head.position - 18]);
  });

  it("by age forgets all but the last change", async () => {
    const site = await newSite(server, artists);
    const { journal, trim } = await watchTrimmed(site, { maxAgeMs: 60_000 });
    await site.client.query(insertMany(100));
    await journal.poll();
    const { position } = journal.head;
    await trim();
    expect((await ask(site, "SELECT count(*) FROM rocket.journal WHERE kind = 'c'"))[0]).toBe("100");
    await site.client.query("UPDATE rocket.journal SET at = at - interval '61 seconds'");
    await trim();
    expect(await ask(site, range)).toEqual([`${position}|${position}|${position - 2}`]);
    expect(await journal.locate(journal.head.eventId)).toBe(position);
  });

  it("forgets what tables looked like that nothing refers to any more", async () => {
    const site = await newSite(server, artists);
    const { journal, news, trim } = await watchTrimmed(site, { maxChanges: 1 });
    await site.client.query("ALTER TABLE artists ADD COLUMN born int");
    await site.client.query("INSERT INTO artists VALUES (1, 'Ann', 1970)");
    await journal.poll();
    await site.client.query("INSERT INTO artists VALUES (2, 'Bo', 1971)");
    await journal.poll();
    await trim();
    expect(await ask(site, "SELECT count(*) FROM rocket.shape")).toEqual(["1"]);
    await site.client.query("DELETE FROM artists WHERE id = 1");
    expect((await news()).at(-1)).toBe("delete /artists/1");
  });
});

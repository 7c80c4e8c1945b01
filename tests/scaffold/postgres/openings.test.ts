import { describe, expect, it } from "vitest";
import { type Pool, type PostgresJournal, ShownAhead } from "../../../src/scaffold/postgres/index.ts";
import type { Batch, Change } from "../../../src/server/index.ts";
import { serverOfFile } from "./server.ts";
import { connectPool, newSite, type Site, watch } from "./workspace.ts";

const server = serverOfFile();
const counters = `CREATE TABLE counters (id int PRIMARY KEY, version int NOT NULL);
  INSERT INTO counters SELECT g, 0 FROM generate_series(1, 10) g`;

/** Reads a table, and where the reading stands, as a GET does. */
function open(journal: PostgresJournal, pool: Pool) {
  return pool.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ", async (session) => {
    const opening = await journal.standIn(session);
    const rows = await session.query("SELECT id, version FROM counters");
    return { opening, rows: new Map(rows.map(([id, version]) => [`/counters/${id}`, Number(version)])) };
  });
}

function versionOf(change: Change): number {
  return Number(change.after?.version);
}

/** Follows a reading of the table with what is told after it. */
class Follower {
  readonly rows: Map<string, number>;
  /** Changes that would have taken a record back in time. */
  readonly setbacks: string[] = [];
  readonly #ahead: ShownAhead;
  readonly #from: number;

  constructor({ opening, rows }: Awaited<ReturnType<typeof open>>, journal: PostgresJournal) {
    this.rows = rows;
    this.#ahead = new ShownAhead(opening);
    this.#from = opening.position;
    // What the tail was given before the reading ended is in it.
    journal.poll().then(() => this.#ahead.endAt(journal.head.position));
  }

  take(batch: Batch): void {
    for (const change of this.#ahead.leaveOut(batch).changes) {
      if (change.position <= this.#from) continue;
      const [version, known] = [versionOf(change), this.rows.get(change.url) ?? -1];
      if (version <= known) this.setbacks.push(`${change.url} ${known} -> ${version}`);
      this.rows.set(change.url, version);
    }
  }

  get isOver(): boolean {
    return this.#ahead.isOver;
  }
}

async function currentRows({ client }: Site): Promise<Map<string, number>> {
  const { rows } = await client.query<{ id: number; version: number }>("SELECT id, version FROM counters");
  return new Map(rows.map(({ id, version }) => [`/counters/${id}`, version]));
}

describe("an opening", () => {
  it("has its position where the journal has everything that it shows", async () => {
    const site = await newSite(server, counters);
    const { journal } = await watch(site);
    const pool = await connectPool(site);
    await site.client.query("UPDATE counters SET version = 1 WHERE id = 1");
    await journal.poll();
    const { opening } = await open(journal, pool);
    expect(opening).toEqual({ ...journal.head, pending: new Set() });
    expect(new ShownAhead(opening).isOver).toBe(true);
  });

  it("is not told again what it shows and the journal has not", async () => {
    const site = await newSite(server, counters);
    const { journal } = await watch(site);
    const pool = await connectPool(site);
    const other = await server.connect(site.database);
    await other.query("BEGIN; UPDATE counters SET version = 1 WHERE id = 3");
    await site.client.query("UPDATE counters SET version = 1 WHERE id IN (1, 2)");
    await site.client.query("UPDATE counters SET version = 2 WHERE id = 1");
    const opened = await open(journal, pool);
    expect(opened.opening.pending.size).toBe(2);
    const ahead = new ShownAhead(opened.opening);
    await other.query("COMMIT");
    await site.client.query("UPDATE counters SET version = 3 WHERE id = 1");
    const told: string[] = [];
    journal.tail((batch) => {
      for (const change of ahead.leaveOut(batch).changes) told.push(`${change.url} ${versionOf(change)}`);
    });
    await journal.poll();
    ahead.endAt(journal.head.position);
    expect(told.sort()).toEqual(["/counters/1 3", "/counters/3 1"]);
    expect(ahead.isOver).toBe(false);
    await site.client.query("UPDATE counters SET version = 4 WHERE id = 1");
    await journal.poll();
    expect([told.at(-1), ahead.isOver]).toEqual(["/counters/1 4", true]);
  });

  it("never takes a record back in time, however much is written while it is read", async () => {
    const site = await newSite(server, counters);
    const { journal } = await watch(site, { pollMs: 1 });
    const pool = await connectPool(site);
    const followers: Follower[] = [];
    const batches: Batch[] = [];
    journal.tail((batch) => {
      batches.push(batch);
      for (const follower of followers) follower.take(batch);
    });
    let isWriting = true;
    const writers = Array.from({ length: 4 }, async () => {
      const client = await server.connect(site.database);
      while (isWriting) {
        const id = 1 + Math.floor(Math.random() * 10);
        await client.query("UPDATE counters SET version = version + 1 WHERE id = $1", [id]);
      }
    });
    let pending = 0;
    while (followers.length < 30) {
      const opened = await open(journal, pool);
      pending += Math.min(1, opened.opening.pending.size);
      const follower = new Follower(opened, journal);
      for (const batch of batches) if (batch.position > opened.opening.position) follower.take(batch);
      followers.push(follower);
    }
    isWriting = false;
    await Promise.all(writers);
    await journal.poll();
    const rows = await currentRows(site);
    expect(followers.flatMap(({ setbacks }) => setbacks)).toEqual([]);
    expect(followers.filter((follower) => String([...follower.rows].sort()) !== String([...rows].sort()))).toEqual([]);
    // Without any, the test would say nothing.
    expect(pending).toBeGreaterThan(0);
  });
});

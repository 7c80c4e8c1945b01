import { describe, expect, it, onTestFinished } from "vitest";
import { fieldValue, type HttpResponse } from "../../../src/protocol/index.ts";
import { type Pool, type PostgresJournal, ShownAhead } from "../../../src/scaffold/postgres/index.ts";
import { type Change, createHub } from "../../../src/server/index.ts";
import { connectMemoryPeer, Replica } from "../../../src/testing/index.ts";
import { serverOfFile } from "./server.ts";
import { serve } from "./service.ts";
import { connectPool, newSite, watch } from "./workspace.ts";

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

describe("an opening", () => {
  it("has its position where the journal has everything that it shows", async () => {
    const site = await newSite(server, counters);
    const { journal } = await watch(site);
    const pool = await connectPool(site);
    await site.client.query("UPDATE counters SET version = 1 WHERE id = 1");
    await journal.poll();
    const { opening } = await open(journal, pool);
    expect(opening).toMatchObject({ ...journal.head, pending: new Set() });
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
    journal.tail(({ changes }) => {
      for (const change of changes) if (!ahead.shows(change)) told.push(`${change.url} ${versionOf(change)}`);
    });
    await journal.poll();
    expect(told.sort()).toEqual(["/counters/1 3", "/counters/3 1"]);
  });
});

/** One who follows the table: what it was told never goes back. */
class Follower {
  readonly replica: Replica = new Replica("/counters");
  readonly setbacks: string[] = [];
  /** Whether it began with a state and no position. */
  isAhead = false;
  readonly #versions: Map<string, number> = new Map();

  take(message: HttpResponse): void {
    if (message.status === 200) this.isAhead = fieldValue(message.fields, "event-id") === undefined;
    this.replica.take(message);
    const body = message.status === 304 ? {} : (JSON.parse(String(message.body)) as Record<string, unknown>);
    const rows = (body.counters ?? [body.counter]) as ({ id: number; version: number } | undefined)[];
    for (const row of rows) if (row) this.#note(`/counters/${row.id}`, row.version, message.status);
  }

  get versions(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#versions);
  }

  #note(url: string, version: number, status: number): void {
    const known = this.#versions.get(url) ?? -1;
    if (version <= known) this.setbacks.push(`${status} ${url} ${known} -> ${version}`);
    this.#versions.set(url, version);
  }
}

describe("Who follows a table to which others write without a pause", () => {
  it("is never told what it was shown, nor taken back in time, and ends where the table does", async () => {
    const { scaffold, client, errors } = await serve(server, counters);
    const hub = createHub({ ...scaffold });
    onTestFinished(() => hub.close(0));
    let isWriting = true;
    const writers = Array.from({ length: 6 }, async () => {
      const writer = await server.connect(client.database ?? "");
      while (isWriting) {
        const id = 1 + Math.floor(Math.random() * 10);
        await writer.query("UPDATE counters SET version = version + 1 WHERE id = $1", [id]);
      }
    });
    const followers: Follower[] = [];
    while (followers.length < 20 || !followers.some(({ isAhead }) => isAhead)) {
      const follower = new Follower();
      followers.push(follower);
      const fields = [["Host", "example.com"] as const];
      await connectMemoryPeer(hub, "/counters", { fields, onMessage: (message) => follower.take(message) });
      while (!follower.replica.isCaughtUp) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    isWriting = false;
    await Promise.all(writers);
    const { rows } = await client.query<{ id: number; version: number }>("SELECT id, version FROM counters");
    const versions = Object.fromEntries(rows.map(({ id, version }) => [`/counters/${id}`, version]));
    const isThere = (): boolean =>
      followers.every((one) => Object.entries(versions).every(([url, v]) => one.versions[url] === v));
    while (!isThere()) await new Promise<void>((resolve) => setImmediate(resolve));

    expect(followers.flatMap(({ setbacks }) => setbacks)).toEqual([]);
    expect(hub.counts.views).toBe(1);
    expect(errors).toEqual([]);
  });
});

import type { Client } from "pg";
import { describe, expect, it } from "vitest";
import type { PostgresJournal } from "../../../src/scaffold/postgres/index.ts";
import type { Batch, Change } from "../../../src/server/index.ts";
import { RandomWriter, type RunLength, randomFrom, worldSql } from "./random-writers.ts";
import { serverOfFile } from "./server.ts";
import { ask, newSite, type Site, type Watched, watch } from "./workspace.ts";

const server = serverOfFile("wal_level=logical");
const seed = Number(process.env.ROCKET_SEED ?? 1 + Math.floor(Math.random() * 1e6));
const length: RunLength = { writers: 16, transactions: Number(process.env.ROCKET_TRANSACTIONS ?? 15) };

/** A change as both oracles can tell it. */
interface Told {
  readonly url: string;
  readonly kind: Change["kind"];
  readonly version: number;
  readonly tag: string;
}

function toldOf(change: Change): Told {
  const image = change.after ?? change.before;
  return { url: change.url, kind: change.kind, version: Number(image?.version), tag: String(image?.tag) };
}

function sequenceOf(batches: readonly Batch[]): string[] {
  return batches.flatMap(({ changes }) =>
    changes.map((change) => `${change.position} ${JSON.stringify(toldOf(change))}`),
  );
}

/** What each record was told to be, in order. */
function byRecord(told: readonly Told[]): Map<string, string[]> {
  const records = new Map<string, string[]>();
  for (const { url, kind, version } of told) {
    records.set(url, [...(records.get(url) ?? []), kind === "delete" ? "delete" : `${kind} ${version}`]);
  }
  return records;
}

/** Ends backends of writers and of the journals, now and then. */
async function kill(site: Site, count: number, isOver: () => boolean): Promise<number> {
  const random = randomFrom(seed);
  let kills = 0;
  while (kills < count && !isOver()) {
    const { rows } = await site.client.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid() AND state IS DISTINCT FROM 'idle'
       AND application_name IN ('writer', 'rocket') AND backend_start < clock_timestamp() - interval '0.1 s'`,
      [site.database],
    );
    const chosen = rows[Math.floor(random() * rows.length)];
    if (!chosen) continue;
    await site.client.query("SELECT pg_terminate_backend($1)", [chosen.pid]);
    await site.client.query("SELECT pg_sleep(0.05)");
    kills += 1;
  }
  return kills;
}

/** Holds a snapshot and a transaction's id all the time, and changes of its own that are told last. */
async function holdLong(site: Site): Promise<Client> {
  const client = await server.connectWriter(site.database);
  await client.query(
    "BEGIN ISOLATION LEVEL REPEATABLE READ; SET application_name = 'long'; INSERT INTO brief VALUES (-1, 1, 'long'); SELECT 1",
  );
  return client;
}

/** What logical decoding says was committed, in the order of the commits: transactions and what they did to which record. */
async function decode(site: Site): Promise<{ readonly told: Told[]; readonly groups: string[] }> {
  const { rows } = await site.client.query<{ data: string }>(
    "SELECT data FROM pg_logical_slot_get_changes($1, NULL, NULL, 'include-xids', '1')",
    [`slot_${site.database}`],
  );
  await site.client.query("SELECT pg_drop_replication_slot($1)", [`slot_${site.database}`]);
  const told: Told[] = [];
  const groups: string[] = [];
  let group = "";
  for (const { data } of rows) {
    group = /^BEGIN (\d+)/.exec(data)?.[1] ?? group;
    const [, table, kind, values = ""] = /^table public\.(hot|brief): (INSERT|UPDATE|DELETE): (.*)$/.exec(data) ?? [];
    if (!table) continue;
    if (groups.at(-1) !== group) groups.push(group);
    const read = (name: string): string => new RegExp(`${name}\\[[a-z]+\\]:'?([^' ]*)`).exec(values)?.[1] ?? "";
    const kinds = { INSERT: "create", UPDATE: "update", DELETE: "delete" } as const;
    const version = Number(read("version"));
    told.push({ url: `/${table}/${read("id")}`, kind: kinds[kind as keyof typeof kinds], version, tag: read("tag") });
  }
  return { told, groups };
}

/** The history as it is read afterwards, in pages of any size. */
async function readAgain(journal: PostgresJournal, from: number): Promise<Batch[]> {
  const random = randomFrom(seed + 1);
  const pages: Batch[] = [];
  for (let position = from; ; ) {
    const page = await journal.read(position, 1 + Math.floor(random() * 200));
    if (!page) throw new Error(`The journal can't be read from ${position}.`);
    pages.push(page);
    position = page.position;
    if (!page.more) return pages;
  }
}

/** Each batch's changes of one transaction stand next to one another, and in one batch only. */
function tornTags(batches: readonly Batch[]): string[] {
  const ended = new Set<string>();
  const torn: string[] = [];
  for (const { changes } of batches) {
    let last = "";
    for (const tag of changes.filter(({ kind }) => kind !== "delete").map((change) => toldOf(change).tag)) {
      if (tag !== last && ended.has(tag)) torn.push(tag);
      if (tag !== last) ended.add(last);
      last = tag;
    }
    ended.add(last);
  }
  return torn;
}

async function finish(watched: readonly Watched[]): Promise<void> {
  for (const { journal } of watched) {
    for (let left = 20; left > 0; left -= 1) {
      const isDone = await journal.poll().then(
        () => true,
        () => false,
      );
      if (isDone) break;
    }
  }
}

describe(`many writers at once (seed ${seed})`, () => {
  it("are told of by every process alike: nothing lost, doubled, inverted, invented or torn", {
    timeout: 240_000,
  }, async () => {
    const site = await newSite(server, worldSql);
    const watched = [
      await watch(site, { pollMs: 1, idlePollMs: 5, hints: true }),
      await watch(site, { pollMs: 2, idlePollMs: 5 }),
      await watch(site, { pollMs: 3, idlePollMs: 9, maxTickChanges: 5 }),
    ];
    const start = Math.max(...watched.map(({ journal }) => journal.head.position));
    await site.client.query("SELECT pg_create_logical_replication_slot($1, 'test_decoding')", [
      `slot_${site.database}`,
    ]);
    const long = await holdLong(site);
    let isOver = false;
    const killing = kill(site, 15, () => isOver);
    await Promise.all(
      Array.from({ length: length.writers }, (_, place) =>
        new RandomWriter(server, site.database, place, seed).run(length.transactions),
      ),
    );
    isOver = true;
    const kills = await killing;
    await long.query("COMMIT");
    await long.end();
    await finish(watched);

    const [first, ...others] = watched.map(({ batches }) => batches);
    const batches = first ?? [];
    for (const other of others) expect(sequenceOf(other)).toEqual(sequenceOf(batches));
    const told = batches.flatMap(({ changes }) => changes.map(toldOf));
    expect(sequenceOf(await readAgain(watched[0]?.journal as PostgresJournal, start))).toEqual(sequenceOf(batches));
    expect(tornTags(batches)).toEqual([]);

    // Ticks at the same time would have given one position twice.
    const troubles = watched.flatMap(({ errors }) => errors.map(String));
    expect(troubles.filter((trouble) => trouble.includes("duplicate key"))).toEqual([]);

    // The first oracle: each write of a record is one step of its version.
    const records = byRecord(told);
    for (const row of await ask(site, "SELECT id, version FROM hot")) {
      const [id, version] = row.split("|");
      const steps = Array.from({ length: Number(version) }, (_, step) => `update ${step + 1}`);
      expect(records.get(`/hot/${id}`) ?? []).toEqual(steps);
    }
    const present = [...records].filter(([url, steps]) => url.startsWith("/brief/") && steps.at(-1) !== "delete");
    expect(present.map(([url, steps]) => `${url} ${steps.at(-1)?.split(" ")[1]}`).sort()).toEqual(
      (await ask(site, "SELECT '/brief/' || id || ' ' || version FROM brief")).sort(),
    );

    // The second: what the log says, in the order of the commits.
    const decoded = await decode(site);
    expect([...byRecord(decoded.told)].sort()).toEqual([...records].sort());
    expect(told.length).toBeGreaterThan(length.writers * length.transactions * 0.5);
    expect(kills).toBeGreaterThan(0);
    expect(batches.at(-1)?.changes.map((change) => toldOf(change).tag)).toContain("long");
  });
});

import type { Client } from "pg";
import { ShownAhead as Ahead, recordJson, type ShownAhead } from "../../../src/scaffold/postgres/index.ts";
import type { Batch, Change } from "../../../src/server/index.ts";
import { createFakeClock } from "../../../src/testing/index.ts";
import type { TestServer } from "./server.ts";
import { connectPool, newSite, type Site, type Watched, watch } from "./workspace.ts";

/** What is wrong in the database after its journal was made. */
export type Patch = (client: Client) => Promise<void>;

const storySql = `
CREATE TABLE hot (id int PRIMARY KEY, version int NOT NULL, tag text NOT NULL);
INSERT INTO hot SELECT g, 0, '' FROM generate_series(1, 9) g;
CREATE TABLE moments (id int PRIMARY KEY, at timestamptz, size float8, span interval);
CREATE TABLE emptied (id int PRIMARY KEY); INSERT INTO emptied VALUES (1);
CREATE TABLE parts (id int PRIMARY KEY, name text); INSERT INTO parts VALUES (1, 'a'), (2, 'b');
CREATE FUNCTION next() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN UPDATE parts SET name = name || '+' WHERE id = OLD.id + 1; RETURN NULL; END $$;
CREATE TRIGGER next AFTER UPDATE ON parts FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION next()`;

/** Holds up a tick that waits for it: defects do, between two of its statements. */
export const holdUp = 77;

function write(tag: string, ...ids: readonly number[]): string {
  return `UPDATE hot SET version = version + 1, tag = '${tag}' WHERE id IN (${ids.join(", ")})`;
}

function versionOf(change: Change): number {
  return Number(change.after?.version);
}

/** One course of events, with everything that may go wrong with a journal. Finds out what did. */
export class Story {
  readonly violations: string[] = [];
  readonly #site: Site;
  readonly #first: Watched;
  readonly #second: Watched;
  readonly #sessions: readonly [Client, Client, Client];

  private constructor(site: Site, first: Watched, second: Watched, sessions: readonly [Client, Client, Client]) {
    this.#site = site;
    this.#first = first;
    this.#second = second;
    this.#sessions = sessions;
  }

  /** Tells it in a database of its own. Gives what went wrong. */
  static async tell(server: TestServer, patch: Patch): Promise<string[]> {
    const site = await newSite(server, storySql);
    const options = { maxTickChanges: 5 };
    const [first, second] = [await watch(site, options), await watch(site, options)];
    const connect = (): Promise<Client> => server.connect(site.database);
    const story = new Story(site, first, second, [await connect(), await connect(), await connect()]);
    await patch(site.client);
    await story.#run();
    return story.violations;
  }

  async #run(): Promise<void> {
    try {
      await this.#writeInAnotherOrder();
      await this.#stayOpen();
      await this.#writeInTurns();
      await this.#writeMuch();
      await this.#holdUpATick();
      await this.#open();
      await this.#writeOddly();
      await this.#lookAlone();
      await this.#poll(this.#first);
      await this.#check();
    } catch (error) {
      this.violations.push(`the story broke off: ${error}`);
    }
  }

  async #poll({ journal }: Watched): Promise<void> {
    await journal.poll().catch((error) => {
      this.violations.push(`a tick failed: ${error}`);
    });
  }

  /** An older transaction writes after a younger one has committed. */
  async #writeInAnotherOrder(): Promise<void> {
    const [early, late] = this.#sessions;
    await early.query("BEGIN; SELECT pg_current_xact_id()");
    await late.query(write("late", 1));
    await early.query(`${write("early", 1)}; COMMIT`);
    await this.#poll(this.#first);
  }

  async #stayOpen(): Promise<void> {
    const [long, writer] = this.#sessions;
    await long.query(`BEGIN; ${write("long", 2)}`);
    for (const tag of ["one", "two"]) {
      await writer.query(write(tag, 3));
      await this.#poll(this.#first);
      const isTold = this.#first.batches.some(({ changes }) => changes.some(({ after }) => after?.tag === tag));
      if (!isTold) this.violations.push("a transaction elsewhere holds everything up");
    }
    await long.query("COMMIT");
    await this.#poll(this.#first);
  }

  async #writeInTurns(): Promise<void> {
    const [one, other] = this.#sessions;
    await one.query(`BEGIN; ${write("turn a", 4)}`);
    await other.query(`BEGIN; ${write("turn b", 5)}`);
    await one.query(write("turn a", 6));
    await other.query(`${write("turn b", 7)}; COMMIT`);
    await one.query("COMMIT");
    await this.#poll(this.#first);
  }

  async #writeMuch(): Promise<void> {
    await this.#sessions[0].query(write("much", 1, 2, 3, 4, 5, 6, 7, 8, 9));
    await this.#poll(this.#first);
  }

  /** What is committed while a tick is under way comes with the next one, and two at once give no position twice. */
  async #holdUpATick(): Promise<void> {
    const [holder, writer] = this.#sessions;
    await holder.query("SELECT pg_advisory_lock($1)", [holdUp]);
    await writer.query(write("before", 8));
    const polled = this.#poll(this.#first);
    await this.#untilHeldUp(polled, 1);
    await writer.query(write("meanwhile", 9));
    const others = this.#poll(this.#second);
    await this.#untilHeldUp(others, 2);
    await holder.query("SELECT pg_advisory_unlock($1)", [holdUp]);
    await Promise.all([polled, others]);
    await writer.query(write("after", 8, 9));
    await this.#poll(this.#first);
  }

  /** Waits until so many sessions wait for a lock, unless what they are to do is done. */
  async #untilHeldUp(done: Promise<void>, count: number): Promise<void> {
    let isDone = false;
    const ended = done.then(() => {
      isDone = true;
    });
    const sql =
      "SELECT count(*)::int AS held FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    for (let held = 0; !isDone && held < count; ) {
      held = (await this.#site.client.query<{ held: number }>(sql)).rows[0]?.held ?? 0;
    }
    if (isDone) await ended;
  }

  /** A GET shows what has no position yet: what follows must not take it back. */
  async #open(): Promise<void> {
    const { journal } = this.#first;
    const pool = await connectPool(this.#site);
    const [writer] = this.#sessions;
    await writer.query(write("opened", 1));
    await writer.query(write("opened again", 1));
    const { ahead, from, shown } = await pool.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ", async (session) => {
      const opening = await journal.standIn(session);
      const [row] = await session.query("SELECT version FROM hot WHERE id = 1");
      return { ahead: new Ahead(opening), from: opening.position, shown: Number(row?.[0]) };
    });
    const end = journal.tail((batch) => this.#checkAhead(ahead, batch, from, shown));
    await this.#poll(this.#first);
    end();
  }

  #checkAhead(ahead: ShownAhead, batch: Batch, from: number, shown: number): void {
    for (const change of batch.changes) {
      if (ahead.shows(change)) continue;
      const isBack = change.url === "/hot/1" && change.position > from && versionOf(change) <= shown;
      if (isBack) this.violations.push(`an opening that showed ${shown} was told ${versionOf(change)}`);
    }
  }

  async #writeOddly(): Promise<void> {
    const [odd, replica] = this.#sessions;
    await odd.query("SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'SQL, DMY'; SET IntervalStyle = iso_8601");
    await odd.query("INSERT INTO moments VALUES (1, '03/04/2026 12:00', 0.1, '1 day')");
    await replica.query("SET session_replication_role = replica");
    await replica.query(write("replica", 2));
    await odd.query("TRUNCATE emptied; UPDATE parts SET name = 'y'");
    await this.#poll(this.#first);
  }

  /** Nobody says that there is something: it is looked for. */
  async #lookAlone(): Promise<void> {
    const clock = createFakeClock();
    const pool = await connectPool(this.#site, { max: 1 });
    const { batches } = await watch(this.#site, { pool, clock, pollMs: 1_000, maxTickChanges: 5 });
    await this.#sessions[0].query(write("alone", 3));
    await clock.advance(5_000);
    // It is answered after what was asked before.
    await pool.query("SELECT 1");
    await pool.query("SELECT 1");
    await pool.query("SELECT 1");
    if (batches.length === 0) this.violations.push("what nobody spoke of was not looked for");
  }

  async #check(): Promise<void> {
    const { batches } = this.#first;
    const changes = batches.flatMap((batch) => batch.changes);
    this.#checkVersions(changes);
    this.#checkWhole(batches);
    const replica = new Map<string, string>();
    const reset = new Set(changes.filter(({ kind }) => kind === "reset").map(({ collection }) => collection));
    for (const change of changes) {
      if (change.kind === "delete") replica.delete(change.url);
      else if (change.kind !== "reset") replica.set(change.url, String(change.represent().body));
    }
    if (!reset.has("/emptied")) this.violations.push("a table was emptied, and nobody was told");
    await this.#checkParts(replica, reset);
    const moment = replica.get("/moments/1");
    const expected = '{"id":1,"at":"2026-04-03T06:30:00+00:00","size":0.1,"span":"1 day"}';
    if (moment !== expected) this.violations.push(`a value was shown as its writer's session writes it: ${moment}`);
  }

  async #checkParts(replica: ReadonlyMap<string, string>, reset: ReadonlySet<string>): Promise<void> {
    const { rows } = await this.#site.client.query<string[]>({
      text: "SELECT id::text, name FROM parts",
      rowMode: "array",
    });
    const columns = [
      { name: "id", type: { kind: "int4" } },
      { name: "name", type: { kind: "text" } },
    ];
    for (const row of rows) {
      const isTold = reset.has("/parts") || replica.get(`/parts/${row[0]}`) === recordJson(columns, row);
      if (!isTold) this.violations.push(`/parts/${row[0]} was told last as ${replica.get(`/parts/${row[0]}`)}`);
    }
  }

  /** Each write of a record is one step of its version. */
  #checkVersions(changes: readonly Change[]): void {
    const versions = new Map<string, number>();
    for (const change of changes.filter(({ collection }) => collection === "/hot")) {
      const former = versions.get(change.url) ?? 0;
      if (versionOf(change) !== former + 1)
        this.violations.push(`${change.url} went from ${former} to ${versionOf(change)}`);
      versions.set(change.url, versionOf(change));
    }
    const last = changes.findLast(({ url }) => url === "/hot/3")?.after?.tag;
    if (last !== "alone") this.violations.push("the last write was not told");
    if (versions.get("/hot/2") !== 3)
      this.violations.push(`/hot/2 was written three times, and told ${versions.get("/hot/2")}`);
  }

  /** A transaction's changes stand next to one another, in one batch. */
  #checkWhole(batches: readonly Batch[]): void {
    const ended = new Set<unknown>();
    for (const { changes } of batches) {
      let last: unknown;
      for (const { after } of changes.filter((change) => change.after?.tag !== undefined)) {
        if (after?.tag !== last && ended.has(after?.tag))
          this.violations.push(`the transaction "${after?.tag}" was torn`);
        if (after?.tag !== last) ended.add(last);
        last = after?.tag;
      }
      ended.add(last);
    }
  }
}

import type { Client } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { createScaffold } from "../../../src/scaffold/index.ts";
import { openPool } from "../../../src/scaffold/postgres/index.ts";
import { beginWrite } from "../../../src/scaffold/postgres/own-transaction.ts";
import { sendTo } from "../answer.ts";
import { showPage } from "../away.ts";
import { serverOfFile } from "./server.ts";

const server = serverOfFile();

/** What an administrator may have set for a role, to have its statements ended soon or read less. */
const unkind: Readonly<Record<string, string>> = {
  statement_timeout: "200ms",
  lock_timeout: "100ms",
  idle_in_transaction_session_timeout: "200ms",
  idle_session_timeout: "300ms",
  transaction_timeout: "400ms",
  default_transaction_read_only: "on",
  default_transaction_isolation: "serializable",
  default_transaction_deferrable: "on",
  search_path: "nowhere",
  row_security: "off",
  DateStyle: "German",
  standard_conforming_strings: "off",
};

/** A database that a role of its own serves, which has those settings. */
async function unkindSite(): Promise<{ readonly url: string; readonly admin: Client; readonly writer: Client }> {
  const database = await server.database();
  const [admin, writer] = [await server.connect(database), await server.connect(database)];
  const user = `app_${database}`;
  await admin.query(`CREATE ROLE ${user} LOGIN`);
  const { rows } = await admin.query<{ name: string }>("SELECT name FROM pg_settings");
  const known = new Set(rows.map(({ name }) => name));
  for (const [name, value] of Object.entries(unkind)) {
    if (known.has(name)) await admin.query(`ALTER ROLE ${user} SET ${name} = '${value}'`);
  }
  await admin.query(`GRANT CREATE ON DATABASE ${database} TO ${user}; GRANT CREATE ON SCHEMA public TO ${user};
    CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.5); RETURN new; END $$;
    CREATE TABLE slow (id serial PRIMARY KEY, at date); CREATE TABLE quick (id int PRIMARY KEY);
    CREATE TABLE own (id int PRIMARY KEY, isMine boolean); INSERT INTO own VALUES (1, true), (2, false);
    ALTER TABLE own ENABLE ROW LEVEL SECURITY; ALTER TABLE own FORCE ROW LEVEL SECURITY;
    CREATE POLICY mine ON own USING (isMine);
    CREATE TRIGGER dawdle BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION dawdle();
    ALTER TABLE slow OWNER TO ${user}; ALTER TABLE quick OWNER TO ${user}; ALTER TABLE own OWNER TO ${user}`);
  return { url: server.url(database, user), admin, writer };
}

/** Has another session hold locks for longer than the role may wait, while something waits for them. */
async function whileLocked<Result>(admin: Client, locks: string, wait: () => Promise<Result>): Promise<Result> {
  await admin.query(`BEGIN; ${locks}`);
  const waiting = wait();
  while ((await admin.query("SELECT FROM pg_locks WHERE NOT granted")).rowCount === 0);
  await admin.query("SELECT pg_sleep(0.5); COMMIT");
  return waiting;
}

describe("A role whose statements are ended soon, and whose transactions read only", () => {
  it("reads, writes and follows all the same", async () => {
    const { url, admin, writer } = await unkindSite();
    const errors: unknown[] = [];
    const scaffold = await createScaffold({ path: url, onError: (error) => errors.push(error) });
    onTestFinished(() => scaffold.close());
    const [page, send] = [await showPage(scaffold, "/slow"), sendTo(scaffold)];
    await page.until("live", 0);

    const post = await send("POST", "/slow", { at: "2026-03-01" }, { "Idempotency-Key": '"k"' });
    expect([post.status, post.json]).toEqual([201, { slow: { url: "/slow/1", id: 1, at: "2026-03-01" } }]);
    const again = await send("POST", "/slow", { at: "2026-03-01" }, { "Idempotency-Key": '"k"' });
    expect([again.text, again.field("Event-ID")]).toEqual([post.text, post.field("Event-ID")]);
    await page.until("live", 1);
    expect((await whileLocked(admin, "LOCK TABLE slow", () => send("GET", "/slow"))).status).toBe(200);
    const patch = (): ReturnType<typeof send> => send("PATCH", "/slow/1", { at: "2026-03-02" });
    expect((await whileLocked(admin, "SELECT FROM slow FOR UPDATE", patch)).status).toBe(200);

    expect((await send("GET", "/own")).json).toMatchObject({ own: [{ id: 1 }] });
    await writer.query("INSERT INTO slow DEFAULT VALUES");
    await page.until("live", 2);
    expect(errors).toEqual([]);
    expect(page.connections()).toBe(1);
  });

  it("has a journal that waits for locks, and tells what came meanwhile", async () => {
    const { url, admin, writer } = await unkindSite();
    const scaffold = await createScaffold({ path: url });
    onTestFinished(() => scaffold.close());
    const { journal } = scaffold;
    if (!journal) throw new Error("There is no journal.");
    await journal.poll();
    const start = journal.head;

    for (const locks of [
      "SELECT FROM rocket.state FOR UPDATE",
      "LOCK TABLE rocket.outbox",
      "LOCK TABLE rocket.journal",
      "LOCK TABLE rocket.shape",
    ]) {
      await writer.query("INSERT INTO quick SELECT count(*) FROM quick");
      await whileLocked(admin, locks, () => Promise.all([journal.poll(), journal.locate(start.eventId)]));
    }

    const page = await journal.read(start.position, 100);
    expect(page?.changes.map(({ url }) => url)).toEqual(["/quick/0", "/quick/1", "/quick/2", "/quick/3"]);
  });

  it("may take its time between two statements", async () => {
    const { url, admin } = await unkindSite();
    const pool = await openPool({ connect: url, onError: () => undefined });
    onTestFinished(() => pool.close());
    const rows = pool.transaction(beginWrite, async (session) => {
      await session.query("SELECT 1");
      await admin.query("SELECT pg_sleep(0.5)");
      return session.query("SELECT 2");
    });
    expect(await rows).toEqual([["2"]]);
  });

  it("is told nothing of connections that were ended as nobody used them", async () => {
    const { url, admin } = await unkindSite();
    const errors: unknown[] = [];
    const pool = await openPool({ connect: url, onError: (error) => errors.push(error) });
    onTestFinished(() => pool.close());
    const [[id = ""] = []] = await pool.query("SELECT pg_backend_pid()");
    while ((await admin.query("SELECT FROM pg_stat_activity WHERE pid = $1", [id])).rowCount !== 0);
    // The first may still be written to the connection that is ending.
    const ask = () => pool.query("SELECT 1");
    expect(await ask().catch(ask)).toEqual([["1"]]);
    expect(errors).toEqual([]);
  });
});

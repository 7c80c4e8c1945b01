import { describe, expect, test } from "vitest";
import { serverOfFile } from "./server.ts";
import { type Service, serve } from "./service.ts";

const server = serverOfFile();

/** A trigger that waits, when a row of `t` was made and noted, for as long as somebody holds the lock 7. */
const gate = `CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN null; END';
  CREATE TRIGGER wait AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION wait();`;

/** The journal's rows of a table, and whether each was given its position by the transaction that it tells of, or its savepoint. */
async function journalOf({ client }: Service, table: string): Promise<{ position: string; isOwn: boolean }[]> {
  const { rows } = await client.query<{ position: string; own: boolean }>(
    `SELECT position, j.xmin::text::bigint - j.xid::text::bigint % 4294967296 IN (0, 1) AS own FROM rocket.journal j
    JOIN rocket.shape s ON s.id = j.shape WHERE s.relid = $1::regclass AND kind <> 'r' ORDER BY position`,
    [table],
  );
  return rows.map(({ position, own }) => ({ position, isOwn: own }));
}

function positionIn(eventId: string | undefined): string | undefined {
  return /:(\d+)\./.exec(eventId ?? "")?.[1];
}

async function untilOneWaits({ client }: Service): Promise<void> {
  while ((await client.query("SELECT FROM pg_locks WHERE NOT granted")).rowCount === 0);
}

describe("A write", () => {
  test("gets its position in its own transaction, and is told by it", async () => {
    const service = await serve(server, "CREATE TABLE t (id int PRIMARY KEY, n int)");
    const { send, scaffold } = service;

    const answers = [await send("PUT", "/t/1", { n: 1 }), await send("PATCH", "/t/1", { n: 2 })];

    const rows = await journalOf(service, "t");
    expect(rows.map(({ isOwn }) => isOwn)).toEqual([true, true]);
    expect(answers.map(({ field }) => positionIn(field("Event-ID")))).toEqual(rows.map(({ position }) => position));
    expect(scaffold.journal?.head.eventId).toBe(answers[1]?.field("Event-ID"));
  });

  test("that was begun before others were given positions does so, too", async () => {
    const service = await serve(
      server,
      `CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY); ${gate}`,
    );
    const { client, send, scaffold } = service;
    await client.query("SELECT pg_advisory_lock(7)");
    const writing = send("PUT", "/t/1", {});
    await untilOneWaits(service);
    await client.query("INSERT INTO u VALUES (1)");
    await scaffold.journal?.poll();
    await client.query("SELECT pg_advisory_unlock(7)");

    const { status } = await writing;

    expect(status).toBe(201);
    expect((await journalOf(service, "t")).map(({ isOwn }) => isOwn)).toEqual([true]);
    expect((await client.query("SELECT FROM rocket.outbox")).rowCount).toBe(0);
  });

  test("keeps its answer with its position, in one transaction", async () => {
    const service = await serve(server, "CREATE TABLE t (id serial PRIMARY KEY, n int)");
    const { client, send } = service;
    const post = (): ReturnType<typeof send> => send("POST", "/t", { n: 1 }, { "Idempotency-Key": '"k"' });

    const first = await post();
    const { rows } = await client.query<{ event: string; is_own: boolean }>(
      "SELECT event, a.xmin = j.xmin AS is_own FROM rocket.answers a, rocket.journal j WHERE j.kind = 'c'",
    );
    const again = await post();

    expect(rows).toEqual([{ event: first.field("Event-ID"), is_own: true }]);
    expect(again.field("Event-ID")).toBe(first.field("Event-ID"));
    expect((await client.query("SELECT FROM t")).rowCount).toBe(1);
  });

  test("tells the same position as its kept answer does, whatever others write meanwhile", async () => {
    const { client, send } = await serve(server, "CREATE TABLE t (id serial PRIMARY KEY, n int)");
    const other = await server.connect(client.database ?? "");
    let isOver = false;
    const writing = (async () => {
      while (!isOver) await other.query("INSERT INTO t (n) VALUES (0)");
    })();

    for (let round = 0; round < 20; round += 1) {
      const key = { "Idempotency-Key": `"${round}"` };
      // The last ones write nothing.
      const write = (): ReturnType<typeof send> =>
        round < 15 ? send("POST", "/t", { n: 1 }, key) : send("PATCH", "/t/1", { n: 0 }, key);
      const [first, again] = [await write(), await write()];
      expect([again.text, again.field("Event-ID")]).toEqual([first.text, first.field("Event-ID")]);
      expect(first.field("Event-ID")).toBeDefined();
    }
    isOver = true;
    await writing;
  });

  test("that fails at its end leaves nothing in the journal", async () => {
    const service = await serve(
      server,
      `CREATE TABLE p (id int PRIMARY KEY);
      CREATE TABLE t (id int PRIMARY KEY, p int REFERENCES p DEFERRABLE INITIALLY DEFERRED)`,
    );
    const { client, send, errors } = service;
    const before = positionIn((await send("PUT", "/t/1", { p: null })).field("Event-ID"));

    const refused = await send("PUT", "/t/2", { p: 9 });
    const after = positionIn((await send("PUT", "/t/3", { p: null })).field("Event-ID"));

    expect(refused.status).toBe(409);
    expect(Number(after) - Number(before)).toBe(2);
    expect((await client.query("SELECT FROM rocket.outbox")).rowCount).toBe(0);
    expect(errors).toEqual([]);
  });

  test("is told whole where a trigger puts something off to the very commit, once more", async () => {
    const service = await serve(
      server,
      `CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY);
      CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        SET CONSTRAINTS ALL DEFERRED;
        IF new.id < 3 THEN INSERT INTO u VALUES (new.id + 1); END IF;
        RETURN null;
      END $$;
      CREATE CONSTRAINT TRIGGER first AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION again();
      CREATE CONSTRAINT TRIGGER more AFTER INSERT ON u DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION again()`,
    );
    const { client, send, scaffold } = service;

    // Another transaction ends meanwhile, so that this one is not the last that there is.
    const other = await server.connect(client.database ?? "");
    await client.query(
      "CREATE FUNCTION ended() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN null; END'",
    );
    await client.query(
      "CREATE TRIGGER wait AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION ended(); CREATE TABLE v (id int PRIMARY KEY)",
    );
    await client.query("SELECT pg_advisory_lock(7)");
    const writing = send("PUT", "/t/1", {});
    await untilOneWaits(service);
    await other.query("INSERT INTO v VALUES (1)");
    await client.query("SELECT pg_advisory_unlock(7)");
    const { status } = await writing;
    await scaffold.journal?.poll();

    expect([status, (await client.query("SELECT FROM u")).rowCount]).toEqual([201, 2]);
    expect((await client.query("SELECT FROM rocket.outbox")).rowCount).toBe(0);
    expect(await journalOf(service, "u")).toHaveLength(2);
  });

  test("that waits for others at its end keeps nobody from being told", async () => {
    const service = await serve(
      server,
      `CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1); CREATE TABLE u (id int PRIMARY KEY);
      CREATE TABLE t (id int PRIMARY KEY, p int REFERENCES p DEFERRABLE INITIALLY DEFERRED)`,
    );
    const { client, send, scaffold } = service;
    const holder = await server.connect(client.database ?? "");
    await holder.query("BEGIN; SELECT FROM p FOR UPDATE");
    let isOver = false;
    const writing = send("PUT", "/t/1", { p: 1 }).finally(() => {
      isOver = true;
    });
    await untilOneWaits(service);

    await client.query("INSERT INTO u VALUES (1)");
    await scaffold.journal?.poll();

    expect(isOver).toBe(false);
    expect(await journalOf(service, "u")).toHaveLength(1);
    await holder.query("COMMIT");
    expect((await writing).status).toBe(201);
  });

  test("is committed all the same where positions can't be given in it, and gets one afterwards", async () => {
    const service = await serve(server, "CREATE TABLE t (id int PRIMARY KEY, n int)");
    const { client, send } = service;
    await client.query(`ALTER FUNCTION rocket.tick(int, boolean, boolean) RENAME TO tock;
      CREATE FUNCTION rocket.tick(a int, b boolean, c boolean) RETURNS TABLE (
        segment text, "position" bigint, chk int, total bigint, first bigint, schema_changes bigint, is_complete boolean)
      LANGUAGE plpgsql AS $$ BEGIN
        IF pg_current_xact_id_if_assigned() IS NOT NULL THEN RAISE 'not in here'; END IF;
        RETURN QUERY SELECT * FROM rocket.tock(a, b, c);
      END $$`);

    const { status, field } = await send("PUT", "/t/1", { n: 1 });

    const [row, ...more] = await journalOf(service, "t");
    expect([status, row?.isOwn, more]).toEqual([201, false, []]);
    expect(positionIn(field("Event-ID"))).toBe(row?.position);
  });
});

import pg from "pg";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { serverOfFile } from "./server.ts";
import { type Service, serve } from "./service.ts";

const server = serverOfFile();
const table = "CREATE TABLE t (id int PRIMARY KEY, n int UNIQUE CHECK (n < 1000), s text)";

async function rowsOf({ client }: Service): Promise<unknown[]> {
  return (await client.query({ text: "SELECT id, n FROM t ORDER BY id", rowMode: "array" })).rows;
}

/** How many transactions wrote what the journal has. */
async function transactionsOf({ client }: Service): Promise<number> {
  const { rows } = await client.query<{ n: string }>(
    "SELECT count(DISTINCT xid) AS n FROM rocket.journal WHERE kind <> 'r'",
  );
  return Number(rows[0]?.n);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}

describe("Writes that come at once", () => {
  test("share a transaction, and are carried out in their order", async () => {
    const service = await serve(server, `${table}; INSERT INTO t VALUES (1, 0)`);
    const { send } = service;
    const messages = vi.spyOn(pg.Client.prototype, "query");
    onTestFinished(() => messages.mockRestore());

    const answers = await Promise.all(range(30).map((n) => send("PATCH", "/t/1", { n })));

    expect(answers.map(({ json }) => (json as { t: { n: number } }).t.n)).toEqual(range(30));
    // One begins it and has all writes, one commits it; what is looked for meanwhile has some, too.
    expect(messages.mock.calls.length).toBeLessThan(10);
    expect(await transactionsOf(service)).toBe(1);
    expect(new Set(answers.map(({ field }) => field("Event-ID"))).size).toBe(1);
  });

  test("take a message each where they are large", async () => {
    const service = await serve(server, table);
    const { send } = service;
    let most = 0;
    const bind = vi.spyOn(pg.Connection.prototype, "bind");
    const { sync } = pg.Connection.prototype;
    const syncing = vi.spyOn(pg.Connection.prototype, "sync").mockImplementation(function (this: pg.Connection) {
      const large = bind.mock.calls.filter(([config]) =>
        (config?.values ?? []).some((value) => String(value).length > 1_000),
      ).length;
      most = Math.max(most, large);
      bind.mockClear();
      sync.call(this);
    });
    onTestFinished(() => void vi.restoreAllMocks());

    const answers = await Promise.all(range(6).map((id) => send("POST", "/t", { id, s: "x".repeat(600_000) })));

    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 201]);
    expect([syncing.mock.calls.length > 3, most]).toEqual([true, 2]);
    expect(await transactionsOf(service)).toBe(1);
  });

  test("are undone each by itself where the database refuses one", async () => {
    const service = await serve(server, table);
    const { send, errors } = service;
    // Every third one has a number that is taken, every fifth one that is too big.
    const numbers = range(20).map((id) => (id % 3 === 0 ? 1 : id % 5 === 0 ? 1000 + id : id));

    const answers = await Promise.all(numbers.map((n, at) => send("POST", "/t", { id: at + 1, n })));

    const taken = numbers.map((n, at) => (at > 0 && n === 1 ? 409 : n >= 1000 ? 422 : 201));
    expect(answers.map(({ status }) => status)).toEqual(taken);
    expect(await rowsOf(service)).toEqual(numbers.flatMap((n, at) => (taken[at] === 201 ? [[at + 1, n]] : [])));
    expect(answers[2]?.json).toMatchObject({ errors: [{ field: "n", detail: "Another record has this value." }] });
    expect(answers[4]?.json).toMatchObject({ errors: [{ field: "n" }] });
    expect(errors).toEqual([]);
  });

  test("are as by themselves where one finds no record", async () => {
    const service = await serve(
      server,
      `${table}; INSERT INTO t VALUES (1, 1), (3, 3); CREATE TABLE calls (n serial);
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO calls DEFAULT VALUES; RETURN null; END';
      CREATE TRIGGER note BEFORE UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION note()`,
    );
    const { client, send } = service;

    const answers = await Promise.all([1, 2, 3].map((id) => send("PATCH", `/t/${id}`, { n: id + 10 })));

    expect(answers.map(({ status }) => status)).toEqual([200, 404, 200]);
    expect(await rowsOf(service)).toEqual([
      [1, 11],
      [3, 13],
    ]);
    // What a trigger did for the one that was refused is undone.
    expect((await client.query("SELECT FROM calls")).rowCount).toBe(2);
  });

  test("are carried out once each where one between them finds no record", async () => {
    const service = await serve(server, table);
    const { send } = service;

    const answers = await Promise.all([
      send("POST", "/t", { id: 1, n: 1 }),
      send("PATCH", "/t/9", { n: 9 }),
      send("POST", "/t", { id: 2, n: 2 }),
      send("POST", "/t", { id: 3, n: 3 }),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([201, 404, 201, 201]);
    expect(await rowsOf(service)).toEqual([1, 2, 3].map((id) => [id, id]));
  });

  test("of all kinds end as one after the other", async () => {
    const service = await serve(server, `${table}; INSERT INTO t VALUES (1, 1), (2, 2)`);
    const { send } = service;

    const answers = await Promise.all([
      send("PATCH", "/t/1", { n: 5 }),
      send("DELETE", "/t/2"),
      send("POST", "/t", { id: 2, n: 2 }),
      send("PATCH", "/t/2", { n: 6, s: "x" }),
      send("POST", "/t", { id: 3, n: 6 }),
      send("POST", "/t", [
        { id: 4, n: 7 },
        { id: 5, n: 5 },
      ]),
      send("POST", "/t", { id: 6, n: 8 }, { "Idempotency-Key": '"a"' }),
      send("PATCH", "/t/6", { n: 9 }),
      send("PUT", "/t/1", { n: 2, s: "y" }),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([200, 204, 201, 200, 409, 409, 201, 200, 200]);
    expect(await rowsOf(service)).toEqual([
      [1, 2],
      [2, 6],
      [6, 9],
    ]);
  });
});

describe("Writes that run something of the database's own have a transaction each", () => {
  const acts = (body: string): string =>
    `${table}; CREATE TABLE log (id bigint PRIMARY KEY, n int); CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body}; RETURN new; END $$;
    CREATE TRIGGER act BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION act()`;

  test.each([
    ["settings", "new.s := current_setting('app.flag', true); PERFORM set_config('app.flag', new.id::text, true)"],
    ["a role", "new.s := nullif(current_user, 'postgres'); PERFORM set_config('role', 'pg_monitor', true)"],
    ["a temporary table", "CREATE TEMP TABLE scratch (n int) ON COMMIT DROP"],
    ["the transaction's number", "INSERT INTO log VALUES (txid_current(), new.n)"],
  ])("with %s", async (_what, body) => {
    const service = await serve(server, acts(body));
    const { client, send, errors } = service;

    const answers = await Promise.all(range(12).map((id) => send("POST", "/t", { id, n: id })));

    expect(answers.map(({ status }) => status)).toEqual(range(12).map(() => 201));
    expect((await client.query("SELECT FROM t WHERE coalesce(s, '') <> ''")).rowCount).toBe(0);
    expect(errors).toEqual([]);
  });

  test("where a foreign key leads to a table with a trigger, too; the others share one", async () => {
    const service = await serve(
      server,
      `${acts("INSERT INTO log VALUES (txid_current(), 1)")};
      CREATE TABLE top (id int PRIMARY KEY); ALTER TABLE t ADD top int REFERENCES top ON DELETE SET NULL;
      CREATE TABLE plain (id int PRIMARY KEY);
      INSERT INTO top SELECT generate_series(1, 5)`,
    );
    const { client, send } = service;
    await client.query(
      "ALTER TABLE t DISABLE TRIGGER act; INSERT INTO t SELECT g, g, null, g FROM generate_series(1, 5) g; ALTER TABLE t ENABLE TRIGGER act",
    );
    await service.scaffold.journal?.poll();
    const before = await transactionsOf(service);

    const answers = await Promise.all(
      range(5).flatMap((id) => [send("DELETE", `/top/${id}`), send("POST", "/plain", { id })]),
    );

    expect(answers.map(({ status }) => status)).toEqual(range(5).flatMap(() => [204, 201]));
    expect((await client.query("SELECT FROM log")).rowCount).toBe(5);
    expect((await transactionsOf(service)) - before).toBe(6);
  });
});

describe("A record that was made is shown", () => {
  const act = `CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN UPDATE t SET s = ''after'' WHERE id = new.id; RETURN null; END'`;

  test("as a trigger left it that ran after it was written", async () => {
    const { send } = await serve(
      server,
      `${table}; ${act}; CREATE TRIGGER act AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION act()`,
    );

    expect((await send("POST", "/t", { id: 1 })).json).toMatchObject({ t: { id: 1, s: "after" } });
  });

  test.each([
    ["with", undefined],
    ["without", "DROP EVENT TRIGGER rocket_schema"],
  ])("as one left it that was made meanwhile, %s event triggers", async (_with, sql) => {
    const { client, scaffold, send } = await serve(server, `${table}; ${act}`);
    if (sql !== undefined) await client.query(sql);
    expect((await send("POST", "/t", { id: 1 })).json).toMatchObject({ t: { s: null } });
    const { schemaChanges } = (await client.query('SELECT schema_changes AS "schemaChanges" FROM rocket.state'))
      .rows[0];

    await client.query("CREATE TRIGGER act AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION act()");
    if (sql !== undefined) await client.query("SELECT * FROM rocket.tick(100, true, true)");
    await scaffold.journal?.poll();

    expect((await client.query("SELECT schema_changes FROM rocket.state")).rows[0].schema_changes).not.toBe(
      schemaChanges,
    );
    expect((await send("POST", "/t", { id: 2 })).json).toMatchObject({ t: { id: 2, s: "after" } });
  });
});

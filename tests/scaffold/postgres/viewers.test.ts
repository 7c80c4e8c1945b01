import type { Client } from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { Denied } from "../../../src/scaffold/engine/denied.ts";
import type { Snapshot } from "../../../src/scaffold/engine/snapshot.ts";
import { type Steps, wait } from "../../../src/scaffold/engine/steps.ts";
import { everybody, type Viewer } from "../../../src/scaffold/engine/viewer.ts";
import type { Row } from "../../../src/scaffold/postgres/driver.ts";
import type { PostgresEngine } from "../../../src/scaffold/postgres/engine/engine.ts";
import { openPostgres } from "../../../src/scaffold/postgres/engine/open-postgres.ts";
import type { PostgresSnapshot } from "../../../src/scaffold/postgres/engine/snapshot.ts";
import { systemClock } from "../../../src/server/index.ts";
import { serverOfFile } from "./server.ts";

const server = serverOfFile();

interface Opened {
  readonly engine: PostgresEngine;
  /** An administrator's connection. */
  readonly client: Client;
}

/** An engine over a database of its own, where the roles `anon`, `member` and `other` are. */
async function open(sql = ""): Promise<Opened> {
  const name = await server.database();
  const client = await server.connect(name);
  await client.query(`DO $$ BEGIN CREATE ROLE anon; CREATE ROLE member; CREATE ROLE other;
    EXCEPTION WHEN duplicate_object THEN NULL; END $$; ${sql}`);
  const engine = await openPostgres({
    ...{ connect: server.url(name), schemas: ["public"], names: undefined, retention: undefined, readTimeoutMs: 5_000 },
    ...{ clock: systemClock, reportError: () => undefined, hasRoles: true, onSchema: () => undefined },
    isServed: Object.assign(() => true, { basePath: "" }),
  });
  onTestFinished(() => engine.close());
  return { engine, client };
}

function viewer(role: string, claims: Record<string, unknown> = {}): Viewer {
  return { role, claims, key: role };
}

const who = "SELECT current_user, current_setting('request.jwt.claims', true), current_setting('request.path', true)";

/** Steps that ask the database who it takes the viewer for. */
function* ask(snapshot: Snapshot, sql = who): Steps<Row | undefined> {
  const [row] = yield* wait((snapshot as PostgresSnapshot).session.query(sql));
  return row;
}

/** Steps that fail in the database, as the viewer. */
function* fail(snapshot: Snapshot): Steps<never> {
  yield* ask(snapshot, "SELECT 1/0");
  throw new Error("It did not fail.");
}

describe("A read", () => {
  test("runs as its viewer's role, with what policies for PostgREST ask", async () => {
    const { engine } = await open();
    const sql = `SELECT current_user, current_setting('request.jwt.claims')::json->>'sub', current_setting('request.jwt.claims')::json->>'role',
      current_setting('request.method'), current_setting('request.path'), current_setting('request.headers')::json->>'x-a',
      current_setting('request.headers')::json->>'cookie', current_setting('request.cookies')::json->>'b'`;
    const request = {
      method: "GET",
      target: "/notes?id=1",
      fields: [
        ["X-A", "1"],
        ["x-a", "2"],
        ["Cookie", "a=1; b=two"],
      ] as const,
    };

    const row = await engine.read((snapshot) => ask(snapshot, sql), { ...viewer("member", { sub: "ann" }), request });

    expect(row).toEqual(["member", "ann", "member", "GET", "/notes", "1, 2", null, "two"]);
  });

  test("leaves nothing of its viewer in the connections that others use", async () => {
    const { engine } = await open();
    const reads = Array.from({ length: 20 }, () =>
      engine.read((snapshot) => ask(snapshot), viewer("member", { a: 1 })),
    );
    const failures = Array.from({ length: 20 }, () => engine.read(fail, viewer("anon")).catch((error) => error.code));
    await Promise.all(reads);
    expect(new Set(await Promise.all(failures))).toEqual(new Set(["22012"]));

    const rows = await Promise.all(
      Array.from({ length: 20 }, () => engine.read((snapshot) => ask(snapshot), everybody)),
    );

    expect(new Set(rows.map((row) => row?.slice(0, 2).join(" ")))).toEqual(new Set(["postgres "]));
  });

  test.each(["read", "write"] as const)(
    "(a %s) leaves nothing to the next one that it has set for the whole session",
    async (kind) => {
      const { engine } = await open("GRANT other TO member");
      const keep = "SELECT set_config('app.who', 'ann', false), set_config('role', 'other', false)";
      const all = async (one: Viewer, sql: string) =>
        Promise.all(Array.from({ length: 8 }, () => engine[kind]((snapshot: Snapshot) => ask(snapshot, sql), one)));
      await all(viewer("member"), keep);

      const rows = await all(everybody, "SELECT coalesce(current_setting('app.who', true), ''), current_user");

      const found = rows.map((row) => (Array.isArray(row) ? row : (row as { readonly result: Row }).result));
      expect(new Set(found.map((row) => row.join()))).toEqual(new Set([",postgres"]));
    },
  );

  test.each(["none", "", "nobody", "x".repeat(64), "a\0b", 'member"; RESET ROLE; --'])(
    "is 401 where there is no role %j",
    async (role) => {
      const { engine } = await open();

      const reading = engine.read((snapshot) => ask(snapshot), viewer(role));

      await expect(reading).rejects.toMatchObject({
        problem: { status: 401 },
        fields: [["WWW-Authenticate", 'Bearer error="invalid_token"']],
      });
    },
  );
});

describe("Writes of one transaction", () => {
  test("leave nothing to the next one that they have set for the whole session", async () => {
    const { engine } = await open("GRANT other TO member");
    const keep = "SELECT set_config('app.who', 'ann', false), set_config('role', 'other', false)";
    const look = "SELECT coalesce(current_setting('app.who', true), ''), current_user, current_setting('lock_timeout')";
    const write = (sql: string, one: Viewer) => engine.write((transaction) => ask(transaction, sql), one);

    const [, next, last] = await Promise.all([
      write(keep, viewer("member")),
      write(look, viewer("anon")),
      write(look, everybody),
    ]);

    expect([next.result, last.result]).toEqual([
      ["", "anon", "5s"],
      ["", "postgres", "5s"],
    ]);
  });

  test("run each as their own viewer, also after one that failed", async () => {
    const { engine } = await open();
    const writes = [
      engine.write((transaction) => ask(transaction), viewer("anon", { sub: "1" })),
      engine.write((transaction) => ask(transaction), viewer("member", { sub: "2" })),
      engine.write(fail, viewer("other", { sub: "3" })).catch((error) => error.code),
      engine.write((transaction) => ask(transaction), everybody),
      engine.write((transaction) => ask(transaction, "SELECT current_user, pg_current_xact_id()"), viewer("anon")),
      engine.write((transaction) => ask(transaction, "SELECT current_user, pg_current_xact_id()"), everybody),
    ];

    const [first, second, third, fourth, fifth, sixth] = await Promise.all(writes);

    expect(first.result).toEqual(["anon", '{"sub":"1","role":"anon"}', ""]);
    expect(second.result).toEqual(["member", '{"sub":"2","role":"member"}', ""]);
    expect(third).toBe("22012");
    expect(fourth.result).toEqual(["postgres", "", ""]);
    expect(fifth.result?.[0]).toBe("anon");
    expect(sixth.result?.[0]).toBe("postgres");
    expect(fifth.result?.[1]).toBe(sixth.result?.[1]);
  });

  test("leave the connection the role that its login was given, whatever viewer was before", async () => {
    const { engine, client } = await open();
    await client.query(`GRANT USAGE ON SCHEMA rocket TO other; GRANT ALL ON ALL TABLES IN SCHEMA rocket TO other;
      GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA rocket TO other;
      ALTER ROLE postgres IN DATABASE ${client.database} SET role = 'other'`);
    const users = [viewer("member"), everybody].map((one) => engine.write((transaction) => ask(transaction), one));

    const rows = (await Promise.all(users)).map(({ result }) => result?.[0]);

    expect(rows).toEqual(["member", "other"]);
  });

  test("of a role that is not there take no other with them", async () => {
    const { engine } = await open();
    const writes = ["nobody", "member", "none"].map((role) =>
      engine
        .write((transaction) => ask(transaction), viewer(role))
        .then(
          ({ result }) => result?.[0],
          (error) => error.problem.status,
        ),
    );

    expect(await Promise.all(writes)).toEqual([401, "member", 401]);
  });

  test("keep their answers as the connection's own role, which the viewer's need not reach", async () => {
    const { engine } = await open();
    const answer = { digest: "d", status: 201, fields: [], body: "" };
    function* keep(transaction: Parameters<Parameters<PostgresEngine["write"]>[0]>[0]): Steps<unknown> {
      yield* ask(transaction);
      yield* transaction.keepAnswer("k", answer);
      const [user] = (yield* ask(transaction)) ?? [];
      return [user, (yield* transaction.findAnswer("k"))?.status];
    }

    const { result } = await engine.write(keep, viewer("anon"));

    expect(result).toEqual(["anon", 201]);
    const peek = engine.read((snapshot) => ask(snapshot, "SELECT * FROM rocket.answers"), viewer("anon"));
    await expect(peek).rejects.toThrow(Denied);
  });
});

describe("What a role may read", () => {
  const sql = `CREATE TABLE notes (id int PRIMARY KEY, text text, secret text); CREATE TABLE hidden (id int PRIMARY KEY);
    GRANT SELECT (id, text) ON notes TO anon; GRANT SELECT ON notes TO member`;
  const look = (engine: PostgresEngine, role: string) =>
    engine.read(function* ({ schema }) {
      yield* [];
      const tables = schema.tables.map(({ name, members }) => `${name}: ${members.map((one) => one.name)}`);
      return { tables, denied: schema.denied };
    }, viewer(role));

  test("is each role's own tables and columns", async () => {
    const { engine } = await open(sql);

    expect(await look(engine, "anon")).toEqual({ tables: ["notes: id,text"], denied: ["hidden"] });
    expect(await look(engine, "member")).toEqual({ tables: ["notes: id,text,secret"], denied: ["hidden"] });
    expect(await look(engine, "other")).toEqual({ tables: [], denied: ["notes", "hidden"] });
  });

  test.each([
    ["a right on a table", "GRANT SELECT ON hidden TO anon", ["notes: id,text", "hidden: id"]],
    ["a right on a column", "GRANT SELECT (secret) ON notes TO anon", ["notes: id,text,secret"]],
    ["a right that is taken away", "REVOKE SELECT (text) ON notes FROM anon", ["notes: id"]],
    ["a key that can't be read any more", "REVOKE SELECT (id) ON notes FROM anon", []],
    ["a role that is in another one now", "GRANT member TO anon", ["notes: id,text,secret"]],
    ["a schema that may not be used any more", "REVOKE USAGE ON SCHEMA public FROM PUBLIC", []],
  ])("is known anew after %s", async (_what, change, tables) => {
    const { engine, client } = await open(sql);
    await look(engine, "anon");
    onTestFinished(() => client.query("REVOKE member FROM anon").then(() => undefined));

    await client.query(change);

    expect((await look(engine, "anon")).tables).toEqual(tables);
  });
});

import { describe, expect, onTestFinished, test } from "vitest";
import { createScaffold } from "../../../src/scaffold/index.ts";
import { sendTo } from "../answer.ts";
import { serverOfFile } from "./server.ts";
import { type Service, serve } from "./service.ts";

const server = serverOfFile();

/** A table, and a trigger function that runs before each insert into it. */
function withTrigger(body: string): string {
  return `CREATE SEQUENCE tries; CREATE TABLE t (id serial PRIMARY KEY, n int);
    CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body}; RETURN new; END $$;
    CREATE TRIGGER act BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION act()`;
}

/** Another scaffold over the same database. */
async function again({ client }: Service): Promise<ReturnType<typeof sendTo>> {
  const scaffold = await createScaffold({ path: server.url(client.database ?? "") });
  onTestFinished(() => scaffold.close());
  return sendTo(scaffold);
}

describe("A write", () => {
  test.each(["40001", "40P01"])("that was in another's way (%s) is tried again", async (state) => {
    const { send, errors } = await serve(
      server,
      withTrigger(`IF nextval('tries') < 3 THEN RAISE SQLSTATE '${state}'; END IF`),
    );

    const answers = await Promise.all([1, 2].map((n) => send("POST", "/t", { n })));

    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(errors).toEqual([]);
  });

  test("does not wait until the journal has what others have committed", async () => {
    const { client, send } = await serve(server, "CREATE TABLE t (id int PRIMARY KEY, n int)");
    const [holder, other] = [await server.connect(client.database ?? ""), await server.connect(client.database ?? "")];
    await holder.query("BEGIN; SELECT FROM rocket.state FOR UPDATE");
    await other.query("INSERT INTO t VALUES (1, 1)");

    const { status, field } = await send("PUT", "/t/2", { n: 2 });

    // Where it is nobody can say yet.
    expect([status, field("Event-ID")]).toEqual([201, undefined]);
    await holder.query("COMMIT");
  });

  test("that is in another's way again and again is 503, and may be sent again", async () => {
    const { send } = await serve(server, withTrigger("RAISE SQLSTATE '40001'"));

    const answer = await send("POST", "/t", { n: 1 });

    expect([answer.status, answer.field("Retry-After")]).toEqual([503, "1"]);
  });

  test.each([
    ["a text that is too long", { v: "abcd" }, 422],
    ["none of an enum's values", { e: "no" }, 422],
    ["no date", { d: "yesterday evening" }, 422],
    ["a number that does not fit", { s: 40_000 }, 422],
    ["a value that a domain takes not", { y: 1 }, 422],
    ["what another row excludes", { r: "[1,3)" }, 409],
  ])("of %s is refused", async (_what, body, status) => {
    const { send, errors } = await serve(
      server,
      `CREATE TYPE e AS ENUM ('yes'); CREATE DOMAIN y AS int CHECK (value > 999);
      CREATE TABLE t (id serial PRIMARY KEY, v varchar(3), e e, d date, s smallint, y y, r int4range, EXCLUDE USING gist (r WITH &&));
      INSERT INTO t (r) VALUES ('[2,5)')`,
    );

    const answer = await send("POST", "/t", body);

    expect([answer.status, answer.field("Content-Type")]).toEqual([status, "application/problem+json"]);
    expect(answer.text).not.toMatch(/varying|enum|constraint|INSERT/);
    expect(errors).toEqual([]);
    expect((await send("POST", "/t", {})).status).toBe(201);
  });

  test("with If-Match is one of two that two processes let through", async () => {
    const service = await serve(server, "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0)");
    const sends = [service.send, await again(service)];
    for (let round = 1; round <= 10; round += 1) {
      const etag = (await service.send("GET", "/t/1")).field("ETag") ?? "";
      const patches = sends.map((send, at) => send("PATCH", "/t/1", { n: round * 10 + at }, { "If-Match": etag }));
      const statuses = (await Promise.all(patches)).map(({ status }) => status);
      expect(statuses.sort()).toEqual([200, 412]);
    }
  });

  test("with an Idempotency-Key is carried out once, by whichever of two processes comes first", async () => {
    const service = await serve(server, "CREATE TABLE t (id serial PRIMARY KEY, n int)");
    const { client } = service;
    const sends = [service.send, await again(service)];
    await client.query("BEGIN; LOCK TABLE t IN EXCLUSIVE MODE");
    const posts = sends.map((send) => send("POST", "/t", { n: 1 }, { "Idempotency-Key": '"k"' }));
    const waiting = "SELECT FROM pg_locks WHERE NOT granted";
    while ((await client.query(waiting)).rowCount !== 2);
    await client.query("COMMIT");

    const answers = await Promise.all(posts);

    expect(answers.map(({ status, text }) => [status, text])).toEqual([
      [201, '{"t":{"url":"/t/1","id":1,"n":1}}'],
      [201, '{"t":{"url":"/t/1","id":1,"n":1}}'],
    ]);
    expect((await client.query("SELECT FROM t")).rowCount).toBe(1);
  });

  test("that the role may not do is 403, and what it may not read is not served", async () => {
    const { client, scaffold, send } = await serve(
      server,
      `CREATE ROLE clerk LOGIN; CREATE TABLE open (id int PRIMARY KEY); CREATE TABLE closed (id int PRIMARY KEY);
      GRANT SELECT ON open TO clerk`,
    );
    await scaffold.journal?.poll();
    await client.query(`GRANT USAGE ON SCHEMA rocket TO clerk;
      GRANT SELECT ON rocket.state, rocket.journal, rocket.shape, rocket.watched TO clerk;
      GRANT SELECT, INSERT, UPDATE, DELETE ON rocket.answers TO clerk;
      GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA rocket TO clerk`);
    const errors: unknown[] = [];
    const clerk = await createScaffold({
      path: server.url(client.database ?? "", "clerk"),
      onError: (error) => errors.push(error),
    });
    onTestFinished(() => clerk.close());
    const ask = sendTo(clerk);

    expect((await ask("GET", "/open")).status).toBe(200);
    expect((await ask("POST", "/open", { id: 1 })).status).toBe(403);
    expect((await ask("GET", "/closed")).json).toMatchObject({
      status: 404,
      detail: "This is not served: this role may not read it.",
    });
    expect((await send("POST", "/open", { id: 1 })).status).toBe(201);
    expect(errors.map(String)).toContainEqual(expect.stringContaining('"closed"'));
  });
});

describe("A read", () => {
  test("with a value that its column's type can't be is 400, and a key that is none finds nothing", async () => {
    const { send, errors } = await serve(
      server,
      "CREATE TABLE t (id int PRIMARY KEY, d date, u uuid); CREATE TABLE k (d date PRIMARY KEY); INSERT INTO t VALUES (1)",
    );

    expect((await send("GET", "/t?d=soon")).status).toBe(400);
    expect((await send("GET", "/k/soon")).status).toBe(400);
    expect((await send("GET", "/t?u=x")).status).toBe(400);
    expect((await send("GET", "/t/99999999999")).status).toBe(404);
    expect(errors).toEqual([]);
  });

  test("is answered while others write without a pause, and can be followed", async () => {
    const { send, client } = await serve(
      server,
      "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0)",
    );
    let isOver = false;
    const write = async (): Promise<void> => {
      while (!isOver) await client.query("UPDATE t SET n = n + 1");
    };
    const writing = write();

    for (let round = 0; round < 30; round += 1) {
      const answer = await send("GET", "/t");
      expect(answer.status).toBe(200);
      expect(answer.view !== undefined || answer.url === "/t").toBe(true);
    }
    isOver = true;
    await writing;
    expect((await send("GET", "/t")).view).toBeDefined();
  });

  test("goes on after its connections were ended", async () => {
    const { send, client } = await serve(server, "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
    await send("GET", "/t");
    await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`);

    const statuses: number[] = [];
    while (statuses.at(-1) !== 200) statuses.push((await send("GET", "/t")).status);

    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect((await send("POST", "/t", { id: 2 })).status).toBe(201);
  });
});

import { SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { serverOfFile } from "./server.ts";
import { serve } from "./service.ts";

const server = serverOfFile();

describe("A column of a composite type", () => {
  it("is a key, filtered and sorted as PostgreSQL compares it", async () => {
    const { send, errors } = await serve(
      server,
      `CREATE SCHEMA types; CREATE TYPE types."a pair" AS (a int, b text);
      CREATE TABLE t (k types."a pair" PRIMARY KEY, x types."a pair", y int); INSERT INTO t VALUES (row(1, 'a'), row(2, 'b'), 3)`,
    );
    const record = { url: "/t/%281%2Ca%29", k: "(1,a)", x: "(2,b)", y: 3 };
    expect((await send("GET", "/t/(1,a)")).json).toEqual({ t: record });
    for (const filter of ["x=(2,b)", "x=eq.(2,b)", "x=gt.(1,z)", 'x=in.("(2,b)","(9,z)")', "order=x.desc"]) {
      expect((await send("GET", `/t?${filter}`)).json).toEqual({ t: [record] });
    }
    expect((await send("PATCH", "/t/(1,a)", { y: 4 })).json).toEqual({ t: { ...record, y: 4 } });
    const made = await send("POST", "/t", { k: "(5,z)", x: null });
    expect([made.status, made.field("Location")]).toEqual([201, "/t/%285%2Cz%29"]);
    expect((await send("GET", "/t?x=zz")).status).toBe(400);
    expect((await send("GET", "/t/zz")).status).toBe(400);
    expect((await send("POST", "/t", { k: "zz" })).status).toBe(422);
    expect(errors).toEqual([]);
  });
});

describe("A table whose rules do something else", () => {
  const readings = `CREATE TABLE readings (id int PRIMARY KEY, year int); CREATE TABLE readings_2025 () INHERITS (readings);
    INSERT INTO readings VALUES (1, 2026)`;

  it("than its writes takes those that it has none for, and refuses the others", async () => {
    const { send, errors } = await serve(
      server,
      `${readings}; CREATE RULE old AS ON INSERT TO readings WHERE NEW.year < 2026 DO INSTEAD INSERT INTO readings_2025 VALUES (NEW.*);
      CREATE RULE keep AS ON DELETE TO readings DO INSTEAD NOTHING`,
    );
    const made = await send("POST", "/readings", { id: 2, year: 2025 });
    expect([made.status, made.field("Allow")]).toEqual([405, "GET, HEAD, PATCH, OPTIONS"]);
    expect((await send("DELETE", "/readings/1")).status).toBe(405);
    expect((await send("PUT", "/readings/2", { year: 2025 })).status).toBe(404);
    expect((await send("PATCH", "/readings/1", { year: 2027 })).json).toMatchObject({ reading: { id: 1, year: 2027 } });
    expect(errors.filter((error) => !/inherit/.test(String(error)))).toEqual([]);
  });

  it("beside its writes, or give back what they have written, takes all", async () => {
    const { send, client } = await serve(
      server,
      `CREATE TABLE notes (id int PRIMARY KEY, text text); CREATE TABLE log (text text);
      CREATE RULE also AS ON INSERT TO notes DO ALSO INSERT INTO log VALUES (NEW.text);
      CREATE RULE soft AS ON DELETE TO notes DO INSTEAD UPDATE notes SET text = '' WHERE id = OLD.id RETURNING OLD.*`,
    );
    expect((await send("POST", "/notes", { id: 1, text: "x" })).status).toBe(201);
    expect((await client.query("SELECT text FROM log")).rows).toEqual([{ text: "x" }]);
    const merge = { Prefer: "resolution=merge-duplicates" };
    const refused = await send("POST", "/notes", [{ id: 1, text: "y" }], merge);
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining("since it has rules (CREATE RULE)")]);
    expect((await send("OPTIONS", "/notes/1")).field("Allow")).toContain("DELETE");
  });
});

describe("A table that nothing tells of", () => {
  it("is named with its reason at the start, and when it comes later, once", async () => {
    const { errors, client, scaffold } = await serve(
      server,
      `CREATE UNLOGGED TABLE cache (id int PRIMARY KEY); CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child () INHERITS (parent);
      CREATE TABLE keyless (x int)`,
    );
    const told = () => errors.map((error) => (error as Error).message);
    expect(told()).toEqual([
      expect.stringMatching(
        /^Changes of table "public\.cache" can't be watched, so it can't be followed: it is UNLOGGED/,
      ),
      expect.stringMatching(/^Changes of table "public\.parent" can't be watched.*: other tables inherit from it/),
    ]);
    await client.query("CREATE UNLOGGED TABLE later (id int PRIMARY KEY)");
    await scaffold.origin({ method: "GET", target: "/later", fields: [], body: "" });
    while (errors.length < 3) await scaffold.journal?.poll();
    expect(told().slice(2)).toEqual([expect.stringContaining('"public.later"')]);
  });
});

describe("A policy that can't read what a token claims", () => {
  it("gives no right: 403, and 401 to who has no token", async () => {
    const secret = "0123456789abcdef0123456789abcdef";
    const { send } = await serve(
      server,
      `DROP ROLE IF EXISTS claimant; CREATE ROLE claimant; CREATE TABLE t (id int PRIMARY KEY, owner uuid); GRANT ALL ON t TO claimant;
      ALTER TABLE t ENABLE ROW LEVEL SECURITY;
      CREATE POLICY own ON t USING (owner = (current_setting('request.jwt.claims')::json->>'sub')::uuid);
      INSERT INTO t VALUES (1, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')`,
      { tokens: { secret } },
    );
    const get = async (sub: string) => {
      const claims = new SignJWT({ role: "claimant", sub })
        .setProtectedHeader({ alg: "HS256" })
        .setExpirationTime("1h");
      const token = await claims.sign(new TextEncoder().encode(secret));
      return (await send("GET", "/t", undefined, { Authorization: `Bearer ${token}` })).status;
    };
    expect(await get("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")).toBe(200);
    expect(await get("not a uuid")).toBe(403);
  });
});

describe("A column whose values have no order", () => {
  it.each([
    "order=j",
    "order=p.desc",
    "order=ps",
    "order=j&limit=1",
    'ps=eq.{"(1,2)"}',
    'ps=in.("{(1,2)}")',
    "select=id,o(*)&o.order=j",
  ])("is a 400 where it is sorted or filtered by: %s", async (query) => {
    const { send, errors } = await serve(
      server,
      `CREATE TABLE t (id int PRIMARY KEY, j json, p point, ps point[]);
      CREATE TABLE o (id int PRIMARY KEY, t int REFERENCES t, j json);
      INSERT INTO t VALUES (1, '1', '(1,2)', '{"(1,2)"}'), (2, '2', '(2,1)', '{"(2,1)"}');
      INSERT INTO o VALUES (1, 1, '1'), (2, 1, '2')`,
    );
    const { status, text } = await send("GET", `/t?${query}`);
    expect([status, text]).toEqual([400, expect.stringMatching(/can't be (?:filtered or )?sorted by|compared/)]);
    expect(errors).toEqual([]);
  });
});

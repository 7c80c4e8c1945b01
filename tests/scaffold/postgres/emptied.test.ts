import { SignJWT } from "jose";
import type { Client } from "pg";
import { describe, expect, it } from "vitest";
import { serverOfFile } from "./server.ts";
import { serve } from "./service.ts";

const server = serverOfFile();
const plain = "CREATE TABLE songs (id int PRIMARY KEY, name text); INSERT INTO songs VALUES (1, 'a'), (2, 'b')";
const parted = `CREATE TABLE songs (id int PRIMARY KEY, name text) PARTITION BY RANGE (id);
  CREATE TABLE songs_1 PARTITION OF songs FOR VALUES FROM (0) TO (2);
  CREATE TABLE songs_2 PARTITION OF songs FOR VALUES FROM (2) TO (9);
  INSERT INTO songs VALUES (1, 'a'), (2, 'b')`;

/** Waits until somebody waits for a lock of this database. */
async function untilHeldUp(client: Client): Promise<void> {
  const sql =
    "SELECT count(*)::int AS held FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
  for (let held = 0; held === 0; ) held = (await client.query<{ held: number }>(sql)).rows[0]?.held ?? 0;
}

/** Another program's connection to the same database. */
async function another(client: Client): Promise<Client> {
  const { rows } = await client.query<{ name: string }>("SELECT current_database() AS name");
  return server.connect(rows[0]?.name ?? "");
}

describe("a read that waits for a table that is emptied and filled anew", () => {
  it.each([
    ["a list", plain, "TRUNCATE songs", "/songs"],
    ["a record", plain, "TRUNCATE songs", "/songs/1"],
    ["a list of which a partition is emptied", parted, "TRUNCATE songs_1", "/songs"],
    ["a record in a partition that is emptied", parted, "TRUNCATE songs_1", "/songs/1"],
  ])("shows what is there then, at its position: %s", async (_what, sql, empty, target) => {
    const { client, send } = await serve(server, sql);
    const writer = await another(client);
    await writer.query(`BEGIN; ${empty}; INSERT INTO songs VALUES (1, 'new') ON CONFLICT DO NOTHING`);
    const reading = send("GET", target);
    await untilHeldUp(client);
    await writer.query("COMMIT");
    const { status, text, field } = await reading;
    const now = await send("GET", target);
    expect([status, text, field("Event-ID")]).toEqual([200, now.text, now.field("Event-ID")]);
    expect(text).toContain('"name":"new"');
  });
});

describe("a read that waits for what decides what it shows", () => {
  const secret = "0123456789abcdef0123456789abcdef";
  const bans = `${plain}; CREATE SCHEMA own; CREATE TABLE own.bans (id int); INSERT INTO own.bans VALUES (2)`;
  const allowed = "SELECT * FROM songs s WHERE NOT EXISTS (SELECT FROM own.bans b WHERE b.id = s.id)";
  const policy = `${bans}; DO $$ BEGIN CREATE ROLE reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$; GRANT SELECT ON songs TO reader;
    GRANT USAGE ON SCHEMA own TO reader; GRANT SELECT ON own.bans TO reader; ALTER TABLE songs ENABLE ROW LEVEL SECURITY;
    CREATE POLICY allowed ON songs USING (NOT EXISTS (SELECT FROM own.bans b WHERE b.id = songs.id))`;
  const lead = `${plain}; CREATE TABLE own_bans (id int PRIMARY KEY, song int REFERENCES songs);
    INSERT INTO own_bans VALUES (2, 1)`;
  const refill = "TRUNCATE own.bans; INSERT INTO own.bans VALUES (2)";

  it.each([
    ["a view", `${bans}; CREATE VIEW allowed AS ${allowed}`, refill, "/allowed", ""],
    ["a count of a view", `${bans}; CREATE VIEW allowed AS ${allowed}`, refill, "/allowed?select=count()", ""],
    [
      "a function",
      `${bans}; CREATE FUNCTION allowed() RETURNS SETOF songs STABLE LANGUAGE sql AS '${allowed}'`,
      refill,
      "/rpc/allowed",
      "",
    ],
    ["a policy", policy, refill, "/songs", "reader"],
    [
      "a policy, where it is altered",
      policy,
      "ALTER TABLE own.bans ADD at timestamptz DEFAULT clock_timestamp()",
      "/songs",
      "reader",
    ],
    ["a policy of a record", policy, refill, "/songs/2", "reader"],
    ["a policy of what is selected", policy, refill, "/songs?select=id", "reader"],
    ["a rule", lead, "TRUNCATE own_bans; INSERT INTO own_bans VALUES (2, 1)", "/songs", "rule"],
  ])("shows what it shows before and after: %s", async (_what, sql, change, target, role) => {
    const rules = role === "rule" ? { songs: { read: "own_bans.id=eq.2" }, own_bans: { read: "" } } : undefined;
    const { client, send, errors } = await serve(server, sql, {
      ...(role === "" ? {} : { tokens: { secret } }),
      ...(rules && { rules }),
    });
    const claims = new SignJWT(role === "reader" ? { role } : {})
      .setProtectedHeader({ alg: "HS256" })
      .setSubject("ann");
    const token = await claims.setExpirationTime("1h").sign(new TextEncoder().encode(secret));
    const get = () => send("GET", target, undefined, role === "" ? {} : { Authorization: `Bearer ${token}` });
    const before = await get();
    expect([before.status, before.text.includes('"b"')]).toEqual([target.endsWith("/2") ? 404 : 200, false]);
    const writer = await another(client);
    await writer.query(`BEGIN; ${change}`);
    const reading = get();
    await untilHeldUp(client);
    await writer.query("COMMIT");
    const { status, text } = await reading;
    expect([status, text]).toEqual([before.status, before.text]);
    expect(errors).toEqual([]);
  });

  it("and is not held up by a table that is emptied meanwhile and that it has not read", async () => {
    const held =
      "CREATE FUNCTION held() RETURNS int LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN 1; END'";
    const { client, send } = await serve(
      server,
      `${bans}; ${held}; CREATE TABLE staging (id int); CREATE VIEW allowed AS SELECT *, held() AS one FROM songs`,
    );
    expect((await send("GET", "/allowed")).status).toBe(200);
    const [first, next] = [await another(client), await another(client)];
    await first.query("SELECT pg_advisory_lock(1)");
    const reading = send("GET", "/allowed");
    await untilHeldUp(client);
    await client.query("TRUNCATE staging");
    // Whoever begins anew would wait for this one.
    const following = next.query("SELECT pg_advisory_lock(1)");
    await first.query("SELECT pg_advisory_unlock(1)");
    expect((await reading).status).toBe(200);
    await following;
  });
});

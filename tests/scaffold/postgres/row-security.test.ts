import type { Client } from "pg";
import { describe, expect, it } from "vitest";
import { fieldValue } from "../../../src/protocol/index.ts";
import { administratorSql } from "../../../src/scaffold/index.ts";
import { type MemoryPeer, Replica } from "../../../src/testing/index.ts";
import { serverOfFile } from "./server.ts";
import { as, openViewerSite, told, until, type ViewerSite, type ViewerSiteOptions } from "./viewer-site.ts";

const server = serverOfFile();

/** Notes of teams, their members, and something beside. */
const teams = `
  CREATE TABLE notes (id int PRIMARY KEY, team int NOT NULL, text text NOT NULL);
  CREATE TABLE members (team int, who text, PRIMARY KEY (team, who));
  CREATE TABLE others (id int PRIMARY KEY);
  GRANT ALL ON notes, members, others TO member, anon;
  CREATE FUNCTION who() RETURNS text LANGUAGE sql STABLE AS $$ SELECT current_setting('request.jwt.claims')::json->>'sub' $$;
  INSERT INTO notes SELECT g, g % 3, 'a note that is not short at all ' || g FROM generate_series(1, 9) g;
  INSERT INTO members VALUES (1, 'ann'), (2, 'bob');
  ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
`;
const plain = `${teams} CREATE POLICY seen ON notes USING (team IN (SELECT team FROM members WHERE who = who()));`;
const ann = as("member", { sub: "ann" });
const bob = as("member", { sub: "bob" });

const roles = `DO $$ BEGIN CREATE ROLE anon; CREATE ROLE member; CREATE ROLE clerk LOGIN IN ROLE member;
  EXCEPTION WHEN duplicate_object THEN NULL; END $$;`;

async function open(
  sql: string,
  options: ViewerSiteOptions & { readonly user?: string } = {},
): Promise<ViewerSite & { readonly client: Client; readonly url: string }> {
  const name = await server.database();
  const client = await server.connect(name);
  await client.query(`${roles} ${sql}`);
  const url = server.url(name, options.user);
  return { ...(await openViewerSite(url, options)), client, url };
}

/** The ids of what a peer was told, once they are these. */
async function shown(peer: MemoryPeer, ids: readonly number[], target = "/notes"): Promise<number[]> {
  const now = (): number[] => {
    const replica = new Replica(target);
    for (const message of peer.messages) replica.take(message);
    return [...replica.records.values()].map((text) => JSON.parse(text).id as number).toSorted((a, b) => a - b);
  };
  await until(() => JSON.stringify(now()) === JSON.stringify(ids));
  return now();
}

/** What a GET says of how it can be followed. */
async function liveness(site: ViewerSite, target: string, who = ann): Promise<unknown> {
  const { status, view, reads, notLive } = await site.get(target, who);
  if (status !== 200) return status;
  return notLive ?? (view ? "direct" : { ...reads, collections: reads?.collections.toSorted() });
}

describe("What a viewer sees by row-level security", () => {
  it("comes and goes with its memberships, exactly", async () => {
    const { follow, client } = await open(plain);
    const [hers, his] = [await follow("/notes", ann), await follow("/notes", bob)];
    await client.query("INSERT INTO members VALUES (2, 'ann')");
    expect(await told(hers, 3)).toEqual(["201 /notes/2 #1", "201 /notes/5 #3", "201 /notes/8 #5"]);
    await client.query("DELETE FROM notes WHERE id = 5");
    expect((await told(hers, 4)).slice(3)).toEqual(["204 /notes/5"]);
    expect(await told(his, 1)).toEqual(["204 /notes/5"]);
    await client.query("UPDATE notes SET team = 1 WHERE id = 8; DELETE FROM members WHERE who = 'ann' AND team = 2");
    expect(await shown(hers, [1, 4, 7, 8])).toEqual([1, 4, 7, 8]);
    expect(await shown(his, [2])).toEqual([2]);
  });

  it("is counted one by one, where others may be guessed at", async () => {
    const { origin, client } = await open(plain);
    await client.query("INSERT INTO others SELECT generate_series(1, 9); ANALYZE; INSERT INTO others VALUES (10)");
    const count = async (target: string): Promise<unknown> => {
      const { fields } = await origin({ method: "GET", target, fields: [ann, ["Prefer", "count=planned"]], body: "" });
      return ["preference-applied", "content-range"].map((name) => fieldValue(fields, name));
    };
    expect(await count("/notes?limit=1")).toEqual(["count=exact", "items 0-0/3"]);
    expect(await count("/others?limit=1")).toEqual(["count=planned", "items 0-0/9"]);
  });

  it("ends for a record that it may see no more, and as a GET says", async () => {
    const { follow, get, client } = await open(plain);
    const peer = await follow("/notes/1", ann);
    await client.query("DELETE FROM members WHERE who = 'ann'");
    expect(await told(peer, 1)).toEqual(["204 /notes/1"]);
    expect((await get("/notes/1", ann)).status).toBe(404);
    expect((await follow("/notes/1", ann)).messages.map(({ status }) => status)).toEqual([404]);
  });

  it("goes on at another process where it was left, if nothing else is seen now", async () => {
    const { follow, url, client } = await open(plain);
    const other = await openViewerSite(url);
    const left = await follow("/notes", ann);
    const position = fieldValue(left.messages[0]?.fields ?? [], "event-id") ?? "";
    left.disconnect();
    const again = await other.follow("/notes", ann, [["Last-Event-ID", position]]);
    expect(again.messages.map(({ status }) => status)).toEqual([304, 304]);
    await client.query("INSERT INTO notes VALUES (10, 1, 'new')");
    expect(await told(again, 1)).toEqual(["201 /notes/10 #3"]);
    expect((await follow("/notes", ann, [["Last-Event-ID", position]])).messages[0]?.status).toBe(200);
    expect((await other.follow("/notes", bob, [["Last-Event-ID", position]])).messages[0]?.status).toBe(200);
  });

  it("is told at each process of what is written anywhere", async () => {
    const first = await open(plain);
    const second = await openViewerSite(first.url);
    const peers = [await first.follow("/notes?limit=2", ann), await second.follow("/notes?limit=2", ann)];
    const fields = [ann, ["Content-Type", "application/json"] as const];
    const body = JSON.stringify({ id: 0, team: 1, text: "hers" });
    expect((await second.origin({ method: "POST", target: "/notes", fields, body })).status).toBe(201);
    for (const peer of peers) expect(await told(peer, 2)).toEqual(["204 /notes/4", "201 /notes/0 #0"]);
  });
});

const both = { collections: ["/members", "/notes"], isComplete: true };

describe("What a view is asked for again by", () => {
  it("is nothing but the journal where the role is shown all of the table", async () => {
    const site = await open(`${plain} ALTER TABLE others OWNER TO clerk;
      ALTER TABLE notes OWNER TO clerk`);
    expect(await liveness(site, "/others")).toBe("direct");
    expect(await liveness(site, "/notes", as("clerk", { sub: "ann" }))).toBe("direct");
    expect(await liveness(site, "/notes", as("postgres", {}))).toBe("direct");
    await site.client.query("ALTER TABLE notes FORCE ROW LEVEL SECURITY");
    expect(await liveness(site, "/notes", as("clerk", { sub: "ann" }))).toEqual(both);
    expect(await liveness(site, "/notes", as("postgres", {}))).toBe("direct");
  });

  it("is a GET as the viewer where the role may read some columns only: the journal has whole records", async () => {
    const site = await open(`${teams} ALTER TABLE notes DISABLE ROW LEVEL SECURITY;
      REVOKE SELECT ON notes FROM member; GRANT SELECT (id, team) ON notes TO member`);
    expect(await liveness(site, "/notes")).toEqual({ collections: ["/notes"], isComplete: true });
    const peer = await site.follow("/notes", ann);
    await site.client.query("INSERT INTO notes VALUES (10, 1, 'hush'); UPDATE notes SET text = 'hush' WHERE id = 1");
    expect(await shown(peer, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])).toHaveLength(10);
    expect(JSON.stringify(peer.messages)).not.toContain("hush");
  });

  it.each([
    ["a subquery of the policy", "team IN (SELECT team FROM members WHERE who = who())"],
    ["functions in SQL that vanish into the query", "team IN (SELECT * FROM my_teams())"],
    ["a function with BEGIN ATOMIC", "is_atomic(team)"],
    ["a view that the policy reads", "team IN (SELECT team FROM teams_of_all WHERE who = who())"],
  ])("is the tables that are read by %s", async (_, policy) => {
    const site = await open(`${teams}
      CREATE FUNCTION my_teams() RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT team FROM members WHERE who = who()';
      CREATE FUNCTION is_atomic(t int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
        BEGIN ATOMIC SELECT EXISTS (SELECT FROM members m WHERE m.team = t AND m.who = who()); END;
      CREATE VIEW teams_of_all AS SELECT * FROM members; GRANT SELECT ON teams_of_all TO member;
      CREATE POLICY seen ON notes USING (${policy})`);
    expect(await liveness(site, "/notes")).toEqual(both);
    const peer = await site.follow("/notes", ann);
    await site.client.query("DELETE FROM members WHERE who = 'ann'");
    expect(await shown(peer, [])).toEqual([]);
  });

  it.each([
    ["a function in plpgsql", "is_member(team)"],
    ["a SECURITY DEFINER function in SQL", "is_definer(team)"],
    ["one that is called by a function that vanishes", "is_nested(team)"],
    ["one behind an operator", "team ~~~ 1"],
    ["one behind an operator in a view", "team IN (SELECT t FROM seen_teams)"],
    [
      "a query in a text",
      "query_to_xml(format('SELECT FROM members WHERE team = %s', team), true, true, '')::text ~ '<row'",
    ],
  ])("is everything where what is read is hidden by %s", async (_, policy) => {
    const site = await open(`${teams}
      CREATE FUNCTION is_member(t int) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER AS
        'BEGIN RETURN EXISTS (SELECT FROM members m WHERE m.team = t AND m.who = who()); END';
      CREATE FUNCTION is_definer(t int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER AS
        'SELECT EXISTS (SELECT FROM members m WHERE m.team = t AND m.who = who())';
      CREATE FUNCTION is_nested(t int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT is_member(t)';
      CREATE FUNCTION has_team(t int, x int) RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN RETURN is_member(t); END';
      CREATE OPERATOR ~~~ (LEFTARG = int, RIGHTARG = int, FUNCTION = has_team);
      CREATE VIEW seen_teams AS SELECT t FROM generate_series(1, 9) t WHERE t ~~~ 1; GRANT SELECT ON seen_teams TO member;
      CREATE POLICY seen ON notes USING (${policy})`);
    expect(await liveness(site, "/notes")).toMatchObject({ isComplete: false });
    const peer = await site.follow("/notes?team=1", ann);
    await site.client.query("DELETE FROM members WHERE team = 1");
    expect(await shown(peer, [])).toEqual([]);
  });

  it("is what partitions and policies of policies' tables read, too", async () => {
    const site = await open(`${teams}
      CREATE TABLE grants (day date, who text) PARTITION BY RANGE (day);
      CREATE TABLE grants_old PARTITION OF grants FOR VALUES FROM ('2000-01-01') TO ('2001-01-01');
      ALTER TABLE members ENABLE ROW LEVEL SECURITY; GRANT SELECT ON grants TO member;
      CREATE POLICY seen ON notes USING (team IN (SELECT team FROM members WHERE who = who()));
      CREATE TABLE days (LIKE grants) PARTITION BY RANGE (day); GRANT SELECT ON days TO member;
      CREATE TABLE days_old PARTITION OF days FOR VALUES FROM ('2000-01-01') TO ('2001-01-01');
      CREATE TABLE days_older PARTITION OF days FOR VALUES FROM ('1999-01-01') TO ('2000-01-01');
      CREATE FUNCTION all_days() RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT who FROM days WHERE day > now()';
      CREATE POLICY mine ON members USING (EXISTS (SELECT FROM grants g WHERE g.who = members.who AND g.day > now())
        AND EXISTS (SELECT FROM all_days() d WHERE d = members.who))`);
    const collections = ["/days", "/grants", ...both.collections];
    expect(await liveness(site, "/notes")).toEqual({ collections, isComplete: true });
  });

  it("is watched where it is in another schema, is not served, or has no key, and nothing of its rows is kept", async () => {
    const site = await open(
      `${teams} CREATE SCHEMA private; GRANT USAGE ON SCHEMA private TO member;
      CREATE TABLE private.staff (who text, secret text DEFAULT 'hush'); GRANT SELECT ON private.staff TO member;
      INSERT INTO private.staff VALUES ('ann');
      CREATE POLICY seen ON notes USING (EXISTS (SELECT FROM private.staff WHERE who = who()) OR
        team IN (SELECT team FROM members WHERE who = who()))`,
      { isServed: (table) => table === "notes" },
    );
    const peer = await site.follow("/notes?team=0", ann);
    await site.client.query("DELETE FROM private.staff");
    expect(await shown(peer, [])).toEqual([]);
    await site.client.query("INSERT INTO members VALUES (0, 'ann')");
    expect(await shown(peer, [3, 6, 9])).toEqual([3, 6, 9]);
    const { rows } = await site.client.query(
      "SELECT * FROM rocket.journal WHERE old LIKE '%hush%' OR new LIKE '%hush%'",
    );
    expect(rows).toEqual([]);
  });

  it("is watched where a function that hides it names it, in another schema, too", async () => {
    const site = await open(`${teams} CREATE SCHEMA private; CREATE TABLE private.staff (who text);
      INSERT INTO private.staff VALUES ('ann');
      CREATE FUNCTION is_staff() RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER AS
        'BEGIN RETURN EXISTS (SELECT FROM private.staff WHERE who = who()); END';
      CREATE POLICY seen ON notes USING (is_staff())`);
    const peer = await site.follow("/notes?team=0", ann);
    await site.client.query("DELETE FROM private.staff");
    expect(await shown(peer, [])).toEqual([]);
  });

  it("is watched by what an administrator runs, where the role may not put triggers on it", async () => {
    const sql = `${teams} CREATE SCHEMA private; GRANT USAGE ON SCHEMA private TO member;
      CREATE TABLE private.staff (who text); GRANT SELECT ON private.staff TO member; INSERT INTO private.staff VALUES ('ann');
      CREATE TABLE private.guests (who text); INSERT INTO private.guests VALUES ('bob');
      CREATE FUNCTION is_guest() RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER AS
        'BEGIN RETURN EXISTS (SELECT FROM private.guests WHERE who = who()); END';
      CREATE POLICY seen ON notes USING (EXISTS (SELECT FROM private.staff WHERE who = who()));
      CREATE POLICY guests ON notes USING (is_guest())`;
    const name = await server.database();
    const client = await server.connect(name);
    await client.query(`${roles} ${sql}`);
    const url = server.url(name, "clerk");
    await client.query(await administratorSql(url));
    const site = await openViewerSite(url);
    const peers = [await site.follow("/notes?team=0", ann), await site.follow("/notes?team=0", bob)];
    expect(site.errors).toEqual([]);
    await client.query("DELETE FROM private.staff; DELETE FROM private.guests");
    for (const peer of peers) expect(await shown(peer, [])).toEqual([]);
  });

  it("keeps a view from being followed where nobody tells of its changes, and says so to the operator", async () => {
    const site =
      await open(`${teams} CREATE MATERIALIZED VIEW staff AS SELECT 'ann' AS who; GRANT SELECT ON staff TO member;
      CREATE POLICY seen ON notes USING (EXISTS (SELECT FROM staff WHERE who = who()))`);
    expect(await liveness(site, "/notes")).toMatch(/depends on something whose changes can't be watched/);
    expect(site.errors.map(String)).toEqual([expect.stringMatching(/public\.staff/)]);
  });
});

describe("A change of what decides who may see what", () => {
  it.each([
    ["a policy that is dropped", "DROP POLICY seen ON notes"],
    ["a policy that is made", "CREATE POLICY less ON notes AS RESTRICTIVE USING (false)"],
    ["a policy that is altered", "ALTER POLICY seen ON notes USING (false)"],
    [
      "a function that the policy calls",
      "CREATE OR REPLACE FUNCTION who() RETURNS text LANGUAGE sql STABLE AS 'SELECT NULL'",
    ],
  ])("makes open views stale: %s", async (_, sql) => {
    const { follow, client } = await open(plain);
    const peer = await follow("/notes", ann);
    await client.query(sql);
    expect(await shown(peer, [])).toEqual([]);
  });

  it.each([
    ["row-level security that is switched on", "ALTER TABLE notes ENABLE ROW LEVEL SECURITY", "200"],
    ["a right that is taken away", "REVOKE SELECT ON notes FROM member", "403"],
    [
      "a right to some columns only",
      "REVOKE SELECT ON notes FROM member; GRANT SELECT (id, team) ON notes TO member",
      "200",
    ],
  ])("ends what the journal alone decided: %s", async (_, sql, first) => {
    const site = await open(`${plain} ALTER TABLE notes DISABLE ROW LEVEL SECURITY`);
    const { follow, client } = site;
    const peer = await follow("/notes", ann);
    expect(await liveness(site, "/notes")).toBe("direct");
    await client.query(`${sql}; INSERT INTO notes VALUES (100, 2, 'secret of bob')`);
    await until(() => peer.messages.length > 2);
    const texts = peer.messages.slice(2).map(({ status, body }) => `${status} ${body}`);
    expect(texts[0]?.slice(0, 3)).toBe(first);
    expect(texts.join()).not.toContain("secret of bob");
  });

  it.each([
    ["a role that is in another one no more", "REVOKE above FROM clerk", "GRANT above TO clerk"],
    ["a role that bypasses row-level security no more", "ALTER ROLE clerk NOBYPASSRLS", "ALTER ROLE clerk BYPASSRLS"],
  ])("ends what the journal alone decided within a second or two: %s", async (_, sql, before) => {
    const site = await open(`${plain} DO $$ BEGIN CREATE ROLE above; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
      ALTER TABLE notes OWNER TO above; ${before}`);
    const clerk = as("clerk", { sub: "ann" });
    expect(await liveness(site, "/notes", clerk)).toBe("direct");
    const peer = await site.follow("/notes", clerk);
    await site.client.query(sql);
    await until(() => peer.messages.length > 2);
    expect(peer.messages[2]?.status).toBe(200);
    expect(JSON.parse(String(peer.messages[2]?.body)).notes).toHaveLength(3);
    expect(await liveness(site, "/notes", clerk)).toEqual(both);
  });

  it("is none where it concerns what one session has for itself", async () => {
    const { client, follow } = await open(plain);
    await follow("/notes", ann);
    const changes = async (): Promise<unknown> => {
      await client.query("SELECT rocket.tick(100, true, true)");
      return (await client.query("SELECT schema_changes FROM rocket.state")).rows;
    };
    const before = await changes();
    await client.query(`CREATE TEMP TABLE mine (id int); CREATE TEMP VIEW seen AS SELECT * FROM mine;
      CREATE FUNCTION pg_temp.one() RETURNS int LANGUAGE sql AS 'SELECT 1'`);
    expect(await changes()).toEqual(before);
  });

  it("counts for the next GET, also where it gives a right", async () => {
    const { get, client } = await open(plain);
    for (let round = 0; round < 20; round += 1) {
      await client.query("REVOKE SELECT ON notes FROM member");
      expect((await get("/notes", ann)).status).toBe(403);
      await client.query("GRANT SELECT ON notes TO member");
      expect((await get("/notes", ann)).status).toBe(200);
    }
  });

  it("is noticed within a second or two where there is no event trigger", async () => {
    const { follow, client } = await open(plain);
    await client.query("DROP EVENT TRIGGER rocket_schema");
    const peer = await follow("/notes", ann);
    await client.query("ALTER POLICY seen ON notes USING (false)");
    expect(await shown(peer, [])).toEqual([]);
  });
});

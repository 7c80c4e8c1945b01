import { describe, expect, it } from "vitest";
import { detachPostgres, journalScript } from "../../../src/scaffold/postgres/index.ts";
import { createFakeClock } from "../../../src/testing/index.ts";
import { serverOfFile } from "./server.ts";
import { ask, connectPool, newSite, type Site, tell, watch } from "./workspace.ts";

const server = serverOfFile();
const artists = "CREATE TABLE artists (id int PRIMARY KEY, name text); INSERT INTO artists VALUES (1, 'Ann')";

/** A site whose tables are owned by a role that is no superuser. */
async function newPlainSite(sql: string): Promise<Site & { readonly user: string }> {
  const { database, client } = await newSite(server);
  const user = `owner_${database}`;
  await client.query(`CREATE ROLE ${user} LOGIN; GRANT ALL ON SCHEMA public TO ${user};
    GRANT CREATE ON DATABASE ${database} TO ${user}`);
  const owner = await server.connect(database, user);
  await owner.query(sql);
  return { server, database, client: owner, user };
}

/** The name of the trigger on the first table that was armed. */
const rowTrigger = "!rocket row 1";

/** Has the tables' definitions looked at, as a timer does. */
async function watchLooking(site: Site & { readonly user?: string }) {
  const clock = createFakeClock();
  // With one connection, what is asked after a look is answered after it.
  const pool = await connectPool(site, { user: site.user, max: 1 });
  const watched = await watch(site, { pool, clock, pollMs: 1_000, lookMs: 1_000 });
  const look = async (): Promise<string[]> => {
    await clock.advance(10_000);
    await pool.query("SELECT 1");
    await watched.journal.poll();
    return tell(watched.batches.splice(0));
  };
  return { ...watched, look };
}

const ways = [
  ["with an event trigger", () => newSite(server, artists)],
  ["of a role that may make no event trigger", () => newPlainSite(artists)],
] as const;

describe.each(ways)("a journal %s", (way, make) => {
  it("begins with a table anew where it was altered, and shows what comes then as it is now", async () => {
    const site = await make();
    const { batches, look } = await watchLooking(site);
    await site.client.query("INSERT INTO artists VALUES (2, 'Bo')");
    await look();
    await site.client.query("ALTER TABLE artists ADD COLUMN born int DEFAULT 1970, DROP COLUMN name");
    await site.client.query("INSERT INTO artists VALUES (3, 1980)");
    expect(await look()).toEqual(["reset /artists"]);
    await site.client.query("ALTER TABLE artists RENAME COLUMN born TO year");
    expect(await look()).toEqual(["reset /artists"]);
    await site.client.query("UPDATE artists SET year = 1990 WHERE id = 3");
    expect(await look()).toEqual(["update /artists/3"]);
    await site.client.query("ALTER TABLE artists ALTER COLUMN year TYPE text USING 'in ' || year");
    expect(await look()).toEqual(["reset /artists"]);
    expect(batches).toEqual([]);
  });

  it("resets a table whose triggers were off for a while", async () => {
    const site = await make();
    const { look } = await watchLooking(site);
    await site.client.query("ALTER TABLE artists DISABLE TRIGGER USER");
    await site.client.query("INSERT INTO artists VALUES (2, 'Bo')");
    await site.client.query(`ALTER TABLE artists ENABLE ALWAYS TRIGGER "${rowTrigger}"`);
    await site.client.query("INSERT INTO artists VALUES (3, 'Cy')");
    expect(new Set(await look())).toEqual(new Set(["reset /artists"]));
  });

  it("resets a table whose triggers were off within a transaction", async () => {
    const site = await make();
    const { look } = await watchLooking(site);
    await site.client.query(`BEGIN; ALTER TABLE artists DISABLE TRIGGER "${rowTrigger}"; INSERT INTO artists VALUES (2, 'Bo');
      ALTER TABLE artists ENABLE ALWAYS TRIGGER "${rowTrigger}"; COMMIT`);
    expect(await look()).toEqual(["reset /artists"]);
  });

  it("puts triggers back that were taken away, and on tables that are new", async () => {
    const site = await make();
    const { look } = await watchLooking(site);
    await site.client.query(
      `DROP TRIGGER "${rowTrigger}" ON artists; ALTER TABLE artists DISABLE TRIGGER "!rocket truncate"`,
    );
    await site.client.query("CREATE TABLE albums (id int PRIMARY KEY)");
    await look();
    await look();
    await look();
    await site.client.query("INSERT INTO artists VALUES (2, 'Bo'); INSERT INTO albums VALUES (1)");
    expect((await look()).slice(-2)).toEqual(["create /artists/2", "create /albums/1"]);
  });

  it("resets a table that was dropped, made anew or renamed", async () => {
    const site = await make();
    const { look } = await watchLooking(site);
    await site.client.query("DROP TABLE artists");
    expect(await look()).toEqual(["reset /artists"]);
    await site.client.query(artists);
    await look();
    await look();
    await site.client.query("INSERT INTO artists VALUES (2, 'Bo')");
    expect((await look()).at(-1)).toBe("create /artists/2");
    await site.client.query("ALTER TABLE artists RENAME TO singers");
    await site.client.query("INSERT INTO singers VALUES (3, 'Cy')");
    expect(await look()).toEqual(["reset /artists", "reset /singers"]);
  });

  it("resets a table that gets or loses partitions with rows in them", async () => {
    const site = await make();
    await site.client.query(`CREATE TABLE events (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE a PARTITION OF events FOR VALUES FROM (0) TO (10); CREATE TABLE b (id int PRIMARY KEY)`);
    const { look } = await watchLooking(site);
    await site.client.query("INSERT INTO b VALUES (10)");
    expect(await look()).toEqual(["create /b/10"]);
    await site.client.query("ALTER TABLE events ATTACH PARTITION b FOR VALUES FROM (10) TO (20)");
    expect(await look()).toContain("reset /events");
    await look();
    await site.client.query("INSERT INTO events VALUES (1), (11)");
    expect((await look()).slice(-2)).toEqual(["create /events/1", "create /events/11"]);
    await site.client.query("ALTER TABLE events DETACH PARTITION a");
    expect(await look()).toContain("reset /events");
  });

  it.each([
    ["partition", "days", ""],
    [
      "partition's partition",
      "weeks",
      "CREATE TABLE weeks PARTITION OF days FOR VALUES FROM (0) TO (99) PARTITION BY RANGE (id)",
    ],
  ])("resets a table of which a %s was away, and is back as if nothing had been", async (_of, parent, sql) => {
    const site = await make();
    await site.client.query(`CREATE TABLE days (id int PRIMARY KEY) PARTITION BY RANGE (id); ${sql};
      CREATE TABLE first PARTITION OF ${parent} FOR VALUES FROM (0) TO (10); INSERT INTO days VALUES (1), (2)`);
    const { look } = await watchLooking(site);
    await site.client.query(`BEGIN; ALTER TABLE ${parent} DETACH PARTITION first; DELETE FROM first WHERE id = 1;
      ALTER TABLE ${parent} ATTACH PARTITION first FOR VALUES FROM (0) TO (10); COMMIT`);
    expect(await look()).toContain("reset /days");
    await site.client.query("DELETE FROM days WHERE id = 2");
    expect(await look()).toEqual(["delete /days/2"]);
  });

  it.each([
    [
      "an enum in domains of domains",
      "CREATE DOMAIN inner_kind AS kind; CREATE DOMAIN outer_kind AS inner_kind",
      "outer_kind",
    ],
    ["an array's domain over an enum", "CREATE DOMAIN kinds AS kind[]", "kinds"],
    ["a composite with an enum", "CREATE TYPE pair AS (one kind, two int)", "pair"],
    ["an array of such", "CREATE TYPE pair AS (one kind, two int)", "pair[]"],
  ])("resets a table whose type is made of one with other words: %s", async (_of, types, type) => {
    const site = await make();
    await site.client.query(
      `CREATE TYPE kind AS ENUM ('a', 'b'); ${types}; CREATE TABLE things (id int PRIMARY KEY, of ${type})`,
    );
    const { look } = await watchLooking(site);
    await site.client.query("ALTER TYPE kind RENAME VALUE 'a' TO 'z'");
    expect(await look()).toEqual(["reset /things"]);
  });

  it("resets a table whose composite type has other attributes", async () => {
    const site = await make();
    await site.client.query(
      "CREATE TYPE pair AS (one int, two int); CREATE TABLE things (id int PRIMARY KEY, of pair)",
    );
    const { look } = await watchLooking(site);
    await site.client.query("ALTER TYPE pair ADD ATTRIBUTE three int");
    expect(await look()).toEqual(["reset /things"]);
  });

  it("resets a table whose enum has other words", async () => {
    const site = await make();
    await site.client.query("CREATE TYPE mood AS ENUM ('sad', 'ok'); ALTER TABLE artists ADD COLUMN mood mood[]");
    const { look } = await watchLooking(site);
    await site.client.query("UPDATE artists SET mood = '{sad}'");
    await look();
    await site.client.query("ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'");
    expect(await look()).toEqual(["reset /artists"]);
    await site.client.query("ALTER TYPE mood ADD VALUE 'glad'");
    expect(await look()).toEqual(["reset /artists"]);
  });

  it("tells nothing of temporary tables, nor of indexes", async () => {
    const site = await make();
    const { look } = await watchLooking(site);
    await site.client.query("CREATE TEMP TABLE artists_2 (id int PRIMARY KEY); INSERT INTO artists_2 VALUES (1)");
    for (const sql of ["CREATE INDEX ON artists (name)", "VACUUM FULL artists", "ANALYZE artists"]) {
      await site.client.query(sql);
    }
    expect(await look()).toEqual([]);
  });

  it("has nothing of the schema read again because of temporary tables, and what is made of them", async () => {
    const site = await make();
    const { look } = await watchLooking(site);
    await look();
    const [before] = await ask(site, "SELECT schema_changes FROM rocket.state");
    const steps = [
      "CREATE TEMP TABLE mine (id serial PRIMARY KEY, name text NOT NULL DEFAULT 'a' CHECK (name <> ''))",
      "CREATE INDEX ON mine (name)",
      "CREATE TRIGGER fixed BEFORE UPDATE ON mine FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
      "CREATE POLICY all_of_it ON mine",
      "ALTER TABLE mine ADD COLUMN born int",
      "CREATE TEMP VIEW ours AS SELECT * FROM mine",
      "CREATE TEMP TABLE copy AS SELECT * FROM mine",
      "SELECT * INTO TEMP other FROM mine",
      "DROP TRIGGER fixed ON mine",
      "DROP VIEW ours",
      "DROP TABLE mine, copy",
      "DROP TABLE IF EXISTS nothing",
    ];
    for (const sql of steps) await site.client.query(sql);
    expect(await look()).toEqual([]);
    expect(await ask(site, "SELECT schema_changes FROM rocket.state")).toEqual([before]);
    await site.client.query("CREATE VIEW names AS SELECT name FROM artists");
    await look();
    const [then] = await ask(site, "SELECT schema_changes FROM rocket.state");
    expect(then).not.toBe(before);
    await site.client.query("DROP VIEW names");
    await look();
    expect(await ask(site, "SELECT schema_changes FROM rocket.state")).not.toEqual([then]);
  });

  it(`has ${way.includes("may make no") ? "no event triggers" : "event triggers"}`, async () => {
    const site = await make();
    await watch(site, "user" in site ? { user: String(site.user) } : {});
    const names = way.includes("may make no") ? [] : ["rocket_drop", "rocket_schema"];
    expect(await ask(site, "SELECT evtname FROM pg_event_trigger ORDER BY 1")).toEqual(names);
  });
});

describe("a journal", () => {
  it.each([
    ["is UNLOGGED", "CREATE UNLOGGED TABLE t (id int PRIMARY KEY)", /UNLOGGED/],
    ["has no key", "CREATE TABLE t (id int UNIQUE)", /nothing tells its rows apart/],
    ["is inherited from", "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u () INHERITS (t)", /inherit/],
  ])("says why it can't watch a table that %s", async (_, sql, reason) => {
    const site = await newSite(server, sql);
    const { journal } = await watch(site);
    expect(journal.unwatched.get("public.t")).toMatch(reason);
    expect(await ask(site, "SELECT count(*) FROM pg_trigger WHERE tgrelid = 't'::regclass")).toEqual(["0"]);
  });

  it("does not wait for a migration that keeps its tables locked", async () => {
    const site = await newSite(
      server,
      `${artists}; CREATE TABLE events (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE part PARTITION OF events FOR VALUES FROM (0) TO (10); CREATE TABLE albums (id int PRIMARY KEY)`,
    );
    const { look } = await watchLooking(site);
    await site.client.query("INSERT INTO events VALUES (1)");
    const migration = await server.connect(site.database);
    await migration.query("BEGIN; ALTER TABLE events ADD COLUMN a int; ALTER TABLE albums ADD COLUMN a int; LOCK part");
    await site.client.query("INSERT INTO artists VALUES (2, 'Bo')");
    expect(await look()).toEqual(["create /events/1", "create /artists/2"]);
    await migration.query("COMMIT");
    expect((await look()).sort()).toEqual(["reset /albums", "reset /events"]);
  });

  it("does not hold up writers for long where a table stays locked, and says so", async () => {
    const site = await newSite(server, artists);
    const clock = createFakeClock();
    const other = await server.connect(site.database);
    await other.query("BEGIN; INSERT INTO artists VALUES (2, 'Bo')");
    const watching = watch(site, { clock });
    let isDone = false;
    const done = watching.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await clock.advance(200);
      await site.client.query("INSERT INTO artists SELECT max(id) + 10 FROM artists");
    }
    const { journal } = await watching;
    await done;
    expect(journal.unwatched.get("public.artists")).toMatch(/locked/);
    await other.query("COMMIT");
    await journal.arm();
    expect(journal.unwatched.size).toBe(0);
  });

  it("is taken out without a trace", async () => {
    const site = await newSite(
      server,
      `${artists}; CREATE TABLE events (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE a PARTITION OF events FOR VALUES FROM (0) TO (10)`,
    );
    const { journal, pool } = await watch(site);
    await detachPostgres(pool);
    await site.client.query("INSERT INTO artists VALUES (2, 'Bo'); INSERT INTO events VALUES (1)");
    expect(await ask(site, "SELECT tgname FROM pg_trigger")).toEqual([]);
    expect(await ask(site, "SELECT evtname FROM pg_event_trigger")).toEqual([]);
    expect(await ask(site, "SELECT nspname FROM pg_namespace WHERE nspname = 'rocket'")).toEqual([]);
    await expect(journal.poll()).rejects.toMatchObject({ code: "journal-detached" });
  });

  it("begins anew in a process that starts after that", async () => {
    const site = await newSite(server, artists);
    const first = await watch(site);
    await detachPostgres(first.pool);
    const second = await watch(site);
    await site.client.query("INSERT INTO artists VALUES (2, 'Bo')");
    expect(await second.news()).toEqual(["create /artists/2"]);
    expect(await second.journal.locate(first.journal.head.eventId)).toBeUndefined();
    expect((await first.news())[0]).toBe("lost");
  });

  it("leaves a schema alone that has its name and is not its own", async () => {
    const site = await newSite(server, `${artists}; CREATE SCHEMA rocket; CREATE TABLE rocket.moon (id int)`);
    await expect(watch(site)).rejects.toMatchObject({ code: "database-invalid" });
    expect(await ask(site, "SELECT count(*) FROM rocket.moon")).toEqual(["0"]);
  });

  it("tells each change once of a partition that was a table before, though nobody may take its triggers off", async () => {
    const { database, client } = await newSite(
      server,
      `CREATE TABLE events (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE part (id int PRIMARY KEY)`,
    );
    const user = `guest_${database}`;
    await client.query(`CREATE ROLE ${user} LOGIN; GRANT SELECT ON events, part TO ${user}`);
    const pool = await connectPool({ server, database }, { user });
    await client.query(await journalScript(pool));
    const { news } = await watch({ server, database, client }, { pool });
    await client.query("ALTER TABLE events ATTACH PARTITION part FOR VALUES FROM (1) TO (9)");
    expect((await news()).sort()).toEqual(["reset /events", "reset /part"]);
    await client.query("INSERT INTO events VALUES (1)");
    await client.query("UPDATE part SET id = 2");
    expect((await news()).filter((word) => !word.startsWith("reset"))).toEqual([
      ...["create /events/1", "delete /events/1", "create /events/2"],
    ]);
  });

  it("is made by an administrator where the role may not, and is used by the role", async () => {
    const { database, client } = await newSite(server, `${artists}; CREATE TABLE keyless (a int)`);
    const user = `guest_${database}`;
    await client.query(`CREATE ROLE ${user} LOGIN; GRANT SELECT, INSERT ON artists TO ${user}`);
    const site = { server, database, client, user };
    const pool = await connectPool(site, { user });
    await expect(watch(site, { pool })).rejects.toMatchObject({ code: "journal-denied" });
    const script = await journalScript(pool);
    expect(script).toMatch(/-- public\.keyless can't be watched: nothing tells/);
    await client.query(script);
    await client.query(script);
    const { journal, news } = await watch(site, { pool });
    await client.query("INSERT INTO artists VALUES (2, 'Bo')");
    expect(await news()).toEqual(["create /artists/2"]);
    expect([...journal.unwatched.keys()]).toEqual(["public.keyless"]);
    await client.query("CREATE TABLE later (id int PRIMARY KEY)");
    await journal.arm();
    expect(journal.unwatched.get("public.later")).toMatch(/rocket sql/);
    await client.query(await journalScript(pool));
    await journal.arm();
    await client.query("INSERT INTO later VALUES (1)");
    expect((await news()).at(-1)).toBe("create /later/1");
    expect([...journal.unwatched.keys()]).toEqual(["public.keyless"]);
    await expect(pool.query("UPDATE rocket.state SET position = 0")).rejects.toThrow(/permission denied/);
  });

  it("of an earlier version is made anew by what the administrator runs again", async () => {
    const { database, client } = await newSite(server, artists);
    const user = `guest_${database}`;
    await client.query(`CREATE ROLE ${user} LOGIN; GRANT SELECT ON artists TO ${user}`);
    const site = { server, database, client, user };
    const pool = await connectPool(site, { user });
    await client.query(await journalScript(pool));
    await client.query("UPDATE rocket.state SET version = version - 1");
    await expect(watch(site, { pool })).rejects.toMatchObject({ code: "journal-denied" });
    await client.query(await journalScript(pool));
    const { news } = await watch(site, { pool });
    await client.query("INSERT INTO artists VALUES (2, 'Bo')");
    expect(await news()).toEqual(["create /artists/2"]);
    expect(await ask(site, "SELECT evtname FROM pg_event_trigger ORDER BY 1")).toEqual([
      "rocket_drop",
      "rocket_schema",
    ]);
  });
});

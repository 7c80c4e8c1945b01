import { describe, expect, it } from "vitest";
import { programs, serverOfFile } from "./server.ts";
import { ask, newSite, tell, watch } from "./workspace.ts";

const server = serverOfFile();
/** The embedded PostgreSQL is 18, the first that has virtual columns. */
const itOn18 = it.skipIf(programs !== undefined);
const artists = "CREATE TABLE artists (id int PRIMARY KEY, name text)";

/** A trigger that writes a new row again. */
function stamping(name: string): string {
  return `CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN UPDATE artists SET name = name || '!' WHERE id = NEW.id; RETURN NULL; END $$;
    CREATE TRIGGER "${name}" AFTER INSERT ON artists FOR EACH ROW EXECUTE FUNCTION stamp()`;
}

describe("a journal tells of", () => {
  it("COPY", async () => {
    const site = await newSite(server, artists);
    const { news } = await watch(site);
    await site.client.query("COPY artists FROM PROGRAM 'printf \"1\\tAnn\\n2\\tBo\\n\"'");
    expect(await news()).toEqual(["create /artists/1", "create /artists/2"]);
  });

  it("ON CONFLICT and MERGE, which create some records and update others", async () => {
    const site = await newSite(server, `${artists}; INSERT INTO artists VALUES (1, 'Ann')`);
    const { news } = await watch(site);
    await site.client.query("INSERT INTO artists VALUES (1, 'a'), (2, 'b') ON CONFLICT (id) DO UPDATE SET name = 'x'");
    await site.client.query("INSERT INTO artists VALUES (1, 'a'), (3, 'b') ON CONFLICT DO NOTHING");
    expect(await news()).toEqual(["update /artists/1", "create /artists/2", "create /artists/3"]);
    await site.client.query(`MERGE INTO artists a USING (VALUES (1), (2), (4)) v (id) ON a.id = v.id
      WHEN MATCHED AND v.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET name = 'm'
      WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'n')`);
    expect((await news()).sort()).toEqual(["create /artists/4", "delete /artists/1", "update /artists/2"]);
  });

  it("cascades", async () => {
    const site = await newSite(
      server,
      `${artists}; CREATE TABLE albums (id int PRIMARY KEY, artist int REFERENCES artists ON DELETE CASCADE ON UPDATE CASCADE);
      CREATE TABLE notes (id int PRIMARY KEY, album int REFERENCES albums ON DELETE SET NULL);
      INSERT INTO artists VALUES (1, 'Ann'); INSERT INTO albums VALUES (10, 1); INSERT INTO notes VALUES (100, 10)`,
    );
    const { news } = await watch(site);
    await site.client.query("UPDATE artists SET id = 2");
    expect(await news()).toEqual(["delete /artists/1", "create /artists/2", "update /albums/10"]);
    await site.client.query("DELETE FROM artists");
    expect(await news()).toEqual(["delete /artists/2", "delete /albums/10", "update /notes/100"]);
  });

  it("TRUNCATE as a reset, of a partition alone, too", async () => {
    const site = await newSite(
      server,
      `${artists}; CREATE TABLE events (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10);
      INSERT INTO artists VALUES (1, 'Ann'); INSERT INTO events VALUES (1)`,
    );
    const { news } = await watch(site);
    await site.client.query("TRUNCATE artists");
    expect(await news()).toEqual(["reset /artists"]);
    await site.client.query("TRUNCATE events_1");
    expect(await news()).toEqual(["reset /events"]);
  });

  it("partitions under the whole table's name, and of records that move from one into another", async () => {
    const site = await newSite(
      server,
      `CREATE TABLE events (id int, name text, region text, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
      CREATE TABLE north PARTITION OF events FOR VALUES IN ('north');
      CREATE TABLE south (name text, gone int, region text NOT NULL, id int NOT NULL);
      ALTER TABLE south DROP COLUMN gone; ALTER TABLE events ATTACH PARTITION south FOR VALUES IN ('south')`,
    );
    const { journal, batches, news } = await watch(site);
    await site.client.query("INSERT INTO events VALUES (1, 'a', 'north'), (2, 'b', 'south')");
    await journal.poll();
    expect(batches.flatMap(({ changes }) => changes.map((change) => change.represent().body))).toEqual([
      '{"id":1,"name":"a","region":"north"}',
      '{"name":"b","region":"south","id":2}',
    ]);
    await news();
    await site.client.query("UPDATE events SET region = 'south' WHERE id = 1");
    expect(await news()).toEqual(["delete /events/north,1", "create /events/south,1"]);
  });

  it("composite keys and unique indexes that stand for a key", async () => {
    const site = await newSite(
      server,
      `CREATE TABLE places (b text, a int, n int, PRIMARY KEY (a, b));
      CREATE TABLE tags (name text NOT NULL UNIQUE, weight int)`,
    );
    const { news } = await watch(site);
    await site.client.query("INSERT INTO places VALUES ('x,y', 1, 0); INSERT INTO tags VALUES ('new', 1)");
    await site.client.query("UPDATE places SET n = 2; UPDATE tags SET weight = 2");
    expect(await news()).toEqual([
      ...["create /places/1,x,y", "create /tags/new", "update /places/1,x,y", "update /tags/new"],
    ]);
  });

  it("writers that have no rights in its schema, and runs nothing of theirs with its own", async () => {
    const { database, client } = await newSite(server, artists);
    const user = `clerk_${database}`;
    await client.query(`CREATE ROLE ${user} LOGIN; GRANT ALL ON artists TO ${user};
      CREATE SCHEMA theirs AUTHORIZATION ${user}`);
    const { news } = await watch({ server, database, client });
    const clerk = await server.connect(database, user);
    await clerk.query(`SET search_path = theirs, pg_catalog; CREATE TABLE outbox (x int);
      CREATE FUNCTION pg_trigger_depth() RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''as %'', current_user; END'`);
    await clerk.query("INSERT INTO public.artists VALUES (1, 'Ann')");
    expect(await news()).toEqual(["create /artists/1"]);
    await expect(clerk.query("SELECT * FROM rocket.outbox")).rejects.toThrow(/permission denied/);
    await expect(clerk.query("SELECT rocket.trim(0, 0, null, 1)")).rejects.toThrow(/permission denied/);
  });

  it("writers that would have no triggers fire", async () => {
    const site = await newSite(server, artists);
    const { news } = await watch(site);
    await site.client.query("SET session_replication_role = replica");
    await site.client.query("INSERT INTO artists VALUES (1, 'Ann'); TRUNCATE artists");
    expect(await news()).toEqual(["create /artists/1", "reset /artists"]);
  });

  it("writers where the database's defaults are others than are needed to give positions", async () => {
    const site = await newSite(server, artists);
    const settings = ["default_transaction_isolation = serializable", "default_transaction_read_only = on"];
    await site.client.query(
      [...settings, "statement_timeout = 1000", "lock_timeout = 1000"]
        .map((setting) => `ALTER DATABASE ${site.database} SET ${setting}`)
        .join("; "),
    );
    const { journal, batches } = await watch(site);
    await site.client.query("INSERT INTO artists VALUES (1, 'Ann')");
    await site.client.query("BEGIN; SELECT * FROM rocket.state FOR UPDATE");
    const polled = journal.poll();
    await site.client.query("SELECT pg_sleep(1.2)");
    await site.client.query("COMMIT");
    await polled;
    expect(tell(batches)).toEqual(["create /artists/1"]);
  });

  it("what other triggers wrote to the row after it, in the order of the writes", async () => {
    const site = await newSite(server, `${artists}; ${stamping("a_first")}`);
    const { journal, batches } = await watch(site);
    await site.client.query("INSERT INTO artists VALUES (1, 'Ann')");
    await journal.poll();
    expect(batches.flatMap(({ changes }) => changes.map(({ after }) => after?.name))).toEqual(["Ann", "Ann!"]);
  });

  it("a table as changed, where another trigger wrote a row again before it was noted", async () => {
    const site = await newSite(server, `${artists}; ${stamping("!first")}`);
    const { news } = await watch(site);
    await site.client.query("INSERT INTO artists VALUES (1, 'Ann')");
    expect(await news()).toEqual(["reset /artists"]);
    await site.client.query("UPDATE artists SET name = 'Bo'");
    expect(await news()).toEqual(["update /artists/1"]);
  });

  it("a table as changed, where a trigger wrote a row again whose own write comes to the triggers later", async () => {
    const site = await newSite(
      server,
      `CREATE TABLE parts (id int PRIMARY KEY, name text); INSERT INTO parts VALUES (1, 'a'), (2, 'b'), (3, 'c');
      CREATE FUNCTION next() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN UPDATE parts SET name = name || '+' WHERE id = OLD.id + 1; RETURN NULL; END $$;
      CREATE TRIGGER next AFTER UPDATE ON parts FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION next()`,
    );
    const { news } = await watch(site);
    await site.client.query("UPDATE parts SET name = 'x' WHERE id = 1");
    expect(await news()).toEqual(["update /parts/1", "update /parts/2"]);
    await site.client.query("UPDATE parts SET name = 'y'");
    expect(await news()).toEqual(["reset /parts"]);
    await site.client.query("UPDATE parts SET name = 'z' WHERE id = 3");
    expect(await news()).toEqual(["update /parts/3"]);
  });

  describe("a table as changed, where a trigger makes a row with a key that its statement has freed:", () => {
    const when = (event: string, body: string, name = "zz"): string =>
      `CREATE TABLE parts (id int PRIMARY KEY, n int); INSERT INTO parts SELECT g, g FROM generate_series(1, 50) g;
      CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} RETURN NULL; END $$;
      CREATE TRIGGER "${name}" AFTER ${event} ON parts FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION again()`;
    const first = (body: string): string => `IF OLD.id = 1 THEN ${body} END IF;`;
    const make = "INSERT INTO parts VALUES (2, 500);";

    it.each([
      ["deleted", when("DELETE", first(make)), "DELETE FROM parts WHERE id IN (1, 2)"],
      ["changed", when("UPDATE", first(make)), "UPDATE parts SET id = id + 100 WHERE id IN (1, 2)"],
      [
        "changed again",
        when("DELETE", first(`${make} UPDATE parts SET n = 501 WHERE id = 2;`)),
        "DELETE FROM parts WHERE id IN (1, 2)",
      ],
      ["alone", when("DELETE", "INSERT INTO parts VALUES (OLD.id, 7);", "!first"), "DELETE FROM parts WHERE id = 1"],
      ["many", when("DELETE", "INSERT INTO parts VALUES (OLD.id, OLD.n + 1000);"), "DELETE FROM parts"],
    ])("%s", async (_what, sql, statement) => {
      const site = await newSite(server, sql);
      const { news } = await watch(site);
      await site.client.query(statement);
      expect(await news()).toEqual(["reset /parts"]);
    });

    it("and tells each change where a later statement writes what a trigger made, or one of another key", async () => {
      const site = await newSite(server, when("DELETE", "INSERT INTO parts VALUES (OLD.id + 100, 7);"));
      const { news } = await watch(site);
      await site.client.query("BEGIN; DELETE FROM parts WHERE id = 1; UPDATE parts SET n = 8 WHERE id = 101; COMMIT");
      expect(await news()).toEqual(["delete /parts/1", "create /parts/101", "update /parts/101"]);
      await site.client.query("DELETE FROM parts WHERE id IN (2, 3)");
      expect(await news()).toEqual(["delete /parts/2", "create /parts/102", "delete /parts/3", "create /parts/103"]);
    });
  });

  it("rows that refer to rows of their own table, whose keys change all at once", async () => {
    const site = await newSite(
      server,
      `CREATE TABLE parts (id int PRIMARY KEY, parent int REFERENCES parts ON UPDATE CASCADE);
      INSERT INTO parts VALUES (1, 2), (2, NULL)`,
    );
    const { journal, batches } = await watch(site);
    await site.client.query("UPDATE parts SET id = id + 10");
    await journal.poll();
    const seen = new Map<string, string>();
    for (const change of batches.flatMap(({ changes }) => changes)) {
      if (change.kind === "delete") seen.delete(change.url);
      else seen.set(change.url, String(change.represent().body));
    }
    expect(Object.fromEntries(seen)).toEqual({
      "/parts/11": '{"id":11,"parent":12}',
      "/parts/12": '{"id":12,"parent":null}',
    });
  });

  it("a table as changed, where records swap keys that are checked at the end only", async () => {
    const site = await newSite(
      server,
      `CREATE TABLE seats (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, name text);
      INSERT INTO seats VALUES (1, 'a'), (2, 'b')`,
    );
    const { news } = await watch(site);
    await site.client.query("UPDATE seats SET id = 3 - id");
    expect(new Set(await news())).toEqual(new Set(["reset /seats"]));
  });

  it("stored generated columns as they are", async () => {
    const site = await newSite(
      server,
      "CREATE TABLE sums (id int PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED)",
    );
    const { journal, batches } = await watch(site);
    await site.client.query("INSERT INTO sums VALUES (1, 4); UPDATE sums SET a = 5");
    await journal.poll();
    expect(batches.flatMap(({ changes }) => changes.map((change) => change.represent().body))).toEqual([
      '{"id":1,"a":4,"twice":8}',
      '{"id":1,"a":5,"twice":10}',
    ]);
  });

  itOn18("virtual generated columns as they are, those of partitions, too", async () => {
    const site = await newSite(
      server,
      `CREATE TABLE sums (id int, gone int, a int, twice int GENERATED ALWAYS AS (a * 2), "t'o" text,
        at timestamptz, day text GENERATED ALWAYS AS (upper("t'o") || '%"') VIRTUAL, PRIMARY KEY (id)) PARTITION BY RANGE (id);
      ALTER TABLE sums DROP COLUMN gone;
      CREATE TABLE low PARTITION OF sums FOR VALUES FROM (0) TO (10)`,
    );
    const { journal, batches } = await watch(site);
    await site.client.query("SET TimeZone = 'Asia/Kolkata'");
    await site.client.query(`INSERT INTO sums (id, a, "t'o", at)
      VALUES (1, 4, 'x,"y', '2026-03-01 12:00+00'), (2, NULL, NULL, NULL)`);
    await site.client.query("UPDATE sums SET a = 5 WHERE id = 1; DELETE FROM sums WHERE id = 1");
    await journal.poll();
    const rest = `"t'o":"x,\\"y","at":"2026-03-01T12:00:00+00:00","day":"X,\\"Y%\\""}`;
    const changes = batches.flatMap((batch) => batch.changes);
    expect(changes.slice(0, 3).map((change) => change.represent().body)).toEqual([
      `{"id":1,"a":4,"twice":8,${rest}`,
      `{"id":2,"a":null,"twice":null,"t'o":null,"at":null,"day":null}`,
      `{"id":1,"a":5,"twice":10,${rest}`,
    ]);
    expect(changes[2]?.representBefore?.()?.body).toBe(changes[0]?.represent().body);
    expect(changes[3]?.before?.twice).toBe("10");
    await site.client.query("UPDATE sums SET a = 7 WHERE id = 2");
    await journal.poll();
    expect(batches.at(-1)?.changes.map((change) => change.represent().body)).toEqual([
      `{"id":2,"a":7,"twice":14,"t'o":null,"at":null,"day":null}`,
    ]);
  });

  itOn18("a virtual generated column that can't be computed, as a change of its table", async () => {
    const site = await newSite(
      server,
      "CREATE TABLE shares (id int PRIMARY KEY, a int, b int, share int GENERATED ALWAYS AS (a / b))",
    );
    const { news } = await watch(site);
    await site.client.query("INSERT INTO shares VALUES (1, 4, 2); INSERT INTO shares VALUES (2, 4, 0)");
    expect(new Set(await news())).toEqual(new Set(["reset /shares"]));
    await site.client.query("UPDATE shares SET b = 4 WHERE id = 1");
    expect(await news()).toEqual(["update /shares/1"]);
  });

  it("nothing of a backend that was ended in its transaction", async () => {
    const site = await newSite(server, artists);
    const { news } = await watch(site);
    const other = await server.connect(site.database);
    await other.query("BEGIN; INSERT INTO artists SELECT g, 'x' FROM generate_series(1, 1000) g");
    const { rows } = await other.query("SELECT pg_backend_pid()");
    await site.client.query("SELECT pg_terminate_backend($1, 10000)", [rows[0].pg_backend_pid]);
    await site.client.query("INSERT INTO artists VALUES (1, 'Ann')");
    expect(await news()).toEqual(["create /artists/1"]);
    expect(await ask(site, "SELECT count(*) FROM rocket.outbox")).toEqual(["0"]);
  });
});

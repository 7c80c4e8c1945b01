import { describe, expect, it, onTestFinished } from "vitest";
import { type Field, fieldValue } from "../../../src/protocol/index.ts";
import type { Scaffold } from "../../../src/scaffold/index.ts";
import { createHub } from "../../../src/server/index.ts";
import { connectMemoryPeer, type MemoryPeer } from "../../../src/testing/index.ts";
import { serverOfFile } from "./server.ts";
import { serve } from "./service.ts";

const server = serverOfFile();

const shop = `CREATE TABLE orders (id int PRIMARY KEY, customer text NOT NULL, amount numeric NOT NULL);
  CREATE TABLE other (id serial PRIMARY KEY);
  CREATE TABLE logged (at timestamptz, text text);
  CREATE VIEW totals AS SELECT customer, sum(amount) AS total, count(*) AS orders FROM orders GROUP BY customer;
  CREATE VIEW large AS SELECT customer AS url, total FROM totals WHERE total > 10;
  INSERT INTO orders VALUES (1, 'Ann', 7.50), (2, 'Bo', 20), (3, 'Ann', 5)`;

/** Someone who follows a URL, and what came. */
interface Watcher {
  readonly peer: MemoryPeer;
  /** Resolves to the rows of the newest document, once so many came. */
  document(count: number): Promise<unknown>;
}

/** Follows URLs of a scaffold until the test ends. */
function followerOf(scaffold: Scaffold): (target: string) => Promise<Watcher> {
  const hub = createHub({ ...scaffold });
  onTestFinished(() => hub.close(0));
  return async (target) => {
    const peer = await connectMemoryPeer(hub, target, { level: 1, fields: [["Host", "example.com"]] });
    const documents = () => peer.messages.filter(({ status }) => status === 200);
    return {
      peer,
      async document(count) {
        while (documents().length < count) await new Promise<void>((resolve) => setImmediate(resolve));
        return Object.values(JSON.parse(String(documents()[count - 1]?.body)) as object)[0];
      },
    };
  };
}

function items(fields: readonly Field[]): string | undefined {
  return fieldValue(fields, "items");
}

describe("A view of the database", () => {
  it("is a collection whose rows have no URLs, filtered and ordered", async () => {
    const { send, errors } = await serve(server, shop);

    const all = await send("GET", "/totals?order=customer");
    const ann = await send("GET", "/totals?customer=Ann");
    const large = await send("GET", "/large?order=total.desc&limit=1");

    const rows = [
      { customer: "Ann", total: 12.5, orders: 2 },
      { customer: "Bo", total: 20, orders: 1 },
    ];
    expect([all.json, ann.json, large.json]).toEqual([
      { totals: rows },
      { totals: [rows[0]] },
      { large: [{ url: "Bo", total: 20 }] },
    ]);
    expect([items(all.fields), items(large.fields)]).toEqual([
      'list="/totals", record="/total", link="/url"',
      'list="/large", record="/large", link="/_url"',
    ]);
    expect(large.field("Link")).toBe('</large?limit=1&offset=1&order=total.desc>; rel="next"');
    expect(errors).toEqual([]);
  });

  it("can be read only", async () => {
    const { send } = await serve(server, shop);
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const answer = await send(method, "/totals", {});
      expect([answer.status, answer.field("Allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
    }
    expect((await send("OPTIONS", "/totals")).field("Allow")).toBe("GET, HEAD, OPTIONS");
    expect((await send("GET", "/totals/Ann")).status).toBe(404);
  });

  it("is followed: it comes anew when a table that it reads has changed, and not when another has", async () => {
    const { scaffold, client } = await serve(server, shop);
    const asked: string[] = [];
    const origin: Scaffold["origin"] = (request) => {
      asked.push(request.target);
      return scaffold.origin(request);
    };
    const follow = followerOf({ ...scaffold, origin });
    const watchers = [await follow("/totals?customer=Ann"), await follow("/large")];
    const [ann, large] = await Promise.all(watchers.map(({ document }) => document(1)));
    expect([ann, large]).toEqual([[{ customer: "Ann", total: 12.5, orders: 2 }], expect.any(Array)]);

    await client.query("INSERT INTO other DEFAULT VALUES");
    await scaffold.journal?.poll();
    await client.query("UPDATE orders SET amount = 8 WHERE id = 1");

    expect(await watchers[0]?.document(2)).toEqual([{ customer: "Ann", total: 13, orders: 2 }]);
    expect(await watchers[1]?.document(2)).toContainEqual({ url: "Ann", total: 13 });
    expect(asked.filter((target) => target === "/large")).toHaveLength(2);
    await client.query("DELETE FROM orders WHERE customer = 'Ann'; TRUNCATE orders");
    expect(await watchers[0]?.document(3)).toEqual([]);
  });

  it("is followed where it reads what is not served, and by a function", async () => {
    const { scaffold, client } = await serve(
      server,
      `${shop}; CREATE SCHEMA hidden; CREATE TABLE hidden.rates (rate int); INSERT INTO hidden.rates VALUES (2);
      CREATE FUNCTION rate() RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT rate FROM hidden.rates); END $$;
      CREATE VIEW rated AS SELECT id, amount * r.rate AS rated FROM orders, hidden.rates r;
      CREATE VIEW called AS SELECT id + 0 AS id, amount * rate() AS rated FROM orders WHERE id = 2`,
    );
    const follow = followerOf(scaffold);
    const watchers = [await follow("/rated?order=id"), await follow("/called")];
    await Promise.all(watchers.map(({ document }) => document(1)));

    await client.query("UPDATE hidden.rates SET rate = 3");

    expect(await watchers[0]?.document(2)).toEqual([
      { id: 1, rated: 22.5 },
      { id: 2, rated: 60 },
      { id: 3, rated: 15 },
    ]);
    expect(await watchers[1]?.document(2)).toEqual([{ id: 2, rated: 60 }]);
  });

  it("comes and goes while the service runs", async () => {
    const { send, client } = await serve(server, shop);
    await client.query("CREATE VIEW late AS SELECT 1 AS one");
    expect((await send("GET", "/late")).json).toEqual({ late: [{ one: 1 }] });
    await client.query("CREATE OR REPLACE VIEW late AS SELECT 1 AS one, 'b' AS two");
    await client.query("DROP VIEW large");
    expect((await send("GET", "/late?two=b")).json).toEqual({ late: [{ one: 1, two: "b" }] });
    expect((await send("GET", "/large")).status).toBe(404);
  });

  it("that is materialized is read, and says why it can't be followed", async () => {
    const { send } = await serve(server, `${shop}; CREATE MATERIALIZED VIEW sums AS SELECT sum(amount) FROM orders`);
    const answer = await send("GET", "/sums");
    expect([answer.json, answer.url, answer.notLive]).toEqual([
      { sums: [{ sum: 32.5 }] },
      undefined,
      expect.stringMatching(/can't be watched/),
    ]);
  });
});

describe("A materialized view without data", () => {
  it("is refused with what gives it some, and is there from then on", async () => {
    const none = "CREATE MATERIALIZED VIEW sums AS SELECT sum(amount) AS sum FROM orders WITH NO DATA";
    const { send, client } = await serve(server, `${shop}; ${none}`);
    const refused = await send("GET", "/sums");
    expect([refused.status, refused.json]).toMatchObject([
      503,
      { detail: expect.stringContaining("REFRESH MATERIALIZED VIEW") },
    ]);
    await client.query("REFRESH MATERIALIZED VIEW sums");
    expect((await send("GET", "/sums")).json).toEqual({ sums: [{ sum: 32.5 }] });
  });
});

describe("What tells a view's rows apart", () => {
  it.each([
    [
      "the table's key under another name",
      "SELECT name, id AS number FROM artists",
      "GET, HEAD, PUT, PATCH, DELETE, OPTIONS",
    ],
    ["a view of a view", "SELECT id FROM base", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"],
    [
      "names with every sign",
      'SELECT id AS "a {:resno 3} (\\ b" FROM "odd ({"',
      "GET, HEAD, PUT, PATCH, DELETE, OPTIONS",
    ],
    ["groups", "SELECT id, count(*) FROM artists GROUP BY id", "GET, HEAD, OPTIONS"],
    [
      "a computed column beside it",
      "SELECT id, (SELECT max(id) FROM songs) FROM artists",
      "GET, HEAD, PUT, PATCH, DELETE, OPTIONS",
    ],
    ["what is not shown", "SELECT name FROM artists", undefined],
    ["what is computed", "SELECT id + 1 AS id FROM artists", undefined],
    ["a join", "SELECT songs.id FROM songs JOIN artists ON artists.id = artist", undefined],
    ["a union", "SELECT id FROM artists UNION ALL SELECT id FROM songs", undefined],
    ["a query in FROM", "SELECT id FROM (SELECT id FROM artists) x", undefined],
    ["rows that are given twice", "SELECT id, generate_series(1, 2) FROM artists", undefined],
    ["two tables", "SELECT a.id FROM artists a, songs", undefined],
  ])("is known, or not, of %s", async (_, select, allow) => {
    const { send } = await serve(
      server,
      `CREATE TABLE artists (id int PRIMARY KEY, name text); CREATE TABLE songs (id int PRIMARY KEY, artist int);
      CREATE TABLE "odd ({" (id int PRIMARY KEY); CREATE VIEW base AS SELECT name, id FROM artists; CREATE VIEW v AS ${select}`,
    );
    expect((await send("OPTIONS", "/v/1")).field("Allow")).toBe(allow);
    expect((await send("GET", "/v")).status).toBe(200);
  });

  it("is a unique index that includes other columns, too, of a table and of a view of it", async () => {
    const { send, client, scaffold } = await serve(
      server,
      `CREATE TABLE t (a int NOT NULL, b text); CREATE UNIQUE INDEX ON t (a) INCLUDE (b); INSERT INTO t VALUES (1, NULL);
      CREATE VIEW v AS SELECT * FROM t`,
    );
    expect((await send("GET", "/t/1")).view).toBeDefined();
    expect((await send("PATCH", "/v/1", { b: "x" })).json).toEqual({ v: { url: "/v/1", a: 1, b: "x" } });
    const batches: unknown[] = [];
    const end = scaffold.journal?.tail(({ changes }) => batches.push(...changes.map(({ url }) => url)));
    await client.query("UPDATE t SET b = 'y'");
    await scaffold.journal?.poll();
    end?.();
    expect(batches).toEqual(["/t/1"]);
  });

  it("is none to a role that may not read it, and the view is read all the same", async () => {
    const { scaffold } = await serve(
      server,
      `DROP ROLE IF EXISTS view_reader; CREATE ROLE view_reader;
      CREATE TABLE t (id int PRIMARY KEY, x text); INSERT INTO t VALUES (1, 'a'); CREATE VIEW v AS SELECT * FROM t;
      GRANT SELECT (x) ON v TO view_reader`,
      { tokens: { secret: "0123456789abcdef0123456789abcdef", anonymousRole: "view_reader" } },
    );
    const answer = await scaffold.origin({ method: "GET", target: "/v", fields: [], body: "" });
    expect([answer.status, answer.body]).toEqual([200, '{"v":[{"x":"a"}]}']);
  });
});

describe("A view that can't be read", () => {
  it("as one that is made of itself, or fails, keeps nothing else from being served", async () => {
    const { send, scaffold } = await serve(
      server,
      `CREATE TABLE projects (id int PRIMARY KEY); INSERT INTO projects VALUES (1), (2);
      CREATE VIEW itself AS SELECT * FROM projects; CREATE OR REPLACE VIEW itself AS SELECT * FROM itself;
      CREATE VIEW one AS SELECT * FROM projects; CREATE VIEW two AS SELECT * FROM one; CREATE OR REPLACE VIEW one AS SELECT * FROM two;
      CREATE VIEW many AS SELECT * FROM projects WHERE id = (SELECT id FROM projects);
      CREATE VIEW none AS SELECT id FROM projects WHERE 1 / (id - 1) = 1`,
    );
    const counts = await scaffold.collections();
    expect(counts.find(({ path }) => path === "/projects")).toEqual({ path: "/projects", count: 2 });
    expect(counts.filter(({ count }) => count === undefined)).toHaveLength(5);
    expect((await send("GET", "/projects")).status).toBe(200);
    for (const view of ["itself", "one", "two", "many", "none"]) {
      expect([view, (await send("GET", `/${view}`)).status]).toEqual([view, 500]);
    }
    expect((await send("GET", "/itself/1")).status).toBe(404);
  });

  it("is a table whose policy fails: its records are not counted", async () => {
    const { scaffold } = await serve(
      server,
      `CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY;
      CREATE POLICY fails ON t USING (1 / (id - 1) = 1); DROP ROLE IF EXISTS counter; CREATE ROLE counter LOGIN; GRANT SELECT ON t TO counter;
      GRANT USAGE ON SCHEMA public TO counter`,
      { user: "counter" },
    );
    expect(await scaffold.collections()).toEqual([{ path: "/t" }]);
  });
});

describe("A view that PostgreSQL takes writes to", () => {
  it("keeps to its own rule, and shows what it computes", async () => {
    const { send } = await serve(
      server,
      `CREATE TABLE songs (id int PRIMARY KEY, title text, plays int, twice int GENERATED ALWAYS AS (plays * 2) STORED);
      INSERT INTO songs VALUES (7, 'Low', 2000); 
      CREATE VIEW hits AS SELECT id, title, upper(title) AS shout, plays, twice FROM songs WHERE plays > 1000 WITH CHECK OPTION`,
    );
    const patch = await send("PATCH", "/hits/7", { title: "High", shout: "no", twice: 1 });
    const hit = { url: "/hits/7", id: 7, title: "High", shout: "HIGH", plays: 2000, twice: 4000 };
    expect([patch.status, patch.json]).toEqual([200, { hit }]);
    const less = await send("PATCH", "/hits/7", { plays: 3 });
    expect([less.status, less.text]).toEqual([422, expect.stringContaining("rule")]);
    expect((await send("PUT", "/hits/7", { title: "Put", plays: 3000 })).json).toMatchObject({ hit: { twice: 6000 } });
  });
});

describe("A table whose rows nothing tells apart", () => {
  it("is read and followed as a view is, and rows can be added", async () => {
    const { scaffold, client, send, errors } = await serve(server, shop);
    const watcher = await followerOf(scaffold)("/logged");
    expect(await watcher.document(1)).toEqual([]);

    await client.query("INSERT INTO logged VALUES ('2026-03-01', 'a'), ('2026-03-01', 'a')");

    const row = { at: "2026-03-01T00:00:00+00:00", text: "a" };
    expect(await watcher.document(2)).toEqual([row, row]);
    await client.query("DELETE FROM logged");
    expect(await watcher.document(3)).toEqual([]);
    const post = await send("POST", "/logged", { text: "b" });
    expect([post.status, post.text, post.field("Location")]).toEqual([201, "", undefined]);
    expect(await watcher.document(4)).toEqual([{ at: null, text: "b" }]);
    expect((await send("OPTIONS", "/logged")).field("Allow")).toBe("GET, HEAD, POST, OPTIONS");
    expect(errors).toEqual([]);
  });
});

import Database from "better-sqlite3";
import { expect, onTestFinished, test, vi } from "vitest";
import { serve } from "./service.ts";

/** The statements for which SQLite goes through the whole table. */
function scansIn(database: Database.Database, statements: Iterable<string>): string[] {
  const scans: string[] = [];
  for (const sql of statements) {
    if (!/^\s*(?:SELECT|WITH|UPDATE|DELETE|INSERT)\b/i.test(sql) || !sql.includes("events")) continue;
    const values = Array.from(sql.matchAll(/\?/g), () => null);
    const plan = database.prepare<null[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(...values);
    const steps = plan.map(({ detail }) => detail);
    const isScan = steps.some((step) => step.startsWith("SCAN events"));
    const isSorted = steps.some((step) => step === "USE TEMP B-TREE FOR ORDER BY");
    // Without a condition of its own, it ends at its limit.
    const isCut = /\bLIMIT\b/.test(sql) && !/WHERE (?!_rocket_go_on\(\) ORDER)/.test(sql);
    if (isScan && (isSorted || !isCut)) scans.push(sql);
  }
  return scans;
}

test("A big table is not read through to be served, filtered and sorted by an index, or followed", async () => {
  const statements = new Set<string>();
  const { prepare } = Database.prototype;
  const preparing = vi.spyOn(Database.prototype, "prepare").mockImplementation(function (this: Database.Database, sql) {
    statements.add(sql);
    return prepare.call(this, sql) as never;
  });
  onTestFinished(() => preparing.mockRestore());
  const { send, other, errors } = await serve(
    `CREATE TABLE events (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, at TEXT NOT NULL, note TEXT);
    WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 20000)
    INSERT INTO events SELECT n, n % 5000, 1700000000 + n * 7 % 99991, 'x' FROM g;
    CREATE INDEX kinds ON events (kind); CREATE INDEX times ON events (at); ANALYZE`,
  );

  const found = await Promise.all(
    [
      "/events/777",
      "/events?kind=eq.77",
      "/events?at=gte.1700000100&at=lt.1700000107",
      "/events?order=at.desc&limit=50",
      "/events?limit=50",
    ].map((target) => send("GET", target)),
  );
  const changed = await send("PATCH", "/events/777", { note: "y" });

  expect(found.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  // These are followed by the journal alone; the others are windows, which are asked for again.
  expect(found.slice(0, 3).map(({ view }) => view !== undefined)).toEqual([true, true, true]);
  expect(changed.status).toBe(200);
  preparing.mockRestore();
  // What a long read asks at each row.
  other.function("_rocket_go_on", { varargs: true }, () => 1);
  expect([...statements].filter((sql) => sql.includes("events")).length).toBeGreaterThan(6);
  expect(scansIn(other, statements)).toEqual([]);
  // What would have been found is found.
  const long = ["WHERE note = 'z' LIMIT 1", "ORDER BY note LIMIT 1", ""].map((end) => `SELECT * FROM events ${end}`);
  expect(scansIn(other, long)).toEqual(long);
  expect(errors).toEqual([]);
});

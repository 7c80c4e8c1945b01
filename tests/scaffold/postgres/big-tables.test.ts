import { expect, test } from "vitest";
import { serverOfFile } from "./server.ts";
import { serve } from "./service.ts";

const server = serverOfFile();

test("A big table is not read through to be served, filtered and sorted by an index, or followed", async () => {
  const { client, scaffold, send, errors } = await serve(
    server,
    `CREATE TABLE events (id int PRIMARY KEY, kind int NOT NULL, at timestamptz NOT NULL, note text);
    INSERT INTO events SELECT g, g % 5000, to_timestamp(1700000000 + g * 7 % 99991), repeat('x', 100) FROM generate_series(1, 100000) g;
    CREATE INDEX ON events (kind); CREATE INDEX ON events (at)`,
  );
  await client.query("ANALYZE events");
  const scans = async (): Promise<number> => {
    await client.query("SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()");
    const sql = "SELECT seq_scan AS scans FROM pg_stat_user_tables WHERE relname = 'events'";
    return Number((await client.query<{ scans: string }>(sql)).rows[0]?.scans);
  };
  const before = await scans();

  const found = await Promise.all(
    [
      "/events/777",
      "/events?kind=eq.77",
      "/events?at=gte.2023-11-15&at=lt.2023-11-15T00:01:00Z",
      "/events?order=at.desc&limit=50",
      "/events?limit=50",
    ].map((target) => send("GET", target)),
  );
  const changed = await send("PATCH", "/events/777", { note: "y" });
  // Each connection says what it has read when it ends, at the latest.
  await scaffold.close();

  expect(found.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  // These are followed by the journal alone; the others are windows, which are asked for again.
  expect(found.slice(0, 3).map(({ view }) => view !== undefined)).toEqual([true, true, true]);
  expect(changed.status).toBe(200);
  // What would have been counted is counted: a filter by a column without an index reads the table.
  expect(await scans()).toBe(before);
  await client.query("SELECT FROM events WHERE note = 'z'");
  expect(await scans()).toBe(before + 1);
  expect(errors).toEqual([]);
});

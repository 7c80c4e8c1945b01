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

describe("a read that waits for a table that is emptied and filled anew", () => {
  it.each([
    ["a list", plain, "TRUNCATE songs", "/songs"],
    ["a record", plain, "TRUNCATE songs", "/songs/1"],
    ["a list of which a partition is emptied", parted, "TRUNCATE songs_1", "/songs"],
    ["a record in a partition that is emptied", parted, "TRUNCATE songs_1", "/songs/1"],
  ])("shows what is there then, at its position: %s", async (_what, sql, empty, target) => {
    const { client, send } = await serve(server, sql);
    const { rows } = await client.query<{ name: string }>("SELECT current_database() AS name");
    const writer = await server.connect(rows[0]?.name ?? "");
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

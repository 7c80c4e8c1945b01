import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Client, createClient } from "../../src/client/index.ts";
import { createServer } from "../../src/node/index.ts";
import { createScaffold, type Scaffold } from "../../src/scaffold/index.ts";

const place = mkdtempSync(join(tmpdir(), "rocket-canonical-"));
let scaffold: Scaffold;
let server: ReturnType<typeof createServer>;
let client: Client;

beforeAll(async () => {
  const path = join(place, "data.db");
  const database = new Database(path);
  database.exec(`
    CREATE TABLE u (key TEXT PRIMARY KEY NOT NULL, n INTEGER);
    CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER);
  `);
  database.close();
  scaffold = await createScaffold({ path });
  server = createServer(scaffold);
  const { host, port } = await server.listen(0);
  client = createClient(`http://${host}:${port}`);
});

afterAll(async () => {
  client.close();
  await server.close();
  await scaffold.close();
  rmSync(place, { recursive: true, force: true });
});

describe("A record whose URL is written in another way than the server's [R-SUB-15]", () => {
  const spellings = [
    ["u", "O'Brien", `/u/${encodeURIComponent("O'Brien")}`],
    ["u", "a@b.c", "/u/a@b.c"],
    ["u", "a:b", "/u/a:b"],
    ["u", "(x)", "/u/(x)"],
    ["u", "a+b,c;d=e", "/u/a+b%2Cc;d=e"],
    ["u", "ä", "/u/ä"],
    ["t", 1, "/t/01"],
    ["t", 2, "/t/%32"],
  ] as const;

  it.each(spellings)(
    "of %s, %j as %s: is changed and destroyed live, also by an own write",
    async (table, key, path) => {
      const column = table === "u" ? "key" : "id";
      await client.collection<Record<string, unknown>>(`/${table}`).create({ [column]: key, n: 1 });
      const record = client.record<{ n: number }>(path);
      const stop = record.subscribe(() => {});
      const list = client.collection<Record<string, unknown>>(`/${table}`);
      const stopList = list.subscribe(() => {});
      await Promise.all([record.ready(), list.ready()]);
      await vi.waitUntil(
        () => record.getSnapshot().status.state === "live" && list.getSnapshot().status.state === "live",
      );
      const row = list.getSnapshot().rows.find((one) => one[column] === key) as Record<string, unknown>;
      await list.update(row, { n: 2 });
      await vi.waitUntil(() => record.getSnapshot().row?.n === 2);
      const done = record.update({ n: 3 });
      expect(record.getSnapshot().row?.n).toBe(3);
      expect(list.getSnapshot().rows.find((one) => one[column] === key)?.n).toBe(3);
      await done;
      const now = list.getSnapshot().rows.find((one) => one[column] === key) as Record<string, unknown>;
      await list.destroy(now);
      await vi.waitUntil(() => record.getSnapshot().status.problem?.status === 410);
      expect(record.getSnapshot().row).toBeUndefined();
      stop();
      stopList();
    },
  );
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type Collection, createClient } from "../../src/client/index.ts";
import { Selected, selectedBy } from "../../src/client/selected.ts";
import { createServer } from "../../src/node/index.ts";
import { createScaffold } from "../../src/scaffold/index.ts";

describe("What a select shows of a record", () => {
  it("is each column that it names, under its names", () => {
    const selected = new Selected('id, label:name,also:name,albums!inner(title,x:year),n.sum,"odd, id":born');

    expect(selected.show({ id: 1, name: "a", born: 2, title: "t", year: 3 })).toEqual({ id: 1, label: "a", also: "a" });
    expect(["id", "name", "title", "born"].map((name) => selected.memberOf(name))).toEqual([
      "id",
      "label",
      undefined,
      undefined,
    ]);
    expect(selected.isGrouped).toBe(false);
  });

  it("is all where all are named, but for names that something else has", () => {
    const selected = new Selected("*,genre:title,albums(count())");

    expect(selected.show({ id: 1, title: "a", genre: "g" })).toMatchObject({ id: 1, genre: "a" });
    expect(selected.memberOf("genre")).toBeUndefined();
    expect([
      selected.isGrouped,
      new Selected("genre,count()").isGrouped,
      new Selected("n:plays.sum()").isGrouped,
    ]).toEqual([false, true, true]);
  });

  it("is everything where a URL says nothing of it", () => {
    expect([selectedBy("/a?b=1"), selectedBy("/a?select=*"), selectedBy("/a")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

type Row = Record<string, unknown>;

/** A client of a server with some songs. */
async function start() {
  const place = mkdtempSync(join(tmpdir(), "rocket-selected-"));
  const path = join(place, "data.db");
  const database = new Database(path);
  database.exec(`CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT, genre TEXT, plays INTEGER NOT NULL DEFAULT 0);
    INSERT INTO songs VALUES (1, 'a', 'rock', 1), (2, 'b', 'rock', 2), (3, 'c', 'jazz', 3)`);
  database.close();
  const scaffold = await createScaffold({ path, readTimeoutMs: 60_000 });
  const server = createServer(scaffold);
  const { host, port } = await server.listen(0);
  const client = createClient(`http://${host}:${port}`);
  onTestFinished(async () => {
    client.close();
    await server.close();
    await scaffold.close();
    rmSync(place, { recursive: true, force: true });
  });
  /** Follows a list; `seen` has the rows of all that was ever shown. */
  const follow = async (query: Parameters<typeof client.collection<Row>>[1]) => {
    const list: Collection<Row> = client.collection<Row>("/songs", query);
    const seen: Row[] = [];
    onTestFinished(list.subscribe(() => seen.push(...list.getSnapshot().rows)));
    await list.ready();
    await vi.waitUntil(() => list.getSnapshot().status.state === "live", { timeout: 40_000 });
    const rows = (): readonly Row[] => list.getSnapshot().rows;
    const until = (...values: unknown[]): Promise<unknown> =>
      vi.waitUntil(() => JSON.stringify(rows().map((row) => Object.values(row)[1])) === JSON.stringify(values), {
        timeout: 40_000,
      });
    return { list, seen, rows, until };
  };
  return { follow };
}

function keysOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.map((row) => Object.keys(row).join()))];
}

describe("A list of what is selected", { timeout: 60_000 }, () => {
  it("shows own writes ahead of time as the server will show them, and stays right where it lacks what it is judged by", async () => {
    const { follow } = await start();
    const { list, seen, until, rows } = await follow({
      select: "name:title",
      where: { genre: "rock" },
      order: "plays.desc",
    });
    expect(rows()).toEqual([
      { url: "/songs/2", name: "b" },
      { url: "/songs/1", name: "a" },
    ]);

    await list.update("/songs/1", { title: "A" });
    await until("b", "A");
    await list.update("/songs/1", { plays: 9 });
    await until("A", "b");
    await list.create({ title: "new", genre: "rock", plays: 5 });
    await until("A", "new", "b");
    await list.update("/songs/1", { genre: "jazz" });
    await until("new", "b");
    await list.destroy("/songs/2");
    await until("new");

    const shown = seen.map((row) =>
      Object.keys(row)
        .filter((name) => name !== "url")
        .join(),
    );
    expect([...new Set(shown)]).toEqual(["name"]);
  });

  it("is not judged by a member that only has a column's name", async () => {
    const { follow } = await start();
    const { list, seen, until } = await follow({ select: ["genre:title"], where: { genre: "rock" } });
    const before = seen.length;

    await list.update("/songs/1", { title: "jazz" });
    await until("jazz", "b");

    const first = seen.slice(before).findIndex(({ genre }) => genre === "jazz");
    expect(first).toBeGreaterThanOrEqual(0);
  });

  it("is not sorted by a member that only has a column's name", async () => {
    const { follow } = await start();
    const { list, until, rows } = await follow({ select: "plays:title", order: "plays" });
    const first: unknown[] = [];
    onTestFinished(list.subscribe(() => first.push(rows()[0]?.plays)));

    await list.update("/songs/1", { title: "z" });
    await until("z", "b", "c");

    expect([...new Set(first)].filter((title) => title !== "a")).toEqual(["z"]);
  });

  it("gives no other list rows that are not whole", async () => {
    const { follow } = await start();
    const some = await follow({ select: "name:title", where: { genre: "rock" } });
    const jazz = await follow({ where: { genre: "jazz" } });

    await some.list.update("/songs/1", { genre: "jazz" });
    await vi.waitUntil(() => jazz.rows().length === 2, { timeout: 40_000 });

    expect(keysOf(jazz.seen)).toEqual(["url,id,title,genre,plays"]);
  });

  it("of groups shows no record that is created", async () => {
    const { follow } = await start();
    const counts = await follow({ select: "genre,count()" });
    const list = await follow({});

    await list.list.create({ title: "x", genre: "rock" });
    await vi.waitUntil(() => counts.rows().some((row) => row.count === 3), { timeout: 40_000 });

    expect(keysOf(counts.seen)).toEqual(["genre,count"]);
  });
});

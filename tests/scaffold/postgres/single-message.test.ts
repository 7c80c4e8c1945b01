import pg from "pg";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { EndedEarly, type Session } from "../../../src/scaffold/postgres/driver.ts";
import { LastAsked } from "../../../src/scaffold/postgres/engine/last-asked.ts";
import { readAlone } from "../../../src/scaffold/postgres/engine/shared-reads.ts";
import { serverOfFile } from "./server.ts";
import { serve } from "./service.ts";
import { connectPool, newSite } from "./workspace.ts";

const server = serverOfFile();
const songs = `CREATE TABLE songs (id int PRIMARY KEY, plays int);
  INSERT INTO songs SELECT g, g * 10 FROM generate_series(1, 300) g`;
const begin = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "SELECT 'begun'"];

/** Counts the messages that connections which read are sent. To be called before any is made. */
function counting(): () => number {
  const reading = new Set<pg.Connection>();
  let count = 0;
  const { parse, sync } = pg.Connection.prototype;
  const parsing = vi.spyOn(pg.Connection.prototype, "parse").mockImplementation(function (
    this: pg.Connection,
    ...given
  ) {
    if (given[0].text === begin[0]) reading.add(this);
    parse.apply(this, given);
  });
  const syncing = vi.spyOn(pg.Connection.prototype, "sync").mockImplementation(function (this: pg.Connection) {
    if (reading.has(this)) count += 1;
    sync.apply(this);
  });
  onTestFinished(() => {
    parsing.mockRestore();
    syncing.mockRestore();
  });
  return () => count;
}

describe("A transaction that reads", () => {
  it("is one message, if all is asked at once", async () => {
    const count = counting();
    const pool = await connectPool(await newSite(server, songs), { max: 1 });
    const read = () => pool.reading(begin, (session) => session.query("SELECT plays FROM songs WHERE id = 7"));
    for (let use = 0; use < 5; use += 1) expect(await read()).toEqual([["70"]]);
    expect(count()).toBe(5);
  });

  it("refuses what is asked later, and leaves nothing open", async () => {
    const pool = await connectPool(await newSite(server, songs), { max: 1 });
    const late = pool.reading(begin, async (session) => {
      await session.query("SELECT 1");
      return session.query("SELECT 2");
    });
    await expect(late).rejects.toThrow(EndedEarly);
    expect(await pool.query("SELECT pg_current_xact_id_if_assigned() IS NULL, count(*) FROM songs")).toEqual([
      ["t", "300"],
    ]);
  });

  it("goes on where it is kept open", async () => {
    const count = counting();
    const pool = await connectPool(await newSite(server, songs), { max: 1 });
    const read = () =>
      pool.reading(begin, async (session, begun) => {
        session.keepOpen();
        const [first, beginning] = await Promise.all([session.query("SELECT now()"), begun]);
        return [beginning, first, await session.query("SELECT now()")];
      });
    const [beginning, first, second] = await read();
    expect(beginning).toEqual([["begun"]]);
    expect(second).toEqual(first);
    // The end is not waited for, but by who needs the connection.
    await pool.query("SELECT 1");
    expect(count()).toBe(3);
  });

  it("is carried out again, and kept open, for a read that asks more", async () => {
    const pool = await connectPool(await newSite(server, songs), { max: 1 });
    const read = async (session: Session) => [await session.query("SELECT now()"), await session.query("SELECT now()")];
    const [first, second] = await readAlone({ pool, begin }, read);
    expect(second).toEqual(first);
  });

  it("is over where a statement in it fails", async () => {
    const pool = await connectPool(await newSite(server, songs), { max: 1 });
    await expect(pool.reading(begin, (session) => session.query("SELECT 1 / 0"))).rejects.toThrow(/division/);
    expect(await pool.reading(begin, (session) => session.query("SELECT 2"))).toEqual([["2"]]);
  });
});

describe("A GET", () => {
  it("of a record or a short list is one message", async () => {
    const count = counting();
    const { send } = await serve(server, songs);
    for (const target of ["/songs/7", "/songs?limit=20"]) {
      // Of the first list, more is asked.
      for (let use = 0; use < 10; use += 1) await send("GET", target);
      const before = count();
      for (let use = 0; use < 5; use += 1) await send("GET", target);
      expect([target, count() - before]).toEqual([target, 5]);
    }
  });

  it("after which more was asked lately is kept open from the start", async () => {
    const count = counting();
    const { send } = await serve(server, songs);
    await send("GET", "/songs/301");
    const before = count();
    for (let use = 0; use < 5; use += 1) await send("GET", "/songs/301");
    // The record, and its table's file; one more where it began anew.
    expect(count() - before).toBe(10);
  });

  it("gives what one message does not, at one position", async () => {
    const { send, client } = await serve(server, songs);
    for (const round of [1, 2, 3]) {
      await client.query("UPDATE songs SET plays = $1", [round]);
      const [missing, all, part] = [
        await send("GET", "/songs/301"),
        await send("GET", "/songs"),
        await send("GET", "/songs?id=gt.300"),
      ];
      expect([missing.status, part.json]).toEqual([404, { songs: [] }]);
      const { songs: rows } = all.json as { readonly songs: readonly { readonly plays: number }[] };
      expect([rows.length, ...new Set(rows.map(({ plays }) => plays))]).toEqual([300, round]);
    }
  });
});

describe("What is likely asked last", () => {
  it("is whatever nothing followed lately", () => {
    const asked = new LastAsked();
    expect(asked.isLikely("a list")).toBe(true);
    asked.note("a list", false);
    expect([asked.isLikely("a list"), asked.isLikely("a record")]).toEqual([false, true]);
    for (let uses = 0; uses < 7; uses += 1) asked.note("a list", true);
    expect(asked.isLikely("a list")).toBe(false);
    asked.note("a list", true);
    expect(asked.isLikely("a list")).toBe(true);
  });

  it("forgets what was longest not asked", () => {
    const asked = new LastAsked();
    for (let at = 0; at <= 1_000; at += 1) asked.note(`list ${at}`, false);
    expect([asked.isLikely("list 0"), asked.isLikely("list 1")]).toEqual([true, false]);
  });
});

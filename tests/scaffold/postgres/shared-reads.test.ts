import { describe, expect, it } from "vitest";
import { NotAlone, SharedReads } from "../../../src/scaffold/postgres/engine/shared-reads.ts";
import { PreparedNames } from "../../../src/scaffold/postgres/prepared-names.ts";
import { systemClock } from "../../../src/server/index.ts";
import { serverOfFile } from "./server.ts";
import { serve } from "./service.ts";
import { connectPool, newSite } from "./workspace.ts";

const server = serverOfFile();
const songs = `CREATE TABLE songs (id int PRIMARY KEY, plays int);
  INSERT INTO songs SELECT g, g * 10 FROM generate_series(1, 300) g`;

describe("Reads that are asked for at once", () => {
  it("share a transaction, and each has its own answer at its position", async () => {
    const { send, client } = await serve(server, `${songs}; CREATE VIEW moment AS SELECT now() AS began, 1 AS one`);
    await client.query("UPDATE songs SET plays = 11 WHERE id = 1");
    // What it reads is found out once, in a transaction of its own.
    await send("GET", "/moment");
    const [first, second, list, missing, other] = await Promise.all([
      send("GET", "/songs/1"),
      send("GET", "/moment"),
      send("GET", "/songs?plays=gte.2900&order=id.desc"),
      send("GET", "/songs/301"),
      send("GET", "/moment"),
    ]);
    expect(first.json).toEqual({ song: { url: "/songs/1", id: 1, plays: 11 } });
    expect(list.json).toMatchObject({ songs: Array.from({ length: 11 }, (_, at) => ({ id: 300 - at })) });
    expect([missing.status, list.field("Event-ID")]).toEqual([404, first.field("Event-ID")]);
    expect(second.text).toBe(other.text);
    const later = await send("GET", "/moment");
    expect(later.text).not.toBe(second.text);
  });

  it("are not troubled by one that the database refuses", async () => {
    const { send, errors } = await serve(
      server,
      `${songs}; CREATE VIEW broken AS SELECT 1 / (plays - 10) AS one FROM songs`,
    );
    const targets = [
      "/songs/1",
      "/broken",
      "/songs/2",
      "/songs?plays=eq.nonsense",
      "/songs?limit=2",
      "/broken",
      "/songs/3",
    ];
    const answers = await Promise.all(targets.map((target) => send("GET", target)));
    expect(answers.map(({ status }) => status)).toEqual([200, 500, 200, 400, 200, 500, 200]);
    expect(answers[6]?.json).toEqual({ song: { url: "/songs/3", id: 3, plays: 30 } });
    expect(errors).toHaveLength(2);
  });

  it("are begun again where one must have a transaction of its own, and only that one", async () => {
    const pool = await connectPool(await newSite(server, songs), { max: 2 });
    const reads = new SharedReads({ pool, clock: systemClock, begin: ["BEGIN"] });
    const shared: boolean[] = [];
    const lonely = reads.run(async (session, _begun, isShared) => {
      shared.push(isShared);
      if (isShared) throw new NotAlone();
      return session.query("SELECT 'alone'");
    });
    const other = reads.run(async (session, _begun, isShared) => [isShared, await session.query("SELECT 2")]);
    expect([await lonely, await other, shared]).toEqual([[["alone"]], [true, [["2"]]], [true, false]]);
  });

  it("do not wait for one that takes long", async () => {
    const { send, client } = await serve(server, `${songs}; CREATE TABLE kept (id int PRIMARY KEY)`);
    await client.query("BEGIN; LOCK TABLE kept");
    const waiting = send("GET", "/kept");
    const others = await Promise.all(["/songs/1", "/songs/2"].map((target) => send("GET", target)));
    expect(others.map(({ status }) => status)).toEqual([200, 200]);
    const isOver = await Promise.race([waiting.then(() => true), send("GET", "/songs/3").then(() => false)]);
    expect(isOver).toBe(false);
    await client.query("COMMIT");
    expect((await waiting).status).toBe(200);
  });

  it("give more rows than one portion has, up to where they end", async () => {
    const { send } = await serve(server, songs, { maxRows: 1000 });
    const lists = await Promise.all(
      ["/songs", "/songs?plays=gt.0", "/songs?limit=100", "/songs?offset=200"].map((target) => send("GET", target)),
    );
    const counts = lists.map(({ json }) => (json as { songs: unknown[] }).songs.length);
    expect(counts).toEqual([300, 300, 100, 100]);
  });
});

describe("A connection that keeps statements prepared", () => {
  it("prepares them anew, as all others do, where a column has another type", async () => {
    const site = await newSite(server, songs);
    const pool = await connectPool(site, { max: 2 });
    const sql = "SELECT plays, pg_backend_pid() FROM songs WHERE id = 7";
    const read = () => pool.reading(["BEGIN"], (session) => session.query(sql, [], "keep"));
    const before = await Promise.all([read(), read()]);
    expect(new Set(before.map(([row]) => row?.[1])).size).toBe(2);
    await site.client.query("ALTER TABLE songs ALTER plays TYPE text USING 'n' || plays");
    await expect(read()).rejects.toMatchObject({ code: "0A000" });
    expect((await Promise.all([read(), read()])).map(([row]) => row?.[0])).toEqual(["n70", "n70"]);
  });

  it("drops those that were not asked for longest where there are more than 200", () => {
    const names = new PreparedNames({ epoch: 0 });
    const prepare = (at: number) => names.nameOf(`SELECT ${at}`);
    const first = prepare(0);
    for (let at = 1; at < 210; at += 1) prepare(at);
    expect([prepare(0), names.takeUnwanted()]).toEqual([
      { name: first.name, isNew: false },
      Array.from({ length: 10 }, (_, at) => `rocket_${at + 2}`),
    ]);
    expect([names.takeUnwanted(), prepare(1).isNew, prepare(209).isNew]).toEqual([[], true, false]);
  });
});

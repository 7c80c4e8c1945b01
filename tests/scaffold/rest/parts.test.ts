import { describe, expect, onTestFinished, test } from "vitest";
import { fieldValue } from "../../../src/protocol/index.ts";
import type { ScaffoldOptions } from "../../../src/scaffold/index.ts";
import { createHub } from "../../../src/server/index.ts";
import { connectMemoryPeer, createFakeClock, Replica } from "../../../src/testing/index.ts";
import { type Service, serve } from "./service.ts";

const birds = "CREATE TABLE birds (id INTEGER PRIMARY KEY, name TEXT, bytes TEXT)";

async function start(options: Partial<ScaffoldOptions>) {
  const clock = createFakeClock();
  const service = await serve(birds, { clock, ...options });
  const { origin, journal, derived } = service.scaffold;
  const hub = createHub({ origin, derived, clock, ...(journal ? { journal } : {}) });
  onTestFinished(() => void hub.close(0));
  const told: string[] = [];
  /** The `Link` of each 200. */
  const link: (string | undefined)[] = [];
  const follow = async (target: string, lastEventId?: string): Promise<Replica> => {
    const replica = new Replica(target);
    const fields = [["Host", "example.com"] as const];
    await connectMemoryPeer(hub, target, {
      fields: lastEventId === undefined ? fields : [...fields, ["Last-Event-ID", lastEventId]],
      onMessage(message) {
        told.push(`${message.status} ${fieldValue(message.fields, "content-location") ?? ""}`);
        if (message.status === 200) link.push(fieldValue(message.fields, "link"));
        replica.take(message);
      },
    });
    await clock.advance(100);
    return replica;
  };
  return { ...service, clock, follow, told, link };
}

async function listed({ send }: Service, target: string): Promise<string[]> {
  const { json } = await send("GET", target);
  return (json as { birds: { url: string }[] }).birds.map(({ url }) => url);
}

function insert(count: number): string {
  return `INSERT INTO birds (name) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) SELECT 'x' FROM n`;
}

describe("A list of more than a GET answers [R-SUB-5]", () => {
  test("is followed as the GET has it, with the link to the rest, and what falls out at the cut leaves", async () => {
    const world = await start({ maxRows: 3 });
    world.other.exec(insert(5));
    const { other, follow, clock, told } = world;
    const replica = await follow("/birds?order=id.desc");
    expect([replica.ended, replica.isCaughtUp]).toEqual([undefined, true]);
    expect(replica.order).toEqual(["/birds/5", "/birds/4", "/birds/3"]);
    other.exec(insert(1));
    await clock.advance(200);
    expect(replica.order).toEqual(["/birds/6", "/birds/5", "/birds/4"]);
    expect(told).toEqual(expect.arrayContaining(["204 /birds/3", "201 /birds/6"]));
    expect(replica.snapshots).toBe(1);
  });

  test.each([
    ["grows past the cut while it is followed", undefined],
    ["is resumed, and grows past the cut", "resume"],
  ])("holds what the GET holds when it %s", async (_how, resume) => {
    const world = await start({ maxRows: 4 });
    world.other.exec(insert(3));
    const first = await world.follow("/birds");
    const replica = resume === undefined ? first : await world.follow("/birds", first.position);
    if (resume !== undefined) {
      expect(replica.snapshots).toBe(0);
      for (const [url, text] of first.records) replica.records.set(url, text);
    }
    for (let step = 0; step < 4; step += 1) {
      world.other.exec(insert(1));
      await world.clock.advance(200);
      expect([...replica.records.keys()].sort()).toEqual((await listed(world, "/birds")).sort());
    }
    world.other.exec("DELETE FROM birds WHERE id = 1");
    await world.clock.advance(200);
    expect([...replica.records.keys()].sort()).toEqual(["/birds/2", "/birds/3", "/birds/4", "/birds/5"]);
  });

  test("that grew while its follower was away comes as the GET has it", async () => {
    const world = await start({ maxRows: 4 });
    world.other.exec(insert(3));
    const { position } = await world.follow("/birds");
    world.other.exec(insert(4));
    const replica = await world.follow("/birds", position);
    expect([replica.snapshots, [...replica.records.keys()]]).toEqual([1, await listed(world, "/birds")]);
  });

  test("ends by bytes, too", async () => {
    const world = await start({ maxPageBytes: 2_000 });
    world.other.exec("INSERT INTO birds (bytes) VALUES (hex(zeroblob(300)))");
    const replica = await world.follow("/birds");
    for (let step = 0; step < 5; step += 1) {
      world.other.exec("INSERT INTO birds (bytes) VALUES (hex(zeroblob(300)))");
      await world.clock.advance(200);
    }
    expect([...replica.records.keys()]).toEqual(await listed(world, "/birds"));
    expect(replica.records.size).toBeLessThan(6);
  });

  test.each(["/birds?limit=2&offset=1", "/birds"])("has one answer for HTTP and a subscription: %s", async (target) => {
    const { send, other } = await start({ maxRows: 3 });
    other.exec(insert(5));
    for (const method of ["GET", "HEAD"]) {
      const answer = await send(method, target);
      expect(["Event-ID", "Item-Order"].map((name) => answer.field(name))).toEqual([undefined, undefined]);
      expect([answer.view, answer.notLive]).toEqual([undefined, undefined]);
    }
    expect(fieldValue((await send("GET", target)).fields, "Link")).toContain('rel="next"');
  });
});

describe("The link to the records after those of a view [R-SUB-18]", () => {
  test.each([
    ["a window", "/birds?limit=3", {}],
    ["a part that begins further down", "/birds?limit=3&offset=0&order=name", {}],
    ["a list that a GET answers the beginning of", "/birds", { maxRows: 3 }],
  ])("of %s comes and goes by what happens behind them", async (_what, target, limits) => {
    const world = await start(limits);
    world.other.exec(insert(4));
    const replica = await world.follow(target);
    const isThere = async (): Promise<boolean> => {
      await world.clock.advance(200);
      const answer = await world.send("GET", target);
      expect(world.link.at(-1)).toBe(answer.field("Link"));
      return world.link.at(-1) !== undefined;
    };
    expect(await isThere()).toBe(true);
    world.other.exec("DELETE FROM birds WHERE id = 4");
    expect(await isThere()).toBe(false);
    world.other.exec(insert(2));
    expect(await isThere()).toBe(true);
    expect([
      replica.snapshots,
      world.told.filter((told) => !told.startsWith("200") && !told.startsWith("304")),
    ]).toEqual([3, []]);
  });
});

describe("A list whose order its JSON does not tell", () => {
  test.each([
    ["a text in a BLOB column", "BLOB", "/t?order=x", ["'b'", "x'00'", "3"]],
    ["bytes in a TEXT column", "TEXT", "/t?order=x", ["x'ff'", "'a'", "x'3e'"]],
    ["bytes in a BOOLEAN column", "BOOLEAN", "/t?order=x.desc", ["x'ff'", "1", "0"]],
    ["a column without a type", "", "/t?order=x", ["18014398509481985", "'2'", "3"]],
    ["a JSON column", "JSON", "/t?order=x", ["'{}'", "'[1]'", "3"]],
  ])("is in the order of the GET: %s [R-FLD-5]", async (_what, declared, target, values) => {
    const world = await start({});
    world.other.exec(`CREATE TABLE t (x ${declared}); INSERT INTO t VALUES (${values[0]})`);
    // Its triggers are made once nothing more comes.
    await world.clock.advance(1_500);
    const replica = await world.follow(target);
    for (const value of values.slice(1)) {
      world.other.exec(`INSERT INTO t VALUES (${value})`);
      await world.clock.advance(400);
      const answer = await world.send("GET", target);
      expect(replica.order).toEqual((answer.json as { t: { url: string }[] }).t.map(({ url }) => url));
      for (const { field, view } of [answer, await world.send("HEAD", target)]) {
        expect([field("Item-Order"), field("Event-ID"), view]).toEqual([undefined, undefined, undefined]);
      }
    }
  });

  test("is one of those alone that its filter lets through", async () => {
    const { send, other } = await start({});
    other.exec("CREATE TABLE t (x TEXT, n INTEGER); INSERT INTO t VALUES ('a', 1), (x'ff', 2)");
    for (const method of ["GET", "HEAD"]) {
      const order = async (target: string) => (await send(method, target)).field("Item-Order");
      expect(await order("/t?n=1&order=x")).toBe("x.asc,rowid.asc-number");
      expect(await order("/t?n=2&order=x")).toBeUndefined();
    }
  });
});

import { describe, expect, it } from "vitest";
import { fieldValue } from "../../../src/protocol/index.ts";
import { AppWorld, briefs, json } from "./fixture.ts";

/** An app whose list says when it was made, at each look another time, beside what `around` says. */
function stamped() {
  let looks = 0;
  const state = { rows: [{ id: 1, text: "one" }], around: {} as object, isStamped: true };
  const world = new AppWorld(() => {
    looks += state.isStamped ? 1 : 0;
    return { meta: { at: looks, by: "app" }, ...state.around, items: state.rows };
  });
  return { world, state };
}

/** Follows it until it has learnt, by a write that shows nothing. */
async function learnt() {
  const { world, state } = stamped();
  const peer = await world.opened("/items");
  await world.changed("/items/7");
  await world.clock.advance(1_000);
  const seen = peer.messages.length;
  return { world, state, since: () => briefs(peer, seen).filter((brief) => brief !== "304") };
}

describe("A place outside the rows that differs at each look", () => {
  it("is no news once it is learnt, by the looks of one write", async () => {
    const { world, since } = await learnt();
    for (const url of ["/items/7", "/items/8"]) {
      await world.changed(url);
      await world.clock.advance(1_000);
    }
    expect(since()).toEqual([]);
  });

  it("is no news at regular looks, which learn it by one look beside them", async () => {
    const { world } = stamped();
    const peer = await world.opened("/items");
    await world.clock.advance(120_000);
    const seen = peer.messages.length;
    await world.clock.advance(600_000);
    expect(briefs(peer, seen).filter((brief) => brief !== "304")).toEqual([]);
  });

  it("is sent along with a change of the rows, once for each write", async () => {
    const { world, state, since } = await learnt();
    state.rows = [...state.rows, { id: 2, text: "two" }];
    await world.changed("/items/2");
    await world.clock.advance(1_000);
    expect(since()).toEqual(["200"]);
  });

  it.each([
    ["beside it", { total: 7 }],
    ["of an object around it", { meta: { at: -1, by: "me" } }],
  ])("does not hide a change %s", async (_where, around) => {
    const { world, state, since } = await learnt();
    state.around = around;
    await world.changed("/items");
    await world.clock.advance(1_000);
    expect(since()).toEqual(["200"]);
  });

  it("is news again once two looks show the same there [R-DER-6]", async () => {
    const { world, state, since } = await learnt();
    state.isStamped = false;
    state.around = { meta: { at: "done", by: "app" } };
    await world.changed("/items/7");
    await world.clock.advance(1_000);
    expect(since()).toEqual(["200"]);
  });

  it("is not one that differs from minute to minute", async () => {
    let total = 1;
    const world = new AppWorld(() => ({ total, items: [{ id: 1 }] }));
    const peer = await world.opened("/items");
    const seen = peer.messages.length;
    for (let minute = 0; minute < 5; minute += 1) {
      total += 1;
      await world.clock.advance(60_000);
    }
    expect(briefs(peer, seen).filter((brief) => brief === "200")).toHaveLength(5);
  });
});

/** An app that says in each row when it was made, at each look another time. */
function stampedRows(count = 3, filler = "") {
  let looks = 0;
  const state = {
    rows: Array.from({ length: count }, (_, nth) => ({ id: nth + 1, text: `text ${nth}${filler}` })),
    ticks: 1,
  };
  const world = new AppWorld(() => {
    looks += state.ticks;
    return { made: { by: "app" }, items: state.rows.map((row) => ({ ...row, now: { ms: looks } })) };
  });
  return { world, state };
}

const allRows = ["202 /items/1 #0", "202 /items/2 #1", "202 /items/3 #2"];

type Peer = Awaited<ReturnType<AppWorld["opened"]>>;

/** What a peer was sent since it was asked last, but for bookmarks. */
function sinceThen(peer: Peer): () => string[] {
  let seen = peer.messages.length;
  return () => {
    const found = briefs(peer, seen).filter((brief) => brief !== "304");
    seen = peer.messages.length;
    return found;
  };
}

/** The text of a row as a peer was told last. */
function textOf({ messages }: Peer, id: number): string {
  const told = messages.findLast(
    ({ status, fields }) => status === 202 && fieldValue(fields, "content-location") === `/items/${id}`,
  );
  return JSON.parse(String(told?.body ?? "{}")).text;
}

/** Has something be written, and waits for all looks that come of it. */
async function write(world: AppWorld, ...urls: string[]): Promise<void> {
  await world.changed(...urls);
  await world.clock.advance(1_000);
}

describe("A place in each row that differs at each look", () => {
  it("is no news after writes once it is learnt, by the looks of the first", async () => {
    const { world } = stampedRows();
    const since = sinceThen(await world.opened("/items"));
    await write(world, "/items/7");
    expect(since()).toEqual([...allRows, ...allRows]);
    for (const url of ["/items/7", "/items", "/items/8"]) await write(world, url);
    expect(since()).toEqual([]);
  });

  it("is sent by each regular look, since it may be more than a time stamp, and costs no further look", async () => {
    const { world } = stampedRows();
    const since = sinceThen(await world.opened("/items"));
    await world.clock.advance(120_000);
    since();
    world.takeGets();
    await world.clock.advance(300_000);
    const looks = world.takeGets();
    expect(looks).toBeGreaterThanOrEqual(5);
    expect(since()).toEqual(Array.from({ length: looks }, () => allRows).flat());
  });

  it("is sent along with a change of a row, once", async () => {
    const { world, state } = stampedRows();
    const peer = await world.opened("/items");
    await write(world, "/items/7");
    const since = sinceThen(peer);
    state.rows = state.rows.map((row) => (row.id === 2 ? { ...row, text: "another" } : row));
    await write(world, "/items/2");
    expect(since()).toEqual(allRows);
    expect(textOf(peer, 2)).toBe("another");
    state.rows = state.rows.slice(1);
    await write(world, "/items/1");
    expect(since()).toEqual(["204 /items/1", "202 /items/2 #0", "202 /items/3 #1"]);
  });

  it.each([
    ["before it is learnt", 0],
    ["then", 1],
  ])("does not pass for a write that is carried out 120 ms after its answer, %s", async (_when, writesBefore) => {
    const { world, state } = stampedRows();
    const peer = await world.opened("/items");
    for (let nth = 0; nth < writesBefore; nth += 1) await write(world, "/items/7");
    await world.changed("/items");
    await world.clock.advance(120);
    state.rows = state.rows.map((row) => (row.id === 2 ? { ...row, text: "late" } : row));
    await world.clock.advance(200);
    expect(textOf(peer, 2)).toBe("late");
  });

  it("is news again once two looks show the same there [R-DER-6]", async () => {
    const { world, state } = stampedRows();
    const peer = await world.opened("/items");
    await write(world, "/items/7");
    await write(world, "/items/7");
    const since = sinceThen(peer);
    state.ticks = 0;
    await write(world, "/items/7");
    expect(since()).toEqual(allRows);
    await write(world, "/items/7");
    expect(since()).toEqual([]);
  });

  it("is told each time in a document of more than 64 Ki characters", async () => {
    const { world } = stampedRows(3, "x".repeat(30_000));
    const since = sinceThen(await world.opened("/items"));
    for (let nth = 0; nth < 3; nth += 1) await write(world, "/items/7");
    expect(since().length).toBeGreaterThanOrEqual(3);
  });
});

describe("What is no such place", () => {
  it("is one that differs in some rows only: sensors, at each look", async () => {
    let looks = 0;
    const world = new AppWorld(() => {
      looks += 1;
      return json([1, 2, 3, 4].map((id) => ({ id, value: id === looks % 4 ? looks : 0, text: "a".repeat(200) })));
    });
    const since = sinceThen(await world.opened("/sensors"));
    for (let nth = 0; nth < 4; nth += 1) {
      await write(world, "/sensors/9");
      expect(since().join()).toMatch(/202 \/sensors\/\d/);
    }
  });

  it("is one that a write changes in all rows: it costs one more look the first time, and none then", async () => {
    const state = { rows: [1, 2, 3].map((id) => ({ id, position: id })) };
    const world = new AppWorld(() => ({ beside: "a".repeat(200), items: state.rows }));
    const since = sinceThen(await world.opened("/items"));
    const move = async (): Promise<number> => {
      state.rows = state.rows.map((row) => ({ ...row, position: row.position + 1 }));
      world.takeGets();
      await write(world, "/items/1");
      expect(since()).toEqual(allRows);
      return world.takeGets();
    };
    expect(await move()).toBeGreaterThan(1);
    expect([await move(), await move()]).toEqual([1, 1]);
  });
});

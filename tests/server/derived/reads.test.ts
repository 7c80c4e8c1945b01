import { describe, expect, it } from "vitest";
import { createHub, type Origin, type Reads } from "../../../src/server/index.ts";
import { connectMemoryPeer, createFakeClock, createMemoryStore, type MemoryPeer } from "../../../src/testing/index.ts";
import { briefs } from "./fixture.ts";

/** Documents that their members see, over a journal that tells of both. */
function createSite() {
  const clock = createFakeClock();
  const store = createMemoryStore({ collections: ["docs", "members", "others"], segment: "m", clock });
  const state = {
    reads: { collections: ["/docs", "/members"], isComplete: true } as Reads | undefined,
    gets: 0,
    /** Whether each GET shows a write that nobody was told of yet. */
    isBusy: false,
    /** How long the next GET takes after it has read everything. */
    slowMs: 1,
    /** Happens while a GET is under way that has read everything. */
    meanwhile: (): void => undefined,
  };
  const origin: Origin = async ({ target }) => {
    state.gets += 1;
    const reads = state.reads ? { reads: state.reads } : {};
    const version = state.isBusy ? state.gets : 0;
    const members = store.rows("members").map(({ id }) => id);
    const docs = store.rows("docs").filter(({ id }) => members.includes(id));
    const { meanwhile } = state;
    state.meanwhile = () => undefined;
    meanwhile();
    const ms = state.slowMs;
    state.slowMs = 1;
    await new Promise<void>((resolve) => clock.setTimer(resolve, ms));
    const fields = [["Content-Type", "application/json"]] as const;
    const id = /^\/docs\/(\d+)$/.exec(target)?.[1];
    if (id === undefined) return { status: 200, fields, body: JSON.stringify({ docs, version }), ...reads };
    const doc = docs.find((one) => one.id === Number(id));
    if (!doc) return { status: 404, fields: [], body: "" };
    return { status: 200, fields, body: JSON.stringify({ doc }), ...reads };
  };
  const hub = createHub({ origin, journal: store.journal, clock, derived: {} });
  const put = (collection: string, id: number, columns = {}): void =>
    void store.transaction((writer) => writer.put(collection, { id, ...columns }));
  const remove = (collection: string, id: number): void =>
    void store.transaction((writer) => writer.remove(collection, id));
  for (const id of [1, 2, 3]) put("docs", id, { title: `a title that is not short at all, of ${id}` });
  for (const id of [1, 2]) put("members", id);
  const open = async (target: string): Promise<MemoryPeer> => {
    await clock.settle();
    const peer = connectMemoryPeer(hub, target);
    await clock.advance(5);
    return peer;
  };
  return { clock, state, open, put, remove };
}

describe("A derived view of which the origin says what it was read from", () => {
  it("is looked at when that changes, and at nothing else", async () => {
    const { clock, state, open, put, remove } = createSite();
    const peer = await open("/docs");
    const before = state.gets;
    put("others", 1);
    await clock.advance(1_000);
    expect(state.gets).toBe(before);
    put("members", 3);
    remove("members", 1);
    await clock.advance(100);
    expect(briefs(peer)).toEqual(["204 /docs/1", "201 /docs/3 #1"]);
  });

  it("is looked at again where that was written to during its first GET", async () => {
    const { clock, state, open, put } = createSite();
    state.meanwhile = () => put("members", 3);
    const peer = await open("/docs");
    await clock.advance(200);
    expect(briefs(peer)).toEqual(["201 /docs/3 #2"]);
  });

  it("is looked at when what it reads now changes, and once more for what was missed", async () => {
    const { clock, state, open, put, remove } = createSite();
    const peer = await open("/docs");
    state.reads = { collections: ["/docs", "/others"], isComplete: true };
    const before = state.gets;
    put("docs", 1, { title: "another title that is not short at all" });
    await clock.advance(200);
    expect(state.gets).toBe(before + 2);
    remove("members", 1);
    await clock.advance(200);
    expect(briefs(peer)).toEqual(["202 /docs/1 #0"]);
    put("others", 1);
    await clock.advance(200);
    expect(briefs(peer)).toEqual(["202 /docs/1 #0", "204 /docs/1"]);
  });

  it("that may read anything is looked at when anything changes, four times a second at most", async () => {
    const { clock, state, open, put } = createSite();
    state.reads = { collections: ["/docs"], isComplete: false };
    await open("/docs");
    await clock.advance(1_000);
    const before = state.gets;
    for (let step = 0; step < 99; step += 1) {
      put("others", step);
      await clock.advance(10);
    }
    expect(state.gets - before).toBeGreaterThan(2);
    expect(state.gets - before).toBeLessThanOrEqual(4);
    await clock.advance(1_000);
    put("others", 1_000);
    const idle = state.gets;
    await clock.advance(1);
    expect(state.gets).toBe(idle + 1);
  });

  it("of a record ends at once where the record is not there for its viewer any more [R-DER-7]", async () => {
    const { clock, open, remove } = createSite();
    const peer = await open("/docs/1");
    remove("members", 1);
    await clock.advance(100);
    expect(briefs(peer)).toEqual(["204 /docs/1"]);
  });

  it("shows nobody who came meanwhile what a look has read before", async () => {
    const { clock, state, open, put, remove } = createSite();
    const first = await open("/docs");
    await clock.advance(1_000);
    state.slowMs = 100;
    put("members", 3);
    await clock.advance(20);
    remove("members", 3);
    const second = await open("/docs");
    await clock.advance(1_000);
    expect(briefs(second)).toEqual([]);
    expect(briefs(first)).toEqual([]);
  });

  it("opens with nothing older than its GET, whatever a look has read before and shows meanwhile", async () => {
    const { clock, state, open, put, remove } = createSite();
    const first = await open("/docs");
    await clock.advance(1_000);
    state.slowMs = 30;
    put("members", 3);
    await clock.advance(10);
    remove("members", 3);
    state.slowMs = 25;
    const second = await open("/docs");
    await clock.advance(1_000);
    expect(second.messages[0]?.body).toBe(first.messages[0]?.body);
    expect(briefs(second)).toEqual([]);
  });

  it("tells of each difference at one place, also where looks see them before they are told of", async () => {
    const { clock, state, open } = createSite();
    const peer = await open("/docs");
    state.isBusy = true;
    for (let step = 1; step <= 5; step += 1) {
      // Whoever opens it has it looked at.
      await open("/docs");
      await clock.advance(200);
    }
    const last = state.gets;
    expect(peer.messages.findLast(({ body }) => body !== "")?.body).toContain(`"version":${last}`);
  });
});

import { describe, expect, it } from "vitest";
import { AppWorld, briefs } from "./fixture.ts";

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

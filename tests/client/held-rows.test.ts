import { beforeAll, describe, expect, it } from "vitest";
import { World } from "./world.ts";

beforeAll(() => import("../../src/client/outbox.ts"));

/** A world in which a create is done, and its answers get lost for a while. */
function worldWithCreate(): World {
  const world = new World({ isIdempotent: true });
  world.service.write([{ name: "a", columns: { color: "red" } }]);
  world.answersToLose = 3;
  return world;
}

describe("While a create is on its way", () => {
  it("a list that is opened shows its rows at once", async () => {
    const world = worldWithCreate();
    const write = world.write((tag) => world.client.collection("/a").create({ tag, color: "blue" }));
    await world.clock.settle();
    const list = world.look("/a");
    await world.clock.advance(10);
    expect([write.outcome, list.shown.map(({ color }) => color)]).toEqual(["pending", ["red", "blue"]]);
    world.client.close();
  });

  it("a record that is known enters another list at once, and a new one of somebody else within 2 s", async () => {
    const world = worldWithCreate();
    const [all, some] = [world.look("/a"), world.look("/a?color=green")];
    await world.clock.advance(10);
    const write = world.write((tag) => all.collection.create({ tag, color: "blue" }));
    await world.clock.settle();
    world.service.write([{ name: "a", id: 1, columns: { color: "green" } }]);
    await world.clock.advance(10);
    expect(some.shown.map(({ id }) => id)).toEqual([1]);
    world.answersToLose = 1_000;
    world.service.write([{ name: "a", columns: { color: "green" } }]);
    await world.clock.advance(1_000);
    expect([all, some].map(({ shown }) => shown.length)).toEqual([2, 1]);
    all.check();
    await world.clock.advance(1_000);
    // Also that it was told.
    all.check();
    expect([write.outcome, ...[all, some].map(({ shown }) => shown.length)]).toEqual(["pending", 3, 2]);
    world.client.close();
  });

  it("nothing of it is left where the client is closed", async () => {
    const world = worldWithCreate();
    const list = world.look("/a");
    await world.clock.advance(10);
    world.write((tag) => list.collection.create({ tag, color: "blue" }));
    await world.clock.settle();
    world.service.write([{ name: "a", columns: { color: "green" } }]);
    await world.clock.advance(10);
    expect(list.shown.map(({ color }) => color)).toEqual(["red", "blue"]);
    world.client.close();
    expect(world.clientClock.timers).toBe(0);
  });
});

import { beforeAll, describe, expect, it } from "vitest";
import { Callbacks, Listeners } from "../../src/client/callbacks.ts";
import type { ClientClock } from "../../src/client/index.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { World } from "./world.ts";

beforeAll(() =>
  Promise.all([
    import("../../src/client/outbox.ts"),
    import("../../src/client/answers.ts"),
    import("../../src/client/fallback.ts"),
  ]),
);

/** A page that needs so long to draw what it is told. */
async function pageThatNeeds(drawMs: number) {
  const world = new World();
  for (let row = 0; row < 20; row += 1) world.service.write([{ name: "a", columns: { size: 0 } }]);
  const list = world.client.collection<{ size: number }>("/a");
  const states: string[] = [];
  let drawings = 0;
  list.subscribe(() => {
    drawings += 1;
    states.push(list.getSnapshot().status.state);
    world.clientClock.skewMs += drawMs;
  });
  await world.clock.advance(3_000);
  drawings = states.length = 0;
  const burst = async (seconds: number): Promise<void> => {
    for (let at = 0; at < seconds * 100; at += 1) {
      for (let write = 0; write < 7; write += 1)
        world.service.write([{ name: "a", id: 1 + (at % 20), columns: { size: at } }]);
      await world.clock.advance(10);
    }
  };
  return { world, list, states, burst, drawings: () => drawings };
}

describe("A burst of changes", () => {
  it("leaves a slow page time for everything else, is `behind` meanwhile, and equal within a second of its end", async () => {
    const { world, list, states, burst, drawings } = await pageThatNeeds(100);
    const seen: string[] = [];
    world.client.onStatus(() => seen.push(world.client.status.state));
    await burst(3);
    expect(list.getSnapshot().status.state).toBe("behind");
    // A drawing takes 100 ms, and so long nothing is drawn after it.
    expect(drawings()).toBeLessThan(60);
    await world.clock.advance(1_000);
    expect(list.getSnapshot().rows).toEqual(world.service.rows("a"));
    expect([list.getSnapshot().status.state, states.at(-1), states.includes("behind")]).toEqual(["live", "live", true]);
    expect(seen).toEqual(["behind", "live"]);
    const before = drawings();
    await world.clock.advance(15_000);
    expect(drawings()).toBe(before);
    world.client.close();
    expect(world.clientClock.timers).toBe(0);
  });

  it("is not drawn change by change where all of it stands in a queue before the first drawing is over", async () => {
    const clock = createFakeClock();
    let drawings = 0;
    const slow: ClientClock = {
      now: () => clock.now() + 100 * drawings,
      setTimer: (callback, ms) => clock.setTimer(callback, ms),
      random: () => 0,
    };
    const callbacks = new Callbacks({ clock: slow, onError: () => {}, onBehind: () => {} });
    const listeners = new Listeners(callbacks);
    listeners.add(() => {
      drawings += 1;
    });
    for (let message = 0; message < 50; message += 1) {
      listeners.tell();
      await Promise.resolve();
    }
    expect(drawings).toBe(1);
    await clock.advance(1_000);
    expect(drawings).toBe(2);
  });

  it("is told change by change to a page that is fast enough", async () => {
    const { world, states, burst, drawings } = await pageThatNeeds(0);
    await burst(1);
    expect(drawings()).toBeGreaterThan(500);
    expect(new Set(states)).toEqual(new Set(["live"]));
    world.client.close();
  });

  it("does not keep an own write from being shown at once", async () => {
    const { world, list, burst } = await pageThatNeeds(100);
    await burst(1);
    expect(list.getSnapshot().status.state).toBe("behind");
    let isTold = false;
    list.subscribe(() => {
      isTold = true;
    });
    void list.update("/a/1", { size: -1 });
    expect([isTold, list.getSnapshot().rows[0]?.size]).toEqual([true, -1]);
    world.client.close();
  });

  it("tells each answer once and in order, however slow the page is", async () => {
    const { world, burst } = await pageThatNeeds(100);
    const sizes: number[] = [];
    world.client.subscribe("/a/1", (_request, { status }, body) => {
      if (status === 202) sizes.push((body as { record: { size: number } }).record.size);
    });
    await world.clock.advance(50);
    await burst(1);
    await world.clock.advance(1_000);
    expect(sizes).toEqual([0, 20, 40, 60, 80].flatMap((size) => Array(7).fill(size)));
    world.client.close();
  });
});

describe("Where sockets are blocked, the status", () => {
  it("is `polling`, with the interval, until there is a socket again", async () => {
    const world = new World();
    world.service.write([{ name: "a", columns: {} }]);
    world.isBlocked = true;
    const list = world.look("/a");
    const replayed = world.replay("/a");
    await world.clock.advance(10_000);
    const status = { state: "polling", intervalMs: 5_000 };
    expect([list.live.getSnapshot().status, world.client.status, replayed.state]).toEqual([status, status, "polling"]);
    world.service.write([{ name: "a", columns: {} }]);
    await world.clock.advance(6_000);
    expect([list.shown.length, list.state]).toEqual([2, "polling"]);
    world.isBlocked = false;
    await world.clock.advance(60_000);
    expect([list.state, world.client.status]).toEqual(["live", { state: "live" }]);
    world.client.close();
  });

  it("is `polling` at Level 0 with a token, which no socket there can show: others may see other things", async () => {
    const world = new World({ kind: "level-0", wantsToken: true });
    world.service.write([{ name: "a", columns: {} }]);
    const list = world.look("/a");
    await world.clock.advance(3_000);
    expect([list.live.getSnapshot().status.state, list.shown.length, world.sockets.size]).toEqual(["polling", 1, 0]);
    world.service.write([{ name: "a", columns: {} }]);
    await world.clock.advance(7_000);
    expect([list.shown.length, world.sockets.size]).toEqual([2, 0]);
    world.client.close();
  });

  it("is `live` where a socket of Level 0 tells of changes", async () => {
    const world = new World({ kind: "level-0" });
    const list = world.look("/a");
    await world.clock.advance(1_000);
    expect(list.live.getSnapshot().status).toEqual({ state: "live" });
    world.client.close();
  });
});

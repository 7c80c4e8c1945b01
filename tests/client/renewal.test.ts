import { beforeAll, describe, expect, it } from "vitest";
import { World } from "./world.ts";

beforeAll(async () => {
  // Loaded here, so that no time passes when a client needs it.
  await Promise.all([import("../../src/client/outbox.ts"), import("../../src/client/answers.ts")]);
});

/** A token that ends so many seconds after the clock's beginning. */
function tokenUntil(seconds: number): string {
  return `e30.${Buffer.from(JSON.stringify({ exp: seconds })).toString("base64url")}.c2ln`;
}

describe.each(["direct", "derived"] as const)("A client with a token that ends, of a %s view,", (flavour) => {
  function worldUntil(seconds: number): World {
    const world = new World({ flavour, wantsToken: true });
    world.service.token = tokenUntil(seconds);
    world.service.write([{ name: "a", columns: { color: "red" } }]);
    return world;
  }

  it("asks for another one ahead of that, and stays live [R-SEC-11]", async () => {
    const world = worldUntil(50);
    const list = world.look("/a");
    await world.clock.advance(39_000);
    const states: string[] = [list.state];
    world.client.onStatus(() => states.push(world.client.status.state));
    world.service.token = tokenUntil(500);
    for (let second = 39; second < 120; second += 1) {
      await world.clock.advance(1_000);
      if (second % 7 === 0) world.service.write([{ name: "a", columns: { color: `at ${second}` } }]);
      states.push(list.state);
    }
    await world.clock.advance(2_000);
    expect([...new Set(states)]).toEqual(["live"]);
    expect(list.shown).toEqual(world.service.rows("a"));
    expect(world.sockets.size).toBe(1);
  });

  it("that is not renewed in time goes on from its position once it is [R-SEC-11]", async () => {
    const world = worldUntil(50);
    const list = world.look("/a");
    await world.clock.advance(49_900);
    expect(list.state).toBe("live");
    world.service.token = tokenUntil(500);
    world.service.write([{ name: "a", columns: { color: "late" } }]);
    await world.clock.advance(2_000);
    expect([list.state, list.shown]).toEqual(["live", world.service.rows("a")]);
  });

  it("asks for no other one once nothing is followed, and leaves no timer behind", async () => {
    const world = worldUntil(50);
    const list = world.look("/a");
    await world.clock.advance(1_000);
    list.stop();
    await world.clock.advance(60_000);
    world.client.close();
    expect(world.clientClock.timers).toBe(0);
  });

  it("whose views are refused asks for another one once for all of them", async () => {
    const world = worldUntil(500);
    const lists = ["/a", "/a?color=red", "/a?color=blue", "/a/1"].map((url) => world.look(url));
    await world.clock.advance(1_000);
    expect(lists.map(({ state }) => state)).toEqual(["live", "live", "live", "live"]);
    const before = world.tokensAsked;
    world.isTokenWrong = true;
    world.client.renew();
    while (world.tokensAsked === before) await Promise.resolve();
    world.isTokenWrong = false;
    await world.clock.advance(2_000);
    expect(lists.map(({ state }) => state)).toEqual(["live", "live", "live", "live"]);
    expect(world.tokensAsked - before).toBe(2);
  });
});

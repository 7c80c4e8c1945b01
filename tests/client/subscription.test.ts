import { getEventListeners } from "node:events";
import { beforeAll, describe, expect, it } from "vitest";
import type { Status } from "../../src/client/index.ts";
import { World } from "./world.ts";

beforeAll(() => import("../../src/client/answers.ts"));

function worldWithRows(count: number): World {
  const world = new World();
  for (let row = 0; row < count; row += 1) world.service.write([{ name: "a", columns: {} }]);
  return world;
}

describe("A subscription", () => {
  it("begins with the whole, whenever it joins", async () => {
    const world = worldWithRows(1);
    const statuses: number[][] = [[], []];
    world.client.subscribe("/a", (_request, { status }) => statuses[0]?.push(status));
    await world.clock.advance(10);
    world.service.write([{ name: "a", columns: {} }]);
    await world.clock.advance(10);
    world.client.subscribe("/a", (_request, { status }) => statuses[1]?.push(status));
    await world.clock.settle();
    world.service.write([{ name: "a", id: 1 }]);
    await world.clock.advance(10);
    expect(statuses).toEqual([
      [200, 201, 204],
      [200, 204],
    ]);
  });

  it("tells a resumed connection's changes, each once, and no list again [R-RES-5]", async () => {
    const world = worldWithRows(1);
    const told: string[] = [];
    world.client.subscribe("/a", (_request, { status, headers }) => {
      told.push(`${status} ${headers.get("content-location")}`);
    });
    await world.clock.advance(10);
    for (const socket of world.sockets) socket.fail(1006);
    world.service.write([{ name: "a", id: 1, columns: {} }]);
    await world.clock.advance(1_000);
    expect(told).toEqual(["200 null", "202 /a/1"]);
  });

  it("as an iterable throws what the server refuses it with", async () => {
    const world = worldWithRows(0);
    world.service.turnsAway = 403;
    const reading = (async () => {
      for await (const _answer of world.client.subscribe("/a"));
    })();
    const refused = expect(reading).rejects.toMatchObject({ name: "ProblemError", problem: { status: 403 } });
    await world.clock.advance(10);
    await refused;
  });

  it("ends by its signal, and leaves no listener at one that outlives it", async () => {
    const world = worldWithRows(0);
    const abort = new AbortController();
    const told: number[] = [];
    const ended = world.client.subscribe("/a", (_request, { status }) => told.push(status), { signal: abort.signal });
    const outlived = new AbortController().signal;
    world.client.subscribe("/a", () => {}, { signal: outlived }).close();
    await world.clock.advance(10);
    abort.abort();
    world.service.write([{ name: "a", columns: {} }]);
    await world.clock.advance(10);
    ended.close();
    expect([told, getEventListeners(outlived, "abort").length]).toEqual([[200], 0]);
  });

  it("that is closed before its code is there tells nothing, and asks for nothing any more", async () => {
    const world = worldWithRows(1);
    const told: unknown[] = [];
    world.client.subscribe("/a", () => told.push("early")).close();
    world.client.subscribe("/a", () => told.push("aborted"), { signal: AbortSignal.abort() });
    await world.clock.advance(1_100);
    expect([told, world.sockets.size, world.clientClock.timers]).toEqual([[], 0, 0]);
  });

  it("tells what came, and the status, while its code was being loaded", async () => {
    const world = worldWithRows(1);
    const told: unknown[] = [];
    const onStatus = ({ state }: Status): void => void told.push(state);
    world.client.subscribe("/a", (_request, { status }) => told.push(status), { onStatus });
    world.client.collection("/a").subscribe(() => {});
    await world.clock.advance(10);
    world.service.write([{ name: "a", columns: {} }]);
    await world.clock.advance(10);
    // That a GET has shown the rows is a status of its own: the answers are those of the connection.
    expect(told).toEqual(["connecting", 200, "live", 201]);
  });

  it("that is closed ends its iterable, and its URL a second later", async () => {
    const world = worldWithRows(0);
    const subscription = world.client.subscribe("/a");
    const reading = (async () => {
      for await (const _answer of subscription);
    })();
    await world.clock.advance(10);
    subscription.close();
    await reading;
    await world.clock.advance(1_100);
    expect([world.sockets.size, world.clientClock.timers]).toEqual([0, 0]);
  });
});

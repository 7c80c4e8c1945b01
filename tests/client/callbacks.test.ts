import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import type { Collection } from "../../src/client/index.ts";
import { refusal } from "./service.ts";
import { World } from "./world.ts";

beforeAll(() => Promise.all([import("../../src/client/outbox.ts"), import("../../src/client/answers.ts")]));

const ofApplication = (): never => {
  throw new Error("of the application");
};

function worldWithRow(): World {
  const world = new World();
  world.service.write([{ name: "a", columns: { color: "red" } }]);
  return world;
}

describe("A callback of the application that throws", () => {
  it("ends nothing, wherever it was given, and is told to onError each time", async () => {
    const world = worldWithRow();
    const { client } = world;
    const list = client.collection("/a");
    client.onStatus(ofApplication);
    list.subscribe(ofApplication);
    client.subscribe("/a", ofApplication, { onStatus: ofApplication });
    const told: string[] = [];
    client.onStatus(() => told.push(`client ${client.status.state}`));
    list.subscribe(() => told.push(`list ${list.getSnapshot().rows.length}`));
    client.subscribe("/a", (_request, { status }) => told.push(`answer ${status}`), {
      onStatus: ({ state }) => told.push(`status ${state}`),
    });
    const { rows } = await Promise.all([list.ready(), world.clock.advance(10)]).then(([snapshot]) => snapshot);
    await world.clock.advance(10);
    world.service.write([{ name: "a", columns: {} }]);
    await world.clock.advance(10);
    expect(rows.length).toBe(1);
    expect(new Set(told)).toEqual(
      new Set([
        ...["client connecting", "status connecting", "client live", "status live"],
        ...["list 1", "answer 200", "list 2", "answer 201"],
      ]),
    );
    expect(world.thrown.length).toBeGreaterThanOrEqual(6);
    client.close();
  });

  it("is told to onError also where it is asynchronous, or decides on a conflict", async () => {
    const world = worldWithRow();
    const list = world.client.collection<{ color: string }>("/a");
    list.subscribe(async () => ofApplication());
    await world.clock.advance(10);
    const before = world.thrown.length;
    const [row] = list.getSnapshot().rows;
    world.service.refuseWrites.push(refusal(412));
    const write = list.update(row as never, { color: "blue" }, { onConflict: ofApplication });
    const refused = expect(write).rejects.toMatchObject({ name: "ConflictError" });
    await world.clock.advance(10);
    await refused;
    expect(before).toBeGreaterThan(0);
    expect(world.thrown.at(-1)?.message).toBe("of the application");
    world.client.close();
  });

  it("throws in vain, also where it is onError itself", async () => {
    const world = worldWithRow();
    vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => void vi.restoreAllMocks());
    const list = world.client.collection("/a");
    list.subscribe(ofApplication);
    world.thrown.push = ofApplication;
    await world.clock.advance(10);
    expect(list.getSnapshot().rows.length).toBe(1);
    world.client.close();
  });
});

describe("A function that subscribes twice", () => {
  it("is two subscriptions, and an old end is none of a newer one", async () => {
    const world = worldWithRow();
    const { client, clock, service } = world;
    let calls = 0;
    const listener = (): void => {
      calls += 1;
    };
    const list = client.collection("/a");
    const [first, second] = [list.subscribe(listener), list.subscribe(listener)];
    await clock.advance(10);
    calls = 0;
    service.write([{ name: "a", columns: {} }]);
    await clock.advance(10);
    expect(calls).toBe(2);
    first();
    first();
    service.write([{ name: "a", columns: {} }]);
    await clock.advance(10);
    expect(calls).toBe(3);
    second();
    const third = list.subscribe(listener);
    second();
    await clock.advance(2_000);
    service.write([{ name: "a", columns: {} }]);
    await clock.advance(10);
    expect([calls, list.getSnapshot().rows.length]).toEqual([4, 4]);
    third();
    const statuses: string[] = [];
    const onStatus = (): void => void statuses.push(client.status.state);
    const end = client.onStatus(onStatus);
    client.onStatus(onStatus);
    end();
    client.close();
    expect(statuses).toEqual(["failed"]);
  });
});

describe("A callback", () => {
  it("may do anything, for it is called outside of all that goes on", async () => {
    const world = worldWithRow();
    const { client, clock } = world;
    const list = client.collection("/a");
    const calls: string[] = [];
    let isInside = false;
    list.subscribe(() => {
      expect(isInside).toBe(false);
      calls.push("first");
      isInside = true;
      if (calls.length === 1) void list.create({ tag: "x" });
      isInside = false;
    });
    await clock.advance(5_000);
    expect(list.getSnapshot().rows.length).toBe(2);
    const stop = list.subscribe(() => {
      stop();
      client.close();
    });
    await list.create({ tag: "y" }).catch(() => {});
    expect(client.status.problem?.detail).toBe("The client is closed.");
    expect(world.thrown).toEqual([]);
  });
});

describe("A write that is refused", () => {
  it("is told to onError where nobody waits for it, and is no unhandled rejection", async () => {
    const world = worldWithRow();
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", note);
    const list = world.client.collection("/a");
    list.subscribe(() => {});
    await world.clock.advance(10);
    world.service.refuseWrites.push(refusal(422), refusal(403), refusal(409));
    const clicks = [() => list.create({ color: "x" }), () => list.update("/a/1", {}), () => list.destroy("/a/1")];
    for (const click of clicks) click();
    list.update({} as never, {});
    await world.clock.advance(10);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    expect(world.refusedLater.map((error) => error.name)).toEqual([
      "TypeError",
      "ProblemError",
      "ProblemError",
      "ProblemError",
    ]);
    expect(unhandled).toEqual([]);
    world.client.close();
  });

  it.each([
    { by: "the server", name: "ProblemError", write: (list: Collection<object>) => list.create({}) },
    { by: "the client, at once", name: "TypeError", write: (list: Collection<object>) => list.update({}, {}) },
  ])("by $by is told to whoever waits, in each way of waiting, and not to onError", async ({ name, write }) => {
    const world = worldWithRow();
    const list = world.client.collection<object>("/a");
    list.subscribe(() => {});
    await world.clock.advance(10);
    world.service.refuseWrites.push(refusal(422), refusal(422), refusal(422), refusal(422));
    const results = [
      (async () => write(list))().catch((error: Error) => error.name),
      (async () => {
        try {
          return await write(list);
        } catch (error) {
          return (error as Error).name;
        }
      })(),
      write(list).then(undefined, (error: Error) => error.name),
      Promise.allSettled([write(list)]).then(([one]) => (one?.status === "rejected" ? one.reason.name : "")),
    ];
    await world.clock.advance(10);
    expect(await Promise.all(results)).toEqual(Array(4).fill(name));
    expect(world.refusedLater).toEqual([]);
    world.client.close();
  });
});

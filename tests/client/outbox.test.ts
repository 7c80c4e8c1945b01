import { beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { decodeResponse, fieldValue } from "../../src/protocol/index.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import type { Looked } from "./followed.ts";
import { refusal } from "./service.ts";
import { World, type WorldOptions } from "./world.ts";

beforeAll(() => Promise.all([import("../../src/client/outbox.ts"), import("../../src/client/fallback.ts")]));

async function worldWith(options: WorldOptions): Promise<{ world: World; list: Looked }> {
  const world = new World({ hasStorage: true, ...options });
  world.service.write([{ name: "a", columns: { color: "red" } }]);
  const list = world.look("/a");
  await world.clock.advance(100);
  return { world, list };
}

/** The network is gone, and the client knows it. */
async function cutOff(world: World): Promise<void> {
  world.isOffline = true;
  for (const socket of world.sockets) socket.die();
  await world.clock.advance(60_000);
}

describe("Writes", () => {
  it("that were left behind are sent before new ones", async () => {
    const { world, list } = await worldWith({ isIdempotent: true });
    world.isOffline = true;
    world.write((tag) => list.collection.update("/a/1", { tag } as never));
    await world.clock.settle();
    await world.reload();
    const [again] = world.followed as Looked[];
    world.write((tag) => again?.collection.update("/a/1", { tag } as never) ?? Promise.reject());
    world.isOffline = false;
    await world.clock.advance(60_000);
    expect(world.service.rows("a")[0]?.tag).toBe("w2");
    expect([...world.service.applied]).toEqual([
      ["w1", 1],
      ["w2", 1],
    ]);
  });

  it.each(["create", "update", "destroy"] as const)(
    "that nobody answers, and that are not repeated, say so: %s",
    async (kind) => {
      const { world, list } = await worldWith({ isIdempotent: false });
      const { collection } = list;
      // By then it is known that the server does not promise to do a repeated key once.
      await collection.update("/a/1", { tag: "first" } as never);
      world.isOffline = true;
      const calls = {
        create: ["POST /a", () => collection.create({ color: "blue" } as never)],
        update: ["PATCH /a/1", () => collection.update("/a/1", { color: "blue" } as never)],
        destroy: ["DELETE /a/1", () => collection.destroy("/a/1")],
      } as const;
      const [what, call] = calls[kind];
      const error = await call().catch((reason: Error) => reason);
      expect(error).toBeInstanceOf(TypeError);
      expect(error).toMatchObject({
        code: "unanswered",
        message: `No answer came to ${what}. It may have been done or not, and is not sent again, since the server does not promise idempotency-key.`,
        cause: { message: "It can't be reached." },
      });
      world.client.close();
    },
  );

  it("that waited, and come when their session is over, wait for `renew()`", async () => {
    const { world, list } = await worldWith({ isIdempotent: false });
    await cutOff(world);
    const first = world.write((tag) => list.collection.create({ tag }));
    const second = world.write((tag) => list.collection.update("/a/1", { tag } as never, { ifUnchanged: true }), {
      isGuarded: true,
    });
    await world.clock.settle();
    world.service.refuseWrites.push(...Array.from({ length: 20 }, () => refusal(401)));
    world.isOffline = false;
    await world.clock.advance(120_000);
    expect([first.outcome, second.outcome]).toEqual(["pending", "pending"]);
    expect(list.shown.map(({ tag }) => tag)).toEqual(["w2", "w1"]);
    expect([...world.service.applied]).toEqual([]);
    // By now the cookies may be somebody else's: nothing but `renew()` says that they are not.
    expect(world.service.refuseWrites.length).toBe(19);

    world.service.refuseWrites.length = 0;
    world.client.renew();
    await world.clock.advance(1_000);
    expect([first.outcome, second.outcome]).toEqual(["resolved", "resolved"]);
    expect([...world.service.applied]).toEqual([
      ["w1", 1],
      ["w2", 1],
    ]);
    world.client.close();
  });

  it("that waited and were left behind by a reload wait for credentials, too, and those that did not wait are refused", async () => {
    const { world } = await worldWith({ isIdempotent: true });
    world.isOffline = true;
    const [before] = world.followed as Looked[];
    world.write((tag) => before?.collection.create({ tag }) ?? Promise.reject());
    await world.clock.settle();
    world.service.refuseWrites.push(...Array.from({ length: 20 }, () => refusal(401)));
    world.isOffline = false;
    await world.reload();
    await world.clock.advance(30_000);
    expect([world.refusedLater, [...world.service.applied]]).toEqual([[], []]);
    expect(world.service.refuseWrites.length).toBe(19);
    world.service.refuseWrites.length = 0;
    world.client.renew();
    await world.clock.advance(1_000);
    expect([...world.service.applied]).toEqual([["w1", 1]]);

    world.service.refuseWrites.push(refusal(401));
    const [after] = world.followed as Looked[];
    const late = world.write((tag) => after?.collection.create({ tag }) ?? Promise.reject());
    await world.clock.advance(1_000);
    expect(late.outcome).toBe("refused");
    world.client.close();
  });

  it.each([
    [502, { code: "unanswered", cause: { problem: { status: 502 } } }],
    [504, { code: "unanswered", cause: { problem: { status: 504 } } }],
    [503, { code: "problem", problem: { status: 503 } }],
    [500, { code: "problem", problem: { status: 500 } }],
  ])("that are not repeated and meet a %i say whether that tells that they were not done", async (status, what) => {
    const { world, list } = await worldWith({ isIdempotent: false });
    world.service.refuseWrites.push(refusal(status));

    const error = list.collection.update("/a/1", { color: "blue" } as never).catch((reason: Error) => reason);
    await world.clock.advance(1_000);

    expect(await error).toMatchObject(what);
    expect(list.shown[0]?.color).toBe("red");
    world.client.close();
  });

  it.each(["create", "update", "destroy"] as const)(
    "that can't be repeated wait while the server is known to be unreachable, and are kept: %s",
    async (kind) => {
      const { world, list } = await worldWith({ isIdempotent: false });
      await list.collection.update("/a/1", { tag: "first" } as never);
      await cutOff(world);
      expect(list.state).toBe("offline");
      const writes = {
        create: (tag: string) => list.collection.create({ tag }),
        update: (tag: string) => list.collection.update("/a/1", { tag } as never),
        destroy: () => list.collection.destroy("/a/1"),
      };
      const write = world.write(writes[kind], { name: kind === "destroy" ? "destroy /a/1" : "mine" });
      await world.clock.advance(60_000);
      expect([write.outcome, [...world.stored.values()].join()]).toEqual(["pending", expect.stringContaining(kind)]);
      world.isOffline = false;
      await world.clock.advance(60_000);
      expect([write.outcome, world.service.applied.get(write.tag), [...world.stored.values()]]).toEqual([
        "resolved",
        1,
        ["[]"],
      ]);
    },
  );

  it("that can't be repeated outlive a reload where they were made offline", async () => {
    const { world, list } = await worldWith({ isIdempotent: false });
    await list.collection.update("/a/1", { tag: "first" } as never);
    await cutOff(world);
    world.write((tag) => list.collection.create({ tag }), { name: "mine" });
    await world.clock.advance(5_000);
    await world.reload();
    world.isOffline = false;
    await world.clock.advance(60_000);
    expect([world.service.applied.get("mine"), world.refusedLater]).toEqual([1, []]);
  });

  it("after one whose answer was lost wait until the server answers again", async () => {
    const { world, list } = await worldWith({ isIdempotent: false });
    await list.collection.update("/a/1", { tag: "first" } as never);
    world.isOffline = true;
    const lost = world.write((tag) => list.collection.update("/a/1", { tag } as never));
    const next = world.write((tag) => list.collection.update("/a/1", { tag } as never));
    await world.clock.settle();
    expect([lost.outcome, next.outcome]).toEqual(["unknown", "pending"]);
    world.isOffline = false;
    await world.clock.advance(60_000);
    expect([next.outcome, world.service.applied.get(next.tag)]).toEqual(["resolved", 1]);
  });

  it.each([
    ["no connection", { syscall: "connect", code: "ECONNREFUSED" }],
    ["no address", { syscall: "getaddrinfo", code: "ENOTFOUND" }],
    ["no connection in time", { code: "UND_ERR_CONNECT_TIMEOUT" }],
    [
      "no connection to any address",
      { code: "ECONNREFUSED", errors: [{ syscall: "connect" }, { syscall: "connect" }] },
    ],
  ])("that can't be repeated are sent again where there was %s", async (_name, cause) => {
    const clock = createFakeClock(1);
    let posts = 0;
    const answer = (_url: string, { method }: RequestInit = {}): Response => {
      if (method !== "POST") return Response.json({});
      posts += 1;
      if (posts < 3) throw Object.assign(new TypeError("fetch failed"), { cause });
      return Response.json({ id: 7 });
    };
    const client = createClient("http://h", {
      clock,
      fetch: (async (url, init) => answer(String(url), init)) as typeof fetch,
    });
    const written = client.collection("/a").create({ tag: "x" });
    await clock.advance(60_000);
    expect([await written, posts]).toEqual([{ id: 7 }, 3]);
    client.close();
  });

  it("that were left behind and are refused are told to the application", async () => {
    const { world, list } = await worldWith({ isIdempotent: true });
    world.isOffline = true;
    world.write((tag) => list.collection.update("/a/1", { tag } as never));
    await world.clock.settle();
    await world.reload();
    world.service.refuseWrites.push(refusal(422));
    world.isOffline = false;
    await world.clock.advance(60_000);
    expect(world.refusedLater).toMatchObject([{ name: "ProblemError", code: "problem", problem: { status: 422 } }]);
    expect([...world.stored.values()]).toEqual(["[]"]);
  });

  it("that were left behind and are refused are told with all that was written, so that it can be given back", async () => {
    const { world, list } = await worldWith({ isIdempotent: true });
    const { collection } = list;
    await world.clock.advance(7);
    const madeAt = world.clock.now();
    world.isOffline = true;
    const base = list.shown[0];
    collection.create({ color: "blue", text: "typed for an hour" } as never).catch(() => {});
    collection.update("/a/1", { text: "mine" } as never, { base: base as never }).catch(() => {});
    collection.destroy("/a/1").catch(() => {});
    await world.clock.advance(3_000);
    world.service.write([{ name: "a", id: 1, columns: { color: "green" } }]);
    await world.reload();
    world.service.refuseWrites.push(refusal(422));
    world.isOffline = false;
    await world.clock.advance(2_000);
    world.service.refuseWrites.push(refusal(403));
    await world.clock.advance(60_000);
    expect(world.refusedWrites).toEqual([
      { kind: "create", url: "/a", values: { color: "blue", text: "typed for an hour" }, madeAt },
      { kind: "update", url: "/a/1", values: { text: "mine" }, madeAt },
    ]);
    expect(world.refusedLater.map((error) => (error as { code?: string }).code)).toEqual(["problem", "conflict"]);
  });

  it("that nobody waits for are told with all that was written, also where the row has no URL", async () => {
    const { world, list } = await worldWith({});
    world.service.refuseWrites.push(refusal(422));
    void list.collection.update("/a/1", { color: "blue" } as never);
    await world.clock.settle();
    void list.collection.update({} as never, { color: "none" } as never);
    await world.clock.settle();
    const madeAt = world.clock.now();
    expect(world.refusedWrites).toEqual([
      { kind: "update", url: "/a/1", values: { color: "blue" }, madeAt },
      { kind: "update", url: undefined, values: { color: "none" }, madeAt },
    ]);
  });

  it("that a client kept which noted no time are sent and told all the same", async () => {
    const { world, list } = await worldWith({ isIdempotent: true });
    world.isOffline = true;
    list.collection.update("/a/1", { text: "mine" } as never).catch(() => {});
    await world.clock.settle();
    const [[key, text] = ["", ""]] = [...world.stored];
    world.stored.set(key, text.replace(/,"madeAt":\d+/, ""));
    await world.reload();
    world.service.refuseWrites.push(refusal(422));
    world.isOffline = false;
    await world.clock.advance(60_000);
    expect(text).toContain("madeAt");
    expect(world.refusedWrites).toEqual([{ kind: "update", url: "/a/1", values: { text: "mine" }, madeAt: undefined }]);
  });

  it("that were left behind are refused by nobody where the client is closed", async () => {
    const { world, list } = await worldWith({ isIdempotent: true });
    world.isOffline = true;
    world.write((tag) => list.collection.update("/a/1", { tag } as never));
    await world.clock.settle();
    await world.reload();
    await world.clock.settle();
    await world.reload();
    expect([world.refusedLater, world.stored.size]).toEqual([[], 1]);
    world.isOffline = false;
    await world.clock.advance(60_000);
    expect(world.service.applied.get("w1")).toBe(1);
  });

  it("to a record whose create was answered outlive a reload", async () => {
    const { world, list } = await worldWith({ isIdempotent: true });
    const created = world.write((tag) => list.collection.create({ tag }));
    await world.clock.settle();
    const url = list.collection.urlOf(list.shown[1] as never);
    const update = world.write((tag) => {
      world.service.refuseWrites.push(refusal(503, ["Retry-After", "30"]));
      return list.collection.update(url, { tag } as never);
    });
    await world.clock.advance(1_000);
    expect([created.outcome, update.outcome]).toEqual(["resolved", "pending"]);
    await world.reload();
    await world.clock.advance(60_000);
    expect(world.service.applied.get("w2")).toBe(1);
  });

  it("that can't be repeated are not sent again after a reload", async () => {
    const { world, list } = await worldWith({ isIdempotent: false });
    const ms = 50;
    world.latencyMs = () => ms;
    const write = world.write((tag) => list.collection.update("/a/1", { tag } as never));
    await world.clock.advance(ms + 1);
    await world.reload();
    await world.clock.advance(60_000);
    expect([write.outcome, world.service.applied.get("w1"), [...world.stored.values()]]).toEqual(["closed", 1, ["[]"]]);
  });

  it("whose answer got lost are repeated with their key, and carried out once", async () => {
    const { world, list } = await worldWith({ isIdempotent: true });
    world.answersToLose = 2;
    const write = world.write((tag) => list.collection.create({ tag }));
    await world.clock.advance(60_000);
    expect([write.outcome, world.service.applied.get("w1"), list.shown.length]).toEqual(["resolved", 1, 2]);
  });

  it("are taken back where the server refuses them", async () => {
    const { world, list } = await worldWith({});
    const before = list.shown;
    world.service.refuseWrites.push(refusal(422));
    const write = world.write((tag) => list.collection.update("/a/1", { tag } as never));
    await world.clock.settle();
    expect(write.outcome).toBe("refused");
    expect(list.shown[0]).toBe(before[0]);
  });

  it("ask again what the server promises where it can't say", async () => {
    const world = new World({ isIdempotent: true });
    world.service.write([{ name: "a", columns: {} }]);
    world.service.refusePromises = 1;
    const { client } = world;
    world.answersToLose = 1;
    const write = world.write((tag) => client.collection("/a").update("/a/1", { tag }));
    await world.clock.advance(60_000);
    expect([write.outcome, world.service.applied.get("w1")]).toEqual(["resolved", 1]);
  });

  it("to other lists are shown there at once, and not where they don't belong", async () => {
    const { world } = await worldWith({ flavour: "derived" });
    const list = world.look("/a?color=blue");
    await world.clock.advance(100);
    world.write((tag) => list.collection.create({ color: "green", tag }));
    const all = world.followed[0] as Looked;
    expect([list.shown.length, all.shown.length]).toEqual([0, 2]);
    await world.clock.advance(22_000);
    expect([list.shown.length, all.shown.length]).toEqual([0, 2]);
  });

  it("that created a record show it though a 200 comes that was asked for before", async () => {
    const world = new World({ flavour: "derived" });
    world.service.write([{ name: "a", columns: {} }]);
    const late: (string | Uint8Array)[] = [];
    world.mangle = (data) => {
      if (fieldValue(decodeResponse(data).fields, "subscription") === undefined) return [data];
      late.push(data);
      return [];
    };
    const list = world.look("/a");
    await world.clock.advance(5);
    const asked = late.splice(0);
    const write = world.write((tag) => list.collection.create({ tag }));
    await world.clock.advance(5);
    const [socket] = world.sockets;
    for (const data of asked) socket?.deliver(data);
    await world.clock.advance(1);
    expect(list.state).toBe("live");
    expect([write.outcome, list.shown.map(({ tag }) => tag)]).toEqual(["resolved", [null, "w1"]]);
  });

  it("that destroyed a record do not let it come back before the stream has told that it was created", async () => {
    const { world, list } = await worldWith({ flavour: "derived" });
    world.write((tag) => list.collection.create({ tag }));
    await world.clock.settle();
    const destroy = world.write(() => list.collection.destroy("/a/2"));
    await world.clock.settle();
    expect([destroy.outcome, list.shown.length]).toEqual(["resolved", 1]);
  });

  it("go on where a listener throws, and are told to one that joins anew each time no more than once", async () => {
    const { world, list } = await worldWith({ isIdempotent: true });
    let calls = 0;
    const arm = (): void => {
      const stop = list.collection.subscribe(() => {
        calls += 1;
        stop();
        if (calls < 1_000) arm();
        if (calls === 1) throw new Error("of the application");
      });
    };
    list.stop();
    arm();
    const writes = [1, 2].map(() => world.write((tag) => list.collection.create({ tag })));
    await world.clock.advance(5_000);
    expect(writes.map(({ outcome }) => outcome)).toEqual(["resolved", "resolved"]);
    expect(calls).toBeLessThan(50);
    expect(world.thrown).toEqual([new Error("of the application")]);
  });

  it("that were sent without a key are not sent again, though the server promises it meanwhile", async () => {
    const { world, front } = worldBehindFront();
    front.isWellKnownGone = world.isBlocked = true;
    const list = world.look("/a");
    await world.clock.advance(5_000);
    front.isAnswerLost = true;
    const write = world.write((tag) => list.collection.create({ tag }));
    await world.clock.advance(1_000);
    front.isWellKnownGone = world.isBlocked = false;
    await world.clock.advance(60_000);
    front.lose();
    await world.clock.advance(60_000);
    expect([write.outcome, world.service.rows("a").length]).toEqual(["unknown", 1]);
  });

  it("wait for the server that promised to do them once, whatever answers in its place", async () => {
    const { world, front } = worldBehindFront();
    world.service.write([{ name: "a", columns: { color: "red" } }]);
    const list = world.look("/a");
    await world.clock.advance(100);
    const first = world.write((tag) => list.collection.update("/a/1", { tag } as never));
    await world.clock.advance(3_000);
    front.isWellKnownGone = front.isWriteLost = world.isBlocked = true;
    for (const socket of world.sockets) socket.fail(1006);
    await world.clock.advance(5_000);
    const second = world.write((tag) => list.collection.update("/a/1", { tag } as never));
    await world.clock.advance(10_000);
    const meanwhile = second.outcome;
    front.isWellKnownGone = front.isWriteLost = world.isBlocked = false;
    await world.clock.advance(120_000);
    expect([first.outcome, meanwhile, second.outcome]).toEqual(["resolved", "pending", "resolved"]);
  });

  it("that are answered tell the connection that the server is back", async () => {
    const { world, list } = await worldWith({ isIdempotent: true });
    world.isOffline = true;
    for (const socket of world.sockets) socket.fail(1006);
    await world.clock.advance(120_000);
    world.isOffline = false;
    let liveAfterMs = 0;
    world.client.onStatus(() => {
      if (world.client.status.state === "live") liveAfterMs ||= world.clock.now();
    });
    const startMs = world.clock.now();
    const write = world.write((tag) => list.collection.update("/a/1", { tag } as never));
    await world.clock.advance(60_000);
    expect([write.outcome, liveAfterMs - startMs < 1_000]).toEqual(["resolved", true]);
  });
});

/** A world whose requests run through something that can answer in the server's place. */
function worldBehindFront() {
  let lose = (): void => {};
  const front = { isWellKnownGone: false, isWriteLost: false, isAnswerLost: false, lose: () => lose() };
  const lost = new Promise<void>((resolve) => {
    lose = resolve;
  });
  const world = new World({
    isIdempotent: true,
    createClient: (url, options) => {
      const send = options?.fetch as typeof fetch;
      const sendThrough = async (target: string, init: RequestInit = {}): Promise<Response> => {
        if (front.isWellKnownGone && target.includes("well-known")) return new Response("", { status: 404 });
        const isWrite = (init.method ?? "GET") !== "GET";
        if (isWrite && front.isWriteLost) throw new TypeError("It can't be reached.");
        if (!isWrite || !front.isAnswerLost) return send(target, init);
        front.isAnswerLost = false;
        await send(target, { ...init, signal: null });
        await lost;
        throw new TypeError("The connection broke.");
      };
      return createClient(url, { ...options, fetch: sendThrough as typeof fetch });
    },
  });
  return { world, front };
}

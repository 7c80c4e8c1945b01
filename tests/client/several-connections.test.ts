import { beforeAll, describe, expect, it } from "vitest";
import type { Status } from "../../src/client/index.ts";
import { decodeResponse, fieldValue } from "../../src/protocol/index.ts";
import type { Looked } from "./followed.ts";
import { refusal } from "./service.ts";
import { World, type WorldOptions } from "./world.ts";

beforeAll(async () => {
  // Loaded here, so that no time passes when a client needs it.
  await Promise.all([
    import("../../src/client/outbox.ts"),
    import("../../src/client/fallback.ts"),
    import("../../src/client/put-off.ts"),
    import("../../src/client/spare-lanes.ts"),
  ]);
});

/** A world with a record of each size, and lists of one size each that are looked at. */
async function worldWith(lists: number, options: WorldOptions) {
  const world = new World(options);
  const refusals: number[] = [];
  world.mangle = (data) => {
    const { status, fields } = decodeResponse(data);
    if (status >= 400 && fieldValue(fields, "request-id")) refusals.push(status);
    return [data];
  };
  for (let size = 0; size < lists; size += 1) world.service.write([{ name: "a", columns: { size } }]);
  const looked = Array.from({ length: lists }, (_, size) => world.look(`/a?size=${size}`));
  const states = () => looked.map(({ state }) => state);
  const count = (state: string) => states().filter((one) => one === state).length;
  await world.clock.advance(100);
  return { world, looked, refusals, states, count };
}

/** Shows that all see what is written. */
async function expectFollowing(world: World, looked: readonly Looked[]): Promise<void> {
  const sizes = looked.map(({ target }) => Number(target.split("=")[1]));
  world.service.write(sizes.map((size) => ({ name: "a", columns: { size, color: `at ${world.clock.now()}` } })));
  await world.clock.advance(50);
  for (const one of looked) expect([one.target, one.shown]).toEqual([one.target, world.service.expected(one.target)]);
}

function statusOf(world: World, target: string): Status {
  return world.client.collection(target).getSnapshot().status;
}

/** The SUBSCRIBEs that were sent, as the URL and the position that each resumes at. */
function subscribes(world: World): string[] {
  return world.sent.flatMap((text) => {
    const [, target = ""] = /^SUBSCRIBE (\S+)/.exec(text) ?? [];
    const [, position = "none"] = /Last-Event-ID: (\S+)/.exec(text) ?? [];
    return target === "" ? [] : [`${target} ${position}`];
  });
}

describe.each(["direct", "derived"] as const)(
  "A client with more URLs than a connection may follow, of %s views,",
  (flavour) => {
    it("has them all live over as few connections as it takes, and asks for none in vain [R-BAND-21]", async () => {
      const { world, looked, refusals, states } = await worldWith(8, { flavour, maxSubscriptions: 3 });
      expect([...new Set(states())]).toEqual(["live"]);
      expect([world.sockets.size, refusals]).toEqual([3, []]);
      await expectFollowing(world, looked);
      expect(world.client.status.state).toBe("live");
    });

    it("resumes each one at its own position where connections break, one or all", async () => {
      const { world, looked, states } = await worldWith(8, { flavour, maxSubscriptions: 3 });
      await expectFollowing(world, looked);
      for (const which of [[1], [0], [0, 1, 2]]) {
        const all = [...world.sockets];
        world.sent.length = 0;
        for (const at of which) all[at]?.fail(1006);
        await world.clock.advance(1_000);
        expect([...new Set(states())]).toEqual(["live"]);
        expect(subscribes(world).length).toBeLessThanOrEqual(which.length * 3);
        expect(subscribes(world).filter((one) => one.endsWith(" none"))).toEqual([]);
        await expectFollowing(world, looked);
        expect(world.sockets.size).toBe(3);
      }
    });

    it("opens eight at most; the rest is looked at by GETs, and moves in where others end [R-BAND-21]", async () => {
      const { world, looked, count } = await worldWith(10, { flavour, maxSubscriptions: 1 });
      await world.clock.advance(10_000);
      expect([count("live"), count("polling"), world.sockets.size]).toEqual([8, 2, 8]);
      world.service.write(looked.map((_, size) => ({ name: "a", columns: { size, color: "new" } })));
      await world.clock.advance(6_500);
      for (const one of looked) expect(one.shown).toEqual(world.service.expected(one.target));
      for (const one of looked.filter(({ state }) => state === "live").slice(0, 2)) {
        one.stop();
        world.followed.splice(world.followed.indexOf(one), 1);
      }
      await world.clock.advance(15_000);
      expect(world.followed.map(({ state }) => state)).toEqual(Array.from({ length: 8 }, () => "live"));
      await expectFollowing(world, world.followed as Looked[]);
    });

    it("goes back to one where fewer are left, and what has moved misses nothing", async () => {
      const { world, looked } = await worldWith(8, { flavour, maxSubscriptions: 3 });
      for (const one of looked.splice(0, 6)) {
        one.stop();
        world.followed.splice(world.followed.indexOf(one), 1);
      }
      await world.clock.advance(5_000);
      expect(world.sockets.size).toBe(3);
      const before = looked.map(({ shown }) => shown[0]);
      const states: string[] = [];
      const { collection } = looked[1] as Looked;
      collection.subscribe(() => states.push(collection.getSnapshot().status.state));
      world.latencyMs = () => 100;
      const sent = world.sent.length;
      while (world.sent.length === sent) await world.clock.advance(10);
      // Nothing follows it until the other connection has it.
      expect(looked[1]?.state).toBe("stale");
      await world.clock.advance(1_000);
      expect([world.sockets.size, states]).toEqual([1, ["stale", "live"]]);
      world.latencyMs = () => 0;
      expect(looked.map(({ state, shown }) => [state, shown[0]])).toEqual(before.map((row) => ["live", row]));
      await expectFollowing(world, looked);
      expect(
        subscribes(world)
          .slice(-2)
          .filter((one) => one.endsWith(" none")),
      ).toEqual([]);
    });

    it("puts what is followed next where there is room", async () => {
      const { world, looked } = await worldWith(4, { flavour, maxSubscriptions: 3 });
      looked[0]?.stop();
      world.followed.shift();
      await world.clock.advance(2_000);
      const next = world.look("/b");
      await world.clock.advance(2_000);
      expect([next.state, world.sockets.size]).toEqual(["live", 2]);
      await world.clock.advance(20_000);
      expect(world.sockets.size).toBe(2);
    });

    it("gives the server another token on each connection, and asks for it once", async () => {
      const { world, looked, states } = await worldWith(8, { flavour, maxSubscriptions: 3, wantsToken: true });
      world.service.token = "t1";
      world.sent.length = 0;
      world.client.renew();
      await world.clock.advance(100);
      expect(world.sent.filter((text) => text.includes("Authorization: Bearer t1"))).toHaveLength(8);
      expect(world.tokensAsked).toBe(2);
      expect([world.sockets.size, ...new Set(states())]).toEqual([3, "live"]);
      await expectFollowing(world, looked);
    });

    it("leaves nothing behind when it is closed", async () => {
      const { world } = await worldWith(10, { flavour, maxSubscriptions: 1 });
      await world.clock.advance(10_000);
      world.client.close();
      expect(world.clientClock.timers).toBe(0);
      await world.clock.advance(60_000);
      expect([world.clientClock.timers, world.sockets.size]).toEqual([0, 0]);
    });

    it("leaves nothing behind when it is closed while a further connection fails", async () => {
      const { world } = await worldWith(3, { flavour, maxSubscriptions: 3 });
      world.latencyMs = () => 50;
      world.isBlocked = true;
      world.look("/b");
      await world.clock.advance(120);
      world.client.close();
      await world.clock.advance(60_000);
      expect([world.clientClock.timers, world.sockets.size]).toEqual([0, 0]);
    });

    it("is live on all connections again after the network was gone", async () => {
      const { world, looked, states } = await worldWith(8, { flavour, maxSubscriptions: 3 });
      world.isOffline = true;
      for (const socket of world.sockets) socket.fail(1006);
      await world.clock.advance(5_000);
      expect([...new Set(states())]).toEqual(["offline"]);
      world.isOffline = false;
      await world.clock.advance(45_000);
      expect([world.sockets.size, ...new Set(states())]).toEqual([3, "live"]);
      await expectFollowing(world, looked);
    });

    it("looks by GETs where further connections are refused, until they are not", async () => {
      const world = new World({ flavour, maxSubscriptions: 3 });
      const first = Array.from({ length: 3 }, (_, size) => world.look(`/a?size=${size}`));
      await world.clock.advance(100);
      world.isBlocked = true;
      const others = [world.look("/a"), world.look("/b")];
      await world.clock.advance(10_000);
      expect(first.map(({ state }) => state)).toEqual(["live", "live", "live"]);
      expect(others.map(({ state }) => state)).toEqual(["polling", "polling"]);
      world.service.write([{ name: "a", columns: { size: 1 } }]);
      await world.clock.advance(6_500);
      expect(others[0]?.shown).toEqual(world.service.expected("/a"));
      world.isBlocked = false;
      await world.clock.advance(50_000);
      expect([others.map(({ state }) => state), world.sockets.size]).toEqual([["live", "live"], 2]);
    });
  },
);

/** Takes what a server says of its bounds out of its first message. */
function hideLimits(world: World): void {
  const { mangle } = world;
  world.mangle = (data) => mangle(data).map((one) => String(one).replace("maxSubscriptions", "maxOfSomethings_"));
}

describe("A client of a server that does not say how many a connection may follow", () => {
  it("learns it from a 429, and has them all live [R-BAND-21]", async () => {
    const world = new World({ maxSubscriptions: 3 });
    hideLimits(world);
    const looked = Array.from({ length: 8 }, (_, size) => world.look(`/a?size=${size}`));
    await world.clock.advance(20_000);
    expect(looked.map(({ state }) => state)).toEqual(looked.map(() => "live"));
    expect(world.sockets.size).toBe(3);
    await expectFollowing(world, looked);
  });

  it("takes an application's own 429 for none: it makes one connection at most for that [R-BAND-21]", async () => {
    const world = new World();
    hideLimits(world);
    let handshakes = 0;
    const { count } = world;
    world.count = (what) => {
      if (what === "a handshake") handshakes += 1;
      return count.call(world, what);
    };
    world.service.putsOff = { target: "/b", answer: refusal(429), alsoGets: false };
    const looked = [world.look("/a"), world.look("/b"), world.look("/a?size=1")];
    await world.clock.advance(200_000);
    expect(looked.map(({ state }) => state)).toEqual(["live", "polling", "live"]);
    expect([handshakes, world.sockets.size]).toEqual([2, 1]);
  });
});

describe.each(["direct", "derived"] as const)("A URL of %s views that the server refuses for a while", (flavour) => {
  it.each([429, 503, 408])("with %i is looked at by GETs until it is taken, and then it is live", async (status) => {
    const world = new World({ flavour });
    world.service.putsOff = { target: "/a", answer: refusal(status), alsoGets: false };
    world.service.write([{ name: "a", columns: { color: "red" } }]);
    const [put, other] = [world.look("/a"), world.look("/b")];
    await world.clock.advance(3_000);
    const states: string[] = [];
    world.client.onStatus(() => states.push(world.client.status.state));
    for (let look = 0; look < 8; look += 1) {
      world.service.write([{ name: "a", columns: { size: look } }]);
      await world.clock.advance(6_500);
      expect([put.state, other.state, put.shown]).toEqual(["polling", "live", world.service.rows("a")]);
    }
    expect(states).toEqual([]);
    expect(statusOf(world, "/a")).toEqual({ state: "polling", intervalMs: 5_000 });
    world.service.putsOff = undefined;
    await world.clock.advance(31_000);
    expect([put.state, world.sockets.size]).toEqual(["live", 1]);
    world.service.write([{ name: "a", columns: { size: 9 } }]);
    await world.clock.advance(50);
    expect(put.shown).toEqual(world.service.rows("a"));
  });

  it("is asked for once more, and not looked at, where it is taken then", async () => {
    const world = new World({ flavour });
    world.service.refuseReads.push(refusal(503));
    const list = world.look("/a");
    await world.clock.advance(10_000);
    expect([list.state, world.counted("GET over HTTP")]).toEqual(["live", 1]);
  });

  it("is no newer than it was looked at, whatever heartbeats say of others, and live once all is told [R-HB-2]", async () => {
    const world = new World({ flavour });
    const { answer } = world.service;
    const before = world.service.store.transaction((writer) => writer.put("a", { id: 6, v: 1 })).eventId;
    world.service.answer = async (request) => {
      const given = await answer.call(world.service, request);
      return { ...given, fields: [...given.fields, ["Event-ID", before]] };
    };
    const other = world.look("/b");
    world.service.putsOff = { target: "/a", answer: refusal(503, ["Retry-After", "3000"]), alsoGets: false };
    const put = world.look("/a");
    await world.clock.advance(6_100_000);
    expect([put.state, other.state]).toEqual(["polling", "live"]);
    const [socket] = world.sockets;
    const { eventId } = world.service.store.transaction((writer) => writer.put("a", { id: 7, v: 1 }));
    socket?.deliver(`HTTP/1.1 304 Not Modified\r\nEvent-ID: ${eventId}\r\n\r\n`);
    await world.clock.advance(10);
    expect(put.shown).toEqual([{ id: 6, v: 1 }]);
    world.service.putsOff = undefined;
    // What says that it is caught up is held back.
    const held: (string | Uint8Array)[] = [];
    world.mangle = (data) => {
      const { status, fields } = decodeResponse(data);
      const isMark = status === 304 && fieldValue(fields, "subscription") && !fieldValue(fields, "request-id");
      if (isMark) held.push(data);
      return isMark ? [] : [data];
    };
    for (let wait = 0; wait < 310 && held.length === 0; wait += 1) await world.clock.advance(10_000);
    expect([put.state, put.shown.length]).toEqual([flavour === "direct" ? "stale" : "polling", 2]);
    for (const one of held) socket?.deliver(one);
    await world.clock.advance(10);
    expect([put.state, put.shown]).toEqual(["live", world.service.rows("a")]);
  });

  it("says why, where GETs are refused as well, and asks when it was told to", async () => {
    const world = new World({ flavour });
    const put = world.look("/a");
    await world.clock.advance(100);
    world.service.putsOff = { target: "/a", answer: refusal(429, ["Retry-After", "20"]), alsoGets: true };
    for (const socket of world.sockets) socket.fail(1006);
    await world.clock.advance(70_000);
    expect(statusOf(world, "/a")).toMatchObject({ state: "stale", refusal: { status: 429, detail: "It is 429." } });
    expect(statusOf(world, "/a").problem).toBeUndefined();
    const asked = world.counted("GET over HTTP");
    await world.clock.advance(100_000);
    expect(world.counted("GET over HTTP") - asked).toBeLessThanOrEqual(5 + 5);
    world.service.putsOff = undefined;
    await world.clock.advance(60_000);
    expect([put.state, world.client.status]).toEqual(["live", { state: "live" }]);
  });

  it("is asked for at growing intervals, also where it is taken and ended at once [R-CLOSE-5]", async () => {
    const world = new World({ flavour });
    const put = world.look("/a");
    await world.clock.advance(100);
    world.sent.length = 0;
    for (let second = 0; second < 120; second += 1) {
      for (const socket of world.sockets)
        socket.deliver("HTTP/1.1 503 Service Unavailable\r\nSubscription: /a\r\n\r\n");
      await world.clock.advance(1_000);
    }
    expect(subscribes(world).length).toBeLessThan(40);
    expect(put.state).not.toBe("failed");
  });
});

it("A URL whose renewal is refused leaves nothing on the server that takes room for nobody", async () => {
  const world = new World({ maxSubscriptions: 2, wantsToken: true });
  const [list] = [world.look("/a"), world.look("/a?size=1")];
  await world.clock.advance(100);
  world.service.refuseReads.push(refusal(503, ["Retry-After", "60"]));
  world.client.renew();
  await world.clock.advance(100);
  expect(list.state).toBe("stale");
  list.stop();
  await world.clock.advance(1_100);
  const other = world.look("/b");
  await world.clock.advance(3_000);
  expect([other.state, world.sockets.size]).toEqual(["live", 1]);
});

describe("A stream that the server refuses for a while", () => {
  it.each([429, 503])("with %i has its URL looked at by GETs until it is taken", async (status) => {
    const world = new World({ hasNoSockets: true, hasStreams: true });
    world.service.putsOff = { target: "/a", answer: refusal(status), alsoGets: false };
    const [put, other] = [world.look("/a"), world.look("/b")];
    await world.clock.advance(15_000);
    const states: string[] = [];
    world.client.onStatus(() => states.push(world.client.status.state));
    for (let look = 0; look < 10; look += 1) {
      world.service.write([{ name: "a", columns: { size: look } }]);
      await world.clock.advance(6_500);
      expect([put.state, other.state, put.shown]).toEqual(["polling", "live", world.service.rows("a")]);
    }
    expect(states).toEqual([]);
    world.service.putsOff = undefined;
    await world.clock.advance(35_000);
    expect(put.state).toBe("live");
    world.service.putsOff = { target: "/a?size=1", answer: refusal(status), alsoGets: false };
    const next = world.look("/a?size=1");
    await world.clock.advance(10_000);
    expect(next.state).toBe("polling");
    next.stop();
    await world.clock.advance(1_500);
    world.client.close();
    expect(world.clientClock.timers).toBe(0);
  });
});

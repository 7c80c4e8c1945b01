import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type ClientClock, platformClock } from "../../src/client/clock.ts";
import { Feed } from "../../src/client/feed.ts";
import { type Client, createClient } from "../../src/client/index.ts";
import { shareAmongTabs } from "../../src/client/tabs.ts";
import type { Sink, Transport } from "../../src/client/transport.ts";
import type { HttpResponse } from "../../src/protocol/index.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { Locks } from "./locks.ts";
import { socketsOn } from "./network.ts";
import { createPage } from "./page.ts";
import { World } from "./world.ts";

const target = "/notes";

/** A connection whose messages the test makes up. */
class FakeTransport implements Transport {
  sinks: Sink[] = [];

  follow(sink: Sink): () => void {
    this.sinks.push(sink);
    return () => void this.sinks.splice(this.sinks.indexOf(sink), 1);
  }

  readonly questions: string[] = [];

  askAnew({ target }: Sink): void {
    this.questions.push(target);
  }

  renewals = 0;

  renew(): void {
    this.renewals += 1;
  }
  wake(): void {}
  close(): void {}
}

type Tab = { own: FakeTransport; feed: Feed; shared: Transport };

function openTab(name: string, clock: ClientClock = platformClock): Tab {
  const own = new FakeTransport();
  const shared: Transport = shareAmongTabs(own, { name, clock, feedOf: () => feed });
  const feed: Feed = new Feed({
    target,
    origin: "http://h",
    clock: platformClock,
    urls: new WeakMap(),
    versions: new WeakMap(),
    follow: (sink) => shared.follow(sink),
    askAnew: (sink) => shared.askAnew(sink),
    onStatus: () => {},
  });
  onTestFinished(() => shared.close());
  return { own, feed, shared };
}

function message(status: number, eventId: string, body = ""): HttpResponse {
  const fields = [
    ["Content-Type", "application/json"],
    ["Items", 'list="/notes", url="/notes/{id}"'],
    ["Event-ID", eventId],
  ] as const;
  return { status, reason: "", fields, body };
}

/** Waits until a feed is as wanted. */
function until(feed: Feed, isWanted: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!isWanted()) return;
      unlisten();
      resolve();
    };
    const unlisten = feed.listen(look);
    look();
  });
}

it("A tab without the connection moves its position by bookmarks, as the one that has it does", async () => {
  vi.stubGlobal("navigator", { locks: new Locks() });
  onTestFinished(() => void vi.unstubAllGlobals());
  const name = crypto.randomUUID();
  const [leader, follower] = [openTab(name), openTab(name)];
  leader.feed.listen(() => {});
  await vi.waitUntil(() => leader.own.sinks.length === 1);
  const [sink] = leader.own.sinks;
  sink?.take(message(200, "s:1", '{"notes":[{"id":1}]}'));
  sink?.take(message(304, "s:1"));
  await until(follower.feed, () => follower.feed.isCaughtUp);
  expect(follower.feed.position).toBe("s:1");

  sink?.take(message(304, "s:2"));

  await until(follower.feed, () => follower.feed.position === "s:2");
  expect(follower.feed.replica.rows).toEqual([{ id: 1 }]);
  expect(follower.own.sinks).toEqual([]);
});

async function openTwo(clock?: ClientClock): Promise<{ leader: Tab; follower: Tab; unlisten: () => void }> {
  vi.stubGlobal("navigator", { locks: new Locks() });
  onTestFinished(() => void vi.unstubAllGlobals());
  const name = crypto.randomUUID();
  const leader = openTab(name);
  await vi.waitUntil(() => leader.shared !== undefined);
  const follower = openTab(name, clock);
  const unlisten = follower.feed.listen(() => {});
  await vi.waitUntil(() => leader.own.sinks.length === 1);
  leader.own.sinks[0]?.take(message(200, "s:1", '{"notes":[]}'));
  leader.own.sinks[0]?.take(message(304, "s:1"));
  await vi.waitUntil(() => follower.feed.isCaughtUp);
  return { leader, follower, unlisten };
}

it("A tab without the connection has the one that has it ask for other credentials, each once", async () => {
  const { leader, follower } = await openTwo();

  follower.shared.renew();
  await vi.waitUntil(() => leader.own.renewals === 1);
  leader.shared.renew();
  leader.own.sinks[0]?.take(message(304, "s:2"));

  await vi.waitUntil(() => follower.feed.position === "s:2");
  expect([leader.own.renewals, follower.own.renewals]).toEqual([2, 1]);
});

it("A tab without the connection has the one that has it ask for the whole, and knows by the answer when that was asked", async () => {
  const { leader, follower } = await openTwo();

  follower.feed.askAnew();
  await vi.waitUntil(() => leader.own.questions.length > 0);
  leader.own.sinks[0]?.take(message(200, "s:2", '{"notes":[{"id":1}]}'), false, 7_000);
  leader.own.sinks[0]?.take(message(304, "s:2"));

  await until(follower.feed, () => follower.feed.position === "s:2" && follower.feed.isCaughtUp);
  expect(follower.feed.askedAt).toBe(7_000);
  expect([leader.own.questions, follower.own.questions]).toEqual([[target], []]);
  leader.shared.askAnew(leader.feed);
  expect(leader.own.questions).toEqual([target, target]);
});

it("A tab without the connection says why the server refuses for a while, and that it does no more", async () => {
  const { leader, follower } = await openTwo();

  leader.own.sinks[0]?.lost(false, { type: "about:blank", title: "Later", status: 503, detail: "Come back later." });
  await vi.waitUntil(() => follower.feed.status.refusal !== undefined);

  expect(follower.feed.status).toMatchObject({ state: "stale", refusal: { status: 503, detail: "Come back later." } });
  leader.own.sinks[0]?.take(message(304, "s:1"));
  leader.own.sinks[0]?.take(message(304, "s:1"));
  await until(follower.feed, () => follower.feed.isCaughtUp);
  expect(follower.feed.status).toEqual({ state: "live" });
});

it("A tab that is gone without a word is followed for no longer by the one that has the connection", async () => {
  const { leader, follower } = await openTwo();

  // What a browser does for a page that goes: its locks are free, and it says nothing.
  vi.spyOn(BroadcastChannel.prototype, "postMessage").mockImplementation(() => {});
  onTestFinished(() => void vi.restoreAllMocks());
  follower.shared.close();

  await vi.waitUntil(() => leader.own.sinks.length === 0, { timeout: 10_000 });
});

it("A tab makes its own connection where the one that has it was not heard for too long", async () => {
  const clock = createFakeClock();
  const { leader, follower } = await openTwo(clock);

  await clock.advance(89_000);
  expect(follower.own.sinks).toEqual([]);
  leader.own.sinks[0]?.take(message(304, "s:2"));
  await vi.waitUntil(() => follower.feed.position === "s:2");
  await clock.advance(89_000);
  expect(follower.own.sinks).toEqual([]);
  await clock.advance(1_001);

  expect(follower.own.sinks.length).toBe(1);
  expect(follower.feed.status.state).toBe("stale");
});

it("A lock that is granted to a tab which is closing goes to the next one", async () => {
  const locks = new Locks();
  vi.stubGlobal("navigator", { locks });
  onTestFinished(() => void vi.unstubAllGlobals());
  const name = crypto.randomUUID();
  const closing = openTab(name);
  closing.feed.listen(() => {});

  closing.shared.close();

  await locks.request(name, async () => {});
  expect(closing.own.sinks).toEqual([]);
});

it("Tabs whose user nobody names have a connection each: the cookies of one may be of somebody else than those of the other", async () => {
  vi.stubGlobal("navigator", { locks: new Locks() });
  const page = createPage();
  page.open();
  const world = new World();
  const clients: Client[] = [];
  onTestFinished(() => {
    for (const client of clients) client.close();
    page.close();
    vi.unstubAllGlobals();
  });
  const open = async (options: { tabs?: boolean; user?: string } = {}) => {
    const fetch = (async () => new Promise(() => {})) as typeof globalThis.fetch;
    const parts = { clock: world.clientClock, WebSocket: socketsOn(world), fetch };
    const client = createClient("http://example.com", { ...parts, ...options });
    clients.push(client);
    const list = client.collection("/a");
    list.subscribe(() => {});
    await vi.waitUntil(
      async () => {
        await world.clock.advance(1);
        return list.getSnapshot().status.state === "live";
      },
      { timeout: 10_000, interval: 1 },
    );
    return world.sockets.size;
  };

  const counts = [await open(), await open(), await open({ user: "ann" }), await open({ user: "bob" })];
  const more = [await open({ tabs: true }), await open({ tabs: true }), await open({ user: "ann" })];

  expect([counts, more]).toEqual([
    [1, 2, 3, 4],
    [5, 5, 5],
  ]);
});

describe("A client that shares its connection with another one of the same user", () => {
  const ways: readonly (readonly [string, (holder: Client) => unknown])[] = [
    ["is closed", (holder) => holder.close()],
    ["logs out", (holder) => holder.logout()],
    [
      "is gone without a word",
      (holder) => {
        vi.spyOn(BroadcastChannel.prototype, "postMessage").mockImplementationOnce(() => {});
        holder.close();
      },
    ],
  ];

  it.each(ways)("leaves it to that one where it %s", async (_way, leave) => {
    vi.stubGlobal("navigator", { locks: new Locks() });
    const page = createPage();
    page.open();
    const world = new World();
    world.service.write([{ name: "a", columns: { size: 1 } }]);
    const clients: Client[] = [];
    onTestFinished(() => {
      for (const client of clients) client.close();
      page.close();
      vi.restoreAllMocks();
      vi.unstubAllGlobals();
    });
    const user = crypto.randomUUID();
    const open = async () => {
      const fetch = (async () => new Promise(() => {})) as typeof globalThis.fetch;
      const client = createClient("http://example.com", {
        clock: world.clientClock,
        WebSocket: socketsOn(world),
        fetch,
        user,
      });
      clients.push(client);
      const list = client.collection<{ size: number }>("/a");
      const states: string[] = [];
      list.subscribe(() => states.push(list.getSnapshot().status.state));
      await until(() => list.getSnapshot().status.state === "live");
      return { client, list, states };
    };
    /** Lets what tabs tell each other, and what the network carries, arrive. */
    const until = (isWanted: () => boolean) =>
      vi.waitUntil(
        async () => {
          await world.clock.advance(1);
          return isWanted();
        },
        { timeout: 10_000, interval: 1 },
      );
    const [holder, other] = [await open(), await open()];
    expect(world.sockets.size).toBe(1);
    other.states.length = 0;

    void leave(holder.client);
    await until(() => world.sockets.size === 1 && other.list.getSnapshot().status.state === "live");
    world.service.write([{ name: "a", id: 1, columns: { size: 2 } }]);

    await until(() => other.list.getSnapshot().rows[0]?.size === 2);
    expect(other.states).not.toContain("failed");
    expect(holder.client.status.state).toBe("failed");
  });
});

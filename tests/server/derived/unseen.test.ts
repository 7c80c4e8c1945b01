import { describe, expect, it } from "vitest";
import { Feed } from "../../../src/client/feed.ts";
import { type Field, fieldValue, type HttpResponse } from "../../../src/protocol/index.ts";
import { Unseen } from "../../../src/server/delivery/unseen.ts";
import { createFakeClock, type MemoryPeer } from "../../../src/testing/index.ts";
import { AppWorld, json, plain } from "./fixture.ts";

const stale = ({ fields }: HttpResponse): boolean => fieldValue(fields, "stale") === "?1";

/** The messages from a place on, as `304 stale`. */
function told({ messages }: MemoryPeer, from: number): string[] {
  return messages.slice(from).map((message) => `${message.status}${stale(message) ? " stale" : ""}`);
}

/** A row that makes a step shorter than the whole. */
const padding = { id: 2, text: "x".repeat(300) };

/** An app whose list has a count, and may answer otherwise or late. */
function counting() {
  const app = { count: 1, status: 200, delayMs: 0, fields: [] as Field[] };
  const world = new AppWorld(() => {
    return app.status === 200
      ? json([{ id: 1, count: app.count }, padding], ...app.fields)
      : plain(app.status, ...app.fields);
  });
  world.delayMs = () => app.delayMs;
  return { app, world };
}

describe("A change that the server knows of and has not seen [R-DER-10]", () => {
  it.each<[string, (app: ReturnType<typeof counting>["app"]) => void]>([
    ["while the origin fails", (app) => (app.status = 503)],
    [
      "while the origin's limit is used up",
      (app) => Object.assign(app, { status: 429, fields: [["Retry-After", "30"]] }),
    ],
    ["while the origin is slow", (app) => (app.delayMs = 8_000)],
  ])("is told after 2 s %s, once, and when it is over", async (_what, disturb) => {
    const { app, world } = counting();
    const peer = await world.opened("/items");
    disturb(app);
    app.count = 2;
    await world.changed("/items/1");
    await world.clock.advance(1_900);
    expect(told(peer, 2)).toEqual([]);
    await world.clock.advance(200);
    expect(told(peer, 2)).toEqual(["304 stale"]);
    expect(fieldValue(peer.messages[2]?.fields ?? [], "event-id")).toBe(
      fieldValue(peer.messages[1]?.fields ?? [], "event-id"),
    );
    Object.assign(app, { status: 200, delayMs: 0, fields: [] });
    await world.clock.advance(40_000);
    const all = told(peer, 3);
    expect(all.filter((one) => one === "202")).toHaveLength(1);
    expect(all.slice(all.indexOf("202"), all.indexOf("202") + 2)).toEqual(["202", "304"]);
    // Until then each sign of life says it as well.
    expect(all.slice(0, all.indexOf("202")).every((one) => one === "304 stale")).toBe(true);
    expect(all.slice(all.indexOf("202") + 2)).not.toContain("304 stale");
  });

  it("is told where looks are spaced by what a rate limit leaves", async () => {
    const { app, world } = counting();
    app.fields = [["RateLimit", "limit=100, remaining=8, reset=60"]];
    const peer = await world.opened("/items");
    await world.changed("/items/1");
    await world.clock.advance(1);
    app.count = 2;
    await world.changed("/items/1");
    await world.clock.advance(2_100);
    expect(told(peer, 2)).toEqual(["304 stale"]);
    await world.clock.advance(60_000);
    expect(told(peer, 3)).toContain("202");
    expect(told(peer, 3).at(-1)).toBe("304");
  });

  it("is told where a regular look fails, and not where one is only put off", async () => {
    const { app, world } = counting();
    app.fields = [["RateLimit", "limit=100, remaining=4, reset=300"]];
    const peer = await world.opened("/items");
    await world.clock.advance(200_000);
    expect(peer.messages.some(stale)).toBe(false);
    app.status = 503;
    app.fields = [];
    await world.clock.advance(400_000);
    expect(told(peer, 2)).toContain("304 stale");
  });

  it("is told of each subscription in band by its name, and of no other", async () => {
    const { app, world } = counting();
    const peer = await world.opened("/.well-known/rocket");
    world.delayMs = ({ target }) => (target === "/items" ? app.delayMs : 0);
    for (const [at, target] of ["/items", "/others"].entries()) {
      peer.request("SUBSCRIBE", target, [["Request-ID", String(at)]]);
      await world.clock.settle();
    }
    const from = peer.messages.length;
    app.delayMs = 5_000;
    await world.changed("/items", "/others");
    await world.clock.advance(3_000);
    expect(
      peer.messages
        .slice(from)
        .filter(stale)
        .map(({ fields }) => fieldValue(fields, "subscription")),
    ).toEqual(["/items"]);
    await world.clock.advance(5_000);
    expect(told(peer, from)).toEqual(["304 stale", "304"]);
  });

  it("is nothing where looks are made in time, nor at Level 0", async () => {
    const { app, world } = counting();
    const [peer, old] = [await world.opened("/items"), await world.opened("/items", [], 0)];
    for (let nth = 0; nth < 20; nth += 1) {
      app.count += 1;
      await world.changed("/items/1");
      await world.clock.advance(500);
    }
    app.status = 503;
    await world.changed("/items/1");
    const from = peer.messages.length;
    expect(peer.messages.some(stale)).toBe(false);
    await world.clock.advance(3_000);
    expect(told(peer, from)).toEqual(["304 stale"]);
    expect(old.messages.every(({ status }) => status === 202)).toBe(true);
  });

  it("is what a page shows as behind", async () => {
    const clock = createFakeClock(1);
    const feed = new Feed({
      ...{ target: "/items", origin: "http://example.com", clock },
      ...{ urls: new WeakMap(), versions: new WeakMap(), follow: () => () => undefined, onStatus: () => undefined },
    } as never);
    const take = (status: number, ...fields: Field[]) => feed.take({ status, reason: "", fields, body: "[]" });
    const named: Field = ["Subscription", "/items"];
    take(200, ["Items", 'list="", url="/items/{id}"'], ["Event-ID", "d-1"], named);
    take(304, ["Event-ID", "d-1"], named);
    expect(feed.status).toEqual({ state: "live" });
    await clock.advance(5_000);
    take(304, ["Event-ID", "d-1"], ["Stale", "?1"], named);
    const since = clock.now();
    expect(feed.status).toEqual({ state: "behind", since });
    await clock.advance(5_000);
    // A heartbeat of the connection.
    take(304);
    take(304, ["Stale", "?1"], named);
    expect(feed.status).toEqual({ state: "behind", since });
    take(304, ["Event-ID", "d-1"], named);
    expect(feed.status).toEqual({ state: "live" });
  });
});

describe("Since when something is unseen", () => {
  it("counts from the first change that no look has shown, whatever begins and fails", async () => {
    const clock = createFakeClock(1);
    const said: boolean[] = [];
    const unseen = new Unseen(clock, (isUnseen) => void said.push(isUnseen));
    unseen.changed();
    await clock.advance(1_500);
    unseen.begin();
    unseen.changed();
    unseen.end(true);
    await clock.advance(1_900);
    expect(said).toEqual([]);
    unseen.begin();
    unseen.end(false);
    await clock.advance(200);
    expect(said).toEqual([true]);
    unseen.begin();
    unseen.changed();
    unseen.end(true);
    // What came during the look is 0 s old, and it is not over.
    expect(said.filter((one) => !one)).toEqual([]);
    unseen.begin();
    unseen.end(true);
    expect(said.at(-1)).toBe(false);
    unseen.stop();
    await clock.advance(10_000);
    expect(said.filter((one) => !one)).toHaveLength(1);
  });
});

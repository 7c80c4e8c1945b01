import { request as ask, createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type ClientOptions, createClient } from "../../src/client/index.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { type RecordsSite, startRecords } from "./records-site.ts";
import { World, type WorldOptions } from "./world.ts";

beforeAll(() => Promise.all([import("../../src/client/outbox.ts"), import("../../src/client/fallback.ts")]));

const minuteMs = 60_000;

/** A world without sockets, whose server offers streams. */
async function worldOf(options: WorldOptions = {}, targets = ["/a"]) {
  const world = new World({ hasNoSockets: true, hasStreams: true, ...options });
  world.service.write([{ name: "a", columns: { color: "red" } }]);
  const lists = targets.map((target) => world.look(target));
  await world.clock.advance(3_000);
  const states = (): string[] => lists.map(({ state }) => state);
  return { world, lists, states };
}

const six = ["/a", "/b", "/a?size=1", "/a?size=2", "/a?size=3", "/a?size=4"];

describe("A client without a socket", () => {
  it.each(["direct", "derived"] as const)("is live through a stream of a %s view", async (flavour) => {
    const { world, lists, states } = await worldOf({ flavour });
    expect([states(), world.client.status.state, world.streams.size]).toEqual([["live"], "live", 1]);
    world.service.write([{ name: "a", columns: { color: "blue" } }]);
    await world.clock.advance(100);
    expect(lists[0]?.shown.map(({ color }) => color)).toEqual(["red", "blue"]);
    world.client.close();
    await world.clock.settle();
    expect([world.streams.size, world.clientClock.timers]).toEqual([0, 0]);
  });

  it("looks at intervals where the server offers no streams [R-STR-18]", async () => {
    const { world, states } = await worldOf({ hasStreams: false });
    expect([states(), world.streams.size]).toEqual([["polling"], 0]);
    world.client.close();
  });

  it("has four streams at once and looks at the rest, and the next one gets a stream that was left", async () => {
    const { world, lists, states } = await worldOf({}, six);
    expect(states()).toEqual(["live", "live", "live", "live", "polling", "polling"]);
    expect([world.client.status.state, world.streams.size]).toEqual(["polling", 4]);
    lists[1]?.stop();
    await world.clock.advance(3_000);
    expect([world.streams.size, states().slice(4)]).toEqual([4, ["live", "polling"]]);
    world.service.write([{ name: "a", columns: { size: 3 } }]);
    await world.clock.advance(100);
    expect(lists[4]?.shown.length).toBe(1);
    world.client.close();
  });

  it("shares the four streams of a host with the other clients of the page", async () => {
    const { world } = await worldOf({}, six.slice(0, 3));
    const other = world.connect();
    for (const target of six.slice(0, 3)) other.collection(target).subscribe(() => {});
    await world.clock.advance(3_000);
    expect(world.streams.size).toBe(4);
    expect([world.client.status.state, other.status.state]).toEqual(["live", "polling"]);
    world.client.close();
    await world.clock.advance(100);
    expect([world.streams.size, other.status.state]).toEqual([3, "live"]);
    other.close();
    const { world: next, states } = await worldOf({}, six.slice(0, 4));
    expect(states()).toEqual(Array(4).fill("live"));
    next.client.close();
  });

  it("is told changes by deltas, where the server knows what that means [R-DELTA-5]", async () => {
    const { world, lists } = await worldOf();
    const padding = "p".repeat(300);
    world.service.write([{ name: "a", id: 1, columns: { color: "blue", padding } }]);
    await world.clock.advance(100);
    world.service.write([{ name: "a", id: 1, columns: { color: "green", padding } }]);
    await world.clock.advance(100);
    expect(lists[0]?.shown.map(({ color }) => color)).toEqual(["green"]);
    expect([...world.streams].map(({ deltas }) => deltas)).toEqual([1]);
    world.client.close();
  });

  it("looks at intervals where something holds streams back, and tries them again after five minutes", async () => {
    const { world, lists, states } = await worldOf({}, ["/a", "/b"]);
    world.isBuffering = true;
    for (const stream of world.streams) stream.die();
    await world.clock.advance(29_000);
    expect([states(), world.streams.size]).toEqual([["polling", "polling"], 0]);
    world.service.write([{ name: "a", columns: { color: "blue" } }]);
    await world.clock.advance(6_000);
    expect(lists[0]?.shown.length).toBe(2);
    world.isBuffering = false;
    await world.clock.advance(4 * minuteMs);
    expect(states()).toEqual(["polling", "polling"]);
    await world.clock.advance(minuteMs);
    expect([states(), world.streams.size]).toEqual([["live", "live"], 2]);
    world.client.close();
  });

  it("goes back to the socket when that passes, and ends its streams", async () => {
    const { world, states } = await worldOf({}, ["/a", "/b"]);
    world.isBlocked = false;
    await world.clock.advance(minuteMs);
    expect([states(), world.streams.size, world.sockets.size]).toEqual([["live", "live"], 0, 1]);
    world.client.close();
  });

  it("gives the server another token by asking anew, and goes on where it was", async () => {
    const { world, lists } = await worldOf({ wantsToken: true });
    const [before] = world.streams;
    world.service.token = "t1";
    world.client.renew();
    await world.clock.advance(100);
    expect([...world.streams]).not.toContain(before);
    world.service.write([{ name: "a", columns: { color: "blue" } }]);
    await world.clock.advance(100);
    expect([lists[0]?.state, lists[0]?.shown.length, world.streams.size]).toEqual(["live", 2, 1]);
    world.client.close();
  });
});

interface Front {
  readonly url: string;
  /** What was asked, as `GET /records text/event-stream`. */
  readonly asked: string[];
  upgrades: number;
}

/** Something that stands in front of a server, knows no upgrade, and may give an answer out only once it has all of it. */
async function startFront(site: RecordsSite, isBuffering: boolean): Promise<Front> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const { method, url = "", headers } = request;
    front.asked.push(`${method} ${url} ${headers.accept}`);
    const passed = ask(site.url + url, { method, headers: { ...headers, host: new URL(site.url).host } }, (answer) => {
      const head = (): void => void response.writeHead(answer.statusCode ?? 502, answer.headers);
      const parts: Buffer[] = [];
      if (!isBuffering) head();
      answer.on("data", (part: Buffer) => (isBuffering ? parts.push(part) : response.write(part)));
      answer.on("end", () => {
        if (isBuffering) head();
        response.end(Buffer.concat(parts));
      });
      answer.on("error", () => response.destroy());
    });
    passed.on("error", () => response.destroy());
    response.on("close", () => passed.destroy());
    request.pipe(passed);
  });
  server.on("connection", (socket) => sockets.add(socket));
  server.on("upgrade", (_request, socket) => {
    front.upgrades += 1;
    socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const front: Front = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: [], upgrades: 0 };
  return front;
}

async function until(isTrue: () => boolean, meanwhile: () => unknown = () => {}): Promise<void> {
  while (!isTrue()) {
    await meanwhile();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("A client behind a front that refuses upgrades", () => {
  async function followed(isBuffering: boolean, options: ClientOptions = {}) {
    const site = await startRecords();
    const front = await startFront(site, isBuffering);
    const client = createClient(front.url, { onError: () => {}, ...options });
    onTestFinished(() => client.close());
    const list = client.collection<{ id: number; text: string }>("/records");
    list.subscribe(() => {});
    return { site, front, client, list, state: () => list.getSnapshot().status.state };
  }

  it("is live through a stream, and sees what is written, by others and by itself", async () => {
    const { site, front, client, list, state } = await followed(false);
    await until(() => state() === "live");
    expect(front.upgrades).toBeGreaterThan(1);
    expect(front.asked).toContain("GET /records text/event-stream, application/merge-patch+json;q=0.5");
    await fetch(`${site.url}/records/1`, {
      method: "PATCH",
      body: '{"text":"eins"}',
      headers: { "Content-Type": "application/json" },
    });
    await until(() => list.getSnapshot().rows[0]?.text === "eins");
    await list.create({ text: "elf" } as never);
    await until(
      () => list.getSnapshot().rows.length === 11 && !list.getSnapshot().rows.some((row) => list.isPending(row)),
    );
    // A page that is busy says that it is behind, for a moment.
    await until(() => state() === "live" && client.status.state === "live");
    // No look at intervals was needed: the list was asked for before there was a stream.
    const asked = front.asked.length;
    expect(front.asked.slice(0, asked).filter((one) => one.startsWith("GET /records application/json"))).toEqual([]);
  });

  it("looks at intervals where that front holds streams back", async () => {
    const clock = createFakeClock();
    const { front, list, state } = await followed(true, { clock });
    await until(
      () => front.asked.some((one) => one.startsWith("GET /records text/event-stream")),
      () => clock.advance(50),
    );
    await clock.advance(5_000);
    await until(() => state() === "polling");
    expect([list.getSnapshot().rows.length, list.getSnapshot().status.intervalMs]).toEqual([10, 5_000]);
  });
});

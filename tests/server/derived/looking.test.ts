import { describe, expect, it } from "vitest";
import { fieldValue } from "../../../src/protocol/index.ts";
import { createLocalStaleness } from "../../../src/server/index.ts";
import { AppWorld, briefs, cookie, json, plain, userOf } from "./fixture.ts";

function counting(): { readonly world: AppWorld; add(): string } {
  const items: { readonly id: number }[] = [];
  const world = new AppWorld(() => [...items]);
  return {
    world,
    add() {
      items.push({ id: items.length + 1 });
      return `/items/${items.length}`;
    },
  };
}

describe("A view that was written to", () => {
  it("is asked for at once, then every 50 ms while writes keep coming, and once after the last", async () => {
    const { world, add } = counting();
    const peer = await world.opened("/items");
    world.takeGets();
    await world.changed(add());
    expect(world.takeGets()).toBe(1);
    for (let ms = 0; ms < 500; ms += 5) {
      world.hub.changed([add()]);
      await world.clock.advance(5);
    }
    expect(world.takeGets()).toBe(10);
    world.hub.changed([add()]);
    await world.clock.advance(50);
    expect(world.takeGets()).toBe(1);
    const last = peer.messages.at(-1);
    expect(String(last?.body)).toContain('"id":102');
  });

  it("is never asked for twice at the same time, and once more after a write during the GET [R-DER-3]", async () => {
    const { world, add } = counting();
    const peer = await world.opened("/items");
    world.latencyMs = 200;
    world.takeGets();
    for (let ms = 0; ms < 150; ms += 10) {
      world.hub.changed([add()]);
      await world.clock.advance(10);
    }
    expect(world.mostRunning).toBe(1);
    await world.clock.advance(1_000);
    expect(world.mostRunning).toBe(1);
    expect(JSON.stringify(peer.messages)).toContain('{\\"id\\":15}');
  });

  it("during its first GET is asked for again [R-DER-3] [R-SUB-3]", async () => {
    let items: object[] = [];
    const world = new AppWorld(() => items);
    world.latencyMs = 20;
    const peer = await world.open("/items");
    await world.clock.advance(10);
    items = [{ id: 1 }];
    world.hub.changed(["/items/1"]);
    await world.clock.advance(100);
    expect(JSON.stringify(peer.messages)).toContain('{\\"id\\":1}');
    expect(world.asked.length).toBe(2);
  });

  it("is looked at 25 and 125 ms later where the write does not show, and then no more", async () => {
    const world = new AppWorld(() => []);
    await world.opened("/items");
    const times: number[] = [];
    world.answer = () => {
      times.push(world.clock.now());
      return [];
    };
    await world.changed("/items/1");
    await world.clock.advance(2_000);
    expect(times).toEqual([0, 50, 150]);
  });

  it("shows a write that the origin commits after its answer [R-DER-6]", async () => {
    let items: object[] = [];
    const world = new AppWorld(() => items);
    const peer = await world.opened("/items");
    await world.clock.advance(1_000);
    world.hub.changed(["/items/1"]);
    await world.clock.advance(80);
    items = [{ id: 1 }];
    await world.clock.advance(80);
    expect(String(peer.messages.at(-1)?.body) + String(peer.messages.at(-2)?.body)).toContain('{"id":1}');
  });

  it("is looked at again for the one of two writes that does not show yet [R-DER-6]", async () => {
    let items: object[] = [{ id: 1, text: "a text as long as a text may well be" }];
    const world = new AppWorld(() => items);
    const peer = await world.opened("/items");
    items = [...items, { id: 2 }];
    world.hub.changed(["/items/2"]);
    world.hub.changed(["/items/3"]);
    await world.clock.settle();
    items = [...items, { id: 3 }];
    await world.clock.advance(200);
    expect(briefs(peer)).toEqual(["201 /items/2 #1", "201 /items/3 #2"]);
  });

  it("is not looked at again where the write shows", async () => {
    const { world, add } = counting();
    await world.opened("/items");
    add();
    world.takeGets();
    world.hub.changed(["/items", "/items/1"]);
    await world.clock.advance(1_000);
    expect(world.takeGets()).toBe(1);
  });

  it.each([
    ["a POST that says no Location", "/items"],
    ["an action below a record", "/items/1/publish"],
  ])("is not looked at again where %s shows", async (_title, url) => {
    const { world, add } = counting();
    await world.opened("/items");
    add();
    world.takeGets();
    world.hub.changed([url]);
    await world.clock.advance(1_000);
    expect(world.takeGets()).toBe(1);
  });

  it("is found by the same path, those above and below, and by no other [R-DER-4]", async () => {
    const world = new AppWorld(() => []);
    world.hasRecords = false;
    for (const target of ["/a", "/a/b", "/a/b/c?x=1", "/a/d", "/e"]) await world.opened(target);
    world.takeGets();
    await world.changed("http://example.com/A/b?y=2");
    expect(world.asked.map(({ target }) => target)).toEqual(["/a", "/a/b", "/a/b/c?x=1"]);
  });
});

describe("Many stale views", () => {
  it("are asked for 16 at a time, and each gets its turn", async () => {
    const world = new AppWorld((request) => [{ id: userOf(request) }]);
    for (let at = 0; at < 100; at += 1) await world.opened("/items", [cookie(`u${at}`)]);
    world.latencyMs = 10;
    world.mostRunning = 0;
    world.takeGets();
    world.hub.changed(["/items"]);
    await world.clock.advance(75);
    expect(world.mostRunning).toBe(16);
    expect(new Set(world.asked.map(userOf)).size).toBe(100);
  });

  it("are not kept waiting by one that is written to all the time", async () => {
    let version = 0;
    const world = new AppWorld(({ target }) => [{ id: target.length, version }], {
      derived: { maxConcurrentGets: 1, coalesceMs: 0 },
    });
    await world.opened("/busy");
    const quiet = await world.opened("/quiet");
    world.latencyMs = 10;
    for (let ms = 0; ms < 200; ms += 5) {
      version += 1;
      world.hub.changed(["/busy"]);
      if (ms === 50) world.hub.changed(["/quiet"]);
      await world.clock.advance(5);
    }
    expect(quiet.messages.length).toBeGreaterThan(2);
  });
});

describe("A view that nobody says is stale", () => {
  it("is asked for within the refresh time, at other moments than others", async () => {
    let version = 0;
    const world = new AppWorld(() => [{ id: 1, version }], { derived: { refreshMs: 1_000 } });
    const peers = [];
    for (const target of ["/a", "/b", "/c", "/d"]) peers.push(await world.opened(target));
    version = 1;
    const times = new Map<string, number>();
    world.answer = ({ target }) => {
      if (!times.has(target)) times.set(target, world.clock.now());
      return [{ id: 1, version }];
    };
    await world.clock.advance(1_000);
    expect(new Set(times.values()).size).toBe(4);
    for (const peer of peers) expect(JSON.stringify(peer.messages)).toContain('\\"version\\":1');
  });

  it("is asked for with If-None-Match where the origin gave an ETag [R-DER-7]", async () => {
    const world = new AppWorld(() => json([], ["ETag", '"1"']));
    const peer = await world.opened("/items");
    world.answer = () => plain(304);
    await world.changed("/items");
    expect(world.asked.at(-1)?.fields).toContainEqual(["If-None-Match", '"1"']);
    await world.clock.advance(10);
    expect(briefs(peer)).toEqual([]);
  });
});

describe("Staleness", () => {
  it("comes through a port of one's own, from other processes too", async () => {
    const staleness = createLocalStaleness();
    const items = [{ id: 1 }];
    const world = new AppWorld(() => [...items], { derived: { staleness } });
    const peer = await world.opened("/items");
    items.push({ id: 2 });
    staleness.publish(["/items"]);
    await world.clock.settle();
    expect(briefs(peer)).toEqual(["201 /items/2 #1"]);
  });

  it("is told to the port by changed()", async () => {
    const told: (readonly string[])[] = [];
    const staleness = { publish: (urls: readonly string[]) => told.push(urls), subscribe: () => () => undefined };
    const world = new AppWorld(() => [], { derived: { staleness } });
    world.hub.changed(["/a", "/b"]);
    expect(told).toEqual([["/a", "/b"]]);
  });

  it("matters to the hub from the opening of the first view to the end of the last", async () => {
    let seen: boolean | undefined;
    const world = new AppWorld(() => {
      seen = world.hub.needsChanges;
      return [{ id: 1 }];
    });
    expect(world.hub.needsChanges).toBe(false);
    const peer = await world.opened("/items");
    expect([seen, world.hub.needsChanges]).toEqual([true, true]);
    peer.disconnect();
    await world.clock.advance(1_000);
    expect(world.hub.needsChanges).toBe(false);
  });

  it("matters to the hub at any time where others may hear of it", () => {
    const world = new AppWorld(() => [], { derived: { staleness: createLocalStaleness() } });
    expect(world.hub.needsChanges).toBe(true);
  });
});

describe("After the last follower left", () => {
  it("nothing is asked for any more, and nothing is kept", async () => {
    const world = new AppWorld(() => [{ id: 1 }], { derived: { refreshMs: 100 } });
    const timers = world.clock.timers;
    const peers = await Promise.all(["/items", "/items", "/items/1"].map((target) => world.opened(target)));
    world.hub.changed(["/items"]);
    await world.clock.advance(10);
    for (const peer of peers) peer.disconnect();
    await world.clock.advance(1_000);
    world.takeGets();
    await world.changed("/items");
    await world.clock.advance(10_000);
    expect(world.takeGets()).toBe(0);
    expect(world.hub.counts).toEqual({ connections: 0, subscriptions: 0, views: 0 });
    expect(world.clock.timers).toBe(timers);
  });

  it("one who comes back soon finds the view, and what was written meanwhile", async () => {
    let items = [{ id: 1 }];
    const world = new AppWorld(() => items);
    (await world.opened("/items")).disconnect();
    items = [{ id: 2 }];
    await world.changed("/items/2");
    const back = await world.opened("/items");
    expect(back.messages[0]?.body).toBe('[{"id":2}]');
    items = [{ id: 3 }];
    await world.changed("/items/3");
    expect(back.messages.at(-2)?.body).toBe('[{"id":3}]');
  });

  it("one whose handshake took longer than the view was kept follows it all the same [R-SUB-3]", async () => {
    let items = [{ id: 1 }];
    const world = new AppWorld(({ target }) =>
      target === "/items" ? items : { id: Number(target.split("/").at(-1)) },
    );
    const handshake = { level: 0, target: "/items", fields: [["Host", "example.com"]] } as const;
    const opening = await world.hub.authorise(handshake);
    await world.clock.advance(5_000);
    const peer = await world.opened("/.well-known/rocket");
    items = [{ id: 1 }, { id: 2 }];
    await world.changed("/items/2");
    const written: Uint8Array[] = [];
    const transport = {
      framing: { frame: (message: string | Uint8Array) => new TextEncoder().encode(String(message)) },
      unsentBytes: 0,
      takenBytes: 0,
      write: (bytes: Uint8Array) => written.push(bytes),
      ping: () => undefined,
      close: (code: number) => written.push(new TextEncoder().encode(`closed ${code}`)),
      abort: () => undefined,
      setReading: () => undefined,
    };
    world.hub.connect(transport, handshake, opening);
    await world.clock.advance(100);
    expect(written.map((bytes) => new TextDecoder().decode(bytes))).toEqual([
      'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Location: /items/2\r\n\r\n{"id":2}',
    ]);
    peer.disconnect();
  });
});

it("A viewer that is shown less by now sees so at the regular look, though the entity tag is the same [R-DER-1]", async () => {
  let isTrusted = true;
  const world = new AppWorld(
    ({ fields }) =>
      fieldValue(fields, "if-none-match") === '"v1"'
        ? plain(304, ["ETag", '"v1"'])
        : json([{ id: 1, salary: isTrusted ? 100 : null }], ["ETag", '"v1"']),
    { derived: { refreshMs: 1_000 } },
  );
  const anna = await world.opened("/items", [cookie("anna")]);
  isTrusted = false;
  await world.clock.advance(1_500);
  expect(anna.messages.some(({ body }) => String(body).includes('"salary":null'))).toBe(true);
});

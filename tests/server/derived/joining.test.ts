import { describe, expect, it } from "vitest";
import { type Field, fieldValue } from "../../../src/protocol/index.ts";
import type { OriginRequest } from "../../../src/server/index.ts";
import { AppWorld, briefs, cookie, json, plain, userOf } from "./fixture.ts";

const open: Field = ["Cache-Control", "public"];

describe("1,000 anonymous subscribers of one URL", () => {
  it("cost one GET when they come at once, and one per burst of writes [R-DER-1]", async () => {
    let items = [{ id: 1 }];
    const world = new AppWorld(() => items);
    world.latencyMs = 5;
    const opening = Promise.all(Array.from({ length: 1_000 }, () => world.open("/items")));
    await world.clock.advance(10);
    const peers = await opening;
    expect(world.takeGets()).toBe(1);
    items = [...items, { id: 2 }];
    for (let write = 0; write < 20; write += 1) world.hub.changed(["/items/2"]);
    await world.clock.advance(10);
    expect(world.takeGets()).toBe(1);
    for (const peer of peers) expect(briefs(peer)).toEqual(["201 /items/2 #1"]);
  });

  it("take a document that is being asked for, and not the stale one", async () => {
    let items = [{ id: 1 }];
    const world = new AppWorld(() => items);
    await world.opened("/items");
    items = [{ id: 2 }];
    world.hub.changed(["/items"]);
    const late = await world.opened("/items");
    expect(late.messages[0]?.body).toBe('[{"id":2}]');
    await world.clock.advance(1_000);
    expect(world.asked.length).toBeLessThanOrEqual(4);
  });

  it("each ask for themselves where the answer is private [R-DER-2]", async () => {
    const world = new AppWorld(() => json([], ["Cache-Control", "no-store"]));
    await Promise.all([world.opened("/items"), world.opened("/items"), world.opened("/items")]);
    expect(world.takeGets()).toBe(3);
  });

  it("are never shown each other's private answers, though their requests are the same [R-DER-2]", async () => {
    let asked = 0;
    const world = new AppWorld(() => json([{ id: 1, seenFrom: `address ${++asked}` }], ["Cache-Control", "private"]));
    const first = await world.opened("/items");
    const second = await world.opened("/items");
    expect(first.messages.map(({ body }) => body).join("")).not.toContain("address 2");
    expect(second.messages[0]?.body).toContain("address 2");
    expect(world.hub.counts.views).toBe(2);
  });

  it("ask for themselves where Vary names a field that says nothing of who asks [R-DER-2]", async () => {
    const world = new AppWorld(({ fields }) =>
      json([{ id: 1, language: fieldValue(fields, "accept-language") }], ["Vary", "Accept-Language"]),
    );
    await world.opened("/items");
    const german = await world.opened("/items", [["Accept-Language", "de"]]);
    expect(german.messages[0]?.body).toContain('"de"');
  });
});

describe("who has credentials", () => {
  it.each<[string, Field]>([
    ["Authorization", ["Authorization", "Bearer a"]],
    ["a cookie", cookie("anna")],
    ["a key in a field of its own", ["X-Api-Key", "k"]],
  ])("is asked for with them at its own handshake: %s [R-DER-1]", async (_title, field) => {
    const world = new AppWorld(() => json([{ id: 1 }], open));
    await world.opened("/items", [field]);
    world.answer = () => plain(403);
    const second = await world.opened("/items", [field]);
    expect(second.messages[0]?.status).toBe(403);
  });

  it("is told apart by what the peer proved at the transport [R-DER-1]", async () => {
    const identity = (peer: unknown) => (peer as { certificate?: string } | undefined)?.certificate;
    const world = new AppWorld(({ peer }) => [{ id: 1, for: identity(peer) }], { derived: { identity } });
    const positions = new Set<string | undefined>();
    for (const certificate of ["anna", "ben"]) {
      const opening = await world.hub.authorise({ level: 1, target: "/items", fields: [], peer: { certificate } });
      if (opening.kind === "accepted") positions.add(fieldValue(opening.fields, "event-id"));
    }
    expect(positions.size).toBe(2);
    expect(world.hub.counts.views).toBe(2);
  });
});

describe.each<[string, (request: OriginRequest) => string | undefined, readonly Field[], number]>([
  ["public", () => undefined, [open], 2],
  ["joined by name", () => "all", [], 2],
])("a view that is %s", (_title, viewer, fields, getsPerBurst) => {
  const users = ["anna", "ben", "cleo", "dora"];

  async function joined(answer: (user: string) => object = () => [{ id: 1 }]) {
    const world = new AppWorld(
      (request) => {
        const given = answer(userOf(request));
        return "status" in given ? given : json(given, ...fields);
      },
      { derived: { viewer, refreshMs: 1_000 } },
    );
    const peers = await Promise.all(users.map((user) => world.opened("/items", [cookie(user)])));
    expect(world.takeGets()).toBe(4);
    return { world, peers };
  }

  it("is one for all, and asked for as two of them, however many they are", async () => {
    let items = [{ id: 1 }];
    const { world, peers } = await joined(() => items);
    items = [{ id: 1 }, { id: 2 }];
    await world.changed("/items/2");
    expect(world.hub.counts.views).toBe(1);
    expect(world.takeGets()).toBe(getsPerBurst);
    for (const peer of peers) expect(briefs(peer)).toEqual(["201 /items/2 #1"]);
  });

  it("ends only who is refused, and the others get on [R-DER-7]", async () => {
    const text = "a text that is longer than what a difference costs";
    let items = [{ id: 1, text }];
    let banned = "";
    const { world, peers } = await joined((user) => (user === banned ? plain(403) : items));
    banned = "anna";
    items = [...items, { id: 2, text }];
    await world.changed("/items/2");
    await world.clock.advance(200);
    expect(peers.map((peer) => peer.closing?.code)).toEqual([4403, undefined, undefined, undefined]);
    for (const peer of peers.slice(1)) expect(briefs(peer)).toEqual(["201 /items/2 #1"]);
    expect(briefs(peers[0] as (typeof peers)[0])).toEqual(["403"]);
  });

  it("asks for as each member within the refresh time, and ends who is refused then [R-DER-1]", async () => {
    let banned = "";
    const { world, peers } = await joined((user) => (user === banned ? plain(401) : [{ id: 1 }]));
    banned = "cleo";
    await world.clock.advance(1_000);
    expect(new Set(world.asked.map(userOf))).toEqual(new Set(users));
    expect(peers.map((peer) => peer.closing?.code)).toEqual([undefined, undefined, 4401, undefined]);
  });

  it("is left by a member who gets something else, and that is shown to no other [R-DER-1]", async () => {
    let extra: object[] = [];
    const { world, peers } = await joined((user) => [{ id: 1 }, ...(user === "ben" ? extra : [])]);
    extra = [{ id: 9 }];
    await world.changed("/items/9");
    await world.clock.advance(3_000);
    expect(world.hub.counts.views).toBe(2);
    expect(
      peers.map(
        (peer) =>
          JSON.stringify(peer.messages).includes("/items/9") ||
          peer.messages.some(({ body }) => String(body).includes("9")),
      ),
    ).toEqual([false, true, false, false]);
  });

  it("shows nobody the fields of another's answer [R-DER-1]", async () => {
    let items = [{ id: 1 }];
    const { world, peers } = await joined();
    world.answer = (request) => json(items, ...fields, ["X-User", userOf(request)]);
    items = [];
    await world.changed("/items");
    const late = await world.opened("/items", [cookie("dora")]);
    for (const peer of [...peers, late]) {
      for (const message of peer.messages) expect(fieldValue(message.fields, "x-user")).toBeUndefined();
    }
  });

  it("waits with what is new for a member whose own GETs fail for longer than the refresh time [R-DER-1]", async () => {
    let version = 0;
    const { world, peers } = await joined((user) =>
      user === "anna" && version > 0 ? plain(503) : [{ id: 1, version }],
    );
    version = 1;
    await world.clock.advance(1_500);
    version = 2;
    await world.changed("/items/1");
    const [anna, ben] = peers;
    expect(anna?.messages.some(({ body }) => String(body).includes('"version":2'))).toBe(false);
    expect(ben?.messages.at(-2)?.body).toBe('[{"id":1,"version":2}]');
    world.answer = () => json([{ id: 1, version }], ...fields);
    await world.clock.advance(40_000);
    expect(anna?.closing).toBeUndefined();
    expect(anna?.messages.some(({ body }) => String(body).includes('"version":2'))).toBe(true);
  });
});

describe("the viewer option", () => {
  it("that throws or names nobody shares with nobody, and is told to onError", async () => {
    const names: (() => unknown)[] = [
      () => {
        throw new Error("no session");
      },
      () => null,
      () => "",
    ];
    for (const name of names) {
      const viewer = name as () => string | undefined;
      const world = new AppWorld(() => [{ id: 1 }], { derived: { viewer } });
      await world.opened("/items", [cookie("anna")]);
      await world.opened("/items", [cookie("ben")]);
      expect(world.hub.counts.views).toBe(2);
    }
  });

  it("that gives a member another name has it leave the view [R-DER-1]", async () => {
    let tenant = "one";
    const world = new AppWorld((request) => [{ id: 1, tenant: userOf(request) === "ben" ? tenant : "one" }], {
      derived: { viewer: (request) => (userOf(request) === "ben" ? tenant : "one"), refreshMs: 1_000 },
    });
    const anna = await world.opened("/items", [cookie("anna")]);
    const ben = await world.opened("/items", [cookie("ben")]);
    expect(world.hub.counts.views).toBe(1);
    tenant = "two";
    await world.clock.advance(1_000);
    expect(ben.messages.at(-2)?.body).toBe('[{"id":1,"tenant":"two"}]');
    expect(briefs(anna)).toEqual([]);
  });
});

it("2,000 members of one view are each asked for within the refresh time, at the pace that takes [R-DER-1]", async () => {
  const last = new Map<string, number>();
  let longest = 0;
  const world: AppWorld = new AppWorld((request) => {
    const now = world.clock.now();
    longest = Math.max(longest, now - (last.get(userOf(request)) ?? now));
    last.set(userOf(request), now);
    return json([{ id: 1 }], open);
  });
  await Promise.all(Array.from({ length: 2_000 }, (_, at) => world.open("/items", [cookie(`u${at}`)])));
  await world.clock.settle();
  world.takeGets();
  await world.clock.advance(120_000);
  expect(longest).toBeLessThanOrEqual(60_000);
  expect(new Set(world.asked.map(userOf)).size).toBe(2_000);
  expect(world.takeGets()).toBeLessThan(6_000);
});

it("An answer that becomes private is shown to nobody else, and all get their own [R-DER-2]", async () => {
  let isPublic = true;
  const world = new AppWorld((request) =>
    isPublic ? json([{ id: 1 }], open) : json([{ id: 1, for: userOf(request) }], ["Cache-Control", "private"]),
  );
  const users = ["anna", "ben", "cleo"];
  const peers = await Promise.all(users.map((user) => world.opened("/items", [cookie(user)])));
  isPublic = false;
  await world.changed("/items/1");
  await world.clock.advance(3_000);
  expect(world.hub.counts.views).toBe(3);
  peers.forEach((peer, at) => {
    const bodies = peer.messages.map(({ body }) => String(body)).join();
    for (const user of users) expect(bodies.includes(user)).toBe(user === users[at]);
  });
});

it("An answer that comes to vary by an inert field is shown by it from then on [R-DER-2]", async () => {
  let varies = false;
  const world = new AppWorld(({ fields }) =>
    varies
      ? json([{ id: 1, language: fieldValue(fields, "accept-language") }], ["Vary", "Accept-Language"])
      : json([{ id: 1 }]),
  );
  const languages = ["de", "fr"];
  const peers = await Promise.all(languages.map((name) => world.opened("/items", [["Accept-Language", name]])));
  varies = true;
  await world.changed("/items/1");
  await world.clock.advance(1_000);
  expect(peers.map(({ messages }) => messages.at(-2)?.body)).toEqual([
    '[{"id":1,"language":"de"}]',
    '[{"id":1,"language":"fr"}]',
  ]);
});

it("A member's conditional GET has the entity tag of its own answer, never another's [R-DER-1]", async () => {
  const world = new AppWorld((request) => json([{ id: 1 }], open, ["ETag", `"${userOf(request)}"`]), {
    derived: { refreshMs: 1_000 },
  });
  for (const user of ["anna", "ben"]) await world.opened("/items", [cookie(user)]);
  await world.clock.advance(5_000);
  const tags = world.asked.map((request) => [userOf(request), fieldValue(request.fields, "if-none-match")]);
  for (const [user, tag] of tags) expect([undefined, `"${user}"`]).toContain(tag);
  expect(tags.some(([, tag]) => tag !== undefined)).toBe(true);
});

it("A subscription that asks with other credentials gets what those see, and keeps its name [R-BAND-5]", async () => {
  const world = new AppWorld((request) => [{ id: 1, for: fieldValue(request.fields, "authorization") ?? "nobody" }]);
  const peer = await world.opened("/.well-known/rocket");
  for (const [id, name] of ["anna", "ben", "ben"].entries()) {
    peer.request("SUBSCRIBE", "/items", [
      ["Request-ID", `${id}`],
      ["Authorization", name],
    ]);
    await world.clock.settle();
  }
  expect(briefs(peer, 1)).toEqual([
    "200 sub=/items",
    "304 sub=/items",
    "304 sub=/items",
    "200 sub=/items",
    "304 sub=/items",
    "304 sub=/items",
  ]);
  expect(peer.messages[4]?.body).toBe('[{"id":1,"for":"ben"}]');
});

it("An in-band subscription that leaves its view and is refused says which it was [R-SUB-10]", async () => {
  let extra: object | undefined;
  const world = new AppWorld((request) => {
    if (extra && userOf(request) === "ben") return world.asked.length > 8 ? plain(403) : [extra];
    return json([{ id: 1 }], open);
  });
  await world.opened("/items", [cookie("anna")]);
  const ben = await world.opened("/.well-known/rocket", [cookie("ben")]);
  ben.request("SUBSCRIBE", "/items", [["Request-ID", "1"]]);
  await world.clock.settle();
  extra = { id: 2 };
  await world.changed("/items");
  world.answer = (request) => (userOf(request) === "ben" ? plain(403) : json([{ id: 1 }], open));
  await world.clock.advance(70_000);
  expect(briefs(ben).at(-1)).toBe("403 sub=/items");
  expect(ben.closing).toBeUndefined();
});

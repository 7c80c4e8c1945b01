import { describe, expect, it } from "vitest";
import { type Field, fieldValue } from "../../../src/protocol/index.ts";
import type { OriginRequest } from "../../../src/server/index.ts";
import { AppWorld, briefs, cookie, json, plain, userOf } from "./fixture.ts";

const open: Field = ["Cache-Control", "public"];

describe("1,000 anonymous viewers of one URL", () => {
  const agents = (at: number): Field[] => [["User-Agent", `browser ${at}`]];

  async function thousand(fields: readonly Field[], anonymous: "separate" | "shared") {
    let items = [{ id: 1 }];
    const world = new AppWorld(() => json(items, ...fields), { derived: { anonymous } });
    const opening = Promise.all(Array.from({ length: 1_000 }, (_, at) => world.open("/items", agents(at))));
    await world.clock.settle();
    const peers = await opening;
    expect(world.takeGets()).toBe(1_000);
    items = [...items, { id: 2 }];
    for (let write = 0; write < 20; write += 1) world.hub.changed(["/items/2"]);
    await world.clock.advance(10);
    for (const peer of peers) expect(briefs(peer)).toEqual(["201 /items/2 #1"]);
    return world;
  }

  it("cost one GET each at the opening, and one in all per burst of writes, where the answer is public [R-DER-1]", async () => {
    const world = await thousand([open], "separate");
    expect(world.takeGets()).toBe(1);
    expect(world.hub.counts.views).toBe(1);
  });

  it("cost as little where the application shares what is anonymous", async () => {
    const world = await thousand([], "shared");
    expect(world.takeGets()).toBe(1);
  });

  it("have a view each where nothing is declared, and onError says once what could be [R-DER-1]", async () => {
    const world = await thousand([], "separate");
    expect(world.takeGets()).toBe(1_000);
    expect(world.hub.counts.views).toBe(1_000);
    expect(world.errors).toEqual(["sharing"]);
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

  it("are each asked for with their own fields", async () => {
    const world = new AppWorld(({ fields }) => json([{ id: 1, language: fieldValue(fields, "accept-language") }]));
    const french = await world.opened("/items", [["Accept-Language", "fr"]]);
    const german = await world.opened("/items", [["Accept-Language", "de"]]);
    expect(french.messages[0]?.body).toContain('"fr"');
    expect(german.messages[0]?.body).toContain('"de"');
  });

  it("from an address that is not let in are refused while others follow [R-DER-1]", async () => {
    const world = new AppWorld(({ peer }) => (peer === "outside" ? plain(403) : [{ id: 1 }]), {
      identity: (peer) => ({ address: String(peer) }),
    });
    await world.opened("/items", [], 1, "inside");
    const outsider = await world.opened("/items", [], 1, "outside");
    expect(outsider.messages[0]?.status).toBe(403);
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
    const identity = (peer: unknown) => ({ certificate: (peer as { certificate?: string } | undefined)?.certificate });
    const world = new AppWorld(({ peer }) => [{ id: 1, for: identity(peer) }], { identity });
    const positions = new Set<string | undefined>();
    for (const certificate of ["anna", "ben"]) {
      const authorised = world.hub.authorise({ level: 1, target: "/items", fields: [], peer: { certificate } });
      await world.clock.settle();
      const opening = await authorised;
      if (opening.kind === "accepted") positions.add(fieldValue(opening.fields, "event-id"));
    }
    expect(positions.size).toBe(2);
    expect(world.hub.counts.views).toBe(2);
  });
});

describe.each<[string, (request: OriginRequest) => string | undefined, readonly Field[]]>([
  ["public", () => undefined, [open]],
  ["shared by name", () => "all", []],
])("a view that is %s", (_title, viewer, fields) => {
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

  it("is one for all, and asked for as one of them, however many they are", async () => {
    let items = [{ id: 1 }];
    const { world, peers } = await joined(() => items);
    items = [{ id: 1 }, { id: 2 }];
    await world.changed("/items/2");
    expect(world.hub.counts.views).toBe(1);
    expect(world.takeGets()).toBe(1);
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
  const world = new AppWorld(() => json([{ id: 1 }], open));
  await world.opened("/items", [cookie("anna")]);
  const ben = await world.opened("/.well-known/rocket", [cookie("ben")]);
  ben.request("SUBSCRIBE", "/items", [["Request-ID", "1"]]);
  await world.clock.settle();
  let asked = 0;
  world.answer = (request) => {
    if (userOf(request) !== "ben") return json([{ id: 1 }], open);
    asked += 1;
    return asked > 3 ? plain(403) : json([{ id: 2 }], open);
  };
  await world.clock.advance(70_000);
  expect(briefs(ben)).toContain("403 sub=/items");
  expect(briefs(ben).join()).not.toContain("202");
  expect(ben.closing).toBeUndefined();
});

describe("What one member of a declared view meets", () => {
  const users = ["anna", "ben", "cleo", "dora", "emil"];

  async function together(viewer?: () => string) {
    let version = 1;
    const world = new AppWorld(() => json([{ id: 1, version }], ...(viewer ? [] : [open])), {
      derived: { refreshMs: 10_000, ...(viewer ? { viewer } : {}) },
    });
    const peers = await Promise.all(users.map((user) => world.opened("/items", [cookie(user)])));
    world.takeGets();
    return { world, peers, write: () => ++version, answer: () => json([{ id: 1, version }], open) };
  }

  it.each([401, 403, 302, 404, 410, 429, 500, 503])(
    "with a %i delays nobody else, whoever is asked first [R-DER-7]",
    async (status) => {
      for (const unlucky of users) {
        const { world, peers, write, answer } = await together();
        world.answer = (request) => (userOf(request) === unlucky ? plain(status) : answer());
        write();
        await world.changed("/items/1");
        const isNew = peers.map(({ messages }) => messages.some(({ body }) => String(body).includes('"version":2')));
        expect(isNew).toEqual(users.map((user) => user !== unlucky || isNew[users.indexOf(user)]));
        expect(isNew.filter(Boolean).length).toBeGreaterThanOrEqual(4);
      }
    },
  );

  it("who is answered slowly delays the others by half a second once, and not by the slow answer [R-DER-7]", async () => {
    const { world, peers, write, answer } = await together();
    const slow = userOf(world.asked.at(-1) ?? ({ fields: [cookie("anna")] } as unknown as OriginRequest));
    world.answer = answer;
    world.delayMs = (request) => (userOf(request) === slow ? 8_000 : 0);
    write();
    await world.changed("/items/1");
    await world.clock.advance(600);
    const others = peers.filter((_, at) => users[at] !== slow);
    for (const peer of others)
      expect(peer.messages.some(({ body }) => String(body).includes('"version":2'))).toBe(true);
    const before = world.clock.now();
    write();
    await world.changed("/items/1");
    for (const peer of others)
      expect(peer.messages.some(({ body }) => String(body).includes('"version":3'))).toBe(true);
    expect(world.clock.now()).toBe(before);
  });

  it("who is not public any more gets its own, and the others go on sharing", async () => {
    const { world, peers, write, answer } = await together();
    world.answer = (request) =>
      userOf(request) === "ben" ? json([{ id: 1, for: "ben" }], ["Cache-Control", "private"]) : answer();
    write();
    await world.changed("/items/1");
    await world.clock.advance(12_000);
    expect(world.hub.counts.views).toBe(2);
    peers.forEach(({ messages }, at) => {
      expect(messages.some(({ body }) => String(body).includes('"for":"ben"'))).toBe(users[at] === "ben");
    });
  });

  it("whose 304 says that it is private now leaves [R-DER-2]", async () => {
    let word = "public";
    const world = new AppWorld(
      ({ fields }) => {
        const said: Field[] = [
          ["Cache-Control", word],
          ["ETag", '"1"'],
        ];
        return fieldValue(fields, "if-none-match") === '"1"' ? plain(304, ...said) : json([{ id: 1 }], ...said);
      },
      { derived: { refreshMs: 1_000 } },
    );
    await Promise.all(users.map((user) => world.opened("/items", [cookie(user)])));
    expect(world.hub.counts.views).toBe(1);
    word = "private";
    await world.clock.advance(2_500);
    expect(world.hub.counts.views).toBe(users.length);
  });

  it("whose 304 does not say again what its 200 said stays", async () => {
    const world = new AppWorld(
      ({ fields }) =>
        fieldValue(fields, "if-none-match") === '"1"' ? plain(304) : json([{ id: 1 }], open, ["ETag", '"1"']),
      { derived: { refreshMs: 1_000 } },
    );
    await Promise.all(users.map((user) => world.opened("/items", [cookie(user)])));
    await world.clock.advance(5_000);
    expect(world.hub.counts.views).toBe(1);
  });

  it("that was given another document for a while comes back to the others", async () => {
    const { world, write, answer } = await together();
    let isOdd = true;
    world.answer = (request) => (isOdd && userOf(request) === "ben" ? json([{ id: 7 }], open) : answer());
    await world.clock.advance(12_000);
    expect(world.hub.counts.views).toBe(2);
    isOdd = false;
    await world.clock.advance(25_000);
    expect(world.hub.counts.views).toBe(1);
    write();
    world.takeGets();
    await world.changed("/items/1");
    expect(world.takeGets()).toBe(1);
  });

  it("that are all answered while writes keep coming stay together", async () => {
    const { world, write, answer } = await together();
    world.answer = answer;
    world.latencyMs = 3;
    for (let at = 0; at < 2_000; at += 1) {
      write();
      world.hub.changed(["/items/1"]);
      await world.clock.advance(20);
    }
    expect(world.hub.counts.views).toBe(1);
  });

  it("with credentials sees its own refusal only", async () => {
    const { world, peers } = await together(() => "all");
    world.answer = () => plain(503);
    await world.changed("/items/1");
    await world.clock.advance(5_000);
    expect(peers.map(({ closing }) => closing)).toEqual(users.map(() => undefined));
  });

  it("whose 304 says otherwise than the 200 is asked for whole, once, and no loop follows [R-DER-2]", async () => {
    const lies: readonly (readonly Field[])[] = [
      [["Vary", "User-Agent"]],
      [["Vary", "*"]],
      [["Cache-Control", "private"]],
      [["Cache-Control", "no-cache"]],
      [["Set-Cookie", "a=b"]],
      [["Vary", "Origin, Accept-Encoding"]],
    ];
    for (const lie of lies) {
      const world = new AppWorld(({ fields }) => {
        const tag: Field = ["ETag", '"1"'];
        return fieldValue(fields, "if-none-match") === '"1"'
          ? plain(304, tag, open, ...lie)
          : json([{ id: 1 }], open, tag, ["Vary", "Origin"]);
      });
      const peers = await Promise.all(users.map((user) => world.opened("/items", [cookie(user)])));
      world.takeGets();
      for (let write = 0; write < 5; write += 1) {
        await world.changed("/items/1");
        await world.clock.advance(1_000);
      }
      expect(world.takeGets()).toBeLessThanOrEqual(5 * 3 + 1);
      expect(world.hub.counts.views).toBe(1);
      for (const peer of peers) expect(briefs(peer).filter((line) => line !== "304")).toEqual([]);
    }
  });

  it("who is given less elsewhere by its own newer GET sees no more of what is declared [R-DER-1]", async () => {
    for (const [status, fields] of [
      [403, []],
      [200, [["Cache-Control", "private"]]],
      [200, [open]],
    ] as const) {
      const { world, write, answer } = await together();
      const anna = await world.opened("/.well-known/rocket", [cookie("anna")]);
      anna.request("SUBSCRIBE", "/items", [["Request-ID", "1"]]);
      await world.clock.advance(1_500);
      world.answer = (request) => {
        if (userOf(request) !== "anna") return answer();
        return status === 403 ? plain(403) : json([{ id: 1, redacted: true }], ...fields);
      };
      await world.opened("/items", [cookie("anna")]);
      await world.clock.advance(500);
      write();
      await world.changed("/items/1");
      await world.clock.advance(500);
      expect(JSON.stringify(anna.messages.map(({ body }) => String(body)))).not.toContain('version\\":2');
    }
  });
});

it("A declared view varies by what a hop in between tells of the address [R-DER-2]", async () => {
  for (const name of ["X-Forwarded-For", "Forwarded", "x-real-ip", "CF-Connecting-IP"]) {
    let isOpen = true;
    const world = new AppWorld(
      ({ peer }) => json([isOpen ? { id: 1 } : { id: 1, for: String(peer) }], open, ["Vary", `Accept, ${name}`]),
      { identity: (peer) => ({ address: String(peer) }), derived: { refreshMs: 60_000 } },
    );
    const inside = await world.opened("/items", [], 1, "inside");
    const outside = await world.opened("/items", [], 1, "outside");
    isOpen = false;
    await world.changed("/items/1");
    await world.clock.advance(500);
    expect(JSON.stringify(inside.messages)).not.toContain("outside");
    expect(JSON.stringify(outside.messages)).not.toContain("inside");
  }
});

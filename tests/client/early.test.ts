import { beforeAll, describe, expect, it } from "vitest";
import { Feed } from "../../src/client/feed.ts";
import { createClient, type Query } from "../../src/client/index.ts";
import { listOf } from "./messages.ts";
import { World } from "./world.ts";

beforeAll(() =>
  Promise.all([
    import("../../src/client/outbox.ts"),
    import("../../src/client/answers.ts"),
    import("../../src/client/fallback.ts"),
  ]),
);

/** A client whose sockets never open, and fail after `failsAfterMs` where that is given; its GETs are answered. */
function withoutSocket(world: World, answer: (path: string) => Response | Promise<Response>, failsAfterMs?: number) {
  class SilentSocket {
    onclose: ((event: { code: number }) => void) | undefined;

    constructor() {
      if (failsAfterMs !== undefined) world.clock.setTimer(() => this.onclose?.({ code: 1006 }), failsAfterMs);
    }

    close(): void {}
  }
  const hints: string[] = [];
  const client = createClient("http://h", {
    clock: world.clientClock,
    WebSocket: SilentSocket as unknown as typeof WebSocket,
    fetch: (async (url: string) => answer(new URL(url).pathname)) as typeof fetch,
    onError: (error, { stage }) => hints.push(`${stage}: ${(error as Error).message}`),
  });
  return { client, hints };
}

describe("The first rows", () => {
  it.each(["direct", "derived"] as const)(
    "of a %s view don't wait for the socket, and are joined by it",
    async (flavour) => {
      const world = new World({ flavour });
      world.service.write([{ name: "a", columns: {} }]);
      let isHeld = true;
      const held: (string | Uint8Array)[] = [];
      world.mangle = (data) => {
        if (!isHeld) return [data];
        held.push(data);
        return [];
      };
      const list = world.client.collection("/a");
      list.subscribe(() => {});
      const statuses: number[] = [];
      world.client.subscribe("/a", (_request, { status }) => statuses.push(status));
      const ready = list.ready();
      await world.clock.advance(5);
      const { rows, status } = await ready;
      expect([rows.length, status.state, status.since]).toEqual([1, "connecting", expect.any(Number)]);
      isHeld = false;
      for (const socket of world.sockets) for (const data of held.splice(0)) socket.deliver(data);
      await world.clock.advance(100);
      expect([list.getSnapshot().rows === rows, list.getSnapshot().status, statuses]).toEqual([
        true,
        { state: "live" },
        [200],
      ]);
      world.service.write([{ name: "a", columns: {} }]);
      await world.clock.advance(100);
      expect([list.getSnapshot().rows.length, statuses]).toEqual([2, [200, 201]]);
      world.client.close();
    },
  );

  it("are not those of a GET that comes after the socket's", () => {
    const options = {
      target: "/a",
      origin: "http://h",
      clock: new World().clock,
      urls: new WeakMap(),
      versions: new WeakMap(),
    };
    const feed = new Feed({ ...options, follow: () => () => {}, askAnew: () => {}, onStatus: () => {} });
    feed.take(listOf([{ id: 1, v: 2 }], ["Event-ID", "k:2.0"]));
    feed.early(listOf([{ id: 1, v: 1 }], ["Event-ID", "k:1.0"]));
    expect([feed.replica.rows, feed.position, feed.state]).toEqual([[{ id: 1, v: 2 }], "k:2.0", "opened"]);
  });

  it("are shown where a guess lets no doubt, and are none where it does", async () => {
    const world = new World();
    const bodies: Record<string, unknown> = {
      "/list": [{ id: 1 }],
      "/named": { named: [{ id: 1 }] },
      "/page": { data: { rows: [{ id: 1 }] } },
      "/users/5": { name: "Ann", posts: [{ id: 1 }] },
    };
    const { client } = withoutSocket(world, (path) => Response.json(bodies[path] ?? {}));
    const lists = ["/list", "/named", "/page", "/users/5"].map((path) => client.collection(path));
    for (const list of lists) list.subscribe(() => {});
    await world.clock.advance(10);
    expect(lists.map((list) => list.getSnapshot().rows.length)).toEqual([1, 1, 0, 0]);
    client.close();
  });
});

describe("Where no socket comes about", () => {
  it("a hint says after 2 s what may be missing, once", async () => {
    const world = new World();
    const { client, hints } = withoutSocket(world, () => Response.json([]));
    client.collection("/a").subscribe(() => {});
    await world.clock.advance(1_900);
    expect(hints).toEqual([]);
    await world.clock.advance(200);
    expect(hints).toEqual([
      expect.stringMatching(/^connection: No message has come through ws:\/\/h\/\.well-known\/rocket/),
    ]);
    await world.clock.advance(120_000);
    expect(hints.length).toBe(1);
    client.close();
    expect(world.clientClock.timers).toBe(0);
  });

  it("no hint is given while the server can't be reached, as the status says", async () => {
    const world = new World();
    let isThere = false;
    const { client, hints } = withoutSocket(
      world,
      () => {
        if (!isThere) throw new TypeError("It can't be reached.");
        return Response.json([]);
      },
      0,
    );
    client.collection("/a").subscribe(() => {});
    await world.clock.advance(60_000);
    expect([hints, client.status.state]).toEqual([[], "offline"]);
    isThere = true;
    await world.clock.advance(120_000);
    expect(hints).toEqual([expect.stringContaining("No message has come through ws://h/.well-known/rocket")]);
    client.close();
    expect(world.clientClock.timers).toBe(0);
  });

  it("no hint is given to whoever has one, nor to whoever has left by then", async () => {
    const world = new World();
    world.look("/a");
    await world.clock.advance(5_000);
    expect(world.hints).toEqual([]);
    world.client.close();
    const { client, hints } = withoutSocket(world, () => Response.json([]));
    client.collection("/a").subscribe(() => {});
    client.close();
    await world.clock.advance(5_000);
    expect(hints).toEqual([]);
  });
});

describe("ready()", () => {
  it("rejects after its time, and says whether the server can't be reached", async () => {
    const world = new World();
    world.isOffline = true;
    const { client } = withoutSocket(world, () => new Promise<Response>(() => {}));
    const waits = [
      world.client.collection("/a").ready({ timeoutMs: 5_000 }),
      client.collection("/a").ready({ timeoutMs: 5_000 }),
    ].map((wait) => wait.catch(({ problem }) => [problem.status, problem.detail]));
    await world.clock.advance(5_001);
    expect(await Promise.all(waits)).toEqual([
      [504, "http://example.com/a can't be reached."],
      [504, "http://h/a has not answered within 5000 ms."],
    ]);
    world.client.close();
    client.close();
  });

  it("rejects with its signal's reason, and leaves nothing behind", async () => {
    const world = new World();
    world.isOffline = true;
    const stop = new AbortController();
    const list = world.client.collection("/a");
    const wait = list.ready({ signal: stop.signal, timeoutMs: 60_000 });
    stop.abort(new Error("enough"));
    await expect(wait).rejects.toThrow("enough");
    await expect(list.ready({ signal: stop.signal })).rejects.toThrow("enough");
    await world.clock.advance(1_100);
    expect(world.clientClock.timers).toBe(0);
    world.client.close();
  });

  it("resolves as ever where there is an answer in time", async () => {
    const world = new World();
    const wait = world.client.collection("/a").ready({ timeoutMs: 5_000, signal: new AbortController().signal });
    await world.clock.advance(10);
    expect((await wait).rows).toEqual([]);
    world.client.close();
  });
});

it("A filter without a value is a mistake that is told, and not all rows", () => {
  const { client } = new World();
  const mistakes: [unknown, string][] = [
    [undefined, "undefined"],
    [null, "null"],
    [{}, "{}"],
    [new Map([[1, 2]]), "{}"],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [Number.NaN, "NaN"],
    [() => 1, "() => 1"],
    [[1, undefined], "[1,null]"],
    [[{ id: 1 }], '[{"id":1}]'],
  ];
  for (const [value, text] of mistakes) {
    const where = { card_id: value as never };
    expect(() => client.collection<{ card_id: number }>("/a", { where })).toThrow(`where.card_id is ${text}: give a`);
    const not = { card_id: { not: value as never } };
    expect(() => client.collection<{ card_id: number }>("/a", { where: not })).toThrow(
      `where.card_id.not is ${text}: `,
    );
  }
  for (const value of [0, false, "", 10n as never])
    expect(client.collection("/a", { where: { card_id: value } }).url).toBe(`/a?card_id=${value}`);
  client.close();
});

it("A filter with conditions is a URL that rocket serve reads", () => {
  interface Row {
    readonly year: number;
    readonly name: string;
    readonly live: boolean;
    readonly limit: number;
    readonly tags: readonly string[];
    readonly data: unknown;
  }
  const { client } = new World();
  const parametersOf = (where: Query<Row>["where"]): string[] => {
    const { url } = client.collection<Row>("/a", where ? { where } : {});
    return [...new URLSearchParams(url.split("?")[1])].map(([name, value]) => `${name}=${value}`);
  };
  expect(parametersOf({ year: { gte: 1970, lt: 1980 } })).toEqual(["year=gte.1970", "year=lt.1980"]);
  expect(parametersOf({ year: { in: [1, 2] }, name: { in: ['a,"b"', ""] } })).toEqual([
    "year=in.(1,2)",
    'name=in.("a,\\"b\\"",)',
  ]);
  expect(parametersOf({ name: { like: "A*", not: { ilike: "*x", in: ["a"] } } })).toEqual([
    "name=like.A*",
    "name=not.ilike.*x",
    "name=not.in.(a)",
  ]);
  expect(parametersOf({ year: { is: null }, live: { is: true, not: { is: null } } })).toEqual([
    "year=is.null",
    "live=is.true",
    "live=not.is.null",
  ]);
  expect(
    parametersOf({ year: { gt: { all: [1, 2] } }, name: { like: { any: ["a*", "b,"] }, isdistinct: "x" } }),
  ).toEqual(["year=gt(all).{1,2}", 'name=like(any).{a*,"b,"}', "name=isdistinct.x"]);
  expect(parametersOf({ tags: { cs: ["a", "b,c", "", "null"], not: { ov: "{x}" } } })).toEqual([
    'tags=cs.{a,"b,c","","null"}',
    "tags=not.ov.{x}",
  ]);
  expect(parametersOf({ name: { fts: "a & b", "plfts(english)": "moon", not: { match: "^a" } } })).toEqual([
    "name=fts.a & b",
    "name=plfts(english).moon",
    "name=not.match.^a",
  ]);
  expect(parametersOf({ "data->>name": "Low", "data->year": { gte: 1970 } })).toEqual([
    "data->>name=Low",
    "data->year=gte.1970",
  ]);
  expect(parametersOf({ name: { eq: "a" } })).toEqual(["name=a"]);
  expect(parametersOf({ name: "in.x" })).toEqual(["name=eq.in.x"]);
  expect(parametersOf({ name: { neq: "in.x" } })).toEqual(["name=neq.in.x"]);
  expect(parametersOf({ limit: 5 })).toEqual(["and=(limit.eq.5)"]);
  expect(parametersOf({ limit: { gt: 5 } })).toEqual(["and=(limit.gt.5)"]);
  expect(() => parametersOf({ year: { gte: undefined as never } })).toThrow("where.year.gte is undefined");
  expect(() => parametersOf({ year: { eq: null as never } })).toThrow("where.year.eq is null");
  expect(() => parametersOf({ year: { not: { gt: null as never } } })).toThrow("where.year.not.gt is null");
  expect(() => parametersOf({ year: { over: 5 } as never })).toThrow("where.year.over is none of the conditions");
  expect(() => parametersOf({ year: { not: { over: 5 } } as never })).toThrow("where.year.not.over is none");
  client.close();
});

it("A client that closes the connection itself does not say that the server did", async () => {
  const world = new World();
  const looked = world.look("/a");
  await world.clock.advance(100);
  for (const socket of world.sockets) socket.deliver("HTTP/1.1 200 OK\r\nA : b\r\n\r\n");
  await world.clock.advance(100);
  expect(looked.live.getSnapshot().status.problem?.detail).toMatch(
    /^The client closed the connection with 1002, since the server sent what is no message: /,
  );
  world.client.close();
});

it("What was handed over without Items is read as documents are, and what was dehydrated as what it was", async () => {
  const fields = [["Content-Type", "application/json"]] as const;
  const initial = {
    "/posts": { status: 200, reason: "", fields, body: '{"posts":[{"id":1},{"id":2}]}' },
    "/posts/1": {
      status: 200,
      reason: "",
      fields: [...fields, ["Items", 'record=""'] as const],
      body: '{"tags":[{"id":1}]}',
    },
  };
  const world = new World();
  const client = createClient("http://h", { clock: world.clientClock, initial });
  const posts = client.collection<{ id: number }>("/posts");
  await world.clock.settle();
  const shown = posts.getSnapshot().rows;
  expect(shown.map(posts.keyOf)).toEqual(["/posts/1", "/posts/2"]);
  // Nobody has looked whether they are there.
  expect(() => posts.urlOf(shown[0] as never)).toThrow(/no URL to write to.*records/);
  expect(client.record("/posts/1").getSnapshot().row).toEqual({ tags: [{ id: 1 }] });
  const again = createClient("http://h", { clock: world.clientClock, initial: await client.dehydrate() });
  expect(again.record("/posts/1").getSnapshot().row).toEqual({ tags: [{ id: 1 }] });
  expect(again.collection("/posts").getSnapshot().rows.length).toBe(2);
  client.close();
  again.close();
});

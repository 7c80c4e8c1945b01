import { beforeAll, describe, expect, it, vi } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { World } from "./world.ts";

beforeAll(() =>
  Promise.all([
    import("../../src/client/outbox.ts"),
    import("../../src/client/fallback.ts"),
    import("../../src/client/answers.ts"),
  ]),
);

describe("A client", () => {
  it("has the status of the worst view that somebody looks at", async () => {
    const world = new World();
    const { client, clock } = world;
    const statuses: string[] = [];
    client.onStatus(() => statuses.push(client.status.state));
    const stop = client.collection("/a").subscribe(() => {});
    await clock.advance(10);
    world.service.turnsAway = 401;
    const stopRefused = client.collection("/b").subscribe(() => {});
    await clock.advance(10);
    expect([client.status.state, client.status.problem?.status]).toEqual(["failed", 401]);
    expect(statuses.slice(0, 2)).toEqual(["connecting", "live"]);
    stopRefused();
    stop();
    client.close();
  });

  it("keeps the last hundred views that nobody looks at any more, and no others", async () => {
    const world = new World();
    const { client, clock } = world;
    for (let view = 0; view < 103; view += 1) {
      const stop = client.collection(`/a?size=${view}`).subscribe(() => {});
      await clock.advance(10);
      stop();
      await clock.advance(1_001);
    }
    const kept = Object.keys(await client.dehydrate());
    expect([kept.length, kept.includes("/a?size=2"), kept.includes("/a?size=102")]).toEqual([100, false, true]);
    client.close();
  });

  it("keeps what was handed over until it is asked for, however much that is", async () => {
    const world = new World();
    const list = {
      status: 200,
      reason: "",
      fields: [["Items", 'list="/a", url="/a/{id}"']] as const,
      body: '{"a":[{"id":1}]}',
    };
    const initial = Object.fromEntries(Array.from({ length: 150 }, (_, at) => [`/a?size=${at}`, list]));
    const client = createClient("http://h", { clock: world.clientClock, WebSocket: NoSocket, initial });
    client.collection("/other").subscribe(() => {})();
    await world.clock.advance(1_001);
    expect(client.collection("/a?size=0").getSnapshot().rows).toEqual([{ id: 1 }]);
    client.close();
  });

  it("hands on no field of an answer but those that a view is made of", async () => {
    const world = new World({ kind: "naive" });
    world.isBlocked = true;
    const answer = new Response('{"a":[{"id":1}]}', {
      headers: { "Content-Type": "application/json", "X-Host": "17" },
    });
    answer.headers.append("Set-Cookie", "secret");
    const fetch = (async (url: string) =>
      url.endsWith("/a") ? answer.clone() : new Response("", { status: 404 })) as unknown as typeof globalThis.fetch;
    const client = createClient("http://h", { clock: world.clientClock, WebSocket: NoSocket, fetch });
    client.collection("/a").subscribe(() => {});
    await world.clock.advance(100);
    const { "/a": state } = await client.dehydrate();
    expect(state?.fields.map(([name]) => name.toLowerCase()).sort()).toEqual(["content-type", "items"]);
    client.close();
  });

  it("leaves what had failed as it is when it is closed, and is never stale before it fails", async () => {
    const world = new World();
    world.service.write([{ name: "a", columns: {} }]);
    const states: unknown[] = [];
    const missing = world.client.subscribe("/none", () => {});
    world.client.subscribe("/a/1", () => {}, {
      onStatus: ({ state, problem }) => states.push([state, problem?.status]),
    });
    await world.clock.advance(100);
    world.service.write([{ name: "a", id: 1 }]);
    await world.clock.advance(100);
    world.client.close();
    expect(states).toEqual([
      ["connecting", undefined],
      ["live", undefined],
      ["gone", 410],
    ]);
    expect(missing.status.problem?.status).toBe(404);
  });

  it("is closed for good, and says so once", async () => {
    const world = new World();
    const states: unknown[] = [];
    world.client.onStatus(() => states.push(world.client.status.problem?.status ?? world.client.status.state));
    for (const path of ["/a", "/a?size=1"]) world.client.collection(path).subscribe(() => {});
    await world.clock.advance(100);
    world.client.close();
    world.client.close();
    expect([states, world.client.status.problem?.detail]).toEqual([
      ["connecting", "live", 499],
      "The client is closed.",
    ]);
  });

  it("takes a refusal that is nested however deeply, in the place of a socket too", async () => {
    const world = new World();
    const deep = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;
    const fetch = (async () =>
      new Response(`{"detail":"No.","more":${deep}}`, { status: 403 })) as typeof globalThis.fetch;
    const client = createClient("http://h", { clock: world.clientClock, WebSocket: NoSocket, fetch });
    for (const path of ["/a", "/b"]) client.subscribe(path, () => {});
    await world.clock.advance(100);
    expect([client.status.state, client.status.problem?.detail]).toEqual(["failed", "No."]);
    client.close();
  });

  it("stays offline until somebody answers, whatever it tries", async () => {
    const world = new World();
    const states: string[] = [];
    world.client.onStatus(() => states.push(world.client.status.state));
    world.isOffline = true;
    world.look("/a");
    await world.clock.advance(60_000);
    world.isOffline = false;
    await world.clock.advance(60_000);
    expect(states).toEqual(["offline", "connecting", "live"]);
    world.client.close();
  });

  it("keeps the list's identity where the connection is lost after a write was settled", async () => {
    const world = new World();
    world.service.write([{ name: "a", columns: {} }]);
    const list = world.client.collection<{ id: number; tag: string }>("/a");
    list.subscribe(() => void list.getSnapshot());
    await world.clock.advance(2_000);
    const [row] = list.getSnapshot().rows;
    void list.update(row as { id: number; tag: string }, { tag: "w1" });
    await world.clock.advance(5_000);
    const { rows } = list.getSnapshot();
    for (const socket of world.sockets) socket.fail(1006);
    await world.clock.advance(1);
    const after = list.getSnapshot();
    expect([after.status.state, after.rows === rows]).toEqual(["stale", true]);
    world.client.close();
  });

  it.each([undefined, new EventTarget()])(
    "can be made beside a document that is none, or nothing else: %s",
    (document) => {
      vi.stubGlobal("document", document);
      vi.stubGlobal("addEventListener", () => {});
      vi.stubGlobal("navigator", undefined);
      expect(() => createClient("http://h").close()).not.toThrow();
      vi.unstubAllGlobals();
    },
  );

  it("refuses a base URL with a user, which no request may have", () => {
    expect(() => createClient("http://ann:secret@h")).toThrow(/without a user/);
  });
});

/** A WebSocket that never opens. */
const NoSocket = class {
  constructor() {
    throw new Error("blocked");
  }
} as unknown as typeof WebSocket;

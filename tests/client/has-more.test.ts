import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { type Field, isNextLink } from "../../src/protocol/index.ts";
import { listOf } from "./messages.ts";
import { startRecords } from "./records-site.ts";
import { World } from "./world.ts";

const next: Field = ["Link", '</a?offset=1>; rel="next"'];

describe("A Link field", () => {
  it.each([
    '</a?offset=5>; rel="next"',
    "</a?offset=5>;rel=next",
    '</a>; rel="prev", </a?x=1,2>; title="more, please"; REL = "last Next"',
    "<https://h/a?page=2>; foo; rel=Next; type=a",
  ])("leads on by next: %s", (value) => {
    expect(isNextLink(["LINK", value])).toBe(true);
  });

  it.each(['</a>; rel="prev"', "</a;rel=next>; rel=first", '</next>; rel="nextish"', "</a>", ""])(
    "leads nowhere: %s",
    (value) => {
      expect(isNextLink(["Link", value])).toBe(false);
    },
  );

  it("is asked for by its name", () => {
    expect(isNextLink(["X-Link", "</a>; rel=next"])).toBe(false);
  });
});

describe("A collection", () => {
  function begun(...fields: Field[]) {
    const { clientClock: clock } = new World();
    const client = createClient("http://h", {
      clock,
      WebSocket: NoSocket,
      initial: { "/a": listOf([{ id: 1 }], ...fields) },
    });
    return { client, list: client.collection("/a") };
  }

  it("tells whether there are more rows than it has, also of what was handed over", async () => {
    const { client, list } = begun(next);
    expect(list.getSnapshot()).toMatchObject({ rows: [{ id: 1 }], hasMore: true });
    const handed = await client.dehydrate();
    const again = createClient("http://h", { clock: new World().clientClock, WebSocket: NoSocket, initial: handed });
    expect(again.collection("/a").getSnapshot().hasMore).toBe(true);
    client.close();
    again.close();
  });

  it("hands over no other link than that", async () => {
    const { client } = begun(next, ["Link", '</secret>; rel="preload"']);
    expect((await client.dehydrate())["/a"]?.fields.filter(([name]) => name === "Link")).toEqual([next]);
    client.close();
  });

  it("tells it as well while a write is shown ahead of time", async () => {
    await import("../../src/client/outbox.ts");
    const { client, list } = begun();
    const { feed } = list as unknown as { feed: { take(message: unknown): void } };
    list.create({ n: 1 }).catch(() => {});
    await vi.waitFor(() => expect(list.getSnapshot().rows.length).toBe(2));
    const { rows } = list.getSnapshot();
    feed.take(listOf([{ id: 1 }], next));
    expect(list.getSnapshot()).toMatchObject({ rows, hasMore: true });
    client.close();
  });

  it("has another snapshot where only that is another, and tells its listeners", () => {
    const { client, list } = begun();
    const before = list.getSnapshot();
    expect(before.hasMore).toBe(false);
    const feed = (list as unknown as { feed: { take(message: unknown): void } }).feed;
    const seen: boolean[] = [];
    list.subscribe(() => seen.push(list.getSnapshot().hasMore));
    feed.take(listOf([{ id: 1 }], next));
    const after = list.getSnapshot();
    expect([after.hasMore, after === before, after.rows[0] === before.rows[0]]).toEqual([true, false, true]);
    feed.take(listOf([{ id: 1 }]));
    expect(list.getSnapshot().hasMore).toBe(false);
    client.close();
  });
});

/** A WebSocket that never opens. */
const NoSocket = class {
  close(): void {}
} as unknown as typeof WebSocket;

describe("A collection of a server that gives four rows at once", () => {
  it.each([
    ["all", {}, 4, true],
    ["more than it gives", { limit: 5_000 }, 4, true],
    ["a few", { limit: 2 }, 2, true],
    ["as many as there are, from the seventh on", { limit: 4, offset: 6 }, 4, false],
    ["the last ones", { limit: 4, offset: 8 }, 2, false],
  ] as const)("tells whether there are more where %s are asked for [R-SUB-5]", async (_what, query, count, hasMore) => {
    const { url } = await startRecords({}, { maxRows: 4 });
    const client = createClient(url);
    const { rows, hasMore: isSaid } = await client.collection("/records", query).ready();
    expect([rows.length, isSaid]).toEqual([count, hasMore]);
    client.close();
  });

  it("follows where rows come and go behind those that it shows [R-SUB-18]", async () => {
    const { url } = await startRecords({}, { maxRows: 20 });
    const client = createClient(url);
    onTestFinished(() => client.close());
    const list = client.collection<{ id: number; text: string }>("/records", { limit: 10 });
    list.subscribe(() => {});
    expect((await list.ready()).hasMore).toBe(false);
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ id: 11, text: "new" });
    for (const hasMore of [true, false, true]) {
      await (hasMore
        ? fetch(`${url}/records`, { method: "POST", headers, body })
        : fetch(`${url}/records/11`, { method: "DELETE" }));
      await vi.waitUntil(() => list.getSnapshot().hasMore === hasMore);
      expect(list.getSnapshot().rows.length).toBe(10);
    }
  });

  it.each([
    ["on the main thread", { readThreads: 0 }],
    ["by threads, which give long ones as bytes", { mainReadMs: 0 }],
  ])("follows long pages that are read %s", async (_how, reads) => {
    const { url } = await startRecords({}, reads);
    const client = createClient(url);
    onTestFinished(() => client.close());
    const list = client.collection<{ id: number; text: string }>("/records", { order: "id.desc", limit: 5 });
    list.subscribe(() => {});
    await list.ready();
    const headers = { "Content-Type": "application/json" };
    const text = "long ".repeat(1_000);
    for (const id of [10, 9, 8, 7, 6]) {
      await fetch(`${url}/records/${id}`, { method: "PATCH", headers, body: JSON.stringify({ text: text + id }) });
      await vi.waitUntil(() => list.getSnapshot().rows.find((row) => row.id === id)?.text === text + id);
    }
    const again = client.collection<{ id: number }>("/records", { order: "id.desc", limit: 6 });
    expect((await again.ready()).rows.map(({ id }) => id)).toEqual([10, 9, 8, 7, 6, 5]);
    expect(list.getSnapshot().status.state).toBe("live");
  });

  it("shows what is created behind the last of them until it is created, and what belongs before stays", async () => {
    const { url } = await startRecords({}, { maxRows: 4 });
    const client = createClient(url);
    onTestFinished(() => client.close());
    const list = client.collection<{ id: number; text: string }>("/records");
    const last = client.collection<{ id: number; text: string }>("/records", { order: "id.desc" });
    const ids = (): number[][] => [list, last].map((one) => one.getSnapshot().rows.map(({ id }) => id));
    for (const one of [list, last]) one.subscribe(() => {});
    await Promise.all([list.ready(), last.ready()]);
    const created = list.create({ text: "new" });
    await vi.waitUntil(() => list.getSnapshot().rows.length > 4);

    await created;

    expect(ids()).toEqual([[1, 2, 3, 4], [11, 10, 9, 8, 7].slice(0, last.getSnapshot().rows.length)]);
    await vi.waitUntil(() => String(ids()[1]) === "11,10,9,8");
    expect(ids()[0]).toEqual([1, 2, 3, 4]);
  });
});

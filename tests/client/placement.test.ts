import { beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { decodeRequest, encodeResponse, fieldValue } from "../../src/protocol/index.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { World } from "./world.ts";

beforeAll(() => import("../../src/client/outbox.ts"));

interface Card {
  readonly id?: number;
  readonly title?: string;
  readonly lane?: string;
  readonly rank?: number;
}

/** A service whose answers to writes wait until they are let go, behind a client with some views open. */
async function board(cards: readonly Card[], ...targets: string[]) {
  const clock = createFakeClock();
  const rows = new Map(cards.map((card) => [card.id, card]));
  const held: (() => void)[] = [];
  const tell: ((text: string) => void)[] = [];
  const listOf = (target: string): Card[] => {
    const query = new URLSearchParams(target.split("?")[1]);
    const lane = query.get("lane");
    const [name = "id", direction] = (query.get("order") ?? "id").split(".") as [keyof Card, string?];
    const sign = direction === "desc" ? -1 : 1;
    const least = /^gte\.(\d+)$/.exec(query.get("rank") ?? "")?.[1] ?? "0";
    const lanes = /^in\.\((.*)\)$/.exec(lane ?? "")?.[1]?.split(",") ?? [lane];
    const some = [...rows.values()].filter(
      (row) => (lane === null || lanes.includes(row.lane ?? null)) && Number(row.rank) >= Number(least),
    );
    some.sort((a, b) => sign * (Number(a[name]) - Number(b[name])) || Number(a.id) - Number(b.id));
    return some.slice(0, Number(query.get("limit") ?? 1_000));
  };
  class Socket {
    readyState = 0;
    onopen = (): void => {};
    onmessage = (_event: { data: string }): void => {};
    constructor() {
      queueMicrotask(() => {
        this.readyState = 1;
        this.onopen();
        this.onmessage({ data: "HTTP/1.1 200 OK\r\n\r\n{}" });
      });
      tell.push((text) => this.onmessage({ data: text }));
    }
    send(data: string): void {
      const { method, target, fields } = decodeRequest(data);
      if (method !== "SUBSCRIBE") return;
      // Where no field can say the order, the list is derived.
      const isDerived = target.includes(".nulls");
      const eventId = isDerived ? `d-${"A".repeat(43)}` : "s:1.0";
      const order = `${(new URLSearchParams(target.split("?")[1]).get("order") ?? "id").replace(/^(\w+)$/, "$1.asc")},id.asc`;
      const id = fieldValue(fields, "request-id") ?? "";
      const own = [
        ["Items", 'list="/cards", record="/card", url="/cards/{id}"'],
        ...(isDerived ? [] : [["Item-Order", order] as const]),
        ["Event-ID", eventId],
      ] as const;
      const body = JSON.stringify({ cards: listOf(target) });
      const opening = encodeResponse({
        status: 200,
        fields: [...own, ["Subscription", target], ["Request-ID", id]],
        body,
      });
      const mark = encodeResponse({
        status: 304,
        fields: [
          ["Subscription", target],
          ["Event-ID", eventId],
        ],
      });
      for (const message of [opening, mark]) this.onmessage({ data: String(message) });
    }
    close(): void {}
  }
  let nextId = 100;
  let position = 1;
  const fetch = (async (url: string, init: RequestInit = {}) => {
    const { pathname } = new URL(url);
    if (!pathname.startsWith("/cards")) return Response.json({});
    await new Promise<void>((resolve) => held.push(resolve));
    position += 1;
    const id = init.method === "POST" ? nextId++ : Number(pathname.split("/")[2]);
    if (init.method === "DELETE") {
      rows.delete(id);
      return new Response(null, { status: 204, headers: { "Event-ID": `s:${position}.0` } });
    }
    const row = { ...rows.get(id), ...(JSON.parse(String(init.body)) as Card), id };
    rows.set(id, row);
    const headers = { "Event-ID": `s:${position}.0`, Location: `/cards/${id}` };
    return Response.json({ card: row }, { status: init.method === "POST" ? 201 : 200, headers });
  }) as typeof globalThis.fetch;
  const client = createClient("http://h", { clock, fetch, WebSocket: Socket as unknown as typeof WebSocket });
  const views = targets.map((target) => client.collection<Card>(target));
  for (const view of views) view.subscribe(() => {});
  await clock.settle();
  const shown = (): (string | undefined)[][] => views.map((view) => view.getSnapshot().rows.map(({ title }) => title));
  const send = (status: number, target: string, url: string, row?: Card): void => {
    const fields = [
      ["Content-Location", url],
      ["Subscription", target],
      ["Event-ID", "s:2.0"],
    ] as const;
    const text = encodeResponse({ status, fields, body: row ? JSON.stringify({ card: row }) : "" });
    for (const one of tell) one(String(text));
  };
  const answer = async (): Promise<void> => {
    await clock.settle();
    for (const resolve of held.splice(0)) resolve();
    await clock.settle();
  };
  return { client, clock, views, shown, answer, send, listOf };
}

const cards: Card[] = [
  { id: 1, title: "a", lane: "todo", rank: 10 },
  { id: 2, title: "b", lane: "todo", rank: 20 },
  { id: 3, title: "c", lane: "todo", rank: 30 },
  { id: 4, title: "x", lane: "done", rank: 15 },
];

describe("What is written ahead of time", () => {
  it.each([
    ["rank", ["new", "a", "x", "b", "c"]],
    ["rank.desc", ["c", "b", "x", "a", "new"]],
  ])(
    "stands where null does while it lacks what %s orders by, before and after the answer [R-FLD-6]",
    async (order, titles) => {
      const { views, shown, answer, client } = await board(cards, `/cards?order=${order}`);
      const created = views[0]?.create({ title: "new" });
      await answer();
      expect(shown()).toEqual([titles]);
      await answer();
      await created;
      expect(shown()).toEqual([titles]);
      client.close();
    },
  );

  it("moves in its list at once, and stays there when it is confirmed", async () => {
    const { views, shown, answer, send, client } = await board(cards, "/cards?lane=todo&order=rank");
    const [todo] = views;
    void todo?.update(todo.getSnapshot().rows[0] as Card, { rank: 25 });
    expect(shown()).toEqual([["b", "a", "c"]]);
    await answer();
    expect(shown()).toEqual([["b", "a", "c"]]);
    send(202, "/cards?lane=todo&order=rank", "/cards/1", { id: 1, title: "a", lane: "todo", rank: 25 });
    expect(shown()).toEqual([["b", "a", "c"]]);
    expect(todo?.getSnapshot().rows.some((row) => todo.isPending(row))).toBe(false);
    client.close();
  });

  it("leaves the list whose where it left, and enters the one that it entered, wherever it was written", async () => {
    const targets = ["/cards?lane=todo&order=rank", "/cards?lane=done&order=rank.desc", "/cards"];
    const { client, views, shown, answer, send } = await board(cards, ...targets);
    void client.record<Card>("/cards/2").update({ lane: "done", rank: 1 });
    const after = [
      ["a", "c"],
      ["x", "b"],
      ["a", "b", "c", "x"],
    ];
    expect(shown()).toEqual(after);
    expect(views[1]?.urlOf(views[1].getSnapshot().rows[1] as Card)).toBe("/cards/2");
    await answer();
    expect(shown()).toEqual(after);
    send(204, targets[0] as string, "/cards/2");
    expect(shown()).toEqual(after);
    send(201, targets[1] as string, "/cards/2", { id: 2, title: "b", lane: "done", rank: 1 });
    expect(shown()).toEqual(after);
    client.close();
  });

  it("leaves and enters lists by conditions as by values", async () => {
    const targets = ["/cards?rank=gte.20&order=rank", "/cards?lane=in.(done,late)", "/cards?title=neq.b"];
    const { client, shown, answer } = await board(cards, ...targets);
    void client.record<Card>("/cards/2").update({ lane: "late", rank: 1 });
    void client.record<Card>("/cards/1").update({ rank: 50 });
    void client.record<Card>("/cards/3").update({ title: "b" });
    const after = [
      ["b", "a"],
      ["b", "x"],
      ["a", "x"],
    ];
    expect(shown()).toEqual(after);
    await answer();
    expect(shown().slice(0, 2)).toEqual(after.slice(0, 2));
    client.close();
  });

  it("stands where NULL is asked to be", async () => {
    const some = cards.slice(0, 2);
    for (const [nulls, expected] of [
      ["first", ["new", "b", "a"]],
      ["last", ["b", "a", "new"]],
    ] as const) {
      const { client, shown, views } = await board(some, `/cards?order=rank.desc.nulls${nulls}`);
      void views[0]?.create({ title: "new" });
      expect(shown()).toEqual([expected]);
      client.close();
    }
  });

  it("stays where it is in a list whose query no filter is", async () => {
    const { client, shown } = await board(cards, "/cards?rank=is.high");
    void client.record<Card>("/cards/2").update({ title: "new" });
    expect(shown()).toEqual([["a", "new", "c", "x"]]);
    client.close();
  });

  it("goes back to where it was where it is refused", async () => {
    const { client, shown, views } = await board(cards, "/cards?lane=todo&order=rank", "/cards?lane=done");
    const moved = views[0]?.update("/cards/1", { lane: "done" });
    expect(shown()).toEqual([
      ["b", "c"],
      ["a", "x"],
    ]);
    const told = expect(moved).rejects.toThrow("closed");
    client.close();
    await told;
  });

  it("stands in the right place of a window, which has no row too many", async () => {
    const { client, shown, views, answer } = await board(
      cards,
      "/cards?lane=todo&order=rank&limit=2",
      "/cards?order=rank.desc&limit=2",
    );
    void views[0]?.create({ title: "new", lane: "todo", rank: 15 });
    void views[1]?.create({ title: "top", lane: "todo", rank: 99 });
    expect(shown()).toEqual([
      ["a", "new"],
      ["top", "c"],
    ]);
    await answer();
    expect(shown()).toEqual([
      ["a", "new"],
      ["top", "c"],
    ]);
    client.close();
  });

  it("stands last among equals where its key is still to be made, and first where the order is turned", async () => {
    const equal = cards.map((card) => ({ ...card, rank: 1 }));
    const { client, shown, views } = await board(equal, "/cards?lane=todo&order=rank", "/cards?order=id.desc");
    void views[0]?.create({ title: "new", lane: "todo", rank: 1 });
    expect(shown()).toEqual([
      ["a", "b", "c", "new"],
      ["new", "x", "c", "b", "a"],
    ]);
    client.close();
  });

  it("is not shown before the first row of a window that begins later", async () => {
    const { client, shown, views } = await board(cards, "/cards?order=rank&offset=1&limit=5");
    void views[0]?.create({ title: "new", lane: "todo", rank: 0 });
    expect(shown()).toEqual([["a", "x", "b", "c"]]);
    client.close();
  });
});

describe("A record that is created", () => {
  it("has one key and one row, and keeps an edit made meanwhile, where its notification comes before its answer", async () => {
    const { client, views, shown, answer, send } = await board(cards, "/cards?lane=todo&order=rank");
    const [list] = views;
    void list?.create({ title: "new", lane: "todo", rank: 40 });
    const keys = new Set<string>();
    const note = (): void => {
      const rows = list?.getSnapshot().rows ?? [];
      expect(rows.length).toBe(4);
      keys.add(list?.keyOf(rows[3] as Card) ?? "");
    };
    note();
    send(201, "/cards?lane=todo&order=rank", "/cards/100", { id: 100, title: "new", lane: "todo", rank: 40 });
    note();
    void list?.update(list.getSnapshot().rows[3] as Card, { title: "edited" });
    note();
    expect(shown()).toEqual([["a", "b", "c", "edited"]]);
    await answer();
    note();
    expect(shown()).toEqual([["a", "b", "c", "edited"]]);
    await answer();
    note();
    expect(shown()).toEqual([["a", "b", "c", "edited"]]);
    expect([...keys]).toEqual([expect.stringMatching(/^urn:uuid:/)]);
    expect(list?.urlOf(list.getSnapshot().rows[3] as Card)).toBe("/cards/100");
    client.close();
  });

  it("beside an equal one has its own key, and each is shown once", async () => {
    const { client, views, answer, send } = await board([], "/cards");
    const [list] = views;
    void list?.create({ title: "same" });
    void list?.create({ title: "same" });
    const keys = (): string[] => (list?.getSnapshot().rows ?? []).map((row) => list?.keyOf(row) ?? "");
    const before = keys();
    send(201, "/cards", "/cards/100", { id: 100, title: "same" });
    expect(keys()).toEqual(before);
    await answer();
    expect(keys()).toEqual(before);
    await answer();
    expect([keys().length, new Set(keys())]).toEqual([2, new Set(before)]);
    client.close();
  });
});

describe.each(["direct", "derived"] as const)("Without a subscriber, a snapshot of a %s view", (flavour) => {
  it.each([0, 5_000])("shows what an awaited write did, %i ms after it was looked at", async (ms) => {
    const world = new World({ flavour });
    world.service.write([{ name: "a", columns: { color: "red" } }]);
    world.service.write([{ name: "a", columns: { color: "red" } }]);
    const list = world.client.collection<{ id: number; color: string; tag: string }>("/a?color=red");
    const one = world.client.record<{ color: string }>("/a/2");
    await Promise.all([list.ready(), one.ready(), world.clock.advance(100)]);
    await world.clock.advance(ms);
    const tags = (): unknown[] => list.getSnapshot().rows.map(({ tag }) => tag);
    const settled = async (write: Promise<unknown>): Promise<void> => {
      await Promise.all([write, world.clock.advance(5)]);
    };
    await settled(list.create({ color: "red", tag: "created" }));
    expect(tags()).toEqual([null, null, "created"]);
    await settled(list.update("/a/1", { tag: "updated" }));
    expect(tags()).toEqual(["updated", null, "created"]);
    await settled(list.update("/a/2", { color: "blue" }));
    expect(tags()).toEqual(["updated", "created"]);
    expect(one.getSnapshot().row?.color).toBe("blue");
    await settled(list.destroy("/a/1"));
    expect(tags()).toEqual(["created"]);
    await world.clock.advance(10_000);
    expect(tags()).toEqual(["created"]);
    world.service.write([{ name: "a", id: 3, columns: { color: "red", tag: "by others" } }]);
    list.subscribe(() => {});
    await world.clock.advance(1_000);
    expect(tags()).toEqual(["by others"]);
    world.client.close();
  });
});

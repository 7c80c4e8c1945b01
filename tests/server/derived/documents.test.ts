import { describe, expect, it } from "vitest";
import { fieldValue } from "../../../src/protocol/index.ts";
import { AppWorld, briefs, eventIdAt, json } from "./fixture.ts";

const text = "a text that is longer than what the difference costs beside it";
const rows = (...ids: number[]) => ids.map((id) => ({ id, text }));

/** What a follower of a document gets when it becomes another one. */
async function told(before: object, after: object, target = "/items") {
  const world = new AppWorld(() => json(before));
  const peer = await world.opened(target);
  world.answer = () => json(after);
  await world.changed(target);
  return { peer, world, notifications: briefs(peer) };
}

describe("A difference [R-DER-5] [R-FLD-10]", () => {
  it.each<[string, object, object, readonly string[]]>([
    ["a row at the front", rows(1, 2, 3), rows(9, 1, 2, 3), ["201 /items/9 #0"]],
    ["a row at the end", rows(1, 2, 3), rows(1, 2, 3, 9), ["201 /items/9 #3"]],
    ["a row that goes", rows(1, 2, 3), rows(1, 3), ["204 /items/2"]],
    ["a row that moves", rows(1, 2, 3), rows(2, 3, 1), ["202 /items/1 #2"]],
    ["a row that changes", [...rows(1, 2), { id: 3, v: 1 }], [...rows(1, 2), { id: 3, v: 2 }], ["202 /items/3 #2"]],
    [
      "the first row of an empty list",
      { items: [], more: text },
      { items: [{ id: 1 }], more: text },
      ["201 /items/1 #0"],
    ],
    ["the last row that goes", rows(1), [], ["200", "304"]],
    [
      "the last row of a document with more",
      { items: [{ id: 1 }], more: text },
      { items: [], more: text },
      ["204 /items/1"],
    ],
    ["a change beside the rows", { items: rows(1, 2), total: 2 }, { items: rows(1, 2), total: 3 }, ["200", "304"]],
    ["another rule for URLs", rows(1, 2), rows(1, 2).map(({ id }) => ({ _id: id, text })), ["200", "304"]],
    ["more change than document", rows(1, 2, 3), rows(4, 5, 6), ["200", "304"]],
    [
      "many small rows that all move",
      rows(1).concat(Array.from({ length: 40 }, (_, id) => ({ id: id + 2, text: "" }))),
      rows(1).concat(Array.from({ length: 40 }, (_, id) => ({ id: 41 - id, text: "" }))),
      ["200", "304"],
    ],
  ])("tells of %s", async (_title, before, after, expected) => {
    const { notifications } = await told(before, after);
    expect(notifications).toEqual(expected);
  });

  it("carries the new position on its last notification, and rows byte for byte [R-POS-8] [R-FLD-8]", async () => {
    const { peer, world } = await told(rows(1, 2, 3), rows(0, 2, 3, 4));
    expect(briefs(peer)).toEqual(["204 /items/1", "201 /items/0 #0", "201 /items/4 #3"]);
    expect([2, 3].map((at) => eventIdAt(peer, at))).toEqual(["", ""]);
    expect(eventIdAt(peer, 4)).toMatch(/^d-[a-z0-9]+\.[a-z0-9]+$/);
    expect(peer.messages[3]?.body).toBe(JSON.stringify({ id: 0, text }));
    expect(fieldValue(peer.messages[3]?.fields ?? [], "etag")).toBeUndefined();
    const fresh = await world.opened("/items");
    expect(eventIdAt(fresh, 0)).toBe(eventIdAt(peer, 4));
  });

  it("of rows with links of their own names them by those [R-FLD-9]", async () => {
    const linked = (...ids: number[]) => ids.map((id) => ({ url: `/items/x${id}`, text }));
    const { peer, notifications } = await told(linked(1, 2), linked(1, 2, 3));
    expect(fieldValue(peer.messages[0]?.fields ?? [], "items")).toBe('list="", record="", link="/url"');
    expect(notifications).toEqual(["201 /items/x3 #2"]);
  });

  it("is the app's own where it says where records are", async () => {
    const world = new AppWorld(() => ({ hits: rows(1), facets: rows(7) }), {
      derived: { records: { "/search": { list: "hits", key: "id" } } },
    });
    const peer = await world.opened("/search?q=a");
    expect(fieldValue(peer.messages[0]?.fields ?? [], "items")).toBe('list="/hits", record="", url="/search/{id}"');
    world.answer = () => ({ hits: rows(1, 2), facets: rows(7) });
    await world.changed("/search");
    expect(briefs(peer)).toEqual(["201 /search/2 #1"]);
  });
});

describe("A document without records", () => {
  it.each<[string, string, string | Uint8Array, string | Uint8Array]>([
    ["text", "text/plain", "one", "two"],
    ["bytes", "image/png", new Uint8Array([1, 2, 255]), new Uint8Array([1, 2, 254])],
    ["JSON that is one record", "application/json", '{"id":1,"v":1}', '{"id":1,"v":2}'],
    ["JSON that is none", "application/json", "{", "["],
  ])("changes by a 202 as a whole: %s", async (_title, contentType, before, after) => {
    const answer = (body: string | Uint8Array) => ({
      status: 200,
      fields: [
        ["Content-Type", contentType],
        ["ETag", `"${body.length}${body.at(-1)}"`],
      ] as const,
      body,
    });
    const world = new AppWorld(() => answer(before));
    const peer = await world.opened("/pages/1");
    expect(fieldValue(peer.messages[0]?.fields ?? [], "items")).toBeUndefined();
    world.answer = () => answer(after);
    await world.changed("/pages/1");
    expect(briefs(peer)).toEqual(["202 /pages/1"]);
    const changed = peer.messages[2];
    expect(changed?.body).toEqual(after);
    expect(fieldValue(changed?.fields ?? [], "content-type")).toBe(contentType);
    expect(fieldValue(changed?.fields ?? [], "etag")).toBe(`"${after.length}${after.at(-1)}"`);
  });

  it("may say where the one record is, and nothing of a list that is none [R-FLD-2, R-FLD-15]", async () => {
    const world = new AppWorld(() => json({ page: { id: 1 } }, ["Items", 'record="/page"']));
    const peer = await world.opened("/pages/1");
    expect(fieldValue(peer.messages[0]?.fields ?? [], "items")).toBe('record="/page"');
    world.answer = () => json({ page: { id: 1 } }, ["Items", 'record="/page", url="/pages/{id}"']);
    const other = await world.opened("/page");
    expect(fieldValue(other.messages[0]?.fields ?? [], "items")).toBeUndefined();
    world.answer = () => json(rows(1), ["Items", 'record="/page"']);
    const list = await world.opened("/list");
    expect(fieldValue(list.messages[0]?.fields ?? [], "items")).toBe('record="/page"');
  });

  it("that becomes another type comes as a fresh 200", async () => {
    const world = new AppWorld(() => ({ status: 200, fields: [["Content-Type", "text/plain"]], body: "a" }));
    const peer = await world.opened("/page");
    world.answer = () => ({ status: 200, fields: [["Content-Type", "text/html"]], body: "b" });
    await world.changed("/page");
    expect(briefs(peer)).toEqual(["200", "304"]);
  });
});

describe("A position [R-POS-8] [R-DER-8]", () => {
  it("that is the current document's gets a 304, on another hub too", async () => {
    const first = await new AppWorld(() => rows(1)).opened("/items");
    const position = eventIdAt(first, 0);
    const back = await new AppWorld(() => rows(1)).opened("/items", [["Last-Event-ID", position]]);
    expect(briefs(back, 0)).toEqual(["304", "304"]);
    expect(eventIdAt(back, 0)).toBe(position);
  });

  it.each(["d-other", "m:1.0", "%"])("that is any other gets a fresh 200: %s", async (position) => {
    const peer = await new AppWorld(() => rows(1)).opened("/items", [["Last-Event-ID", position]]);
    expect(briefs(peer, 0)).toEqual(["200", "304"]);
  });

  it("that is any other is refused with 410 where the client is strict [R-RES-4]", async () => {
    const peer = await new AppWorld(() => rows(1)).opened("/items", [
      ["Last-Event-ID", "d-other"],
      ["Prefer", "handling=strict"],
    ]);
    expect([peer.messages[0]?.status, peer.closing?.code]).toEqual([410, 4410]);
  });

  it("is told at the opening where no snapshot is wanted [R-RES-3]", async () => {
    const world = new AppWorld(() => rows(1));
    const known = await world.opened("/items");
    const peer = await world.opened("/items", [["Last-Event-ID", "*"]]);
    expect(briefs(peer, 0)).toEqual(["304", "304"]);
    expect(eventIdAt(peer, 0)).toBe(eventIdAt(known, 0));
  });

  it("is what the heartbeat says [R-HB-2]", async () => {
    const { peer, world } = await told(rows(1, 2), rows(1, 2, 3));
    await world.clock.advance(21_000);
    expect(peer.messages.at(-1)?.status).toBe(304);
    expect(eventIdAt(peer, -1)).toBe(eventIdAt(peer, 2));
  });

  it("stays where an entity tag names the document [R-SUB-7]", async () => {
    const world = new AppWorld(() => json(rows(1), ["ETag", '"1"']));
    const peer = await world.opened("/items", [["If-None-Match", '"1"']]);
    expect(briefs(peer, 0)).toEqual(["304", "304"]);
    expect(eventIdAt(peer, 0)).toMatch(/^d-/);
  });
});

describe("At Level 0", () => {
  it("differences come in the proposal's bytes [R-L0-2]", async () => {
    const world = new AppWorld(() => rows(1, 2));
    const peer = await world.opened("/items", [], 0);
    world.answer = () => rows(2, 3);
    await world.changed("/items");
    expect(peer.messages.map(({ status, fields }) => [status, fields])).toEqual([
      [
        204,
        [
          ["Content-Type", "application/json"],
          ["Content-Location", "/items/1"],
        ],
      ],
      [
        201,
        [
          ["Content-Type", "application/json"],
          ["Content-Location", "/items/3"],
        ],
      ],
    ]);
  });

  it("what only a 200 could tell ends it with 1001 [R-L0-6]", async () => {
    const world = new AppWorld(() => ({ items: rows(1), total: 1 }));
    const peer = await world.opened("/items", [], 0);
    world.answer = () => ({ items: rows(1, 2), total: 2 });
    await world.changed("/items");
    expect([peer.messages.length, peer.closing?.code]).toEqual([0, 1001]);
  });

  it("a refusal ends it with its status and without a message [R-L0-7]", async () => {
    const world = new AppWorld(() => rows(1));
    const peer = await world.opened("/items", [], 0);
    world.answer = () => ({ status: 403, fields: [], body: "" });
    await world.changed("/items");
    expect([peer.messages.length, peer.closing?.code]).toEqual([0, 4403]);
  });
});

describe("One who does not read", () => {
  it("is given the document as it is once it reads, and others do not wait [R-SUB-12]", async () => {
    const many = (count: number) => rows(...Array.from({ length: count }, (_, id) => id));
    let count = 40;
    const world = new AppWorld(() => many(count), { limits: { maxUnsentBytes: 1024 } });
    const slow = await world.opened("/items");
    const quick = await world.opened("/items");
    slow.pause();
    for (; count < 100; count += 1) {
      await world.changed("/items");
      await world.clock.advance(60);
    }
    expect(slow.peakUnreadBytes).toBeLessThan(3_000);
    expect(quick.messages.length).toBeGreaterThan(50);
    slow.resume();
    await world.clock.settle();
    expect(briefs(slow).slice(-2)).toEqual(["200", "304"]);
    expect(slow.messages.at(-2)?.body).toBe(JSON.stringify(many(99)));
    await world.changed("/items");
    await world.clock.advance(60);
    expect(briefs(slow).at(-1)).toBe("201 /items/99 #99");
  });
});

describe("A document whose origin gives bytes", () => {
  const bytes = (document: unknown) => {
    const answer = json(document);
    return { ...answer, body: new TextEncoder().encode(String(answer.body)) };
  };

  it("is a list like one in text: rows are told one by one, also where only one of two answers is bytes", async () => {
    const world = new AppWorld(() => bytes(rows(1, 2)));
    const peer = await world.opened("/items");
    expect(fieldValue(peer.messages[0]?.fields ?? [], "items")).toBe('list="", record="", url="/items/{id}"');
    world.answer = () => bytes(rows(1, 2, 3));
    await world.changed("/items");
    await world.clock.advance(60);
    world.answer = () => json(rows(2, 3));
    await world.changed("/items");
    await world.clock.advance(60);
    world.answer = () => bytes(rows(2, 3, 4));
    await world.changed("/items");
    await world.clock.advance(60);
    expect(briefs(peer, 2)).toEqual(["201 /items/3 #2", "204 /items/1", "201 /items/4 #2"]);
  });
});

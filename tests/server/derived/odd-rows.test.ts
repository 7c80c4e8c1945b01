import { describe, expect, it } from "vitest";
import { Replica } from "../../../src/client/replica.ts";
import { fieldValue, isChange } from "../../../src/protocol/index.ts";
import { createRandom, type MemoryPeer } from "../../../src/testing/index.ts";
import { AppWorld, briefs, eventIdAt, json } from "./fixture.ts";

/** A list that two notifications cost less than. */
const padding = "so that what changes is told by less than the whole of it ".repeat(4);
const row = (id: unknown, note = "") => ({ ...(id === undefined ? {} : { id }), note, padding });

/** What a page makes of all that it was sent. */
function shown({ messages }: MemoryPeer): readonly unknown[] {
  const replica = new Replica({
    target: "/tags",
    origin: "http://example.com",
    urls: new WeakMap(),
    versions: new WeakMap(),
  });
  for (const message of messages) {
    if (message.status === 200) replica.replace(message);
    else if (isChange(message)) replica.take([message]);
  }
  return replica.isRecord ? ["one record"] : replica.rows;
}

/** Tells of a write, and lets the looks that follow happen. */
async function written(world: AppWorld): Promise<void> {
  await world.changed("/tags");
  await world.clock.advance(100);
}

describe("A list with a row that has no URL of its own [R-FLD-4]", () => {
  it.each<[string, unknown]>([
    ["of one dot", row(".")],
    ["of two dots", row("..")],
    ["that is empty", row("")],
    ["that is missing", row(undefined)],
    ["that is null", row(null)],
    ["that another row has", row("red", "again")],
    ["that is a whole number beyond 2^53", row(2 ** 60)],
    ["that is an object", row({ a: 1 })],
  ])("with a key %s stays a list, and all other rows are told one by one", async (_what, odd) => {
    let tags: unknown[] = [row("red"), row("blue")];
    const world = new AppWorld(() => json({ tags }));
    const peer = await world.opened("/tags");
    tags = [...tags, odd];
    await written(world);
    expect(briefs(peer)).toEqual(["200", "304"]);
    expect(fieldValue(peer.messages[2]?.fields ?? [], "items")).toBe('list="/tags", record="", url="/tags/{id}"');
    expect(shown(peer)).toEqual(tags);

    tags = [row("green"), row("red", "new"), odd, row("blue")];
    await written(world);
    expect(briefs(peer, 4)).toEqual(["201 /tags/green #0", "202 /tags/red #1", "202 /tags/blue #3"]);
    expect(shown(peer)).toEqual(tags);

    tags = [row("red", "new"), row("blue")];
    await written(world);
    expect(briefs(peer, 7)).toEqual(["200", "304"]);
    expect(shown(peer)).toEqual(tags);
  });

  it("is given as a whole where that row changes, or moves", async () => {
    let tags = [row(".", "one"), row("a"), row("b")];
    const world = new AppWorld(() => json({ tags }));
    const peer = await world.opened("/tags");
    for (const next of [
      [row(".", "two"), row("a"), row("b")],
      [row("a"), row("b"), row(".", "two")],
    ]) {
      const from = peer.messages.length;
      tags = next;
      await written(world);
      expect(shown(peer)).toEqual(tags);
      expect(briefs(peer, from).slice(0, 1)).toEqual([from === 2 ? "200" : expect.any(String)]);
    }
  });

  it.each<[string, unknown[][]]>([
    ["that was empty before", [[], [row(".")], [row("."), row("a")], []]],
    [
      "whose rows had links before",
      [[{ url: "/t/1" }], [{ url: "/t/1" }, { url: "/t/." }], [{ url: "/t/1" }], [{ url: "/t/." }]],
    ],
    ["whose rows come to have no keys", [[row("a")], [{ note: "x" }], [row("b")]]],
  ])("stays a list %s", async (_what, states) => {
    let tags = states[0];
    const world = new AppWorld(() => json({ tags }));
    const peer = await world.opened("/tags");
    for (const next of states) {
      tags = next;
      await written(world);
      expect(shown(peer)).toEqual(tags);
    }
  });

  it.each<[string, unknown, unknown]>([
    ["another name than the path's", { data: [row("a")], total: 1 }, { data: [], total: 0 }],
    ["null", { tags: [row("a")] }, { tags: null }],
    ["null alone", [row("a")], null],
  ])("stays one once it is empty under %s", async (_what, full, empty) => {
    let answer = full;
    const world = new AppWorld(() => json(answer));
    const peer = await world.opened("/tags");
    answer = empty;
    await written(world);
    expect(shown(peer)).toEqual([]);
    answer = full;
    await written(world);
    expect(shown(peer)).toEqual([row("a")]);
  });

  it("shows its followers what a GET gives, whatever rows come and go", async () => {
    const random = createRandom(77);
    const keys = [".", "..", "", undefined, ..."abcdefghij", 2 ** 55];
    let tags: unknown[] = [];
    const world = new AppWorld(() => json({ tags }));
    const peer = await world.opened("/tags");
    for (let step = 0; step < 400; step += 1) {
      const next = [...tags];
      const at = random.below(next.length + 1);
      if (random.chance(0.5) && next.length > 0) next.splice(at, 1);
      if (next.length < 9 && random.chance(0.7)) next.splice(at, 0, row(random.pick(keys), random.pick(["x", "y"])));
      tags = next;
      await written(world);
      expect(shown(peer)).toEqual(tags);
    }
    const changes = peer.messages.filter(isChange).length;
    expect(changes).toBeGreaterThan(50);
  });

  it("has another position where the rows' URLs are made in another way [R-POS-8]", async () => {
    const both = [{ id: 1, url: "/x/1" }];
    const world = new AppWorld(() => json(both));
    const first = await world.opened("/tags");
    let tags: unknown[] = [{ id: 1, url: "/x/1" }, { id: 2 }, { id: 3 }];
    const other = new AppWorld(() => json(tags));
    const second = await other.opened("/tags");
    tags = both;
    await written(other);
    const last = second.messages.findLast(({ fields }) => fieldValue(fields, "event-id") !== undefined);
    const itemsOf = (peer: MemoryPeer) =>
      peer.messages.findLast(({ status }) => status === 200)?.fields.find(([name]) => name === "Items")?.[1];
    expect(itemsOf(first)).not.toBe(itemsOf(second));
    expect(fieldValue(last?.fields ?? [], "event-id")).not.toBe(eventIdAt(first, 0));
  });
});

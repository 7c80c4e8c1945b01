import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeResponse, encodeResponse, type Field, fieldValue, isChange } from "../../src/protocol/index.ts";
import type { Looked } from "./followed.ts";
import { overtakings } from "./overtaken.ts";
import { createPage } from "./page.ts";
import { World, type WorldOptions } from "./world.ts";

const page = createPage();

beforeAll(async () => {
  page.open();
  await Promise.all([import("../../src/client/outbox.ts"), import("../../src/client/fallback.ts")]);
});

afterAll(() => page.close());

async function worldWith(options: WorldOptions, ...targets: string[]): Promise<{ world: World; lists: Looked[] }> {
  const world = new World({ flavour: "derived", ...options });
  world.service.write(["red", "blue"].map((color) => ({ name: "a", columns: { color } })));
  const lists = targets.map((target) => world.look(target));
  await world.clock.advance(20_000);
  return { world, lists };
}

/** The questions for a whole that is followed already. */
function questions({ sent }: World): string[] {
  const asked = sent.filter((text) => /^Cache-Control: no-cache\r$/m.test(text));
  return asked.map((text) => text.split("\r\n")[0] ?? "");
}

const writes: Readonly<Record<string, (list: Looked) => Promise<unknown>>> = {
  create: ({ collection }) => collection.create({ color: "red", size: 3 }),
  update: ({ collection }) => collection.update("/a/1", { size: 3 } as never),
  move: ({ collection }) => collection.update("/a/1", { color: "blue" } as never),
  destroy: ({ collection }) => collection.destroy("/a/1"),
};

const ways: readonly (readonly [string, WorldOptions, number])[] = [
  ["a socket", {}, 3_000],
  ["a socket, of a server with a journal", { flavour: "direct" }, 3_000],
  ["streams", { hasNoSockets: true, hasStreams: true }, 3_000],
  ["GETs at intervals", { hasNoSockets: true }, 7_000],
  ["a socket of Level 0", { kind: "level-0" }, 3_000],
];

const cases = ways.flatMap(([way, options, withinMs]) =>
  Object.keys(writes).flatMap((write) =>
    Object.keys(overtakings).map((overtaking) => ({ way, options, withinMs, write, overtaking })),
  ),
);

describe("What is written here and what somebody else does to the record at once", () => {
  it.each(cases)(
    "is shown soon as the server has it, by $way: $write, $overtaking [R-BAND-5]",
    async ({ options, withinMs, write, overtaking }) => {
      // A record that was destroyed is gone for whoever follows it, where the server tells each change.
      const record = options.flavour === "direct" ? [] : ["/a/1"];
      const targets = ["/a?color=red", "/a?color=blue", "/a", ...record];
      const { world, lists } = await worldWith(options, ...targets);
      world.service.overtakings.push((...done) => overtakings[overtaking]?.(world, ...done));

      await Promise.all([writes[write]?.(lists[0] as Looked), world.clock.advance(withinMs)]);

      const plain = (rows: readonly unknown[] | undefined) =>
        rows?.map((row) => Object(row).record ?? row).sort((a, b) => a.id - b.id) ?? [];
      expect(lists.map((list) => plain(list.rows()))).toEqual(
        targets.map((target) => plain(world.service.expected(target))),
      );
      world.client.close();
    },
  );

  it("is shown at once, where the URL of a record that went is used again", async () => {
    const { world, lists } = await worldWith({}, "/a?color=blue", "/a");
    const [, all] = lists as [Looked, Looked];
    await Promise.all([all.collection.destroy("/a/1"), world.clock.advance(60)]);
    // What came meanwhile nobody has looked at.
    world.service.write([{ name: "a", id: 1, columns: { size: 8 } }]);
    await world.clock.advance(60);
    expect(all.shown.map(({ id, size }) => [id, size])).toEqual([
      [1, 8],
      [2, 1],
    ]);
    expect(questions(world)).toEqual([]);
    world.client.close();
  });
});

describe("The whole of a view that is followed", () => {
  it("is asked for by one question at a time, though the application is slow, and by none that is not needed", async () => {
    const { world, lists } = await worldWith({}, "/a?color=red", "/a?color=blue", "/b");
    const [red] = lists as [Looked];
    world.service.lookMs = 4_000;
    const moveBack = (): void => {
      world.service.overtakings.push((...done) => overtakings["change back"]?.(world, ...done));
    };

    moveBack();
    await Promise.all([red.collection.update("/a/1", { size: 3 } as never), world.clock.advance(1_500)]);
    expect(questions(world)).toEqual(["SUBSCRIBE /a?color=red HTTP/1.1"]);
    moveBack();
    await Promise.all([red.collection.update("/a/1", { size: 4 } as never), world.clock.advance(3_000)]);
    expect(questions(world).length).toBe(1);
    expect(red.shown).toMatchObject([{ id: 1, size: 4 }]);
    // The second write was answered after the question that is answered now: so there is another one.
    await world.clock.advance(6_000);
    expect(questions(world).length).toBe(2);
    expect(red.shown).toMatchObject([{ id: 1, size: 1 }]);

    await world.clock.advance(60_000);
    expect(questions(world).length).toBe(2);
    world.client.close();
  });

  it("is asked for by nobody where the stream shows what was written, or a view has nothing of it", async () => {
    const { world, lists } = await worldWith({}, "/a", "/a?color=blue", "/b", "/a/2");
    const [all] = lists as [Looked];

    const done = [
      all.collection.create({ color: "red" }),
      all.collection.update("/a/1", { size: 3 } as never),
      all.collection.update("/a/1", { size: 4 } as never),
      all.collection.destroy("/a/2"),
    ];
    await Promise.all([...done, world.clock.advance(60_000)]);

    expect(questions(world)).toEqual([]);
    world.client.close();
  });

  it("is asked for once where what comes is older than the write by its position", async () => {
    const { world, lists } = await worldWith({ flavour: "direct", seed: 5 }, "/a");
    const [all] = lists as [Looked];
    let first: string | undefined;
    // A server that stands still: nothing that it says is newer than what it said first.
    world.mangle = (data) => {
      const message = decodeResponse(data);
      first ??= fieldValue(message.fields, "event-id");
      const fields = message.fields.map(([name, value]): Field => [name, name === "Event-ID" ? `${first}` : value]);
      const body = String(message.body).replace('"size":7', '"size":1');
      return isChange(message) ? [] : [encodeResponse({ ...message, fields, body })];
    };
    world.client.renew();
    await world.clock.advance(5_000);

    await Promise.all([all.collection.update("/a/1", { size: 7 } as never), world.clock.advance(15_000)]);

    expect(questions(world).length).toBe(1);
    expect(all.shown[0]).toMatchObject({ id: 1, size: 7 });
    world.client.close();
  });

  it("leaves the view as it is where the question is refused, and is asked for again", async () => {
    const { world, lists } = await worldWith({}, "/a");
    const [all] = lists as [Looked];
    world.service.overtakings.push((...done) => overtakings.destroy?.(world, ...done));

    await Promise.all([all.collection.create({ color: "red" }), world.clock.advance(900)]);
    world.service.turnsAway = 503;
    await world.clock.advance(300);
    world.service.turnsAway = undefined;
    expect([questions(world).length, all.state, all.shown.length]).toEqual([1, "live", 3]);

    await world.clock.advance(11_000);
    expect([questions(world).length, all.state, all.shown.length]).toEqual([2, "live", 2]);
    world.client.close();
  });
});

describe("Behind an application that is slow, what was written", () => {
  it.each(Object.entries(writes))("does not go for a moment and come again: %s", async (kind, write) => {
    const { world, lists } = await worldWith({}, "/a?color=red");
    const [red] = lists as [Looked];
    world.service.lookMs = 3_000;
    // A look that is under way knows nothing of what is written now.
    world.service.write([{ name: "a", id: 1, columns: { color: "red", size: 2 } }]);
    await world.clock.advance(100);
    const seen: string[] = [];
    await Promise.all([write(red), world.clock.advance(100)]);
    const row = (rows: Looked["shown"] | undefined): string => {
      const written = rows?.find(({ id }) => id === (kind === "create" ? 3 : 1));
      return written ? `size ${written.size}` : "none";
    };
    const look = (): string => row(red.shown);
    const right = look();
    red.live.subscribe(() => seen.push(look()));

    await world.clock.advance(15_000);

    expect([...new Set(seen)].filter((one) => one !== right)).toEqual([]);
    expect(right).toBe(row(world.service.expected("/a?color=red")));
    expect(seen.length).toBeGreaterThan(0);
    world.client.close();
  });

  it("does not go back to what was written a moment before", async () => {
    const { world, lists } = await worldWith({}, "/a");
    const [all] = lists as [Looked];
    world.service.lookMs = 3_000;
    const sizes: unknown[] = [];
    const { collection } = all;

    await Promise.all([collection.update("/a/1", { size: 5 } as never), world.clock.advance(100)]);
    await Promise.all([collection.update("/a/1", { size: 6 } as never), world.clock.advance(100)]);
    all.live.subscribe(() => sizes.push(all.shown[0]?.size));
    await world.clock.advance(15_000);

    expect([...new Set(sizes)]).toEqual([6]);
    world.client.close();
  });
});

it("A record that is created at the URL of one that was destroyed here is shown from then on", async () => {
  const { world, lists } = await worldWith({}, "/a");
  const [all] = lists as [Looked];
  world.service.reusesIds = true;
  const counts: number[] = [];

  const destroyed = all.collection.destroy("/a/2");
  const created = all.collection.create({ color: "blue", size: 6 });
  all.live.subscribe(() => counts.push(all.shown.filter(({ size }) => size === 6).length));
  await Promise.all([destroyed, created, world.clock.advance(5_000)]);

  expect(await created).toMatchObject({ id: 2, size: 6 });
  expect([...new Set(counts)]).toEqual([1]);
  expect(all.shown.map(({ id, size }) => [id, size])).toEqual([
    [1, 1],
    [2, 6],
  ]);
  world.client.close();
});

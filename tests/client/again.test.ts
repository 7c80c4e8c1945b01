import { beforeAll, describe, expect, it } from "vitest";
import { endsSubscription } from "./interferences.ts";
import { refusal } from "./service.ts";
import { World } from "./world.ts";

beforeAll(() => Promise.all(["outbox", "answers", "fallback"].map((name) => import(`../../src/client/${name}.ts`))));

function worldWithRow(options: ConstructorParameters<typeof World>[0] = {}): World {
  const world = new World(options);
  world.service.write([{ name: "a", columns: { color: "red" } }]);
  return world;
}

/** A list that was live, and was refused then, while somebody goes on to look. */
async function refused(status: number) {
  const world = worldWithRow();
  const looked = world.look("/a");
  await world.clock.advance(100);
  endsSubscription(world, status);
  // What other cookies are given is looked at once.
  world.service.turnsAway = status;
  await world.clock.advance(100);
  world.service.turnsAway = undefined;
  expect(looked.live.getSnapshot().status.problem?.status).toBe(status);
  return { world, looked };
}

describe("A view that has failed", () => {
  it.each([
    ["renew()", ({ client }: World) => client.renew()],
    ["another that subscribes", ({ client }: World) => void client.collection("/a").subscribe(() => {})],
    ["another that waits", ({ client }: World) => void client.collection("/a").ready()],
    ["another that takes answers", ({ client }: World) => void client.subscribe("/a", () => {})],
  ])("is asked for again by %s, for all who look", async (_name, ask) => {
    const { world, looked } = await refused(403);
    await world.clock.advance(60_000);
    expect(looked.state).toBe("failed");
    ask(world);
    await world.clock.advance(100);
    expect([looked.state, looked.shown.length]).toEqual(["live", 1]);
    world.service.write([{ name: "a", columns: {} }]);
    await world.clock.advance(100);
    expect(looked.shown.length).toBe(2);
    world.client.close();
  });

  it.each([302, 303, 400, 401, 402, 403, 404, 410, 451])(
    "with %i shows nothing any more of what the viewer may not see",
    async (status) => {
      const { world, looked } = await refused(status);
      expect(looked.shown).toEqual([]);
      expect(await world.client.dehydrate()).toEqual({});
      world.client.close();
    },
  );

  it("with 422 goes on to show what was right before", async () => {
    const { world, looked } = await refused(422);
    expect(looked.shown.length).toBe(1);
    world.client.close();
  });

  it("as a record that was destroyed is shown again once it is there again", async () => {
    const world = worldWithRow();
    const looked = world.look("/a/1");
    await world.clock.advance(100);
    world.service.write([{ name: "a", id: 1 }]);
    await world.clock.advance(100);
    expect([looked.state, looked.shown]).toEqual(["gone", []]);
    world.service.write([{ name: "a", id: 1, columns: { color: "blue" } }]);
    await expect(Promise.all([world.client.record("/a/1").ready(), world.clock.advance(100)])).resolves.toBeTruthy();
    expect([looked.state, looked.shown.length]).toEqual(["live", 1]);
    world.client.close();
  });

  it.each([
    ["a list's 201", {}, "/a?color=red"],
    ["the list of an application's own", { flavour: "derived" }, "/a"],
    ["streams", { hasStreams: true, hasNoSockets: true }, "/a"],
  ] as const)(
    "as a record that had gone is asked for again where another view shows it: %s",
    async (_, options, list) => {
      const world = worldWithRow(options);
      const [looked, missing] = [world.look("/a/1"), world.look("/a/2")];
      const rows = world.look(list);
      await world.clock.advance(10_000);
      world.service.write([{ name: "a", id: 1 }]);
      await world.clock.advance(10_000);
      expect([looked.state, missing.state, rows.shown]).toEqual(["gone", "gone", []]);
      world.service.write([{ name: "a", id: 1, columns: { color: "red" } }]);
      await world.clock.advance(10_000);
      expect([looked.state, looked.shown, missing.state]).toEqual(["live", rows.shown, "gone"]);
      world.service.write([{ name: "a", id: 2, columns: { color: "red" } }]);
      await world.clock.advance(10_000);
      expect([missing.state, missing.shown]).toEqual(["live", rows.shown.slice(1)]);
      world.client.close();
    },
  );

  it("as a record that is shown by a list alone is asked for once, whatever becomes of it there", async () => {
    const world = worldWithRow();
    const list = world.look("/a");
    await world.clock.advance(100);
    world.service.refuseReads.push(refusal(404));
    const looked = world.look("/a/1");
    for (let round = 0; round < 5; round += 1) {
      await world.clock.advance(1_000);
      world.service.write([{ name: "a", id: 1, columns: { size: round } }]);
    }
    await world.clock.advance(100);
    expect([looked.state, list.shown]).toEqual(["gone", world.service.rows("a")]);
    expect(world.sent.filter((request) => request.startsWith("SUBSCRIBE /a/1 ")).length).toBe(1);
    world.client.close();
  });

  it("makes ready() throw, whether there are rows or not", async () => {
    const world = worldWithRow();
    const looked = world.look("/a");
    await world.clock.advance(100);
    endsSubscription(world, 422);
    await world.clock.advance(100);
    expect([looked.state, looked.shown.length]).toEqual(["failed", 1]);
    world.service.refuseReads.push(refusal(422));
    const waits = [
      expect(world.client.collection("/a").ready()).rejects.toMatchObject({ problem: { status: 422 } }),
      expect(world.client.collection("/none").ready()).rejects.toMatchObject({ problem: { status: 404 } }),
    ];
    await world.clock.advance(100);
    await Promise.all(waits);
    world.client.close();
  });

  it("is asked for by nobody once the client is closed", async () => {
    const { world, looked } = await refused(403);
    world.client.close();
    world.client.renew();
    looked.live.subscribe(() => {});
    await expect(looked.live.ready()).rejects.toThrow();
    await world.clock.advance(1_000);
    expect([world.sockets.size, world.clientClock.timers]).toEqual([0, 0]);
  });
});

import { beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { World, type WorldOptions } from "./world.ts";

beforeAll(() => Promise.all([import("../../src/client/outbox.ts"), import("../../src/client/fallback.ts")]));

const ways: readonly (readonly [string, WorldOptions])[] = [
  ["a socket", { flavour: "direct" }],
  ["a socket, of an application that is looked at", { flavour: "derived" }],
  ["streams", { flavour: "direct", hasNoSockets: true, hasStreams: true }],
  ["GETs at intervals", { hasNoSockets: true }],
  ["a socket of Level 0", { kind: "level-0" }],
];

describe("A document that says it is JSON, and is none", () => {
  it.each(ways)("is said to be that, and other URLs go on, by %s", async (_way, options) => {
    const world = new World(options);
    world.service.write(["a", "b"].map((name) => ({ name, columns: { size: 3 } })));
    world.service.spoiled = "/b";
    const [list, record, other] = ["/b", "/b/2", "/a"].map((target) => world.look(target)) as [
      ReturnType<World["look"]>,
      ReturnType<World["look"]>,
      ReturnType<World["look"]>,
    ];
    await world.clock.advance(20_000);

    for (const one of [list, record]) {
      const { status } = one.live.getSnapshot();
      expect([status.state, status.problem?.status, status.problem?.detail]).toEqual([
        "failed",
        502,
        "The server says application/json, and what it sent is no JSON.",
      ]);
      expect(one.shown).toEqual([]);
    }
    expect(other.shown).toMatchObject([{ size: 3 }]);
    expect(["live", "polling"]).toContain(other.state);

    world.service.spoiled = undefined;
    list.collection.ready().catch(() => {});
    await world.clock.advance(10_000);
    expect(["live", "polling"]).toContain(list.state);
    world.client.close();
  });

  it("is not what a client begins with, where it was kept", async () => {
    const message = {
      status: 200,
      reason: "OK",
      fields: [
        ["Content-Type", "application/json"],
        ["Items", 'list="/a", url="/a/{id}"'],
      ] as [string, string][],
      body: '{"a":[',
    };
    const client = createClient("http://h", { clock: createFakeClock(), initial: { "/a": message } });
    expect(client.collection("/a").getSnapshot()).toMatchObject({ rows: [], status: { state: "connecting" } });
    client.close();
  });

  it("is a text where JSON is but that, also in another client", async () => {
    const fields: [string, string][] = [["Content-Type", "application/json"]];
    const message = { status: 200, reason: "OK", fields: [...fields, ["Items", ""] as const], body: '"a text"' };
    const first = createClient("http://h", { clock: createFakeClock(), initial: { "/t": message } });
    expect(first.record("/t").getSnapshot().row).toBe("a text");
    const second = createClient("http://h", { clock: createFakeClock(), initial: await first.dehydrate() });
    expect(second.record("/t").getSnapshot().row).toBe("a text");
    first.close();
    second.close();
  });
});

import { beforeAll, describe, expect, it } from "vitest";
import { localProblem } from "../../src/client/problem.ts";
import { endedBy, type Status, worstStatus } from "../../src/client/status.ts";
import { endsSubscription } from "./interferences.ts";
import { World } from "./world.ts";

beforeAll(() => Promise.all([import("../../src/client/outbox.ts"), import("../../src/client/answers.ts")]));

const live: Status = { state: "live" };
const ended = (status: number): Status => endedBy(localProblem(status, "So it is."), undefined);

describe("The status of a view that has ended", () => {
  it.each([
    [404, "gone"],
    [410, "gone"],
    [401, "failed"],
    [403, "failed"],
    [422, "failed"],
    [499, "failed"],
    [502, "failed"],
  ] as const)("after %i is %s", (status, state) => {
    expect(ended(status)).toMatchObject({ state, problem: { status } });
    expect(endedBy(localProblem(status, ""), 7).since).toBe(7);
  });
});

describe("The status of several views", () => {
  const states = ["live", "behind", "polling", "connecting", "stale", "offline"] as const;

  it.each(states.map((state, at) => [state, at] as const))("where one is %s is never better than that", (state, at) => {
    const others = states.slice(0, at + 1).map((one): Status => ({ state: one }));
    expect(worstStatus([{ state }, ...others])?.state).toBe(state);
    expect(worstStatus([...others, { state }])?.state).toBe(state);
  });

  it.each([403, 404, 410, 415, 422])("is that of the others where one alone ended by %i", (status) => {
    for (const state of states) expect(worstStatus([{ state }, ended(status)])?.state).toBe(state);
  });

  it.each([401, 499, 500, 502])("is failed where one ended by %i, which concerns all", (status) => {
    expect(worstStatus([live, ended(404), ended(status)])).toMatchObject({ state: "failed", problem: { status } });
  });

  it.each([
    [[404], "gone"],
    [[404, 410], "gone"],
    [[403], "failed"],
    [[410, 403], "failed"],
  ] as const)("where all have ended, by %j, is %s", (statuses, state) => {
    expect(worstStatus(statuses.map(ended))?.state).toBe(state);
  });

  it("is unknown where there are none", () => {
    expect(worstStatus([])).toBeUndefined();
  });
});

describe("A client", () => {
  it("stays live where a record that it follows is destroyed, and tells the view's end there", async () => {
    const world = new World();
    const { client, clock, service } = world;
    service.write([{ name: "a", columns: {} }]);
    client.collection("/a").subscribe(() => {});
    const record = client.record("/a/1");
    record.subscribe(() => {});
    await clock.advance(100);
    const states: string[] = [];
    client.onStatus(() => states.push(client.status.state));
    service.write([{ name: "a", id: 1 }]);
    await clock.advance(100);
    expect(record.getSnapshot()).toMatchObject({ row: undefined, status: { state: "gone", problem: { status: 410 } } });
    expect([client.status, states]).toEqual([live, []]);
    client.close();
  });

  it("stays live where one view may not be seen any more", async () => {
    const world = new World();
    const { client, clock } = world;
    client.collection("/a").subscribe(() => {});
    world.look("/b");
    await clock.advance(100);
    endsSubscription(world, 403);
    world.service.turnsAway = 403;
    await clock.advance(100);
    const { status } = client.collection("/b").getSnapshot();
    expect([status.problem?.status, client.status]).toEqual([403, live]);
    client.close();
  });
});

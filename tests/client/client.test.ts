import { describe, expect, it } from "vitest";
import { refusal } from "./service.ts";
import { World } from "./world.ts";

describe("A client", () => {
  it("has the status of the worst view that somebody looks at", async () => {
    const world = new World();
    const { client, clock } = world;
    const statuses: string[] = [];
    client.onStatus(() => statuses.push(client.status.state));
    const stop = client.collection("/a").subscribe(() => {});
    await clock.advance(10);
    world.service.refuseReads.push(refusal(403));
    const stopRefused = client.collection("/b").subscribe(() => {});
    await clock.advance(10);
    expect([client.status.state, client.status.problem?.status]).toEqual(["failed", 403]);
    expect(statuses[0]).toBe("live");
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
});

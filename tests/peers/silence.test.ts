import { expect, it } from "vitest";
import { fieldValue } from "../../src/protocol/index.ts";
import { follow, pageClient } from "./front-clients.ts";
import { type Artist, fastClock } from "./places.ts";
import { describeBehindFronts, shows, startBehind } from "./site-behind.ts";

/** These take the time that they are about: a front counts its seconds by the clock on the wall. */
describeBehindFronts((kind) => {
  it("which ends what is silent for 5 s, a connection stays that says something every 2 s [R-HB-1]", async () => {
    const { front, add } = await startBehind(kind, { isImpatient: true }, fastClock(10));
    const artists = pageClient(front).collection<Artist>("/artists");
    const levelZero = follow(front, "/api/artists", { protocols: [] });
    const levelOne = await follow(front, "/api/artists").caughtUp();
    await shows(artists, ["Can", "Neu!", "Low"]);
    await levelOne.until(({ messages }) => messages.filter(({ status }) => status === 304).length >= 5);
    const url = await add("Faust");
    await levelZero.about(url, 201);
    await levelOne.about(url, 201);
    await shows(artists, ["Can", "Neu!", "Low", "Faust"]);
    expect(levelOne.replica.snapshots).toBe(1);
  });

  it("which ends what is silent for 5 s, all go on where they were, with nothing lost [R-RES-1]", async () => {
    const { front, add } = await startBehind(kind, { isImpatient: true });
    const client = pageClient(front);
    const artists = client.collection<Artist>("/artists");
    const levelZero = follow(front, "/api/artists", { protocols: [] });
    const before = await follow(front, "/api/artists").caughtUp();
    await shows(artists, ["Can", "Neu!", "Low"]);
    const cut = new Promise<void>((resolve) => {
      client.onStatus(() => client.status.state !== "live" && resolve());
    });
    expect([(await before.end()).code, (await levelZero.end()).code]).toEqual([1006, 1006]);
    await cut;
    const url = await add("Faust");
    const after = follow(front, "/api/artists", { fields: { "Last-Event-ID": before.replica.position ?? "" } });
    await after.caughtUp();
    const told = after.messages.map(({ status, fields }) => [status, fieldValue(fields, "content-location")]);
    expect(told).toEqual([
      [304, undefined],
      [201, url],
      [304, undefined],
    ]);
    await shows(artists, ["Can", "Neu!", "Low", "Faust"]);
  });
});

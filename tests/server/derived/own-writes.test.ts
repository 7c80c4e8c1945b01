import { describe, expect, it } from "vitest";
import type { Field } from "../../../src/protocol/index.ts";
import { AppWorld, briefs, cookie, json, plain, userOf } from "./fixture.ts";

/** An app that lets in whoever is signed in. */
function signedIn(...fields: Field[]) {
  const users = new Set(["ann", "bob"]);
  const world = new AppWorld((request) => (users.has(userOf(request)) ? json([{ id: 1 }], ...fields) : plain(401)));
  return { world, users };
}

describe("A request that writes [R-DER-9]", () => {
  it.each<[string, Field[]]>([
    ["of its own", []],
    ["that is declared for several", [["Cache-Control", "public"]]],
  ])("has the views %s of its viewer looked at, and ends them where they are refused", async (_which, fields) => {
    const { world, users } = signedIn(...fields);
    const ann = await world.opened("/posts", [cookie("ann")]);
    const bob = await world.opened("/posts", [cookie("bob")]);
    await world.clock.advance(1_000);
    users.delete("ann");
    world.takeGets();
    world.hub.changed(["/logout"], [cookie("ann"), ["Content-Type", "text/plain"], ["X-Page", "1"]]);
    await world.clock.settle();
    expect(ann.closing?.code).toBe(4401);
    expect(world.takeGets()).toBe(1);
    expect([briefs(bob), bob.closing]).toEqual([[], undefined]);
  });

  it("is known by Authorization, too, and by cookies in any order", async () => {
    const world = new AppWorld(() => json([{ id: 1 }]));
    await world.opened("/a", [["Authorization", "Bearer x"]]);
    await world.opened("/b", [["Cookie", "s=1; t=2"]]);
    await world.opened("/c", [["Cookie", "s=1; t=3"]]);
    await world.opened("/d");
    await world.clock.advance(1_000);
    world.takeGets();
    world.hub.changed(["/x"], [["authorization", "Bearer x"]]);
    world.hub.changed(["/x"], [["cookie", "t=2; s=1"]]);
    world.hub.changed(["/x"], []);
    await world.clock.settle();
    expect(world.asked.map(({ target }) => target)).toEqual(["/a", "/b"]);
  });

  it("has a view looked at once a second at most, and never misses the last", async () => {
    const { world, users } = signedIn();
    const ann = await world.opened("/posts", [cookie("ann")]);
    world.takeGets();
    for (let at = 0; at < 9; at += 1) {
      world.hub.changed(["/other"], [cookie("ann")]);
      await world.clock.advance(100);
    }
    expect(world.takeGets()).toBe(0);
    users.delete("ann");
    world.hub.changed(["/logout"], [cookie("ann")]);
    await world.clock.advance(200);
    expect(ann.closing?.code).toBe(4401);
  });

  it("of who follows nothing any more is nothing", async () => {
    const { world } = signedIn();
    const ann = await world.opened("/posts", [cookie("ann")]);
    ann.disconnect();
    world.takeGets();
    world.hub.changed(["/other"], [cookie("ann")]);
    await world.clock.advance(5_000);
    expect(world.takeGets()).toBe(0);
  });
});

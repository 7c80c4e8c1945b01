import { beforeAll, describe, expect, it } from "vitest";
import { resolveClientOptions } from "../../src/client/client-options.ts";
import { createClient } from "../../src/client/index.ts";
import type { Looked } from "./followed.ts";
import { World } from "./world.ts";

beforeAll(() => import("../../src/client/outbox.ts"));

/** A user who wrote something while the network was gone. */
async function wroteOffline() {
  const world = new World({ hasStorage: true, isIdempotent: true });
  world.service.write([{ name: "a", columns: {} }]);
  const list = world.look("/a");
  await world.clock.advance(100);
  world.isOffline = true;
  world.write((tag) => list.collection.create({ tag }));
  await world.clock.settle();
  return world;
}

describe("A write that is kept", () => {
  it("is sent by its own user only, whenever that one comes back", async () => {
    const world = await wroteOffline();
    await world.signIn("ben", false);
    world.isOffline = false;
    await world.clock.advance(60_000);
    const [ben] = world.followed as Looked[];
    expect([world.service.applied.get("w1"), ben?.shown.length]).toEqual([undefined, 1]);
    world.write((tag) => ben?.collection.create({ tag }) ?? Promise.reject());
    await world.clock.advance(1_000);
    expect(world.service.applied.get("w2")).toBe(1);
    await world.signIn("ann", false);
    await world.clock.advance(1_000);
    expect([world.service.applied.get("w1"), world.trouble]).toEqual([1, undefined]);
    world.client.close();
  });

  it("is dropped by logout(), which tells its maker, ends the client, and leaves those of others", async () => {
    const world = await wroteOffline();
    await world.signIn("ben", false);
    const [ben] = world.followed as Looked[];
    const waiting = ben?.collection.create({ tag: "of-ben" });
    const told = expect(waiting).rejects.toThrow("The user has logged out: the write was dropped.");
    await world.clock.settle();
    await world.client.logout();
    await told;
    const left = [...world.stored.values()].flatMap((text) => JSON.parse(text) as { user: string }[]);
    expect(left.map(({ user }) => user)).toEqual(["ann"]);
    expect(world.client.status.problem?.detail).toBe("The client is closed.");
    world.user = "ben";
    world.isOffline = false;
    await world.reload();
    await world.clock.advance(60_000);
    expect(world.service.applied.get("of-ben")).toBeUndefined();
    world.client.close();
  });

  it("is dropped by logout() also where nothing was written by this client", async () => {
    const world = await wroteOffline();
    await world.reload();
    const logout = world.client.logout();
    await world.clock.settle();
    await logout;
    expect([...world.stored.values()]).toEqual(["[]"]);
  });
});

describe("The options", () => {
  it.each([undefined, ""])("need a URL outside a browser: %j", (url) => {
    expect(() => createClient(url)).toThrow("baseUrl is missing: outside a browser a URL is needed.");
  });

  const storage = { getItem: () => null, setItem: () => {} };

  it("need the user where there are a token and a storage", () => {
    expect(() => createClient("http://h", { token: "t", storage })).toThrow(/name the user/);
    expect(() => createClient("http://h", { token: "t", storage, user: "ann" }).close()).not.toThrow();
    expect(() => createClient("http://h", { storage }).close()).not.toThrow();
  });

  it.each([
    [{}, undefined],
    [{ user: "ann" }, "ann"],
    [{ user: "ann", token: "t" }, "ann"],
    [{ token: "t" }, undefined],
    [{ token: "t", tabs: "ann" }, "ann"],
    [{ user: "ann", tabs: false }, undefined],
    [{ user: "ann", tabs: true }, "ann"],
    [{ tabs: "" }, undefined],
    // Everybody sees the same.
    [{ tabs: true }, ""],
  ])("let tabs share only where they are known to act for the same user: %j", (options, name) => {
    expect(resolveClientOptions("http://h", options).tabs).toBe(name);
  });

  it("let no tabs share a token of nobody", () => {
    expect(() => createClient("http://h", { token: "t", tabs: true })).toThrow(/give a name of the user/);
  });

  it.each(["", 7, null])("refuse %j as a user", (user) => {
    expect(() => createClient("http://h", { user: user as never })).toThrow(/user is/);
  });
});

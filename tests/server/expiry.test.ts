import { describe, expect, it } from "vitest";
import { type Field, fieldValue } from "../../src/protocol/index.ts";
import { forViewers } from "../../src/server/index.ts";
import { briefs, createWorld, type World } from "./fixture.ts";

/** A token that ends so many seconds after the clock's beginning. */
function tokenUntil(seconds: number, name = "anna"): Field {
  const claims = Buffer.from(JSON.stringify({ exp: seconds, sub: name })).toString("base64url");
  return ["Authorization", `Bearer e30.${claims}.c2ln`];
}

const kinds: readonly [string, () => World][] = [
  ["a direct view", () => createWorld({ refreshMs: 3_600_000 })],
  [
    "a derived view",
    () =>
      createWorld({
        refreshMs: 3_600_000,
        derived: { coalesceMs: 0, refreshMs: 3_600_000 },
        around: (origin) => forViewers(origin, (request, next) => next(request)),
      }),
  ],
];

const bodies = ({ messages }: { readonly messages: readonly { readonly body: unknown }[] }): string =>
  JSON.stringify(messages.map(({ body }) => String(body)));

describe.each(kinds)("The subscription of a token that ends, to %s,", (_name, create) => {
  it("ends with a 401 at that moment, and is told nothing after it [R-SEC-11]", async () => {
    const world = create();
    world.put("a", 1);
    const anna = await world.opened("/a", [tokenUntil(5)]);
    const ben = await world.opened("/a", [tokenUntil(50, "ben")]);
    await world.clock.advance(4_999);
    expect(anna.closing).toBeUndefined();
    await world.clock.advance(1);
    world.put("a", 2, { secret: 1 });
    await world.clock.advance(2_000);
    const last = anna.messages.at(-1);
    expect(last?.status).toBe(401);
    expect(fieldValue(last?.fields ?? [], "www-authenticate")).toContain("Bearer");
    expect(anna.closing?.code).toBe(4401);
    expect(bodies(anna)).not.toContain("secret");
    expect(bodies(ben)).toContain("secret");
  });

  it("is told nothing more where the timer is late, as after the machine slept [R-SEC-11]", async () => {
    const world = create();
    world.put("a", 1);
    const { wallTime } = world.clock;
    const anna = await world.opened("/a", [tokenUntil(5)]);
    world.clock.wallTime = () => wallTime.call(world.clock) + 6_000;
    world.put("a", 2, { secret: 1 });
    await world.clock.advance(100);
    expect(anna.messages.at(-1)?.status).toBe(401);
    expect(bodies(anna)).not.toContain("secret");
  });

  it("ends alone where it is one of several, and goes on with another token from where it was [R-SEC-11]", async () => {
    const world = create();
    world.put("a", 1);
    const peer = await world.opened("/.well-known/rocket");
    peer.request("SUBSCRIBE", "/a", [["Request-ID", "1"], tokenUntil(5)]);
    peer.request("SUBSCRIBE", "/b", [["Request-ID", "2"]]);
    await world.clock.settle();
    const before = peer.messages.findLast(({ fields }) => fieldValue(fields, "subscription") === "/a");
    const position = fieldValue(before?.fields ?? [], "event-id") ?? "";
    await world.clock.advance(5_000);
    expect(briefs(peer).at(-1)).toBe("401 sub=/a");
    expect(peer.closing).toBeUndefined();
    peer.request("SUBSCRIBE", "/a", [["Request-ID", "3"], ["Last-Event-ID", position], tokenUntil(50)]);
    await world.clock.settle();
    world.put("b", 1);
    await world.clock.advance(100);
    const answer = peer.messages.find(({ fields }) => fieldValue(fields, "request-id") === "3");
    expect([answer?.status, fieldValue(answer?.fields ?? [], "event-id")]).toEqual([304, position]);
    expect(briefs(peer).filter((brief) => brief.includes("201 /b/1")).length).toBe(1);
  });

  it("goes on without a gap or a double where it is renewed before, and ends with the newest token [R-SEC-11] [R-BAND-5]", async () => {
    const world = create();
    world.put("a", 1);
    const peer = await world.opened("/.well-known/rocket");
    peer.request("SUBSCRIBE", "/a", [["Request-ID", "1"], tokenUntil(5)]);
    await world.clock.advance(4_000);
    peer.request("SUBSCRIBE", "/a", [["Request-ID", "2"], tokenUntil(20)]);
    await world.clock.settle();
    world.put("a", 2);
    await world.clock.advance(6_000);
    world.put("a", 3);
    await world.clock.advance(1_000);
    const changes = peer.messages.flatMap(({ status, fields }) =>
      status === 201 ? [fieldValue(fields, "content-location")] : [],
    );
    expect(changes).toEqual(["/a/2", "/a/3"]);
    expect(peer.messages.some(({ status }) => status === 401)).toBe(false);
    expect(peer.messages.filter(({ status }) => status === 200).length).toBe(2);
    await world.clock.advance(9_000);
    expect(briefs(peer).at(-1)).toBe("401 sub=/a");
  });

  it("whose end was over before, and that was taken all the same, goes on [R-SEC-11]", async () => {
    const world = create();
    await world.clock.advance(10_000);
    const anna = await world.opened("/a", [tokenUntil(5)]);
    world.put("a", 1);
    await world.clock.advance(1_000);
    expect(anna.closing).toBeUndefined();
    expect(anna.messages.at(-1)?.status).toBe(201);
  });

  it("far ahead sets no timer that ends at once [R-SEC-11]", async () => {
    const world = create();
    const anna = await world.opened("/a", [tokenUntil(9e9)]);
    await world.clock.advance(200_000);
    expect(anna.closing).toBeUndefined();
  });

  it("at Level 0 ends with 4401 [R-L0-7] [R-SEC-11]", async () => {
    const world = create();
    const anna = await world.opened("/a", [tokenUntil(5)], 0);
    await world.clock.advance(5_000);
    expect(anna.closing?.code).toBe(4401);
  });

  it("leaves no timer behind once its connection is closed", async () => {
    const world = create();
    const anna = await world.opened("/b");
    await world.clock.advance(3_000);
    const before = world.clock.timers;
    const ben = await world.opened("/b", [tokenUntil(500, "ben")]);
    ben.disconnect();
    await world.clock.advance(62_000);
    expect(world.clock.timers).toBe(before);
    expect(anna.closing).toBeUndefined();
  });
});

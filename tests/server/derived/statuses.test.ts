import { describe, expect, it } from "vitest";
import { type Field, fieldValue } from "../../../src/protocol/index.ts";
import { AppWorld, briefs, json, plain } from "./fixture.ts";

async function following(document: unknown = [{ id: 1 }], target = "/items") {
  const world = new AppWorld(() => json(document));
  const peer = await world.opened(target);
  world.takeGets();
  return { world, peer };
}

describe("When a document is asked for again [R-DER-7]", () => {
  it.each([200, 203])("a %i is the document", async (status) => {
    const { world, peer } = await following();
    world.answer = () => ({ ...json([{ id: 1 }, { id: 2 }]), status });
    await world.changed("/items/2");
    expect(briefs(peer)).toEqual(["201 /items/2 #1"]);
  });

  it.each([400, 401, 402, 403, 405, 406, 422, 451])("a %i ends the subscription with that status", async (status) => {
    const { world, peer } = await following();
    world.answer = () => plain(status);
    await world.changed("/items");
    expect(briefs(peer)).toEqual([String(status)]);
    expect(peer.closing?.code).toBe(4000 + status);
    await world.clock.advance(5_000);
    expect(world.hub.counts.views).toBe(0);
  });

  it.each([301, 302, 303, 307, 308])("a %i ends it, with its Location", async (status) => {
    const { world, peer } = await following();
    world.answer = () => plain(status, ["Location", "/login"], ["X-Other", "no"]);
    await world.changed("/items");
    expect(peer.messages.at(-1)?.fields).toEqual([["Location", "/login"]]);
    expect(peer.closing?.code).toBe(4000 + status);
  });

  it.each([201, 202, 204, 206])("a %i ends it with 415", async (status) => {
    const { world, peer } = await following();
    world.answer = () => plain(status);
    await world.changed("/items");
    expect(peer.closing?.code).toBe(4415);
  });

  it.each([404, 410])("a %i is confirmed after a second, then ends a list with that status", async (status) => {
    const { world, peer } = await following();
    world.answer = () => plain(status);
    await world.changed("/items");
    await world.clock.advance(500);
    await world.changed("/items");
    expect(briefs(peer)).toEqual([]);
    await world.clock.advance(500);
    expect(briefs(peer)).toEqual([String(status)]);
    expect(peer.closing?.code).toBe(4000 + status);
  });

  it.each([404, 410])("a %i that is confirmed ends a record with 204, then 1000 [R-SUB-9]", async (status) => {
    const { world, peer } = await following({ id: 1 }, "/items/1");
    world.answer = () => plain(status);
    await world.changed("/items/1");
    await world.clock.advance(1_000);
    expect(briefs(peer)).toEqual(["204 /items/1"]);
    expect(peer.closing?.code).toBe(1000);
  });

  it("a 404 that is not confirmed is nothing", async () => {
    const { world, peer } = await following();
    world.answer = () => plain(404);
    await world.changed("/items");
    world.answer = () => [{ id: 1 }, { id: 2 }];
    await world.clock.advance(1_000);
    expect(JSON.stringify(peer.messages.slice(2))).toContain('{\\"id\\":2}');
    expect(peer.closing).toBeUndefined();
  });

  it("one who comes while a 404 waits to be confirmed is not shown the document", async () => {
    const { world } = await following();
    world.answer = () => plain(404);
    await world.changed("/items");
    const late = await world.opened("/items");
    expect(late.messages[0]?.status).toBe(404);
  });

  it.each([408, 425, 429, 500, 502, 503, 504])("a %i leaves it as it is, and is tried again", async (status) => {
    const { world, peer } = await following();
    world.answer = () => plain(status);
    await world.changed("/items/2");
    world.answer = () => [{ id: 1 }, { id: 2 }];
    await world.clock.advance(999);
    expect(briefs(peer)).toEqual([]);
    await world.clock.advance(1);
    expect(briefs(peer)).toEqual(["201 /items/2 #1"]);
  });

  it("nobody asks before the Retry-After, whatever is written", async () => {
    const { world, peer } = await following();
    world.answer = () => plain(429, ["Retry-After", "30"]);
    await world.changed("/items/2");
    world.answer = () => [{ id: 1 }, { id: 2 }];
    world.takeGets();
    for (let second = 0; second < 29; second += 1) {
      await world.changed("/items/2");
      await world.clock.advance(1_000);
    }
    expect(world.takeGets()).toBe(0);
    await world.clock.advance(1_000);
    expect(briefs(peer).filter((message) => message !== "304")).toEqual(["201 /items/2 #1"]);
  });

  it("a Retry-After may be a date, which counts from the answer's own", async () => {
    const { world } = await following();
    const dates: readonly Field[] = [
      ["Date", "Sun, 06 Nov 1994 08:49:37 GMT"],
      ["Retry-After", "Sun, 06 Nov 1994 08:50:07 GMT"],
    ];
    world.answer = () => plain(503, ...dates);
    await world.changed("/items");
    world.takeGets();
    await world.clock.advance(29_999);
    expect(world.takeGets()).toBe(0);
    await world.clock.advance(1);
    expect(world.takeGets()).toBe(1);
  });

  it("an origin that fails for long is asked ever more rarely, and found when it is back [R-DER-6]", async () => {
    const { world, peer } = await following();
    world.answer = () => plain(500);
    world.hub.changed(["/items"]);
    await world.clock.advance(300_000);
    expect(world.takeGets()).toBeLessThan(20);
    world.answer = () => [{ id: 1 }, { id: 2 }];
    await world.clock.advance(30_000);
    expect(briefs(peer).filter((message) => message !== "304")).toEqual(["201 /items/2 #1"]);
  });

  it("no answer in time counts as 504", async () => {
    const { world, peer } = await following();
    world.latencyMs = 60_000;
    world.hub.changed(["/items"]);
    await world.clock.advance(9_000);
    world.latencyMs = 0;
    world.answer = () => [{ id: 1 }, { id: 2 }];
    await world.clock.advance(1_000);
    expect(briefs(peer).filter((message) => message !== "304")).toEqual(["201 /items/2 #1"]);
  });
});

it("A handshake's GET that is no document is refused: other 2xx with 415, the rest with their status [R-SUB-2]", async () => {
  const codes: unknown[] = [];
  for (const status of [204, 206, 401, 403, 404, 410, 302, 500, 503]) {
    const world = new AppWorld(() => plain(status, ["Retry-After", "1"]));
    const peer = await world.opened("/items");
    codes.push([peer.messages[0]?.status, peer.closing?.code]);
    expect(fieldValue(peer.messages[0]?.fields ?? [], "set-cookie")).toBeUndefined();
  }
  const expected = [415, 415, 401, 403, 404, 410, 302, 500, 503].map((status) => [status, 4000 + status]);
  expect(codes).toEqual(expected);
});

describe("A document whose head no message can carry [R-SUB-2] [R-MSG-15]", () => {
  const many = Array.from({ length: 70 }, (_, at): Field => [`X-${at}`, "v"]);
  const long: Field[] = [["Content-Security-Policy", "a".repeat(15_000)]];

  it.each([
    ["too many fields", many, "71 fields, where a message has room for 56"],
    ["fields that are too long", long, "fields of 15059 bytes, where a message has room for 14336"],
  ])("can't be followed for %s, and the refusal says so", async (_title, fields, why) => {
    const world = new AppWorld(() => json([{ id: 1 }], ...fields));
    const opening = world.hub.authorise({
      level: 1,
      target: "/items",
      fields: [["Host", "example.com"]],
      peer: undefined,
    });
    await world.clock.settle();
    const detail = `A GET of this URL is answered with ${why}, so it can't be followed. GET it instead.`;
    const body = expect.stringContaining(detail);
    expect(await opening).toMatchObject({ kind: "refused", response: { status: 422, body } });
  });

  it("ends the subscription where it could be carried before", async () => {
    const { world, peer } = await following();
    world.answer = () => json([{ id: 1 }, { id: 2 }], ...many.slice(0, 50));
    await world.changed("/items/2");
    expect(briefs(peer)).toEqual(["201 /items/2 #1"]);
    world.answer = () => json([{ id: 1 }], ...many);
    await world.changed("/items/2");
    await world.clock.advance(1_000);
    expect([briefs(peer).at(-1), peer.closing?.code]).toEqual(["422", 4422]);
  });
});

import { describe, expect, it } from "vitest";
import { type Field, fieldValue } from "../../src/protocol/index.ts";
import { forViewers, type IsMeant, type Revocations } from "../../src/server/index.ts";
import { createWorld, type World, type WorldOptions } from "./fixture.ts";

const token = (name: string): Field => ["Authorization", `Bearer ${name}`];

/** Rights that somebody says are others. */
function createRights() {
  const listeners = new Set<(isMeant: IsMeant) => void>();
  const revocations: Revocations = {
    isRevoked: () => false,
    subscribe: () => () => undefined,
    subscribeDoubts(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const refused = new Set<string>();
  const doubt = (...names: string[]): void => {
    for (const listener of listeners) {
      listener((fields) => names.includes(fieldValue(fields, "authorization")?.slice(7) ?? ""));
    }
  };
  const around: NonNullable<WorldOptions["around"]> = (origin) => async (request) => {
    const name = fieldValue(request.fields, "authorization")?.slice(7) ?? "";
    return refused.has(name) ? { status: 403, fields: [], body: "" } : origin(request);
  };
  return { revocations, doubt, refused, listeners, around };
}

/** What is the same goes on in a derived view, whose position is its document's. */
const kinds: readonly [string, readonly number[], (options: WorldOptions) => World][] = [
  ["a direct view", [200, 304, 200, 304, 201], (options) => createWorld({ refreshMs: 3_600_000, ...options })],
  [
    "a derived view",
    [200, 304, 304, 304, 201],
    ({ around = (origin) => origin, ...options }) =>
      createWorld({
        refreshMs: 3_600_000,
        derived: { coalesceMs: 0, refreshMs: 3_600_000 },
        around: (origin) => around(forViewers(origin, (request, next) => next(request))),
        ...options,
      }),
  ],
];

const bodies = ({ messages }: { readonly messages: readonly { readonly body: unknown }[] }): string =>
  JSON.stringify(messages.map(({ body }) => String(body)));

describe.each(kinds)("A subscription whose rights became others, to %s,", (_name, told, create) => {
  it("begins anew where it may go on, and others do not notice", async () => {
    const { doubt, ...rights } = createRights();
    const world = create(rights);
    world.put("a", 1);
    const anna = await world.opened("/a", [token("anna")]);
    const ben = await world.opened("/a", [token("ben")]);

    doubt("anna");
    await world.clock.settle();
    world.put("a", 2);
    await world.clock.advance(2_000);

    expect(anna.messages.map(({ status }) => status)).toEqual(told);
    expect(ben.messages.map(({ status }) => status)).toEqual([200, 304, 201]);
  });

  it("ends where it may not, and is told nothing before that", async () => {
    const { doubt, refused, ...rights } = createRights();
    const world = create({ ...rights, latencyMs: () => 500 });
    world.put("a", 1);
    const anna = await world.open("/a", [token("anna")]);
    await world.clock.advance(2_000);

    refused.add("anna");
    doubt("anna");
    world.put("a", 2, { secret: 1 });
    await world.clock.advance(2_000);

    expect(anna.messages.at(-1)?.status).toBe(403);
    expect(bodies(anna)).not.toContain("secret");
  });

  it("is asked for again where that comes while it is being opened, by a handshake and in band", async () => {
    const { doubt, refused, ...rights } = createRights();
    const world = create({ ...rights, latencyMs: () => 1_000 });
    world.put("a", 1, { secret: 1 });
    const anna = await world.open("/a", [token("anna")]);
    const peer = await world.open("/.well-known/rocket");
    peer.request("SUBSCRIBE", "/a", [["Request-ID", "1"], token("anna")]);
    await world.clock.advance(500);

    refused.add("anna");
    doubt("anna");
    await world.clock.advance(5_000);

    expect([anna.messages.at(-1)?.status, peer.messages.at(-1)?.status]).toEqual([403, 403]);
    expect(bodies(anna) + bodies(peer)).not.toContain("secret");
  });

  it("is refused for a moment where that comes again and again", async () => {
    const { doubt, ...rights } = createRights();
    const world = create({ ...rights, latencyMs: () => 1_000 });
    world.put("a", 1, { secret: 1 });
    const anna = await world.open("/a", [token("anna")]);

    for (let second = 0; second < 6; second += 1) {
      await world.clock.advance(500);
      doubt("anna");
    }
    await world.clock.advance(1_000);

    expect(anna.messages.map(({ status }) => status)).toEqual([503]);
    expect(bodies(anna)).not.toContain("secret");
  });
});

describe("A hub", () => {
  it("listens to no doubts any more once it is closed", async () => {
    const { listeners, ...rights } = createRights();
    const world = createWorld({ revocations: rights.revocations });
    expect(listeners.size).toBe(1);

    const closing = world.hub.close(0);
    await world.clock.advance(10_000);
    await closing;

    expect(listeners.size).toBe(0);
  });
});

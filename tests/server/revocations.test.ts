import { describe, expect, it } from "vitest";
import { type Field, fieldValue } from "../../src/protocol/index.ts";
import { forViewers, type Revocations } from "../../src/server/index.ts";
import { briefs, createWorld, type World, type WorldOptions } from "./fixture.ts";

const token = (name: string): Field => ["Authorization", `Bearer ${name}`];

/** Tokens that can be taken back. */
function createRevocations() {
  const revoked = new Set<string>();
  const listeners = new Set<() => void>();
  const revocations: Revocations = {
    isRevoked: (fields) => revoked.has(fieldValue(fields, "authorization") ?? ""),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const revoke = (name: string): void => {
    revoked.add(token(name)[1]);
    for (const listener of listeners) listener();
  };
  return { revocations, revoke, listeners };
}

const kinds: readonly [string, (options: WorldOptions) => World][] = [
  ["a direct view", (options) => createWorld({ refreshMs: 3_600_000, ...options })],
  [
    "a derived view",
    (options) =>
      createWorld({
        refreshMs: 3_600_000,
        derived: { coalesceMs: 0, refreshMs: 3_600_000 },
        around: (origin) => forViewers(origin, (request, next) => next(request)),
        ...options,
      }),
  ],
];

const bodies = ({ messages }: { readonly messages: readonly { readonly body: unknown }[] }): string =>
  JSON.stringify(messages.map(({ body }) => String(body)));

describe.each(kinds)("The subscription of credentials that are taken back, to %s,", (_name, create) => {
  it("ends with a 401 at once, and is told nothing after it; others go on", async () => {
    const { revocations, revoke } = createRevocations();
    const world = create({ revocations });
    world.put("a", 1);
    const anna = await world.opened("/a", [token("anna")]);
    const ben = await world.opened("/a", [token("ben")]);

    revoke("anna");
    world.put("a", 2, { secret: 1 });
    await world.clock.advance(2_000);

    const last = anna.messages.at(-1);
    expect([last?.status, fieldValue(last?.fields ?? [], "www-authenticate")]).toEqual([
      401,
      'Bearer error="invalid_token"',
    ]);
    expect(anna.closing?.code).toBe(4401);
    expect(bodies(anna)).not.toContain("secret");
    expect(bodies(ben)).toContain("secret");
  });

  it("ends alone where it is one of several of a connection", async () => {
    const { revocations, revoke } = createRevocations();
    const world = create({ revocations });
    const peer = await world.opened("/.well-known/rocket");
    peer.request("SUBSCRIBE", "/a", [["Request-ID", "1"], token("anna")]);
    peer.request("SUBSCRIBE", "/b", [["Request-ID", "2"], token("ben")]);
    await world.clock.settle();

    revoke("anna");
    await world.clock.settle();

    expect(briefs(peer).at(-1)).toBe("401 sub=/a");
    expect(peer.closing).toBeUndefined();
  });

  it("does not begin where that happens while it is being opened", async () => {
    const { revocations, revoke } = createRevocations();
    const world = create({ revocations, latencyMs: () => 1_000 });
    world.put("a", 1, { secret: 1 });
    const anna = await world.open("/a", [token("anna")]);
    const peer = await world.open("/.well-known/rocket");
    peer.request("SUBSCRIBE", "/a", [["Request-ID", "1"], token("anna")]);

    revoke("anna");
    await world.clock.advance(3_000);

    expect([anna.closing?.code, bodies(anna)]).toEqual([4401, expect.not.stringContaining("secret")]);
    expect(bodies(peer)).not.toContain("secret");
    expect(peer.messages.at(-1)?.status).toBe(401);
  });
});

describe("A hub", () => {
  it("listens to nothing any more once it is closed", async () => {
    const { revocations, listeners } = createRevocations();
    const world = createWorld({ revocations });
    expect(listeners.size).toBe(1);

    const closing = world.hub.close(0);
    await world.clock.advance(10_000);
    await closing;

    expect(listeners.size).toBe(0);
  });
});

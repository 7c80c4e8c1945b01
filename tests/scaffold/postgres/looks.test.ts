import { describe, expect, it } from "vitest";
import type { Follower } from "../../../src/scaffold/postgres/journal/follower.ts";
import { Looks } from "../../../src/scaffold/postgres/journal/looks.ts";
import type { ResolvedJournalOptions } from "../../../src/scaffold/postgres/journal/resolve-options.ts";
import { createFakeClock } from "../../../src/testing/index.ts";

/** Looks over a follower whose looks the test ends, each at a position; and what hints are heard by. */
function start() {
  const clock = createFakeClock();
  const running: ((position: number) => void)[] = [];
  const follower = {
    head: { position: 0 },
    advance: () =>
      new Promise<"news">((resolve) => {
        running.push((position) => {
          follower.head = { position };
          resolve("news");
        });
      }),
  };
  let hear = (_payload: string): void => {};
  const pool = {
    listen: async (_channel: string, onMessage: (payload: string) => void) => {
      hear = onMessage;
      return { close: async () => {} };
    },
  };
  const options = { pool, clock, pollMs: 5, idlePollMs: 200, lookMs: 1_000, hints: true };
  const looks = new Looks(follower as unknown as Follower, options as unknown as ResolvedJournalOptions);
  looks.start();
  /** Ends the look that runs, having found everything up to a position. */
  const end = async (position: number): Promise<void> => {
    running.shift()?.(position);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { looks, hear: (payload: string) => hear(payload), end, running };
}

describe("A look that runs", () => {
  /** With the first look, which comes by itself, ended. */
  async function begun() {
    const world = start();
    await new Promise((resolve) => setImmediate(resolve));
    await world.end(2);
    expect(world.running).toHaveLength(0);
    const asked = world.looks.poll();
    expect(world.running).toHaveLength(1);
    return { ...world, asked };
  }

  it("is followed by no other one where it has found what a hint told of meanwhile, as of its own position", async () => {
    const { hear, end, running, asked } = await begun();
    hear("4");
    await end(4);
    await asked;
    expect(running).toHaveLength(0);
  });

  it.each(["6", "what is no position"])("is followed by another one at once where it has not: %s", async (payload) => {
    const { hear, end, running, asked } = await begun();
    hear(payload);
    hear("4");
    await end(4);
    await asked;
    expect(running).toHaveLength(1);
  });
});

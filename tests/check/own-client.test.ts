import { describe, expect, it } from "vitest";
import { hasFailed } from "../../src/check/index.ts";
import { createClient } from "../../src/client/index.ts";
import { checkClient, type Following, type Place, speed } from "./harness.ts";

/** A clock on which as much time passes as the situations take for granted. */
const clock = {
  now: () => performance.now() * speed,
  setTimer: (callback: () => void, ms: number) => {
    const timer = setTimeout(callback, ms / speed);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

function follow({ base }: Place): Following {
  const client = createClient(base, { clock, onError: () => {} });
  const items = client.collection("/items");
  items.subscribe(() => {});
  return { rows: () => items.getSnapshot().rows, stop: () => client.close() };
}

describe("the project's client", () => {
  it("does nothing wrong in any situation, whatever version of the protocol the server names [R-EXT-3]", {
    timeout: 60_000,
  }, async () => {
    const report = await checkClient(follow);
    expect(report.results.filter(({ outcome }) => outcome.kind !== "passed")).toEqual([]);
    expect(hasFailed(report)).toBe(false);
  });
});

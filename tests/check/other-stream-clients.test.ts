import { describe, expect, it } from "vitest";
import { brokenIn, checkClient } from "./harness.ts";
import { PatchClient, type PatchMistake } from "./patch-client.ts";
import { PollClient, type PollMistake } from "./poll-client.ts";

const patchMistakes: readonly (readonly [mistake: PatchMistake, requirement: string, name: string])[] = [
  ["takes the first operation only", "R-STR-12", "patch-operations"],
  ["does not know ~0", "R-STR-12", "patch-pointers"],
  ["takes each piece for whole events", "R-STR-11", "patch-events"],
  ["takes half an event", "R-STR-7", "half-patch"],
  ["takes comments for data", "R-STR-6", "patch-comments"],
  ["never comes back", "R-STR-20", "patch-ended"],
  ["waits for ever", "R-STR-16", "silent-stream"],
  ["begins anew without a GET", "R-STR-20", "patch-ended"],
  ["gives up at a 410", "R-STR-20", "patch-gone"],
  ["comes back at the same after a 410", "R-STR-20", "patch-gone"],
  ["does not look at what is lost", "R-STR-20", "patch-lost"],
];

const pollMistakes: readonly (readonly [mistake: PollMistake, requirement: string, name: string])[] = [
  ["names what it had at first", "R-STR-21", "poll-change"],
  ["does not look at a 304", "R-STR-21", "poll-nothing"],
  ["stops at a 304", "R-STR-21", "poll-nothing"],
  ["never comes back", "R-STR-21", "poll-cut"],
  ["keeps its records", "R-STR-21", "poll-other-history"],
  ["does not look at Retry-After", "R-CLOSE-5", "retry-after-503"],
];

describe("the check of clients of patch streams", () => {
  it("finds nothing wrong with a client by the book", { timeout: 60_000 }, async () => {
    const report = await checkClient((place) => new PatchClient(place), { way: "patches" });
    expect(report.results.filter(({ outcome }) => outcome.kind !== "passed")).toEqual([]);
  });

  it.concurrent.each(patchMistakes)("finds one that %s, by %s (%s)", { timeout: 60_000 }, async (mistake, id, name) => {
    const choice = { way: "patches", names: [name] };
    expect(brokenIn(await checkClient((place) => new PatchClient(place, mistake), choice))).toContain(id);
  });
});

describe("the check of clients of GETs that wait", () => {
  it.each(["Event-ID", "ETag"] as const)(
    "finds nothing wrong with a client by the book that names its %s",
    {
      timeout: 60_000,
    },
    async (names) => {
      const report = await checkClient((place) => new PollClient(place, names), { way: "polls" });
      expect(report.results.filter(({ outcome }) => outcome.kind !== "passed")).toEqual([]);
    },
  );

  it.concurrent.each(pollMistakes)("finds one that %s, by %s (%s)", { timeout: 60_000 }, async (mistake, id, name) => {
    const choice = { way: "polls", names: [name] };
    expect(brokenIn(await checkClient((place) => new PollClient(place, "Event-ID", mistake), choice))).toContain(id);
  });
});

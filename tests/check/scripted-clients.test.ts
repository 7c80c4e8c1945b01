import { describe, expect, it } from "vitest";
import { brokenIn, checkClient } from "./harness.ts";
import { type Mistake, ScriptedClient } from "./scripted-client.ts";

/** Mistakes, the requirement that each breaks, and the situations in which it shows. */
const mistakes: readonly (readonly [mistake: Mistake, requirement: string, names: readonly string[]])[] = [
  ["forgets its position", "R-RES-5", ["bookmark"]],
  ["invents a position", "R-RES-5", ["bookmark"]],
  ["applies before the mark", "R-POS-5", ["half-transaction"]],
  ["moves its position by a 304 within a batch", "R-POS-5", ["304-within-batch"]],
  ["keeps what no mark followed over a 200", "R-POS-5", ["reset"]],
  ["keeps records over a 200", "R-POS-5", ["lost-history"]],
  ["takes no 202 for what it does not have", "R-SUB-14", ["changes"]],
  ["ends at an unknown status", "R-SUB-8", ["unknown-status"]],
  ["refuses binary", "R-MSG-2", ["binary"]],
  ["refuses LF", "R-MSG-4", ["bare-lf"]],
  ["takes garbage", "R-MSG-3", ["refuses-garbage"]],
  ["takes changes of no record", "R-SUB-16", ["refuses-nameless"]],
  ["does not mask", "RFC6455-5.1", ["snapshot"]],
  ["comes back after everything", "R-CLOSE-1", ["status-404"]],
  ["comes back after everything", "R-CLOSE-2", ["unlisted-4444"]],
  ["never comes back", "R-CLOSE-1", ["restarting"]],
  ["does not look at Retry-After", "R-CLOSE-5", ["retry-after-503"]],
  ["opens two connections at each refusal", "R-BAND-21", ["no-room"]],
  ["waits for ever", "R-HB-3", ["silence"]],
  ["sorts as JavaScript does", "R-FLD-6", ["item-order"]],
  ["does not look at Item-Index", "R-FLD-10", ["item-index"]],
  ["trusts the echo", "R-L1-3", ["echo-of-level-0"]],
  ["takes a delta for the record", "R-DELTA-3", ["deltas"]],
  ["applies any delta", "R-DELTA-8", ["delta-for-another-tag"]],
  ["applies any delta", "R-DELTA-8", ["delta-for-nothing"]],
  ["does not come back for whole records", "R-DELTA-8", ["delta-for-another-tag"]],
];

describe("the check of clients", () => {
  it("finds nothing wrong with a client by the book that follows by handshakes", { timeout: 60_000 }, async () => {
    const report = await checkClient((place) => new ScriptedClient(place), { way: "socket" });
    expect(report.results.filter(({ outcome }) => outcome.kind !== "passed")).toEqual([]);
  });

  it.each(mistakes)("finds a client that %s, by %s", { timeout: 60_000 }, async (mistake, requirement, names) => {
    const report = await checkClient((place) => new ScriptedClient(place, mistake), { names });
    expect(brokenIn(report)).toContain(requirement);
  });

  it("finds a client that comes back at once, by R-CLOSE-5", { timeout: 60_000 }, async () => {
    // Shortened, the waits that are right may be less than a busy machine takes for a handshake.
    const choice = { names: ["backoff"], speed: 1 };
    const report = await checkClient((place) => new ScriptedClient(place, "comes back at once"), choice);
    expect(brokenIn(report)).toEqual(["R-CLOSE-5"]);
  });
});

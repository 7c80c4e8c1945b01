import { describe, expect, it } from "vitest";
import { EventSourceClient } from "./event-source-client.ts";
import { checkClient } from "./harness.ts";

/** An `EventSource` waits by the platform's clock: as long as a `retry` says. */
const speed = 2;

describe("npm eventsource with a small reader", () => {
  it("does nothing wrong in the situations that it can be in [R-STR-3] [R-STR-7]", { timeout: 60_000 }, async () => {
    const report = await checkClient((place) => new EventSourceClient(place, speed), { way: "events", speed });
    const { results } = report;
    expect(results.filter(({ outcome }) => outcome.kind === "failed")).toEqual([]);
    const leftOut = results.filter(({ outcome }) => outcome.kind === "skipped").map(({ requirement }) => requirement);
    // It asks for nothing but text/event-stream.
    expect([...new Set(leftOut)]).toEqual(["R-DELTA-3", "R-DELTA-8"]);
  });
});

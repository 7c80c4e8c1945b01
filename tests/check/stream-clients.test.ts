import { describe, expect, it } from "vitest";
import type { Report, Result } from "../../src/check/index.ts";
import { brokenIn, checkClient, type Place } from "./harness.ts";
import { ScriptedClient } from "./scripted-client.ts";
import { StreamClient, type StreamMistake } from "./stream-client.ts";

type Way = "events" | "parts";

/** Mistakes, the requirement that each breaks, and the situation in which it shows. */
const mistakes: readonly (readonly [way: Way, mistake: StreamMistake, requirement: string, name: string])[] = [
  ["events", "takes each piece for whole events", "R-STR-7", "event-in-pieces"],
  ["events", "ends lines at LF only", "R-STR-7", "crs"],
  ["events", "ends lines at LF only", "R-STR-7", "mixed-line-ends"],
  ["events", "keeps the BOM", "R-STR-7", "bom"],
  ["events", "takes half an event", "R-STR-7", "half-event"],
  ["events", "does not look at retry", "R-STR-7", "retry"],
  ["events", "takes events of any name", "R-STR-8", "unknown-events"],
  ["events", "goes on after garbage", "R-STR-8", "event-garbage"],
  ["events", "goes on after garbage", "R-STR-8", "event-of-another-status"],
  ["events", "does not know base64", "R-STR-4", "base64"],
  ["events", "reads one line of a body", "R-STR-3", "event-lines"],
  ["events", "takes comments for data", "R-STR-6", "comments"],
  ["events", "forgets its position", "R-STR-17", "stream-ended"],
  ["events", "never comes back", "R-STR-17", "stream-torn"],
  ["events", "comes back after everything", "R-CLOSE-1", "problem-in-stream"],
  ["events", "comes back after everything", "R-CLOSE-1", "refused-for-good"],
  ["events", "gives up when it is refused", "R-CLOSE-1", "refused-for-a-while"],
  ["events", "does not look at Retry-After", "R-CLOSE-5", "retry-after-in-stream"],
  ["events", "waits for ever", "R-STR-16", "silent-stream"],
  ["events", "takes no comment for life", "R-STR-16", "living-stream"],
  ["events", "takes any answer for a stream", "R-STR-15", "no-stream"],
  ["events", "goes on though a record has no name", "R-SUB-16", "refuses-nameless"],
  ["events", "keeps what no mark followed over a 200", "R-POS-5", "reset"],
  ["parts", "moves its position by a 304 within a batch", "R-POS-5", "304-within-batch"],
  ["parts", "takes each piece for whole messages", "R-STR-10", "part-in-pieces"],
  ["parts", "counts characters", "R-STR-10", "part-length"],
  ["parts", "takes half a message", "R-STR-10", "half-part"],
  ["parts", "takes what has no length", "R-STR-10", "part-without-length"],
  ["parts", "stumbles over empty lines", "R-STR-10", "part-gaps"],
];

function skippedIn({ results }: Report): string[] {
  return results.flatMap(({ outcome }) => (outcome.kind === "skipped" ? [outcome.why] : []));
}

describe("the check of clients of streams", () => {
  it.each(["events", "parts"] as const)(
    "finds nothing wrong with a client by the book that reads %s",
    {
      timeout: 60_000,
    },
    async (way) => {
      const report = await checkClient((place) => new StreamClient(place, way), { way });
      expect(report.results.filter(({ outcome }) => outcome.kind !== "passed")).toEqual([]);
    },
  );

  it.concurrent.each(mistakes)(
    "finds a client of %s that %s, by %s (%s)",
    { timeout: 60_000 },
    async (way, mistake, id, name) => {
      const report = await checkClient((place) => new StreamClient(place, way, mistake), { way, names: [name] });
      expect(brokenIn(report)).toContain(id);
    },
  );

  it.each(["comes back at once", "comes back after 10 ms"] as const)(
    "finds a client of parts that %s, by R-CLOSE-5 (backoff)",
    { timeout: 60_000 },
    async (mistake) => {
      const follow = (place: Place) => new StreamClient(place, "parts", mistake);
      // The shortest waits that are right are longer than a busy machine takes for a request only at their full length.
      const report = await checkClient(follow, { way: "parts", names: ["backoff"], speed: 1 });
      expect(brokenIn(report)).toEqual(["R-CLOSE-5"]);
    },
  );

  it("leaves out what is about another way than the client comes by, and says so", async () => {
    const bySocket = await checkClient((place) => new ScriptedClient(place), { names: ["bom"] });
    expect(skippedIn(bySocket)).toEqual(["The client follows by WebSocket, and this is about another way."]);
    const byEvents = await checkClient((place) => new StreamClient(place, "events"), { names: ["fragments"] });
    expect(skippedIn(byEvents)).toEqual(["The client follows by event stream, and this is about another way."]);
  });

  it("says of a plain GET that it is one, though its Accept names a stream as well", async () => {
    const accept = "text/event-stream, application/merge-patch+json";
    const follow = ({ url }: Place) => {
      void fetch(url, { headers: { Accept: accept } }).then((answer) => answer.text());
      return { rows: () => [], stop: () => {} };
    };
    const report = await checkClient(follow, { way: "events", names: ["deltas"] });
    expect(skippedIn(report)).toEqual([
      expect.stringContaining(`came with a plain GET, by R-STR-1: in "Accept: ${accept}"`),
    ]);
  });

  it("says nothing of WebSockets where the client opened none", async () => {
    const isOfSockets = ({ requirement }: Result) => /^RFC6455|^R-MSG|^R-BAND|^R-CLOSE-3/.test(requirement);
    const byEvents = await checkClient((place) => new StreamClient(place, "events"), { names: ["changes"] });
    expect(byEvents.results.filter(isOfSockets)).toEqual([]);
    const bySocket = await checkClient((place) => new ScriptedClient(place), { names: ["changes"] });
    // Nothing is said of requests in band, since it sends none.
    expect(bySocket.results.filter(isOfSockets)).toHaveLength(9);
  });

  it("says nothing of resuming where no client has resumed", async () => {
    const of = async (name: string) => {
      const report = await checkClient((place) => new StreamClient(place, "events"), { names: [name] });
      return report.results.filter(({ title }) => title.startsWith("resumes only at")).length;
    };
    expect([await of("changes"), await of("stream-ended")]).toEqual([0, 1]);
  });

  it("leaves out what shows in the records alone where held was not posted", async () => {
    const follow = (place: Place) => new StreamClient(place, "events");
    const names = ["changes", "stream-ended", "event-garbage", "no-stream"];
    const { results } = await checkClient(follow, { way: "events", names, tellsHeld: false });
    const untold = results.filter(({ outcome }) => outcome.kind === "skipped");
    expect(untold.map(({ title }) => /\(([^()]*)\)$/.exec(title)?.[1])).toEqual(["changes"]);
    expect(skippedIn({ results } as Report)).toEqual([expect.stringContaining("held was not posted")]);
  });

  it("bears a client that says it holds what is no record", async () => {
    const follow = (place: Place) => {
      const client = new StreamClient(place, "events");
      return { rows: () => [null, 1, "x", { id: "y" }], stop: () => client.stop() };
    };
    expect(brokenIn(await checkClient(follow, { way: "events", names: ["changes"] }))).toEqual(["R-SUB-14"]);
  });
});

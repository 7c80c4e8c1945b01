import { describe, expect, it } from "vitest";
import { Follower, type FollowerOptions } from "../../src/cli/follower.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { brief, createFakeDial, message } from "./fake-link.ts";

function follow(options: Partial<FollowerOptions> = {}) {
  const { dial, links } = createFakeDial();
  const clock = Object.assign(createFakeClock(), { random: () => 0.5 });
  const seen: string[] = [];
  const notes: string[] = [];
  const ends: (string | undefined)[] = [];
  const listener = {
    message: (one: Parameters<typeof brief>[0]) => void seen.push(brief(one)),
    note: (line: string) => void notes.push(line),
    ended: (failure?: string) => void ends.push(failure),
  };
  const follower = new Follower({ url: "ws://a/b", level: 1, headers: [], dial, clock, listener, ...options });
  follower.start();
  const link = (at: number) => {
    const found = links[at];
    if (!found) throw new Error(`There are ${links.length} connections.`);
    return found;
  };
  return { follower, clock, link, links, seen, notes, ends };
}

const broken = { kind: "closed", code: 1006, reason: "" } as const;
const snapshot = message(200, "s:1.7", "[]");

describe("a follower", () => {
  it("offers Level 1 and no position at first, and its headers", () => {
    const { link } = follow({ headers: [["Authorization", "Bearer x"]] });
    expect(link(0).dialing).toEqual({ url: "ws://a/b", level: 1, headers: [["Authorization", "Bearer x"]] });
  });

  it("resumes at the last mark after a lost connection [R-RES-5] [R-CLOSE-5]", async () => {
    const { clock, link, seen, notes } = follow();
    link(0).send(snapshot, message(304, "s:1.7"), message(202, "s:2.8", "{}"));
    link(0).end(broken);
    await clock.advance(249);
    expect(notes.at(-1)).toBe("connection lost (the connection broke); trying again in 0.3 s");
    await clock.advance(1);
    expect(link(1).dialing.lastEventId).toBe("s:2.8");
    link(1).send(message(304, "s:2.8"), message(202, "s:3.9", "{}"));
    expect(notes.at(-1)).toBe("resumed after s:2.8");
    expect(seen).toEqual(["200 s:1.7", "304 s:1.7", "202 s:2.8", "304 s:2.8", "202 s:3.9"]);
  });

  it("shows nothing of a transaction whose mark did not come, and all of it after the resume [R-POS-5]", async () => {
    const { clock, link, seen } = follow();
    link(0).send(snapshot, message(202, undefined, "{}"), message(201, undefined, "{}"));
    link(0).end(broken);
    expect(seen).toEqual(["200 s:1.7"]);
    await clock.advance(500);
    expect(link(1).dialing.lastEventId).toBe("s:1.7");
    link(1).send(message(304, "s:1.7"), message(202, undefined, "{}"), message(201, "s:3.3", "{}"));
    expect(seen).toEqual(["200 s:1.7", "304 s:1.7", "202", "201 s:3.3"]);
  });

  it("begins where it is told to", () => {
    const { link, notes } = follow({ lastEventId: "*" });
    expect(link(0).dialing.lastEventId).toBe("*");
    link(0).send(message(304, "s:9.9"));
    expect(notes).toEqual(["connected to ws://a/b at Level 1"]);
  });

  it("says so when the history is lost and a fresh snapshot comes [R-RES-2]", () => {
    const { link, notes, seen } = follow({ lastEventId: "old:1.1" });
    link(0).send(snapshot);
    expect(notes).toEqual(["connected; what came after old:1.1 is no longer known, so here is everything"]);
    expect(seen).toEqual(["200 s:1.7"]);
  });

  it("waits longer from retry to retry, and from the beginning after a stable connection [R-CLOSE-5]", async () => {
    const { clock, link, links, notes } = follow();
    const refused = { kind: "unreachable", reason: "the connection was refused", isPermanent: false } as const;
    link(0).end(refused);
    await clock.advance(250);
    link(1).end(refused);
    await clock.advance(500);
    link(2).end(refused);
    await clock.advance(999);
    expect(links).toHaveLength(3);
    await clock.advance(1);
    link(3).send(snapshot);
    await clock.advance(10_000);
    link(3).end(broken);
    expect(notes.map((note) => note.match(/again in (.*) s$/)?.[1])).toEqual(["0.3", "0.5", "1.0", undefined, "0.3"]);
    expect(notes[0]).toBe("no connection (the connection was refused); trying again in 0.3 s");
  });

  it("waits no more than 2 s again after a connection that lived for a second, also to a server far away [R-CLOSE-5]", async () => {
    const { clock, link, notes } = follow({ url: "ws://example.com/b" });
    for (let at = 0; at < 6; at += 1) {
      link(at).send(snapshot);
      link(at).end(broken);
      await clock.advance(15_000);
    }
    link(6).send(snapshot);
    await clock.advance(1_000);
    link(6).end(broken);
    const waits = notes.flatMap((note) => note.match(/again in (.*) s$/)?.[1] ?? []);
    expect(waits).toEqual(["0.3", "0.5", "1.0", "2.0", "4.0", "8.0", "1.0"]);
  });

  it("abandons a Level 1 connection that is silent for 27 s [R-HB-3]", async () => {
    const { clock, link, links } = follow();
    link(0).send(snapshot);
    await clock.advance(26_999);
    expect(link(0).done).toEqual([]);
    await clock.advance(1);
    expect(link(0).done).toEqual(["abandon"]);
    await clock.advance(250);
    expect(links).toHaveLength(2);
  });

  it("stays on a connection that sends a heartbeat", async () => {
    const { clock, link } = follow();
    link(0).send(snapshot);
    await clock.advance(20_000);
    link(0).events.received(message(304, "s:1.7"));
    await clock.advance(20_000);
    expect(link(0).done).toEqual([]);
  });

  it("asks a silent Level 0 server for a sign of life before it gives it up", async () => {
    const { clock, link } = follow({ level: 0 });
    link(0).send();
    await clock.advance(27_000);
    expect(link(0).done).toEqual(["ping"]);
    link(0).events.pinged();
    await clock.advance(27_000);
    expect(link(0).done).toEqual(["ping", "ping"]);
    await clock.advance(27_000);
    expect(link(0).done).toEqual(["ping", "ping", "abandon"]);
  });
});

describe("a follower's level", () => {
  it.each([201, 202, 204])("is 0 where the first message is a %i, whatever was echoed [R-L1-3]", (status) => {
    const { link, notes, seen } = follow();
    link(0).send(message(status, undefined, status === 204 ? "" : "{}"));
    expect(notes).toEqual(["connected to ws://a/b at Level 0, the server has no more"]);
    expect(seen).toEqual([`${status}`]);
  });

  it("is 0 where nothing comes for 10 s [R-L1-3]", async () => {
    const { clock, link, notes } = follow();
    link(0).send();
    await clock.advance(9_999);
    expect(notes).toEqual([]);
    await clock.advance(1);
    expect(notes).toEqual(["connected to ws://a/b at Level 0, the server has no more"]);
  });

  it("is asked for without the token where the handshake fails for want of an echo [R-L1-3]", () => {
    const { link } = follow();
    link(0).end({ kind: "no-echo" });
    expect(link(1).dialing.level).toBe(0);
  });

  it("being 0, no position is asked for", async () => {
    const { clock, link, notes } = follow({ level: 0, lastEventId: "s:1.7" });
    link(0).send(message(201, undefined, "{}"));
    link(0).end({ kind: "closed", code: 1012, reason: "" });
    await clock.advance(250);
    link(1).send();
    expect(link(1).dialing).toEqual({ url: "ws://a/b", level: 0, headers: [] });
    expect(notes.at(-1)).toBe("connected again at Level 0; what happened meanwhile was not sent");
  });
});

describe("the end of a follower", () => {
  it("is as it should be after a close with 1000 [R-CLOSE-1]", async () => {
    const { clock, link, links, ends } = follow();
    link(0).send(snapshot);
    link(0).end({ kind: "closed", code: 1000, reason: "the record is gone" });
    await clock.advance(60_000);
    expect(ends).toEqual([undefined]);
    expect(links).toHaveLength(1);
  });

  it.each([
    [1002, "bad", "the server ended the stream: bad"],
    [4404, "no such table", "404 Not Found: no such table"],
    [4401, "", '401 Unauthorized (give credentials with --header "Authorization: …")'],
  ])("is a failure after a close with %i [R-CLOSE-1]", (code, reason, sentence) => {
    const { link, ends } = follow();
    link(0).send(snapshot);
    link(0).end({ kind: "closed", code, reason });
    expect(ends).toEqual([sentence]);
  });

  it.each([1001, 1006, 1011, 1012, 1013, 4408, 4413, 4429, 4500, 4503])(
    "does not come with a close with %i [R-CLOSE-1]",
    async (code) => {
      const { clock, link, links, ends } = follow();
      link(0).send(snapshot);
      link(0).end({ kind: "closed", code, reason: "" });
      await clock.advance(250);
      expect(links).toHaveLength(2);
      expect(ends).toEqual([]);
    },
  );

  it("comes with a problem, which is shown, without waiting for the close [R-SUB-10]", () => {
    const { link, seen, ends } = follow();
    const problem = JSON.stringify({ title: "Forbidden", status: 403, detail: "not for you" });
    link(0).send(snapshot, message(202, undefined, "{}"), message(403, undefined, problem));
    expect(seen).toEqual(["200 s:1.7", "403"]);
    expect(ends).toEqual(["403 Forbidden: not for you"]);
    expect(link(0).done).toEqual(["close 1000"]);
  });

  it("comes with a redirect, and says where to [R-L1-6]", () => {
    const { link, ends } = follow();
    link(0).send(message(308, undefined, "", "Location: /artists"));
    expect(ends).toEqual(["308 Permanent Redirect (it is at /artists)"]);
  });

  it("does not come with a problem that may pass, and Retry-After is waited for [R-CLOSE-5]", async () => {
    const { clock, link, links, notes } = follow();
    link(0).send(message(503, undefined, "{}", "Retry-After: 7"));
    expect(notes.at(-1)).toBe("connection lost (503 Service Unavailable); trying again in 7.0 s");
    await clock.advance(6_999);
    expect(links).toHaveLength(1);
    await clock.advance(1);
    expect(links).toHaveLength(2);
  });

  it.each([
    [404, "404 Not Found: no table x", 1],
    [500, undefined, 2],
    [503, undefined, 2],
    [429, undefined, 2],
  ])("comes with a handshake that is refused for good, %i", async (status, failure, connections) => {
    const { clock, link, links, ends } = follow();
    link(0).end({ kind: "refused", status, detail: "404 Not Found: no table x" });
    await clock.advance(250);
    expect(ends).toEqual(failure === undefined ? [] : [failure]);
    expect(links).toHaveLength(connections);
  });

  it("comes with bytes that are no HTTP message, and the close says so [R-MSG-3]", () => {
    const { link, ends } = follow();
    link(0).send("hello");
    expect(link(0).done).toEqual(["close 1002"]);
    expect(ends).toEqual(["a message is no HTTP message of this protocol: the head has no end"]);
  });

  it("comes by its own stop, after which it does nothing", async () => {
    const { follower, clock, link, links, seen, ends } = follow();
    link(0).send(snapshot);
    follower.stop();
    follower.stop();
    link(0).events.received(message(202, "s:2.8", "{}"));
    link(0).end(broken);
    await clock.advance(60_000);
    expect({ done: link(0).done, seen, ends, links: links.length, timers: clock.timers }).toEqual({
      done: ["close 1000"],
      seen: ["200 s:1.7"],
      ends: [],
      links: 1,
      timers: 0,
    });
  });
});

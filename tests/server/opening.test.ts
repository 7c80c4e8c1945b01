import { describe, expect, it } from "vitest";
import { type Field, fieldValue } from "../../src/protocol/index.ts";
import { createHub, type Origin, type OriginResponse } from "../../src/server/index.ts";
import { connectMemoryPeer, createFakeClock, createMemoryStore } from "../../src/testing/index.ts";
import { brief, briefs, createWorld, detailOf, lastEventId, messageAt } from "./fixture.ts";

describe("an opening at Level 1", () => {
  it("is a 200, then the 304 that says caught up, even where nothing happened [R-SUB-1]", async () => {
    const world = createWorld();
    world.put("a", 1, { name: "x" });
    const peer = await world.opened("/a");
    expect(briefs(peer)).toEqual(["200 @1", "304 @1"]);
    expect(messageAt(peer, 0).body).toBe('{"a":[{"id":1,"name":"x"}]}');
  });

  it("has the GET's body, Content-Type, Items and ETag, and the position [R-SUB-6] [R-FLD-2] [R-FLD-7]", async () => {
    const world = createWorld();
    world.put("a", 1);
    const got = await world.store.origin({ method: "GET", target: "/a", fields: [], body: "" });
    const peer = await world.opened("/a");
    const { fields, body } = messageAt(peer, 0);
    expect(body).toBe(got.body);
    expect(fields).toEqual([...got.fields, ["Event-ID", "m:1.0"]]);
  });

  it("gives what was committed while the GET was on its way, after the older position [R-SUB-3] [R-POS-3]", async () => {
    const world = createWorld({ latencyMs: () => 500 });
    world.put("a", 1);
    const peer = await world.open("/a");
    await world.clock.advance(100);
    world.put("a", 2);
    world.remove("a", 1);
    await world.clock.advance(1_000);
    expect(briefs(peer)).toEqual(["200 @1", "201 /a/2 @2", "204 /a/1 @3", "304 @3"]);
  });

  it.each([403, 404, 503])("that is a refusal (%i) never has the origin's own position [R-SUB-6]", async (status) => {
    const body = JSON.stringify({ type: "about:blank", title: "No", status, detail: "No." });
    for (const type of ["application/problem+json", "text/plain"]) {
      const fields: OriginResponse["fields"] = [
        ["Content-Type", type],
        ["event-ID", "forged"],
        ["X-Own", "kept"],
      ];
      let isRefused = false;
      const around =
        (origin: Origin): Origin =>
        (request) => {
          return isRefused ? Promise.resolve({ status, fields, body }) : origin(request);
        };
      const world = createWorld({ around });
      const peer = await world.opened("/a");
      isRefused = true;
      peer.request("SUBSCRIBE", "/b", [["Request-ID", "1"]]);
      const other = await world.opened("/b");
      await world.clock.settle();
      for (const message of [peer.messages.at(-1), other.messages.at(-1)]) {
        expect(message?.status).toBe(status);
        expect(fieldValue(message?.fields ?? [], "event-id")).toBeUndefined();
        expect(fieldValue(message?.fields ?? [], "x-own")).toBe(type === "text/plain" ? undefined : "kept");
      }
      const level0 = await world.hub.authorise({ level: 0, target: "/b", fields: [] });
      expect(level0.kind === "refused" && fieldValue(level0.response.fields, "event-id")).toBeUndefined();
    }
  });

  it("drops Set-Cookie, hop-by-hop fields and those that the hub alone says [R-SUB-6] [R-BAND-10]", async () => {
    const extra: OriginResponse["fields"] = [
      ["Set-Cookie", "a=b"],
      ["Connection", "close"],
      ["Request-ID", "forged"],
      ["Subscription", "/forged"],
      ["Event-ID", "forged"],
      ["X-Own", "kept"],
    ];
    const world = createWorld({
      around: (origin) => async (request) => {
        const answer = await origin(request);
        return { ...answer, fields: [...answer.fields, ...extra] };
      },
    });
    const peer = await world.opened("/a");
    peer.request("SUBSCRIBE", "/b", [["Request-ID", "1"]]);
    await world.clock.settle();
    const names = peer.messages.flatMap(({ fields }) => fields.map(([name]) => name.toLowerCase()));
    expect(names).not.toContain("set-cookie");
    expect(names).not.toContain("connection");
    expect(names).toContain("x-own");
    expect(briefs(peer)).toEqual(["200 @0", "304 @0", "200 @0 sub=/b id=1", "304 @0 sub=/b"]);
  });

  it("is always a 200, whatever 2xx the origin said [R-SUB-8]", async () => {
    const world = createWorld({ around: (origin) => async (request) => ({ ...(await origin(request)), status: 203 }) });
    const peer = await world.opened("/a");
    expect(messageAt(peer, 0).status).toBe(200);
  });

  it("runs one GET as the viewer, without handshake, conditional and hop-by-hop fields [R-SUB-2]", async () => {
    const world = createWorld();
    await world.opened("/a", [
      ["Authorization", "Bearer x"],
      ["Cookie", "c=1"],
      ["Sec-WebSocket-Key", "k"],
      ["Upgrade", "websocket"],
      ["Connection", "Upgrade"],
      ["If-None-Match", '"none"'],
      ["Last-Event-ID", "nonsense"],
    ]);
    expect(world.asked.map(({ method, target }) => `${method} ${target}`)).toEqual(["GET /a"]);
    expect(world.asked[0]?.fields).toEqual([
      ["Host", "example.com"],
      ["Authorization", "Bearer x"],
      ["Cookie", "c=1"],
    ]);
  });

  it("is a 304 with ETag and position where If-None-Match names the snapshot [R-SUB-7]", async () => {
    const world = createWorld();
    world.put("a", 1);
    const first = await world.opened("/a");
    const etag = fieldValue(messageAt(first, 0).fields, "etag") ?? "";
    const peer = await world.opened("/a", [["If-None-Match", `"other", ${etag}`]]);
    world.put("a", 2);
    await world.clock.settle();
    expect(briefs(peer)).toEqual(["304 @1", "304 @1", "201 /a/2 @2"]);
    expect(fieldValue(messageAt(peer, 0).fields, "etag")).toBe(etag);
  });
});

describe("a refused opening at Level 1", () => {
  it("is the problem as the only message, then a close with 4000 + status [R-L1-5] [R-SUB-2] [R-SUB-11]", async () => {
    const world = createWorld();
    const peer = await world.opened("/nothing");
    expect(briefs(peer)).toEqual(["404"]);
    expect(fieldValue(messageAt(peer, 0).fields, "content-type")).toBe("application/problem+json");
    const problem = JSON.parse(String(messageAt(peer, 0).body));
    expect(problem).toMatchObject({ type: "about:blank", title: "Not Found", status: 404 });
    expect(peer.closing).toEqual({ code: 4404, reason: "Not Found" });
    expect(world.hub.counts).toEqual({ connections: 0, subscriptions: 0, views: 0 });
  });

  it("keeps WWW-Authenticate and Retry-After of an answer that is no problem document [R-SUB-11]", async () => {
    const world = createWorld({
      around: () => async () => ({
        status: 401,
        fields: [
          ["WWW-Authenticate", "Bearer"],
          ["Retry-After", "3"],
          ["Content-Type", "text/html"],
        ],
        body: "<p>internal text</p>",
      }),
    });
    const peer = await world.opened("/a");
    expect(messageAt(peer, 0).fields).toEqual([
      ["Content-Type", "application/problem+json"],
      ["WWW-Authenticate", "Bearer"],
      ["Retry-After", "3"],
    ]);
    expect(detailOf(messageAt(peer, 0))).not.toContain("internal text");
    expect(peer.closing?.code).toBe(4401);
  });

  it("tells a redirect with its Location and does not follow it [R-L1-6]", async () => {
    const world = createWorld({
      around: () => async () => ({ status: 307, fields: [["Location", "/b"]], body: "moved" }),
    });
    const peer = await world.opened("/a");
    expect(messageAt(peer, 0)).toMatchObject({ status: 307, fields: [["Location", "/b"]], body: "" });
    expect(peer.closing?.code).toBe(4307);
    expect(world.asked).toHaveLength(1);
  });

  it("is a 422 that says what to do where the resource is not live [R-SUB-13]", async () => {
    const world = createWorld({
      around: () => async () => ({ status: 200, fields: [], body: "{}", notLive: "Leave out limit and offset." }),
    });
    const peer = await world.opened("/a?limit=3");
    expect(messageAt(peer, 0).status).toBe(422);
    expect(detailOf(messageAt(peer, 0))).toBe("Leave out limit and offset.");
    expect(peer.closing?.code).toBe(4422);
  });

  it("is a 422 where there is no journal, even if the origin gives a view [R-SUB-13]", async () => {
    const { origin } = createMemoryStore({ collections: ["a"] });
    const clock = createFakeClock();
    const peer = await connectMemoryPeer(createHub({ origin, clock }), "/a");
    await clock.settle();
    expect(peer.messages.map(brief)).toEqual(["422"]);
  });

  it("is a 500 without the error's text, which goes to onError [R-SEC-6]", async () => {
    const world = createWorld({ around: () => () => Promise.reject(new Error("password is hunter2")) });
    const peer = await world.opened("/a");
    expect(messageAt(peer, 0).status).toBe(500);
    expect(String(messageAt(peer, 0).body)).not.toContain("hunter2");
    expect(peer.closing?.code).toBe(4500);
    expect(world.errors).toMatchObject([{ stage: "origin", error: { message: "password is hunter2" } }]);
  });

  it("is a 500 where the origin throws at once, or gives no response at all [R-SEC-4]", async () => {
    const answers = [
      () => {
        throw new Error("at once");
      },
      async () => undefined as unknown as OriginResponse,
      async () => ({}) as unknown as OriginResponse,
    ];
    for (const answer of answers) {
      const world = createWorld({ around: () => answer });
      const peer = await world.opened("/a");
      expect(briefs(peer)).toEqual(["500"]);
      expect(world.errors).toHaveLength(1);
      const zero = await world.opened("/a", [], 0);
      expect(zero.closing?.code).toBe(4500);
    }
  });

  it("is a 504 with Retry-After where the origin takes too long, and its signal is aborted [R-SEC-5]", async () => {
    const world = createWorld({ around: () => () => new Promise(() => {}) });
    const peer = await world.open("/a");
    await world.clock.advance(8_999);
    expect(peer.messages).toHaveLength(0);
    await world.clock.advance(1);
    expect(messageAt(peer, 0).status).toBe(504);
    expect(fieldValue(messageAt(peer, 0).fields, "retry-after")).toBe("1");
    expect(peer.closing?.code).toBe(4504);
    expect(world.asked[0]?.signal?.aborted).toBe(true);
  });

  it("is a 502 where the origin answers what can't be a refusal", async () => {
    for (const status of [304, 101, 700]) {
      const world = createWorld({ around: () => async () => ({ status, fields: [], body: "" }) });
      expect(briefs(await world.opened("/a"))).toEqual(["502"]);
    }
  });

  it("ends with 1011 where the snapshot can't be written as a message", async () => {
    const world = createWorld({
      around: (origin) => async (request) => ({ ...(await origin(request)), fields: [["X-Bad", "a\r\nb: c"]] }),
    });
    const peer = await world.opened("/a");
    expect(peer.messages).toHaveLength(0);
    expect(peer.closing?.code).toBe(1011);
    expect(world.errors).toMatchObject([{ stage: "encode" }]);
    expect(world.hub.counts.views).toBe(0);
  });
});

describe("a resume", () => {
  async function changed() {
    const world = createWorld();
    world.put("a", 1);
    world.put("a", 2);
    world.put("b", 1);
    world.remove("a", 1);
    return world;
  }

  it("is a 304 with the position given, all that was missed exactly once, then the 304 [R-RES-1] [R-SUB-4]", async () => {
    const world = await changed();
    const peer = await world.opened("/a", [lastEventId(1)]);
    expect(briefs(peer)).toEqual(["304 @1", "201 /a/2 @2", "204 /a/1 @4", "304 @4"]);
    expect(world.asked.map(({ method }) => method)).toEqual(["HEAD"]);
  });

  it("at the head gives two 304, and then what comes [R-RES-1]", async () => {
    const world = await changed();
    const peer = await world.opened("/a", [lastEventId(4)]);
    world.put("a", 5);
    await world.clock.settle();
    expect(briefs(peer)).toEqual(["304 @4", "304 @4", "201 /a/5 @5"]);
  });

  it("reads the journal page by page where it is longer than what is in memory [R-RES-1]", async () => {
    const world = createWorld({ limits: { maxRecentChanges: 0 } });
    for (let id = 1; id <= 2_500; id += 1) world.put(id % 2 ? "a" : "b", id);
    const peer = await world.opened("/a", [lastEventId(0)]);
    const urls = peer.messages.slice(1, -1).map(({ fields }) => fieldValue(fields, "content-location"));
    expect(urls).toEqual(Array.from({ length: 1_250 }, (_, at) => `/a/${at * 2 + 1}`));
    expect(brief(messageAt(peer, -1))).toBe("304 @2500");
    expect(briefs(peer).filter((text) => text.includes("@"))).toEqual(["304 @0", "201 /a/2499 @2500", "304 @2500"]);
  });

  it("marks a page's last notification where the hub stands just at its end [R-POS-4]", async () => {
    const world = createWorld({ limits: { maxRecentChanges: 0 } });
    const { read } = world.store.journal;
    // As if more was committed that the tail has not been given yet.
    world.store.journal.read = async (...given) => {
      const page = await read.apply(world.store.journal, given);
      return page && { ...page, more: true };
    };
    for (let id = 1; id <= 999; id += 1) world.put("b", id);
    world.put("a", 1);
    const peer = await world.opened("/a", [lastEventId(0)]);
    expect(briefs(peer)).toEqual(["304 @0", "201 /a/1 @1000", "304 @1000"]);
  });

  it.each([
    ["unknown", "other:1.0"],
    ["of another history", "m:1.7"],
    ["beyond the end", "m:999.0"],
    ["malformed", "not an id"],
    ["empty", ""],
    ["derived", "d-abc"],
    ["too long", `m:${"1".repeat(200)}.0`],
  ])("whose position is %s gets a fresh 200, or a 410 if strict [R-RES-2] [R-RES-4] [R-POS-6]", async (_, id) => {
    const world = await changed();
    const peer = await world.opened("/a", [["Last-Event-ID", id]]);
    expect(briefs(peer)).toEqual(["200 @4", "304 @4"]);
    const strict = await world.opened("/a", [
      ["Last-Event-ID", id],
      ["Prefer", "handling=strict"],
    ]);
    expect(briefs(strict)).toEqual(["410"]);
    expect(strict.closing?.code).toBe(4410);
  });

  it("whose history was trimmed gets a fresh 200, or a 410 if strict [R-RES-2] [R-RES-4]", async () => {
    const world = await changed();
    world.store.journal.trim(3);
    expect(briefs(await world.opened("/a", [lastEventId(3)]))).toEqual(["304 @3", "204 /a/1 @4", "304 @4"]);
    expect(briefs(await world.opened("/a", [lastEventId(2)]))).toEqual(["200 @4", "304 @4"]);
    const strict = await world.opened("/a", [lastEventId(2), ["Prefer", 'respond-async, handling="strict"']]);
    expect(strict.closing?.code).toBe(4410);
  });

  it("of an unknown position and a matching If-None-Match is the 304 of If-None-Match [R-RES-2] [R-SUB-7]", async () => {
    const world = await changed();
    const peer = await world.opened("/a", [
      ["Last-Event-ID", "other:1.0"],
      ["If-None-Match", "*"],
    ]);
    expect(briefs(peer)).toEqual(["304 @4", "304 @4"]);
  });

  it("of a known position comes before If-None-Match, and that before a fresh 200 [R-RES-7]", async () => {
    const world = await changed();
    const match: Field = ["If-None-Match", "*"];
    const known = await world.opened("/a", [lastEventId(3), match]);
    expect(briefs(known)).toEqual(["304 @3", "204 /a/1 @4", "304 @4"]);
    expect(fieldValue(messageAt(known, 0).fields, "etag")).toBeUndefined();
    const now = await world.opened("/a", [["Last-Event-ID", "*"], match]);
    expect(fieldValue(messageAt(now, 0).fields, "etag")).toBeUndefined();
    const strict = await world.opened("/a", [["Last-Event-ID", "x:1.0"], match, ["Prefer", "handling=strict"]]);
    expect(briefs(strict)).toEqual(["410"]);
    const other = await world.opened("/a", [["Last-Event-ID", "x:1.0"], match]);
    expect(fieldValue(messageAt(other, 0).fields, "etag")).toBeDefined();
  });

  it("of a record that is gone is its refusal, whatever the position [R-SUB-2] [R-RES-1]", async () => {
    const world = createWorld();
    world.put("a", 1);
    world.remove("a", 1);
    const peer = await world.opened("/a/1", [lastEventId(1)]);
    expect(briefs(peer)).toEqual(["404"]);
    expect(peer.closing?.code).toBe(4404);
  });

  it.each([10_000, 0])(
    "of a record that was deleted and created again is a fresh 200, and goes on (%i) [R-RES-1]",
    async (kept) => {
      const world = createWorld({ limits: { maxRecentChanges: kept } });
      world.put("a", 1);
      await world.clock.settle();
      world.remove("a", 1);
      await world.clock.settle();
      world.put("a", 1, { name: "again" });
      await world.clock.settle();
      const peer = await world.opened("/a/1", [lastEventId(1)]);
      const told = briefs(peer);
      expect(told[0]).toBe("304 @1");
      // Read at once from the journal, it is one change.
      expect(told.slice(1)).toEqual(kept === 0 ? ["202 /a/1 @3", "304 @3"] : ["200 @3", "304 @3"]);
      world.put("a", 1, { name: "later" });
      await world.clock.settle();
      expect(briefs(peer).at(-1)).toBe("202 /a/1 @4");
      world.remove("a", 1);
      await world.clock.settle();
      expect([briefs(peer).at(-1), peer.closing?.code]).toEqual(["204 /a/1 @5", 1000]);
    },
  );

  it("after * has no snapshot and begins now [R-RES-3]", async () => {
    const world = await changed();
    const peer = await world.opened("/a", [["Last-Event-ID", "*"]]);
    world.put("a", 9);
    await world.clock.settle();
    expect(briefs(peer)).toEqual(["304 @4", "304 @4", "201 /a/9 @5"]);
    expect(world.asked.map(({ method }) => method)).toEqual(["HEAD"]);
  });

  it("is refused as its GET would be [R-SUB-2]", async () => {
    const world = await changed();
    const peer = await world.opened("/a/1", [lastEventId(1)]);
    expect(briefs(peer)).toEqual(["404"]);
  });

  it("of a busy journal is refused with 503, and the error is told", async () => {
    const world = await changed();
    world.store.journal.locate = () => Promise.reject(new Error("busy"));
    const peer = await world.opened("/a", [lastEventId(1)]);
    expect(peer.closing?.code).toBe(4503);
    expect(fieldValue(messageAt(peer, 0).fields, "retry-after")).toBe("1");
    expect(world.errors).toMatchObject([{ stage: "open" }]);
  });

  it("goes on once the journal can be read again, and it is told once why it could not", async () => {
    const world = createWorld({ limits: { maxRecentChanges: 0 } });
    world.put("a", 1);
    const { read } = world.store.journal;
    let failures = 2;
    world.store.journal.read = (...given) =>
      failures-- > 0 ? Promise.reject(new Error("busy")) : read.apply(world.store.journal, given);
    const peer = await world.opened("/a", [lastEventId(0)]);
    expect(briefs(peer)).toEqual(["304 @0"]);
    await world.clock.advance(500);
    expect(briefs(peer)).toEqual(["304 @0", "201 /a/1 @1", "304 @1"]);
    expect(world.errors.map(({ stage }) => stage)).toEqual(["catch-up"]);
    failures = 1;
    await world.opened("/a", [lastEventId(0)]);
    await world.clock.advance(500);
    expect(world.errors.map(({ stage }) => stage)).toEqual(["catch-up", "catch-up"]);
  });
});

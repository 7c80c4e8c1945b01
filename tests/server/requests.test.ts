import { describe, expect, it } from "vitest";
import { type Field, fieldValue } from "../../src/protocol/index.ts";
import type { MemoryPeer } from "../../src/testing/index.ts";
import { brief, briefs, createWorld, host, messageAt, type WorldOptions } from "./fixture.ts";

const wellKnown = "/.well-known/rocket";

/** A world with a peer at the well-known URL. */
async function connected(options: WorldOptions = {}, fields: readonly Field[] = []) {
  const world = createWorld(options);
  const peer = await world.opened(wellKnown, fields);
  const send = async (method: string, target: string, ...own: readonly Field[]): Promise<string[]> => {
    const from = peer.messages.length;
    peer.request(method, target, own);
    await world.clock.settle();
    return briefs(peer, from);
  };
  return { world, peer, send };
}

function id(text: string): Field {
  return ["Request-ID", text];
}

function answersOf(peer: MemoryPeer): string[] {
  return peer.messages.map(({ fields }) => fieldValue(fields, "request-id") ?? "").filter((text) => text !== "");
}

describe("the well-known URL", () => {
  it("is a connection without a subscription, whose first message is the 200 [R-WK-1] [R-WK-2] [R-WK-7]", async () => {
    const { peer, world, send } = await connected();
    expect(briefs(peer)).toEqual(["200"]);
    expect(fieldValue(messageAt(peer, 0).fields, "content-type")).toBe("application/json");
    expect(fieldValue(messageAt(peer, 0).fields, "items")).toBeUndefined();
    expect(JSON.parse(String(messageAt(peer, 0).body))).toEqual({
      rocket: {
        version: "1.0",
        levels: [0, 1],
        heartbeatMs: 20_000,
        limits: { maxMessageBytes: 1_064_960, maxSubscriptions: 100, maxOutstandingRequests: 64 },
        promises: ["journal", "merge-patch"],
        requests: { methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], fields: [] },
      },
    });
    expect(world.hub.counts).toEqual({ connections: 1, subscriptions: 0, views: 0 });
    expect(await send("SUBSCRIBE", "/a", id("1"))).toEqual(["200 @0 sub=/a id=1", "304 @0 sub=/a"]);
  });
});

describe("SUBSCRIBE", () => {
  it("is answered with the opening; what follows carries Subscription only [R-BAND-3] [R-BAND-4]", async () => {
    const { world, peer, send } = await connected();
    world.put("a", 1);
    expect(await send("SUBSCRIBE", "/a", id("x"))).toEqual(["200 @1 sub=/a id=x", "304 @1 sub=/a"]);
    world.put("a", 2);
    await world.clock.settle();
    expect(brief(messageAt(peer, -1))).toBe("201 /a/2 @2 sub=/a");
  });

  it("names the subscription by its canonical URL, the same for every client [R-BAND-4]", async () => {
    const { send } = await connected();
    expect(await send("SUBSCRIBE", "/a?n=1&g=x", id("1"))).toEqual([
      "200 @0 sub=/a?g=x&n=1 id=1",
      "304 @0 sub=/a?g=x&n=1",
    ]);
    expect(await send("SUBSCRIBE", "/a?g=x&n=1", id("2"))).toEqual(["304 @0 sub=/a?g=x&n=1 id=2"]);
  });

  it("resumes at its own position, each on its own [R-RES-1]", async () => {
    const { world, send } = await connected();
    world.put("a", 1);
    world.put("b", 1);
    world.put("a", 2);
    await world.clock.settle();
    expect(await send("SUBSCRIBE", "/a", id("1"), ["Last-Event-ID", "m:1.0"])).toEqual([
      "304 @1 sub=/a id=1",
      "201 /a/2 @3 sub=/a",
      "304 @3 sub=/a",
    ]);
    expect(await send("SUBSCRIBE", "/b", id("2"), ["Last-Event-ID", "*"])).toEqual([
      "304 @3 sub=/b id=2",
      "304 @3 sub=/b",
    ]);
  });

  it("of lost history with handling=strict is a 410, and the connection goes on [R-RES-4]", async () => {
    const { send, peer } = await connected();
    const strict: Field = ["Prefer", "handling=strict"];
    expect(await send("SUBSCRIBE", "/a", id("1"), ["Last-Event-ID", "x:1.0"], strict)).toEqual(["410 id=1"]);
    expect(await send("SUBSCRIBE", "/a", id("1"))).toEqual(["200 @0 sub=/a id=1", "304 @0 sub=/a"]);
    expect(peer.closing).toBeUndefined();
  });

  it("again is a 304 whatever its position, strict or not, in any spelling [R-BAND-5] [R-RES-4]", async () => {
    const { send, peer } = await connected();
    const strict: Field = ["Prefer", "handling=strict"];
    const unknown: Field = ["Last-Event-ID", "x:1.0"];
    await send("SUBSCRIBE", "/a?n=1&g=x", id("1"));
    for (const target of ["/a?n=1&g=x", "/a?g=x&n=1", "/a?%67=x&n=1"]) {
      expect(await send("SUBSCRIBE", target, id("2"), unknown, strict)).toEqual(["304 @0 sub=/a?g=x&n=1 id=2"]);
      expect(await send("SUBSCRIBE", target, id("3"), unknown)).toEqual(["304 @0 sub=/a?g=x&n=1 id=3"]);
    }
    await send("UNSUBSCRIBE", "/a?g=x&n=1", id("4"));
    expect(await send("SUBSCRIBE", "/a?n=1&g=x", id("5"), unknown, strict)).toEqual(["410 id=5"]);
    expect(peer.closing).toBeUndefined();
  });

  it("of the well-known URL is a 422, and UNSUBSCRIBE a 404: it has nothing to follow [R-WK-6]", async () => {
    const { send, peer, world } = await connected();
    expect(await send("SUBSCRIBE", wellKnown, id("1"))).toEqual(["422 id=1"]);
    expect(await send("SUBSCRIBE", `${wellKnown}?a=1`, id("2"))).toEqual(["422 id=2"]);
    expect(await send("UNSUBSCRIBE", wellKnown, id("3"))).toEqual(["404 id=3"]);
    expect([peer.closing, world.hub.counts.subscriptions]).toEqual([undefined, 0]);
  });

  it("and UNSUBSCRIBE take effect in the order in which they come [R-BAND-20]", async () => {
    const { world, peer } = await connected({ latencyMs: () => 50 });
    const methods = ["SUBSCRIBE", "UNSUBSCRIBE", "SUBSCRIBE", "UNSUBSCRIBE", "UNSUBSCRIBE", "SUBSCRIBE"];
    for (const [at, method] of methods.entries()) peer.request(method, at % 2 ? "/a?n=1" : "/a?%6e=1", [id(`${at}`)]);
    await world.clock.advance(2_000);
    const sub = "sub=/a?n=1";
    expect(briefs(peer, 1).filter((text) => text.includes("id="))).toEqual([
      `200 @0 ${sub} id=0`,
      `204 ${sub} id=1`,
      `200 @0 ${sub} id=2`,
      `204 ${sub} id=3`,
      "404 id=4",
      `200 @0 ${sub} id=5`,
    ]);
    expect(world.hub.counts.subscriptions).toBe(1);
  });

  it("for what has ended is a new subscription, in band for the handshake's own, too [R-SUB-17]", async () => {
    const world = createWorld();
    world.put("a", 1);
    const peer = await world.opened("/a/1");
    peer.request("SUBSCRIBE", "/b", [id("1")]);
    await world.clock.settle();
    world.remove("a", 1);
    await world.clock.settle();
    world.put("a", 1);
    peer.request("SUBSCRIBE", "/a/1", [id("2")]);
    await world.clock.settle();
    expect(briefs(peer, 4)).toEqual(["204 /a/1 @2", "200 @3 sub=/a/1 id=2", "304 @3 sub=/a/1"]);
  });

  it("that is refused is answered without Subscription, and closes nothing [R-BAND-3]", async () => {
    const { send, peer, world } = await connected();
    expect(await send("SUBSCRIBE", "/nothing", id("1"))).toEqual(["404 id=1"]);
    expect(peer.closing).toBeUndefined();
    expect(world.hub.counts.subscriptions).toBe(0);
  });

  it("again replaces the credentials and keeps the position; nothing is lost or sent again [R-BAND-5]", async () => {
    const { world, peer, send } = await connected({}, [["Authorization", "Bearer old"]]);
    await send("SUBSCRIBE", "/a", id("1"));
    world.put("a", 1);
    const answers = await send("SUBSCRIBE", "/a", id("2"), ["Authorization", "Bearer new"], ["Last-Event-ID", "m:0.0"]);
    expect(answers).toEqual(["304 @0 sub=/a id=2", "201 /a/1 @1 sub=/a"]);
    world.store.journal.commit([{ kind: "reset", collection: "/a", url: "" }]);
    await world.clock.settle();
    expect(fieldValue(world.asked.at(-1)?.fields ?? [], "authorization")).toBe("Bearer new");
    expect(briefs(peer).slice(-2)).toEqual(["200 @2 sub=/a", "304 @2 sub=/a"]);
    expect(world.hub.counts.subscriptions).toBe(1);
  });

  it("again with Cache-Control: no-cache gives the state anew, and what follows once [R-BAND-5]", async () => {
    const { world, peer, send } = await connected();
    await send("SUBSCRIBE", "/a", id("1"));
    world.put("a", 1);
    await world.clock.settle();
    const anew: Field = ["Cache-Control", "max-age=0, No-Cache"];
    expect(await send("SUBSCRIBE", "/a", id("2"), anew, ["Last-Event-ID", "m:0.0"])).toEqual([
      "200 @1 sub=/a id=2",
      "304 @1 sub=/a",
    ]);
    expect(String(messageAt(peer, -2).body)).toContain('"id":1');
    world.put("a", 2);
    await world.clock.settle();
    expect(brief(messageAt(peer, -1))).toBe("201 /a/2 @2 sub=/a");
    expect(world.hub.counts.subscriptions).toBe(1);
  });

  it("to the handshake's own URL with Cache-Control: no-cache gives its state anew, by name [R-BAND-5]", async () => {
    const world = createWorld();
    const peer = await world.opened("/a");
    peer.request("SUBSCRIBE", "/a", [id("1"), ["Cache-Control", "no-cache"]]);
    await world.clock.settle();
    world.put("a", 1);
    await world.clock.settle();
    expect(briefs(peer, 2)).toEqual(["200 @0 sub=/a id=1", "304 @0", "201 /a/1 @1"]);
  });

  it("again with credentials that are refused leaves the subscription as it is [R-BAND-5]", async () => {
    const { world, peer, send } = await connected({
      around: (origin) => async (request) =>
        fieldValue(request.fields, "authorization") ? { status: 401, fields: [], body: "" } : origin(request),
    });
    await send("SUBSCRIBE", "/a", id("1"));
    expect(await send("SUBSCRIBE", "/a", id("2"), ["Authorization", "Bearer bad"])).toEqual(["401 id=2"]);
    world.put("a", 1);
    await world.clock.settle();
    expect(brief(messageAt(peer, -1))).toBe("201 /a/1 @1 sub=/a");
  });

  it("to the handshake's own URL finds that subscription, even while it opens [R-BAND-5]", async () => {
    const world = createWorld({ latencyMs: () => 50 });
    const peer = await world.open("/a");
    peer.request("SUBSCRIBE", "/a", [id("1")]);
    await world.clock.advance(500);
    world.put("a", 1);
    await world.clock.settle();
    expect(briefs(peer)).toEqual(["200 @0", "304 @0", "304 @0 sub=/a id=1", "201 /a/1 @1"]);
    expect(world.hub.counts).toEqual({ connections: 1, subscriptions: 1, views: 1 });
  });

  it("twice at once makes one subscription [R-BAND-5]", async () => {
    const { world, peer } = await connected({ latencyMs: () => 50 });
    peer.request("SUBSCRIBE", "/a", [id("1")]);
    peer.request("SUBSCRIBE", "/a", [id("2")]);
    await world.clock.advance(500);
    expect(briefs(peer, 1)).toEqual(["200 @0 sub=/a id=1", "304 @0 sub=/a", "304 @0 sub=/a id=2"]);
    expect(world.hub.counts.subscriptions).toBe(1);
  });

  it("beyond the number of subscriptions is a 429, and one that is there still counts as one [R-BAND-7]", async () => {
    const { world, send } = await connected({ limits: { maxSubscriptions: 2 } });
    await send("SUBSCRIBE", "/a", id("1"));
    await send("SUBSCRIBE", "/b", id("2"));
    expect(await send("SUBSCRIBE", "/a?n=1", id("3"))).toEqual(["429 id=3"]);
    expect(await send("SUBSCRIBE", "/a", id("4"))).toEqual(["304 @0 sub=/a id=4"]);
    await send("UNSUBSCRIBE", "/b", id("5"));
    expect((await send("SUBSCRIBE", "/a?n=1", id("6")))[0]).toBe("200 @0 sub=/a?n=1 id=6");
    expect(world.hub.counts.subscriptions).toBe(2);
  });

  it("takes 100 by default, and the 101st is a 429 [R-BAND-7]", async () => {
    const { world, peer, send } = await connected();
    for (let at = 0; at < 100; at += 1) await send("SUBSCRIBE", `/a?n=${at}`, id(`s${at}`));
    expect(world.hub.counts.subscriptions).toBe(100);
    expect(await send("SUBSCRIBE", "/a", id("one-more"))).toEqual(["429 id=one-more"]);
    peer.disconnect();
    expect(world.hub.counts).toEqual({ connections: 0, subscriptions: 0, views: 0 });
  });

  it("passes its own Authorization, and none of what only a handshake can say [R-BAND-9]", async () => {
    const handshake: Field[] = [
      ["Cookie", "handshake=1"],
      ["Origin", "https://example.com"],
      ["Authorization", "Bearer old"],
    ];
    const { world, send } = await connected({}, handshake);
    await send(
      "SUBSCRIBE",
      "/a",
      id("1"),
      ["Authorization", "Bearer new"],
      ["Cookie", "own=1"],
      ["Origin", "https://evil.example"],
      ["Forwarded", "for=1"],
      ["X-Forwarded-For", "1"],
      ["X-Forwarded-Host", "evil"],
      ["Sec-Fetch-Site", "same-origin"],
      ["X-Remote-User", "admin"],
    );
    expect(world.asked.at(-1)?.fields).toEqual([
      host,
      ["Cookie", "handshake=1"],
      ["Origin", "https://example.com"],
      ["Authorization", "Bearer new"],
    ]);
  });
});

describe("UNSUBSCRIBE", () => {
  it("is a 204 after which nothing more comes for that URL; others go on [R-BAND-6]", async () => {
    const { world, peer, send } = await connected();
    await send("SUBSCRIBE", "/a", id("1"));
    await send("SUBSCRIBE", "/b", id("2"));
    expect(await send("UNSUBSCRIBE", "/a", id("3"))).toEqual(["204 sub=/a id=3"]);
    world.put("a", 1);
    world.put("b", 1);
    await world.clock.settle();
    expect(brief(messageAt(peer, -1))).toBe("201 /b/1 @2 sub=/b");
    expect(world.hub.counts).toEqual({ connections: 1, subscriptions: 1, views: 1 });
  });

  it("ends the handshake's, too, and the connection stays though it was the last [R-BAND-6]", async () => {
    const world = createWorld();
    const peer = await world.opened("/a");
    peer.request("UNSUBSCRIBE", "/a", [id("1")]);
    world.put("a", 1);
    await world.clock.settle();
    expect(brief(messageAt(peer, -1))).toBe("204 sub=/a id=1");
    await world.clock.advance(20_000);
    expect(brief(messageAt(peer, -1))).toBe("304 @1");
    expect(peer.closing).toBeUndefined();
  });

  it("of what is not there is a 404 [R-BAND-6]", async () => {
    const { send } = await connected();
    expect(await send("UNSUBSCRIBE", "/a", id("1"))).toEqual(["404 id=1"]);
    await send("SUBSCRIBE", "/a?g=x&n=1", id("2"));
    expect(await send("UNSUBSCRIBE", "/a?g=y&n=1", id("3"))).toEqual(["404 id=3"]);
  });

  it.each(["/a?n=1&g=x", "/a?g=%78&n=1", "/a?g=x&n=1"])("takes %s for the same view [R-BAND-6]", async (spelling) => {
    for (const other of ["/a?n=1&g=%78", "/a?g=x&n=1"]) {
      const { world, send } = await connected();
      await send("SUBSCRIBE", spelling, id("1"));
      expect(await send("UNSUBSCRIBE", other, id("2"))).toEqual(["204 sub=/a?g=x&n=1 id=2"]);
      expect(world.hub.counts.subscriptions).toBe(0);
    }
  });

  it("behind a SUBSCRIBE that is not answered yet ends that one, after its answer [R-BAND-6]", async () => {
    const { world, peer } = await connected({ latencyMs: () => 50 });
    peer.request("SUBSCRIBE", "/a", [id("1")]);
    peer.request("UNSUBSCRIBE", "/a", [id("2")]);
    await world.clock.advance(500);
    world.put("a", 1);
    await world.clock.settle();
    expect(briefs(peer, 1)).toEqual(["200 @0 sub=/a id=1", "304 @0 sub=/a", "204 sub=/a id=2"]);
    expect(world.hub.counts).toEqual({ connections: 1, subscriptions: 0, views: 0 });
  });

  it("while the subscription catches up stops that [R-BAND-6]", async () => {
    const { world, peer } = await connected({ limits: { maxRecentChanges: 0 } });
    for (let at = 1; at <= 10; at += 1) world.put("a", at);
    await world.clock.settle();
    const { read } = world.store.journal;
    world.store.journal.read = (...given) => {
      peer.request("UNSUBSCRIBE", "/a", [id("2")]);
      return read.apply(world.store.journal, given);
    };
    peer.request("SUBSCRIBE", "/a", [id("1"), ["Last-Event-ID", "m:0.0"]]);
    await world.clock.settle();
    expect(briefs(peer, 1)).toEqual(["304 @0 sub=/a id=1", "204 sub=/a id=2"]);
  });
});

describe("a request in band", () => {
  it.each([
    ["no Request-ID", []],
    ["an empty one", [id("")]],
    ["one that is no token", [id("a b")]],
    ["one of 65 characters", [id("x".repeat(65))]],
  ])("with %s is a 400 whose Request-ID is empty, and the connection goes on [R-BAND-2]", async (_, fields) => {
    const { send, peer } = await connected();
    expect(await send("SUBSCRIBE", "/a", ...fields)).toEqual(["400 id="]);
    expect(await send("SUBSCRIBE", "/a", id("x".repeat(64)))).toHaveLength(2);
    expect(peer.closing).toBeUndefined();
  });

  it("with a Request-ID that is in use is a 400 without it; once answered, it is free again [R-BAND-2]", async () => {
    const { world, peer } = await connected({ latencyMs: () => 50 });
    peer.request("SUBSCRIBE", "/a", [id("1")]);
    peer.request("SUBSCRIBE", "/b", [id("1")]);
    await world.clock.advance(500);
    peer.request("SUBSCRIBE", "/b", [id("1")]);
    await world.clock.advance(500);
    const expected = ["400 id=", "200 @0 sub=/a id=1", "304 @0 sub=/a", "200 @0 sub=/b id=1", "304 @0 sub=/b"];
    expect(briefs(peer, 1)).toEqual(expected);
  });

  it("counts by the first of its fields of a name [R-MSG-17]", async () => {
    const { send } = await connected();
    const position: Field = ["Last-Event-ID", "m:0.0"];
    expect(await send("SUBSCRIBE", "/a", id("1"), id("2"), position, ["Last-Event-ID", "x:1.0"])).toEqual([
      "304 @0 sub=/a id=1",
      "304 @0 sub=/a",
    ]);
    expect(await send("SUBSCRIBE", "/b", id(""), id("3"))).toEqual(["400 id="]);
  });

  it("is answered with one message that repeats its Request-ID [R-BAND-1]", async () => {
    const { world, peer } = await connected();
    const ids = Array.from({ length: 40 }, (_, at) => `r${at}`);
    for (const [at, text] of ids.entries()) peer.request(at % 2 ? "SUBSCRIBE" : "GET", `/a?n=${at}`, [id(text)]);
    await world.clock.settle();
    expect(answersOf(peer).toSorted()).toEqual(ids.toSorted());
  });

  it.each(["TRACE", "CONNECT", "PROPFIND", "get", "WHATEVER"])(
    "with the method %s is a 501 [R-BAND-12]",
    async (method) => {
      const { send, world } = await connected();
      expect(await send(method, "/a", id("1"))).toEqual(["501 id=1"]);
      expect(world.asked).toHaveLength(0);
    },
  );

  it("for another Host is a 421; the handshake's own is fine in any case [R-BAND-11]", async () => {
    const { send } = await connected();
    expect(await send("SUBSCRIBE", "/a", id("1"), ["Host", "other.example"])).toEqual(["421 id=1"]);
    expect((await send("SUBSCRIBE", "/a", id("2"), ["Host", "EXAMPLE.com"]))[0]).toBe("200 @0 sub=/a id=2");
  });

  it("may come as binary [R-MSG-2]", async () => {
    const { world, peer } = await connected();
    peer.send(new TextEncoder().encode("SUBSCRIBE /a HTTP/1.1\r\nRequest-ID: 1\r\nContent-Length: 0\r\n\r\n"));
    await world.clock.settle();
    expect(briefs(peer, 1)).toEqual(["200 @0 sub=/a id=1", "304 @0 sub=/a"]);
  });

  it.each(["SUBSCRIBE", "UNSUBSCRIBE"])("%s with a body is a 400, and nothing is asked [R-BAND-13]", async (method) => {
    const { world, peer, send } = await connected();
    await send("SUBSCRIBE", "/a", id("1"));
    const asked = world.asked.length;
    const message = `${method} /a HTTP/1.1\r\nRequest-ID: 2\r\n\r\n{}`;
    for (const data of [message, new TextEncoder().encode(message)]) {
      const from = peer.messages.length;
      peer.send(data);
      await world.clock.settle();
      expect(briefs(peer, from)).toEqual(["400 id=2"]);
    }
    expect(world.asked).toHaveLength(asked);
    expect(world.hub.counts.subscriptions).toBe(1);
    expect(peer.closing).toBeUndefined();
  });

  it("with a body behind others that wait is told by its Request-ID, too [R-BAND-13]", async () => {
    const { world, peer } = await connected({ limits: { maxOutstandingRequests: 1 } });
    peer.request("SUBSCRIBE", "/a", [id("1")]);
    peer.send(`SUBSCRIBE /b HTTP/1.1\r\nRequest-ID: ${"i".repeat(64)}\r\n\r\n${"x".repeat(1_000_000)}`);
    peer.send(`PUT /b HTTP/1.1\r\nRequest-ID: 3\r\nHost: other.example\r\n\r\nbody`);
    peer.send(`PUT /b HTTP/1.1\r\nRequest-ID: 4\r\n\r\nbody`);
    await world.clock.settle();
    const answered = briefs(peer, 1).filter((line) => line.includes("id="));
    expect(answered).toEqual(["200 @0 sub=/a id=1", `400 id=${"i".repeat(64)}`, "421 id=3", "405 id=4"]);
  });

  it("that is no message closes with 1002, and what was sent behind it is not acted on [R-MSG-3]", async () => {
    for (const garbage of ["garbage", "GET / HTTP/1.1\r\n x\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "", "\u{1F600}"]) {
      const { world, peer } = await connected();
      peer.send(garbage);
      peer.request("SUBSCRIBE", "/a", [id("1")]);
      await world.clock.settle();
      expect(peer.closing?.code).toBe(1002);
      expect(peer.messages).toHaveLength(1);
      expect(world.asked).toHaveLength(0);
      expect(world.hub.counts.connections).toBe(0);
    }
  });

  it("behind garbage in the queue is not acted on, either [R-MSG-3]", async () => {
    const { world, peer } = await connected({ limits: { maxOutstandingRequests: 1 }, latencyMs: () => 10 });
    peer.request("SUBSCRIBE", "/a", [id("1")]);
    peer.send("garbage");
    peer.request("SUBSCRIBE", "/b", [id("2")]);
    await world.clock.advance(100);
    expect(peer.closing?.code).toBe(1002);
    expect(world.asked.map(({ target }) => target)).toEqual(["/a"]);
  });

  it("that is too large closes with 1009 [R-MSG-16]", async () => {
    const large = [
      `SUBSCRIBE /${"a".repeat(9_000)} HTTP/1.1\r\n\r\n`,
      `SUBSCRIBE /a HTTP/1.1\r\n${"x: y\r\n".repeat(65)}\r\n`,
      `SUBSCRIBE /a HTTP/1.1\r\nx: ${"y".repeat(17_000)}\r\n\r\n`,
      `SUBSCRIBE /a HTTP/1.1\r\nRequest-ID: 1\r\n\r\n${"z".repeat(1024 * 1024 + 1)}`,
    ];
    for (const text of large) {
      const { world, peer } = await connected();
      peer.send(text);
      await world.clock.settle();
      expect(peer.closing?.code).toBe(1009);
    }
  });
});

describe("a peer with too many unanswered requests", () => {
  it("is not read from until there is room, and all are answered [R-BAND-8]", async () => {
    const { world, peer } = await connected({ latencyMs: () => 10 });
    for (let at = 0; at < 63; at += 1) peer.request("SUBSCRIBE", "/a", [id(`r${at}`)]);
    expect(peer.isRead).toBe(true);
    for (let at = 63; at < 90; at += 1) peer.request("SUBSCRIBE", "/a", [id(`r${at}`)]);
    expect(peer.isRead).toBe(false);
    await world.clock.advance(5_000);
    expect(peer.isRead).toBe(true);
    expect(answersOf(peer)).toHaveLength(90);
  });

  it("that does not read its answers is not read from, and has no more than its bound unsent [R-BAND-8]", async () => {
    const { world, peer } = await connected({ limits: { maxUnsentBytes: 4_096 } });
    peer.pause();
    for (let at = 0; at < 1_000; at += 1) peer.request("GET", "/a", [id(`r${at}`)]);
    await world.clock.settle();
    expect(peer.isRead).toBe(false);
    expect(peer.unreadBytes).toBeLessThan(4_096 + 1_024);
    peer.resume();
    await world.clock.settle();
    expect(peer.isRead).toBe(true);
    expect(answersOf(peer)).toHaveLength(1_000);
  });

  it("that goes away leaves nothing behind", async () => {
    const { world, peer } = await connected({ latencyMs: () => 10 });
    for (let at = 0; at < 90; at += 1) peer.request("SUBSCRIBE", `/a?n=${at}`, [id(`r${at}`)]);
    await world.clock.advance(25);
    peer.disconnect();
    await world.clock.advance(100);
    expect(world.hub.counts).toEqual({ connections: 0, subscriptions: 0, views: 0 });
    expect(world.asked.length).toBeLessThan(5);
    expect(world.clock.timers).toBe(1);
  });
});

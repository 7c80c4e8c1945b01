import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeRequest, type Field, fieldValue } from "../../src/protocol/index.ts";
import type { OriginRequest, OriginResponse } from "../../src/server/index.ts";
import { briefs, createWorld, detailOf, messageAt, type WorldOptions } from "./fixture.ts";

type Answer = (request: OriginRequest) => OriginResponse | Promise<OriginResponse>;

const wellKnown = "/.well-known/rocket";

function id(text: string): Field {
  return ["Request-ID", text];
}

/** A world whose origin answers requests in band by a function; with a peer at the well-known URL. */
async function answering(answer: Answer, options: Partial<WorldOptions> = {}, fields: readonly Field[] = []) {
  const around: WorldOptions["around"] = (origin) => async (request) =>
    request.isInBand ? answer(request) : origin(request);
  const world = createWorld({ around, ...options });
  const peer = await world.opened(wellKnown, fields);
  const send = (method: string, target: string, own: readonly Field[], body: string | Uint8Array = ""): void =>
    peer.send(encodeRequest({ method, target, fields: own, body }));
  return { world, peer, send, settle: () => world.clock.settle() };
}

/** An origin whose answers wait until they are let go, by target. */
function gated() {
  const begun: string[] = [];
  const gates = new Map<string, (response: OriginResponse) => void>();
  const answer: Answer = ({ method, target }) => {
    begun.push(`${method} ${target}`);
    return new Promise((resolve) => gates.set(target, resolve));
  };
  const open = (target: string): void => gates.get(target)?.({ status: 200, fields: [], body: target });
  return { begun, answer, open };
}

describe("a plain request in band", () => {
  it("is carried out by the origin, with its method, target, body and Content-Type, and answered by its Request-ID [R-BAND-12]", async () => {
    const asked: OriginRequest[] = [];
    const { peer, send, settle } = await answering((request) => {
      asked.push(request);
      return { status: 201, fields: [["Location", "/a/7"]], body: `{"made":true}` };
    });
    send("POST", "/a?x=1", [id("q"), ["Content-Type", "application/json"]], '{"name":"é"}');
    await settle();
    expect(asked.map(({ method, target, body }) => [method, target, body])).toEqual([
      ["POST", "/a?x=1", '{"name":"é"}'],
    ]);
    expect(fieldValue(asked[0]?.fields ?? [], "content-type")).toBe("application/json");
    const answer = messageAt(peer, -1);
    expect([answer.status, answer.fields, answer.body]).toEqual([
      201,
      [
        ["Location", "/a/7"],
        ["Request-ID", "q"],
      ],
      '{"made":true}',
    ]);
  });

  it("brings a body of bytes as bytes, and is answered with bytes", async () => {
    const { peer, send, settle } = await answering(({ body }) => ({ status: 200, fields: [], body }));
    send("PUT", "/a", [id("1")], new Uint8Array([0, 255, 10]));
    await settle();
    expect(messageAt(peer, -1).body).toEqual(new Uint8Array([0, 255, 10]));
  });

  it("has the handshake's Cookie and Origin, its own Authorization, and nothing else that could say who asks [R-BAND-9]", async () => {
    const asked: OriginRequest[] = [];
    const { send, settle } = await answering(
      (request) => {
        asked.push(request);
        return { status: 204, fields: [], body: "" };
      },
      {},
      [
        ["Cookie", "sid=1"],
        ["Origin", "http://example.com"],
        ["Sec-Fetch-Site", "same-origin"],
        ["Authorization", "Bearer old"],
        ["Traceparent", "00-1"],
        ["Content-Encoding", "gzip"],
      ],
    );
    send("DELETE", "/a/1", [
      id("1"),
      ["Host", "example.com"],
      ["Cookie", "sid=2"],
      ["Origin", "http://evil"],
      ["Authorization", "Bearer new"],
      ["If-Match", '"1"'],
      ["X-Forwarded-For", "1.2.3.4"],
      ["X-User", "root"],
      ["Sec-Fetch-Site", "none"],
    ]);
    await settle();
    expect(asked[0]?.fields).toEqual([
      ["Host", "example.com"],
      ["Cookie", "sid=1"],
      ["Origin", "http://example.com"],
      ["Authorization", "Bearer new"],
      ["If-Match", '"1"'],
      ["Accept-Encoding", "identity"],
      ["Sec-Fetch-Site", "same-origin"],
      ["Sec-Fetch-Mode", "cors"],
    ]);
  });

  it("keeps, of any fields, those that the rules name, with the last word theirs [R-BAND-15]", async () => {
    const names = [
      "Prefer",
      "Range",
      "Idempotency-Key",
      "X-CSRF-Token",
      "X-Other",
      "Cookie",
      "Via",
      "Forwarded",
      "Expect",
    ];
    const own = new Set(["prefer", "range", "idempotency-key", "x-csrf-token"]);
    const asked: OriginRequest[] = [];
    const { send, settle } = await answering(
      (request) => {
        asked.push(request);
        return { status: 204, fields: [], body: "" };
      },
      { requestFields: ["X-CSRF-Token"] },
    );
    const method = fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS");
    const fields = fc.array(fc.tuple(fc.constantFrom(...names), fc.stringMatching(/^[a-z]{1,9}$/)), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(method, fields, async (verb, given) => {
        asked.length = 0;
        send(verb, "/a", [id("1"), ...given]);
        await settle();
        expect(asked.map((one) => one.method)).toEqual([verb]);
        const kept = (asked[0]?.fields ?? []).filter(([name]) => names.includes(name));
        expect(kept).toEqual(given.filter(([name]) => own.has(name.toLowerCase())));
      }),
      { numRuns: 100 },
    );
  });

  it("is answered without Set-Cookie, and to HEAD without Content-Length and body [R-BAND-10] [R-BAND-17]", async () => {
    const { peer, send, settle } = await answering(() => ({
      status: 200,
      fields: [
        ["Set-Cookie", "sid=2"],
        ["Content-Length", "5"],
        ["ETag", '"x"'],
        ["Event-ID", "m:4.0"],
      ],
      body: "hello",
    }));
    send("HEAD", "/a", [id("1")]);
    send("GET", "/a", [id("2")]);
    await settle();
    const [head, get] = peer.messages.slice(1);
    const kept = (text: string): readonly Field[] => [["ETag", '"x"'], ["Event-ID", "m:4.0"], id(text)];
    expect([head?.fields, head?.body]).toEqual([kept("1"), ""]);
    expect([get?.fields, get?.body]).toEqual([kept("2"), "hello"]);
  });

  it.each<readonly [string, OriginResponse]>([
    [
      "with more fields than a message has",
      { status: 200, fields: Array.from({ length: 63 }, (_, at) => [`X-${at}`, "1"] as const), body: "" },
    ],
    ["with a head of 20 KiB", { status: 200, fields: [["X", "x".repeat(20_000)]], body: "" }],
    ["in a content coding", { status: 200, fields: [["Content-Encoding", "zstd"]], body: "x" }],
    ["of 101", { status: 101, fields: [], body: "" }],
  ])("whose answer is one %s is a 502, and the connection goes on [R-BAND-17]", async (_, response) => {
    const { peer, send, settle } = await answering(({ target }) =>
      target === "/bad" ? response : { status: 200, fields: [], body: "fine" },
    );
    send("GET", "/bad", [id("1")]);
    await settle();
    send("GET", "/good", [id("2")]);
    await settle();
    expect(briefs(peer, 1)).toEqual(["502 id=1", "200 id=2"]);
    expect(peer.closing).toBeUndefined();
  });

  it("that the origin does not answer is a 504 after the time that it has, and given up [R-BAND-17]", async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const { peer, send, world, settle } = await answering(
      ({ signal }) => {
        signals.push(signal);
        return new Promise(() => {});
      },
      { limits: { requestTimeoutMs: 30_000 } },
    );
    send("POST", "/a", [id("1")]);
    await world.clock.advance(29_999);
    expect(briefs(peer, 1).filter((line) => line.includes("id="))).toEqual([]);
    await world.clock.advance(1);
    await settle();
    expect(briefs(peer, 1).filter((line) => line.includes("id="))).toEqual(["504 id=1"]);
    expect(signals[0]?.aborted).toBe(true);
  });

  it("that makes the origin throw is a 500 without the error's text", async () => {
    const { peer, send, settle, world } = await answering(() => {
      throw new Error("secret");
    });
    send("PATCH", "/a", [id("1")]);
    await settle();
    expect(briefs(peer, 1)).toEqual(["500 id=1"]);
    expect(detailOf(messageAt(peer, -1))).not.toContain("secret");
    expect(world.errors.map(({ stage }) => stage)).toEqual(["origin"]);
  });

  it("for another host is a 421, and is not carried out [R-BAND-11]", async () => {
    const { peer, send, settle, world } = await answering(() => ({ status: 200, fields: [], body: "" }));
    const before = world.asked.length;
    send("POST", "/a", [id("1"), ["Host", "other.example"]]);
    await settle();
    expect(briefs(peer, 1)).toEqual(["421 id=1"]);
    expect(world.asked.slice(before)).toEqual([]);
  });

  it.each(["GET", "HEAD", "OPTIONS"])("%s with a body is a 400 [R-BAND-13]", async (method) => {
    const { peer, send, settle } = await answering(() => ({ status: 200, fields: [], body: "" }));
    send(method, "/a", [id("1")], "x");
    await settle();
    expect(briefs(peer, 1)).toEqual(["400 id=1"]);
  });

  it("of the well-known URL is answered as the connection was", async () => {
    const { peer, send, settle } = await answering(() => ({ status: 404, fields: [], body: "" }));
    send("GET", wellKnown, [id("1")]);
    await settle();
    expect([messageAt(peer, -1).status, messageAt(peer, -1).body]).toEqual([200, messageAt(peer, 0).body]);
  });

  it("is a 501 where requests in band are switched off, and the well-known URL has none [R-BAND-12]", async () => {
    const { peer, send, settle } = await answering(() => ({ status: 200, fields: [], body: "" }), {
      requestsInBand: false,
    });
    send("POST", "/a", [id("1")], "x");
    await settle();
    expect(briefs(peer, 1)).toEqual(["501 id=1"]);
    expect(String(messageAt(peer, 0).body)).not.toContain("methods");
  });
});

describe("several plain requests of one connection", () => {
  it("that may write go to one path one after another, in order; others side by side [R-BAND-16]", async () => {
    const { begun, answer, open } = gated();
    const { peer, send, settle } = await answering(answer);
    send("PATCH", "/a/1?n=1", [id("1")], "1");
    send("PATCH", "/a/1?n=2", [id("2")], "2");
    send("DELETE", "/a/1", [id("3")]);
    send("PUT", "/a/2", [id("4")], "4");
    send("GET", "/a/1", [id("5")]);
    await settle();
    expect(begun).toEqual(["PATCH /a/1?n=1", "PUT /a/2", "GET /a/1"]);
    open("/a/1");
    open("/a/2");
    await settle();
    expect(begun).toHaveLength(3);
    open("/a/1?n=1");
    await settle();
    expect(begun.slice(3)).toEqual(["PATCH /a/1?n=2"]);
    open("/a/1?n=2");
    await settle();
    open("/a/1");
    await settle();
    expect(begun.slice(4)).toEqual(["DELETE /a/1"]);
    expect(briefs(peer, 1).filter((line) => /=[123]$/.test(line))).toEqual(["200 id=1", "200 id=2", "200 id=3"]);
  });

  it("run eight at once, and each is answered [R-BAND-8]", async () => {
    const { begun, answer, open } = gated();
    const { peer, send, settle } = await answering(answer);
    for (let at = 0; at < 200; at += 1) send("GET", `/a/${at}`, [id(String(at))]);
    await settle();
    expect(begun).toHaveLength(8);
    expect(peer.isRead).toBe(false);
    for (let at = 0; at < 200; at += 1) {
      open(`/a/${at}`);
      await settle();
    }
    expect(new Set(briefs(peer, 1)).size).toBe(200);
    expect(peer.isRead).toBe(true);
  });

  it("end with the connection where they are safe, and go on where they may write [R-BAND-18]", async () => {
    const signals = new Map<string, AbortSignal | undefined>();
    const { peer, send, settle } = await answering(({ method, signal }) => {
      signals.set(method, signal);
      return new Promise(() => {});
    });
    send("GET", "/a", [id("1")]);
    send("POST", "/a", [id("2")], "x");
    await settle();
    peer.disconnect();
    expect(signals.get("GET")?.aborted).toBe(true);
    expect(signals.get("POST")?.aborted).toBe(false);
  });

  it("with bodies that there is no room for are 503, and others go on [R-SEC-5]", async () => {
    const { answer, begun } = gated();
    const { peer, send, settle } = await answering(answer, { limits: { maxHeldBytes: 1024 * 1024 } });
    send("POST", "/a", [id("1")], "x".repeat(700_000));
    send("POST", "/b", [id("2")], "x".repeat(700_000));
    send("GET", "/c", [id("3")]);
    await settle();
    expect(briefs(peer, 1)).toEqual(["503 id=2"]);
    expect(fieldValue(messageAt(peer, -1).fields, "retry-after")).toBe("1");
    expect(begun).toEqual(["POST /a"]);
  });

  it("wait with their answers for a peer that does not read; a write's is never refused [R-SUB-12]", async () => {
    const large = "x".repeat(400_000);
    const { peer, send, settle } = await answering(() => ({ status: 200, fields: [], body: large }));
    peer.pause();
    for (let at = 0; at < 6; at += 1) send(at === 0 ? "POST" : "GET", "/a", [id(String(at))]);
    await settle();
    expect(peer.unreadBytes).toBeLessThan(1_000_000);
    for (let at = 0; at < 8; at += 1) {
      peer.resume();
      peer.pause();
      await settle();
    }
    peer.resume();
    await settle();
    expect(briefs(peer, 1).toSorted()).toEqual([0, 1, 2, 3, 4, 5].map((at) => `200 id=${at}`));
  });
});

describe("the option requestFields", () => {
  it.each(["Cookie", "Host", "X-Forwarded-User", "Sec-Fetch-Site", "Content-Length", "a b", ""])(
    "refuses %j [R-BAND-15]",
    (name) => {
      expect(() => createWorld({ requestFields: [name] })).toThrow(/^requestFields/);
    },
  );
});

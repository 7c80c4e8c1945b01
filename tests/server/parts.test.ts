import { describe, expect, it } from "vitest";
import type { Field } from "../../src/protocol/index.ts";
import { RecentBatches } from "../../src/server/direct/recent.ts";
import { type Batch, createHub, createMemoryJournal, webSocketFraming } from "../../src/server/index.ts";
import { inBandFields, viewerFields } from "../../src/server/viewer.ts";
import { unshown } from "./fixture.ts";

describe("the framing", () => {
  it.each([
    [0, [0x81, 0]],
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [65_535, [0x81, 126, 0xff, 0xff]],
    [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
  ])("of a text of %i bytes has the head of RFC 6455", (length, head) => {
    const framed = webSocketFraming.frame("x".repeat(length));
    expect([...framed.subarray(0, head.length)]).toEqual(head);
    expect(framed.length).toBe(head.length + length);
  });

  it("counts bytes, not characters, and sends bytes as binary", () => {
    expect([...webSocketFraming.frame("é")]).toEqual([0x81, 2, 0xc3, 0xa9]);
    expect([...webSocketFraming.frame(new Uint8Array([0, 255]))]).toEqual([0x82, 2, 0, 255]);
  });
});

describe("recent batches", () => {
  const batch = (after: number, count: number): Batch => ({
    after,
    position: after + count,
    eventId: `m:${after + count}.0`,
    changes: Array.from({ length: count }, (_, at) => ({
      position: after + at + 1,
      kind: "create" as const,
      collection: "/a",
      url: "/a/1",
      represent: unshown,
    })),
  });

  it("give the oldest batch with something after a position", () => {
    const recent = new RecentBatches(10, 1_000_000);
    for (const at of [0, 2, 4]) recent.push(batch(at, 2));
    expect([0, 1, 2, 3, 4, 5].map((position) => recent.next(position)?.position)).toEqual([2, 2, 4, 4, 6, 6]);
    expect(recent.next(6)).toBeUndefined();
  });

  it("do not reach back beyond what they keep", () => {
    const recent = new RecentBatches(4, 1_000_000);
    for (const at of [0, 2, 4]) recent.push(batch(at, 2));
    expect(recent.next(1)).toBeUndefined();
    expect(recent.next(2)?.position).toBe(4);
    recent.clear();
    expect(recent.next(2)).toBeUndefined();
  });

  it("keep nothing of a batch larger than all they may keep, and leave no gap", () => {
    const recent = new RecentBatches(4, 1_000_000);
    recent.push(batch(0, 2));
    recent.push(batch(2, 5));
    recent.push(batch(7, 1));
    expect(recent.next(0)).toBeUndefined();
    expect(recent.next(6)).toBeUndefined();
    expect(recent.next(7)?.position).toBe(8);
  });

  it("keep none where none may be kept", () => {
    const recent = new RecentBatches(0, 1_000_000);
    recent.push(batch(0, 1));
    expect(recent.next(0)).toBeUndefined();
  });
});

describe("the memory journal", () => {
  const create = { kind: "create", collection: "/a", url: "/a/1", after: { id: 1 } } as const;

  it("tells its tail of each transaction once, in order, until that ends", () => {
    const journal = createMemoryJournal({ segment: "s" });
    const batches: Batch[] = [];
    const end = journal.tail((batch) => batches.push(batch));
    journal.commit([create, create]);
    journal.commit([]);
    journal.commit([create]);
    end();
    journal.commit([create]);
    expect(batches.map(({ after, position, eventId, changes }) => [after, position, eventId, changes.length])).toEqual([
      [0, 2, "s:2.0", 2],
      [2, 3, "s:3.0", 1],
    ]);
    expect(journal.head).toEqual({ position: 4, eventId: "s:4.0" });
  });

  it("locates its own positions from the trimmed one to its head [R-POS-6]", async () => {
    const journal = createMemoryJournal({ segment: "s" });
    for (let at = 0; at < 4; at += 1) journal.commit([create]);
    journal.trim(2);
    const found = await Promise.all(
      ["s:1.0", "s:2.0", "s:4.0", "s:5.0", "s:3.1", "t:3.0", "d-x", "", "s:3"].map((id) => journal.locate(id)),
    );
    expect(found).toEqual([undefined, 2, 4, undefined, undefined, undefined, undefined, undefined, undefined]);
  });

  it("reads pages that say whether there is more, and none of what was trimmed", async () => {
    const journal = createMemoryJournal({ segment: "s" });
    for (let at = 0; at < 5; at += 1) journal.commit([create]);
    expect(await journal.read(0, 3)).toMatchObject({ after: 0, position: 3, eventId: "s:3.0", more: true });
    expect(await journal.read(3, 3)).toMatchObject({ after: 3, position: 5, more: false });
    expect(await journal.read(5, 3)).toMatchObject({ position: 5, changes: [], more: false });
    journal.trim(99);
    expect(await journal.read(4, 3)).toBeUndefined();
    expect(await journal.read(5, 3)).toMatchObject({ position: 5 });
  });

  it("keeps at least as many changes as it was told, and less than twice as many", async () => {
    const journal = createMemoryJournal({ segment: "s", maxChanges: 10 });
    for (let at = 0; at < 100; at += 1) {
      journal.commit([create]);
      const { position } = journal.head;
      if (position > 10) expect(await journal.locate(`s:${position - 10}.0`)).toBe(position - 10);
      if (position > 20) expect(await journal.locate(`s:${position - 20}.0`)).toBeUndefined();
    }
  });

  it("shows a record as its image unless told otherwise", () => {
    const journal = createMemoryJournal();
    const batches: Batch[] = [];
    journal.tail((batch) => batches.push(batch));
    expect(journal.head.eventId).toMatch(/^m[a-z0-9]+:0\.0$/);
    journal.commit([create]);
    const shown = batches[0]?.changes[0]?.represent();
    expect(shown).toEqual({ contentType: "application/json", body: '{"id":1}' });
    expect(batches[0]?.changes[0]?.represent()).toBe(shown);
  });

  it.each([
    [{ segment: "" }, TypeError, /segment.*""/],
    [{ segment: "a:b" }, TypeError, /segment.*"a:b"/],
    [{ maxChanges: 0 }, RangeError, /maxChanges.*0/],
    [{ maxChanges: 1.5 }, RangeError, /maxChanges.*1\.5/],
  ])("refuses %j, naming option and value", (options, kind, text) => {
    expect(() => createMemoryJournal(options)).toThrow(kind);
    expect(() => createMemoryJournal(options)).toThrow(text);
  });
});

describe("a hub's options", () => {
  const origin = async () => ({ status: 404, fields: [], body: "" });

  it.each([
    ["maxMessageBytes", 1],
    ["maxMessageBytes", 2 ** 40],
    ["maxSubscriptions", 0],
    ["maxOutstandingRequests", -1],
    ["maxConnections", 0.5],
    ["maxUnsentBytes", Number.NaN],
    ["originTimeoutMs", 0],
    ["maxConcurrentOpenings", 0],
    ["maxRecentChanges", -1],
  ])("refuse limits.%s = %d, naming option and value", (name, value) => {
    const make = () => createHub({ origin, limits: { [name]: value } });
    expect(make).toThrow(RangeError);
    expect(make).toThrow(new RegExp(`limits\\.${name} .*${value}`));
  });

  it("refuse a limit that there is not, and an origin that is no function", () => {
    expect(() => createHub({ origin, limits: { maxFoo: 1 } as object })).toThrow(/limits\.maxFoo/);
    expect(() => createHub({ origin: "http://x" as never })).toThrow(/origin must be a function.*string/);
  });

  it("fill in defaults, and take undefined for absent", async () => {
    const hub = createHub({ origin, limits: { maxSubscriptions: 7, maxConnections: undefined } as object });
    expect(hub.limits).toMatchObject({ maxSubscriptions: 7, maxConnections: 20_000, maxUnsentBytes: 262_144 });
    expect(hub.isFull).toBe(false);
    await hub.close();
  });

  it("list further promises beside the journal's [R-WK-1]", async () => {
    const hub = createHub({ origin, journal: createMemoryJournal(), promises: ["idempotency-key"] });
    expect(JSON.parse(String(hub.wellKnown().body)).rocket.promises).toEqual([
      "journal",
      "merge-patch",
      "idempotency-key",
    ]);
    await hub.close();
  });
});

describe("a viewer's fields", () => {
  it("are the handshake's without hop-by-hop, handshake, conditional and stream fields", () => {
    const dropped = [
      "Connection",
      "UPGRADE",
      "Sec-WebSocket-Key",
      "If-None-Match",
      "If-Match",
      "Range",
      "Last-Event-ID",
      "Prefer",
      "Cache-Control",
      "Accept-Encoding",
      "Transfer-Encoding",
      "Content-Length",
      "Request-ID",
      "Proxy-Authorization",
    ];
    const kept: Field[] = [
      ["Host", "h"],
      ["Authorization", "x"],
      ["Cookie", "c"],
      ["Accept", "a/b"],
      ["X-Tenant", "t"],
    ];
    expect(viewerFields([...dropped.map((name): Field => [name, "v"]), ...kept])).toEqual(kept);
  });

  it("in band replace the handshake's by name, each with all its values [R-BAND-9]", () => {
    const handshake: Field[] = [
      ["Accept", "a/b"],
      ["accept", "c/d"],
      ["Authorization", "old"],
    ];
    expect(inBandFields(handshake, [["ACCEPT", "e/f"]])).toEqual([
      ["Authorization", "old"],
      ["ACCEPT", "e/f"],
    ]);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Delivery } from "../../src/server/delivery/delivery.ts";
import { SharedFrames } from "../../src/server/delivery/shared-frames.ts";
import { LargeDeliveries } from "../../src/server/direct/large-deliveries.ts";
import { RecentBatches } from "../../src/server/direct/recent.ts";
import { View } from "../../src/server/direct/view.ts";
import { ByteCollector, createMemoryJournal } from "../../src/server/index.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { unshown } from "./fixture.ts";

const kib = 1024;

describe("Collected bytes", () => {
  it("are those that came, in whatever pieces, borrowed or not [R-SEC-5]", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.boolean())), (pieces) => {
        const collector = new ByteCollector(100_000);
        for (const [piece, isBorrowed] of pieces) {
          const given = piece.slice();
          expect(collector.add(given, isBorrowed)).toBe(true);
          if (isBorrowed) given.fill(0);
        }
        expect([...collector.take()]).toEqual(pieces.flatMap(([piece]) => [...piece]));
      }),
    );
  });

  it("take up to twice what they hold, and a single piece is not copied [R-SEC-5]", () => {
    const collector = new ByteCollector(1024 * kib);
    for (let at = 0; at < 100 * kib; at += 1) collector.add(Uint8Array.of(at));
    expect(collector.take().buffer.byteLength).toBeLessThanOrEqual(200 * kib);
    const piece = new Uint8Array(10);
    const single = new ByteCollector(10);
    single.add(piece);
    expect(single.take()).toBe(piece);
  });

  it("end at the bound, and then nothing is kept [R-SEC-5]", () => {
    const collector = new ByteCollector(10);
    expect(collector.add(new Uint8Array(10))).toBe(true);
    expect(collector.add(new Uint8Array(1))).toBe(false);
    expect(collector.length).toBe(0);
    expect(collector.take().length).toBe(0);
  });
});

function batch(position: number, bytes: number) {
  const change = { position, kind: "create", collection: "/a", url: `/a/${position}` } as const;
  return {
    position,
    after: position - 1,
    eventId: `m:${position}.0`,
    changes: [{ ...change, bytes, represent: unshown }],
  };
}

describe("Recent changes", () => {
  it("are kept as long as they and what they are shown as fit into the bytes [R-SEC-5]", () => {
    const recent = new RecentBatches(1_000, 10 * kib);
    for (let position = 1; position <= 9; position += 1) recent.push(batch(position, kib));
    expect(recent.next(3)).toBeUndefined();
    expect(recent.next(4)?.position).toBe(5);
    recent.push(batch(10, 6 * kib));
    expect(recent.next(9)).toBeUndefined();
    recent.push(batch(11, kib));
    expect(recent.next(10)?.position).toBe(11);
  });
});

describe("Large deliveries", () => {
  it("are given up, oldest first, where they have too many bytes together [R-SEC-5]", () => {
    const large = new LargeDeliveries(createFakeClock(1), 100);
    const views = ["/a", "/b", "/c"].map(
      (url) => new View({ url, collection: url, equals: [], position: 0, eventId: "" }),
    );
    for (const view of views) large.keep(view, new Delivery(view.url, [], 0, 1), 40);
    expect(views.map((view) => view.large !== undefined)).toEqual([false, true, true]);
    const [, , last] = views;
    // The same one, kept once more for another reader, counts once.
    if (last?.large) large.keep(last, last.large.delivery, 40);
    expect(views.map((view) => view.large !== undefined)).toEqual([false, true, true]);
  });
});

describe("Shared frames", () => {
  it("are there for those who come at about the same time, and are not kept with what they are made of [R-SEC-5]", () => {
    const shared = new SharedFrames();
    const document = {};
    const frames = shared.of(document, "level1");
    shared.sweep();
    expect(shared.of(document, "level1")).toBe(frames);
    expect(shared.of(document, "labelled")).not.toBe(frames);
    shared.sweep();
    shared.sweep();
    expect(shared.of(document, "level1")).not.toBe(frames);
  });
});

describe("A journal in memory", () => {
  it("keeps about as many bytes as it may, and the last transaction in any case [R-SEC-5]", async () => {
    const journal = createMemoryJournal({ maxBytes: 100 * kib });
    const commit = (kilobytes: number) => {
      const after = { id: 1, text: "x".repeat((kilobytes * kib) / 2) };
      return journal.commit([{ kind: "create", collection: "/a", url: "/a/1", after }]).position;
    };
    const first = commit(20);
    let head = first;
    for (let count = 0; count < 20; count += 1) head = commit(20);
    expect(await journal.read(first, 10)).toBeUndefined();
    expect((await journal.read(head - 2, 10))?.changes).toHaveLength(2);
    const large = commit(500);
    expect((await journal.read(large - 1, 10))?.changes).toHaveLength(1);
    commit(1);
    expect(await journal.read(large - 1, 10)).toBeUndefined();
  });

  it("refuses a bound that is none", () => {
    expect(() => createMemoryJournal({ maxBytes: 0 })).toThrow(/maxBytes.*not 0/);
  });
});

import { describe, expect, it } from "vitest";
import { Feed } from "../../src/client/feed.ts";
import { writeWhole } from "../../src/client/whole.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { change, leave, listOf, message } from "./messages.ts";

const clock = createFakeClock();

function feedAt(position: string): Feed {
  const feed = new Feed({
    target: "/a",
    origin: "http://h",
    clock,
    urls: new WeakMap(),
    versions: new WeakMap(),
    follow: () => () => {},
    askAnew: () => {},
    onStatus: () => {},
  });
  feed.take(listOf([{ id: 1, v: 1 }], ["Event-ID", position]));
  return feed;
}

function mark(position: string): ReturnType<typeof message> {
  return { status: 304, reason: "", fields: [["Event-ID", position]], body: "" };
}

describe("A feed", () => {
  it("applies notifications up to the mark as one step [R-POS-5]", () => {
    const feed = feedAt("m:1.0");
    feed.take(change(201, { id: 2 }));
    expect([feed.replica.rows.length, feed.position]).toEqual([1, "m:1.0"]);
    feed.take(leave(1, ["Event-ID", "m:3.0"]));
    expect([feed.replica.rows, feed.position]).toEqual([[{ id: 2 }], "m:3.0"]);
  });

  it("takes a change of a list that names no record for no message, and applies nothing of it [R-SUB-16]", () => {
    const feed = feedAt("m:1.0");
    for (const status of [201, 202, 204] as const) {
      const nameless = message(status, { record: { id: 2 } }, ["Event-ID", "m:2.0"]);
      expect(() => feed.take(nameless)).toThrow(expect.objectContaining({ name: "ProtocolError", closeCode: 1002 }));
    }
    expect([feed.replica.rows, feed.position]).toEqual([[{ id: 1, v: 1 }], "m:1.0"]);
  });

  it("takes an Item-Index that is no number for none, and one beyond the end for the end [R-FLD-10]", () => {
    const feed = feedAt("m:1.0");
    for (const [at, index] of ["-1", "", "1.5", "x", "99"].entries()) {
      feed.take(change(201, { id: at + 2 }, ["Item-Index", index], ["Event-ID", `m:${at + 2}.0`]));
    }
    expect(feed.replica.rows.map((row) => (row as { id: number }).id)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("forgets what no mark followed when the connection is lost, and when a 200 comes [R-POS-5]", () => {
    const feed = feedAt("m:1.0");
    feed.take(change(201, { id: 2 }));
    feed.lost(false);
    feed.take(change(201, { id: 3 }));
    feed.take(listOf([], ["Event-ID", "m:4.0"]));
    feed.take(change(201, { id: 4 }, ["Event-ID", "m:5.0"]));
    expect(feed.replica.rows).toEqual([{ id: 4 }]);
  });

  it("is live at the first 304 after the opening, not before [R-SUB-1]", () => {
    const feed = feedAt("m:1.0");
    feed.take(mark("m:1.0"));
    expect(feed.status.state).toBe("live");
    feed.lost(false);
    feed.take(mark("m:1.0"));
    expect(feed.isCaughtUp).toBe(false);
    feed.take(mark("m:2.0"));
    expect([feed.isCaughtUp, feed.position]).toEqual([true, "m:2.0"]);
  });

  it("does not move its position back for a bookmark that is late, nor applies a batch twice", () => {
    const feed = feedAt("m:5.0");
    feed.take(mark("m:4.0"));
    feed.take(change(202, { id: 1, v: 0 } as { id: number }, ["Event-ID", "m:5.0"]));
    expect([feed.position, feed.replica.rows]).toEqual(["m:5.0", [{ id: 1, v: 1 }]]);
  });

  it("counts as heard only what it tells: no view may change unnoticed", async () => {
    const feed = feedAt("m:1.0");
    const before = feed.heardAt;
    await clock.advance(5);
    feed.take(change(201, { id: 2 }));
    feed.take({ status: 206, reason: "", fields: [], body: "" });
    expect(feed.heardAt).toBe(before);
    feed.take(leave(1, ["Event-ID", "m:3.0"]));
    expect(feed.heardAt).toBe(before + 5);
  });

  it("takes what is nested however deeply, and fails where that can't be handed on as a whole", () => {
    const deep = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;
    const feed = feedAt("m:1.0");
    const row = change(202, { id: 1 }, ["Event-ID", "m:2.0"]);
    const nested = { ...row, body: String(row.body).replace(/"id":1/, `"id":1,"x":${deep}`) };
    feed.take(nested);
    feed.take({ ...nested, fields: nested.fields.map(([name, value]) => [name, value === "m:2.0" ? "m:3.0" : value]) });
    expect([feed.position, feed.replica.rows.length, feed.isEnded]).toEqual(["m:3.0", 1, false]);
    expect([writeWhole(feed), feed.status.problem?.status]).toEqual([undefined, 500]);
  });

  it("leaves no timer behind once it failed", () => {
    const feed = feedAt("m:1.0");
    const unlisten = feed.listen(() => {});
    feed.fail({ type: "about:blank", title: "", status: 403, detail: "" });
    unlisten();
    expect(clock.timers).toBe(0);
  });
});

import { describe, expect, it } from "vitest";
import { Replica } from "../../src/client/replica.ts";
import { change, leave, listOf, message } from "./messages.ts";

function replicaOf(...messages: Parameters<Replica["replace"]>): Replica {
  const replica = new Replica({ target: "/a", origin: "http://h", urls: new WeakMap(), versions: new WeakMap() });
  replica.replace(...messages);
  return replica;
}

describe("A replica", () => {
  it("takes 201 and 202 alike [R-SUB-14]", () => {
    const replica = replicaOf(listOf([{ id: 1, v: 1 }]));
    replica.take([change(202, { id: 2 })]);
    replica.take([change(201, { id: 1 })]);
    expect(replica.rows).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it("ignores a 204 for a record that it does not have [R-SUB-14]", () => {
    const replica = replicaOf(listOf([{ id: 1 }]));
    const { rows, version } = replica;
    replica.take([leave(2)]);
    expect(replica.rows).toBe(rows);
    expect(replica.version).toBe(version);
  });

  it("orders nothing and null first, then booleans, numbers and strings by code point [R-FLD-6]", () => {
    const values = ["a", "Z", "\u{1F600}", "\uFFFF", 10, 9, true, false, null, undefined];
    const replica = replicaOf(listOf([], ["Item-Order", "n.asc,id.asc"]));
    for (const [id, n] of values.entries()) replica.take([change(201, { id, ...(n === undefined ? {} : { n }) })]);
    const shown = replica.rows.map((row) => (row as { n?: unknown }).n);
    expect(shown).toEqual([null, undefined, false, true, 9, 10, "Z", "a", "\uFFFF", "\u{1F600}"]);
  });

  it("puts records where Item-Index says, after they were taken from their old place [R-FLD-10]", () => {
    const replica = replicaOf(listOf([{ id: 1 }, { id: 2 }, { id: 3 }]));
    replica.take([change(202, { id: 1 }, ["Item-Index", "2"])]);
    replica.take([change(201, { id: 4 }, ["Item-Index", "0"])]);
    expect(replica.rows.map((row) => (row as { id: number }).id)).toEqual([4, 2, 3, 1]);
  });

  it("keeps the identity of what a fresh 200 brings again", () => {
    const replica = replicaOf(listOf([{ id: 1 }, { id: 2, v: 1 }]));
    const [first, second] = replica.rows;
    replica.replace(listOf([{ id: 1 }, { id: 2, v: 2 }]));
    expect(replica.rows[0]).toBe(first);
    expect(replica.rows[1]).not.toBe(second);
  });

  it("takes a row over that was shown ahead of time and is equal", () => {
    const shown = { id: 2, v: 1 };
    const replica = replicaOf(listOf([]));
    replica.shownAhead = () => shown;
    replica.take([change(201, { id: 2, v: 1 } as { id: number })]);
    expect(replica.rows[0]).toBe(shown);
  });

  it("is one record where the 200 says no list, and is gone with it", () => {
    const replica = new Replica({ target: "/a/1", origin: "http://h", urls: new WeakMap(), versions: new WeakMap() });
    replica.replace(message(200, { record: { id: 1 } }, ["Items", 'record="/record"']));
    expect(replica.rows).toEqual([{ id: 1 }]);
    replica.take([leave(1)]);
    expect(replica.isGone).toBe(true);
  });

  it("of one record takes what comes for that record, however its URL is written, or not at all [R-SUB-15]", () => {
    const urls = new WeakMap<object, string>();
    const replica = new Replica({ target: "/a/01", origin: "http://h", urls: urls, versions: new WeakMap() });
    replica.replace(message(200, { record: { id: 1, v: 1 } }, ["Items", 'record="/record"']));
    expect(replica.recordUrl).toBe("/a/01");
    replica.take([change(202, { id: 1, v: 2 } as { id: number })]);
    expect([replica.rows, replica.recordUrl]).toEqual([[{ id: 1, v: 2 }], "/a/1"]);
    expect(urls.get(replica.rows[0] as object)).toBe("/a/1");
    replica.take([message(202, { record: { id: 1, v: 3 } })]);
    expect([replica.rows, replica.get("/a/1")]).toEqual([[{ id: 1, v: 3 }], { id: 1, v: 3 }]);
    replica.take([{ status: 204, reason: "", fields: [], body: "" }]);
    expect([replica.rows, replica.isGone]).toEqual([[], true]);
  });

  it("that begins with an empty list has the rows that it had before: nothing that is shown changed", () => {
    const replica = new Replica({ target: "/a", origin: "http://h", urls: new WeakMap(), versions: new WeakMap() });
    const { rows } = replica;
    replica.replace(listOf([]));
    expect([replica.rows === rows, replica.version]).toEqual([true, 1]);
  });
});

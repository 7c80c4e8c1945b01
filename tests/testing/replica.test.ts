import { describe, expect, it } from "vitest";
import type { Field, HttpResponse } from "../../src/protocol/index.ts";
import { Replica } from "../../src/testing/index.ts";

function message(status: number, fields: Record<string, string> = {}, body = ""): HttpResponse {
  return { status, reason: "", fields: Object.entries(fields) as Field[], body };
}

const items = 'list="/a", record="/record", url="/a/{id}"';

function opened(): Replica {
  const replica = new Replica("/a");
  replica.take(message(200, { Items: items, "Event-ID": "m:1.0" }, '{"a":[{"id":1}]}'));
  replica.take(message(304, { "Event-ID": "m:1.0" }));
  return replica;
}

function put(status: 201 | 202, id: number, eventId?: string): HttpResponse {
  const mark = eventId === undefined ? {} : { "Event-ID": eventId };
  return message(status, { "Content-Location": `/a/${id}`, ...mark }, JSON.stringify({ record: { id, status } }));
}

describe("a replica", () => {
  it("takes the snapshot's rows by the URLs that Items makes, and is caught up at the next 304 [R-SUB-1]", () => {
    const replica = new Replica("/a");
    replica.take(message(200, { Items: items, "Event-ID": "m:1.0" }, '{"a":[{"id":1}]}'));
    expect([...replica.records]).toEqual([["/a/1", '{"id":1}']]);
    expect(replica.isCaughtUp).toBe(false);
    replica.take(message(304, { "Event-ID": "m:1.0" }));
    expect(replica.isCaughtUp).toBe(true);
  });

  it("applies notifications at the mark, as one step, and moves its position there [R-POS-5]", () => {
    const replica = opened();
    replica.take(put(201, 2));
    expect([replica.records.size, replica.position]).toEqual([1, "m:1.0"]);
    replica.take(put(202, 1, "m:3.0"));
    expect([replica.records.size, replica.position]).toEqual([2, "m:3.0"]);
  });

  it("forgets what no mark followed after a disconnect, and at a 200 [R-POS-5]", () => {
    const replica = opened();
    replica.take(put(201, 2));
    replica.disconnected();
    replica.take(message(304, { "Event-ID": "m:1.0" }));
    replica.take(put(201, 3, "m:3.0"));
    expect([...replica.records.keys()]).toEqual(["/a/1", "/a/3"]);
    replica.take(put(201, 4));
    replica.take(message(200, { Items: items, "Event-ID": "m:5.0" }, '{"a":[]}'));
    replica.take(put(201, 5, "m:6.0"));
    expect([...replica.records.keys()]).toEqual(["/a/5"]);
  });

  it("takes 201 and 202 alike, and ignores a 204 for a record that it does not have [R-SUB-14]", () => {
    const replica = opened();
    replica.take(put(202, 2, "m:2.0"));
    replica.take(put(201, 2, "m:3.0"));
    replica.take(message(204, { "Content-Location": "/a/9", "Event-ID": "m:4.0" }));
    replica.take(message(204, { "Content-Location": "/a/1", "Event-ID": "m:5.0" }));
    expect([...replica.records]).toEqual([["/a/2", '{"id":2,"status":201}']]);
  });

  it("of one record is that also where Items says where it is [R-FLD-2] [R-FLD-3]", () => {
    const replica = new Replica("/a/1");
    const items = 'record="/record"';
    replica.take(message(200, { Items: items, "Event-ID": "m:1.0" }, '{"record":{"id":1}}'));
    replica.take(put(202, 1, "m:2.0"));
    expect([...replica.records]).toEqual([["/a/1", '{"record":{"id":1,"status":202}}']]);
    replica.take(message(204, { "Content-Location": "/a/1", "Event-ID": "m:3.0" }));
    expect(replica.isGone).toBe(true);
  });

  it("of one record is gone with that record's 204, and ends with a problem [R-SUB-9] [R-SUB-10]", () => {
    const replica = new Replica("/a/1");
    replica.take(message(200, { "Event-ID": "m:1.0" }, '{"record":{"id":1}}'));
    expect([...replica.records]).toEqual([["/a/1", '{"record":{"id":1}}']]);
    replica.take(message(204, { "Content-Location": "/a/1", "Event-ID": "m:2.0" }));
    expect([replica.isGone, replica.records.size]).toEqual([true, 0]);
    replica.take(message(403));
    expect(replica.ended?.status).toBe(403);
  });
});

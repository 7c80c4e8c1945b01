import { beforeAll, describe, expect, it } from "vitest";
import { Feed } from "../../src/client/feed.ts";
import { Replica } from "../../src/client/replica.ts";
import { decodeResponse, encodeResponse, type Field, fieldValue, type HttpResponse } from "../../src/protocol/index.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { change, leave, listOf, message } from "./messages.ts";
import { World, type WorldOptions } from "./world.ts";

beforeAll(async () => {
  // Loaded here, so that no time passes when a client needs it.
  await Promise.all([import("../../src/client/outbox.ts"), import("../../src/client/answers.ts")]);
});

const padding = "p".repeat(300);

/** A world with three records that are longer than what is changed of them. */
function worldOf(options: WorldOptions = {}): World {
  const world = new World(options);
  for (const size of [1, 2, 3]) world.service.write([{ name: "a", columns: { size, padding } }]);
  return world;
}

async function write(world: World, id: number, size: number): Promise<void> {
  world.service.write([{ name: "a", id, columns: { size, padding } }]);
  await world.clock.advance(10);
}

/** What the server sends, as it was told; and what is put in its place. */
function wiretap(world: World, spoil: (message: HttpResponse) => HttpResponse = (one) => one): HttpResponse[] {
  const heard: HttpResponse[] = [];
  world.mangle = (data) => {
    const heardOne = decodeResponse(data);
    heard.push(heardOne);
    return [encodeResponse(spoil(heardOne))];
  };
  return heard;
}

function isDelta({ fields }: HttpResponse): boolean {
  return fieldValue(fields, "content-type") === "application/merge-patch+json";
}

function withBase(one: HttpResponse, base: string): HttpResponse {
  const fields = one.fields.map(([name, value]): Field => [name, name === "Delta-Base" ? base : value]);
  return { ...one, fields };
}

/** The requests in band, without what differs from run to run. */
function sent(world: World): string[] {
  return world.sent.map((request) => request.replace(/Request-ID: \d+\r\n/, "").replaceAll("\r\n", "|"));
}

describe("A client", () => {
  it("asks for deltas, and has what its server has [R-DELTA-8]", async () => {
    const world = worldOf();
    const heard = wiretap(world);
    const list = world.look("/a");
    const record = world.look("/a/2");
    await world.clock.advance(10);
    const rows = list.shown;
    await write(world, 2, 20);
    await write(world, 2, 21);
    world.service.write([
      { name: "a", id: 1, columns: { size: 10, padding } },
      { name: "a", id: 1, columns: { size: 11, padding, tag: "t" } },
    ]);
    await world.clock.advance(10);
    expect(heard.filter(isDelta)).toHaveLength(6);
    expect(heard.filter((one) => one.status === 202 && !isDelta(one))).toEqual([]);
    expect(list.shown).toEqual(world.service.rows("a"));
    expect(record.shown).toEqual([world.service.rows("a")[1]]);
    expect(list.shown[2]).toBe(rows[2]);
    expect(sent(world).filter((text) => text.startsWith("SUBSCRIBE"))).toEqual([
      "SUBSCRIBE /a HTTP/1.1|Accept: application/merge-patch+json||",
      "SUBSCRIBE /a/2 HTTP/1.1|Accept: application/merge-patch+json||",
    ]);
  });

  it("sends no Accept to a server that does not promise to know what that means [R-DELTA-5] [R-WK-4]", async () => {
    const derived = worldOf({ flavour: "derived" });
    const old = worldOf();
    wiretap(old, (one) => ({ ...one, body: String(one.body).replace('"merge-patch"', '"merge-patch-of-old"') }));
    for (const world of [derived, old]) {
      const list = world.look("/a");
      await world.clock.advance(100);
      await write(world, 1, 10);
      await world.clock.advance(1_000);
      expect(sent(world)).toEqual(["SUBSCRIBE /a HTTP/1.1||"]);
      expect(list.shown).toEqual(world.service.rows("a"));
    }
  });

  it("asks again by its renewed credentials, and after it has lost the connection [R-DELTA-1] [R-DELTA-6]", async () => {
    const world = worldOf({ wantsToken: true });
    const heard = wiretap(world);
    const list = world.look("/a");
    await world.clock.advance(100);
    world.client.renew();
    await world.clock.advance(100);
    await write(world, 1, 10);
    expect(heard.filter(isDelta)).toHaveLength(1);
    for (const socket of world.sockets) socket.fail(1006);
    await write(world, 1, 11);
    await world.clock.advance(2_000);
    expect(heard.filter(isDelta)).toHaveLength(1);
    await write(world, 1, 12);
    expect(heard.filter(isDelta)).toHaveLength(2);
    expect(list.shown).toEqual(world.service.rows("a"));
    expect(sent(world).every((text) => text.includes("Accept: application/merge-patch+json|"))).toBe(true);
  });

  it("resumes before a delta that is not for what it has, is sent the record, and goes on without deltas [R-DELTA-8]", async () => {
    const world = worldOf();
    const list = world.look("/a");
    const other = world.look("/b");
    await world.clock.advance(10);
    await write(world, 1, 10);
    await write(world, 2, 20);
    let isSpoilt = false;
    const heard = wiretap(world, (one) => {
      const isFirst = isDelta(one) && fieldValue(one.fields, "content-location") === "/a/2" && !isSpoilt;
      if (isFirst) isSpoilt = true;
      return isFirst ? withBase(one, '"other"') : one;
    });
    const seen: unknown[] = [];
    list.live.subscribe(() => seen.push(list.shown.map(({ size }) => size).join()));
    world.sent.length = 0;
    world.service.write([
      { name: "a", id: 1, columns: { size: 11, padding } },
      { name: "a", id: 2, columns: { size: 21, padding } },
      { name: "a", id: 3, columns: { size: 31, padding } },
    ]);
    await world.clock.advance(10);
    expect(sent(world)).toEqual(["UNSUBSCRIBE /a HTTP/1.1||", "SUBSCRIBE /a HTTP/1.1|Last-Event-ID: m:5.0||"]);
    expect(list.shown).toEqual(world.service.rows("a"));
    // Nothing of the batch was shown before all of it was.
    expect(new Set(seen)).toEqual(new Set(["10,20,3", "11,21,31"]));
    expect([list.state, other.state]).toEqual(["live", "live"]);
    await write(world, 1, 12);
    expect(heard.filter(isDelta)).toHaveLength(3);
    expect(list.shown).toEqual(world.service.rows("a"));
  });

  it("does the same for a record that it does not have, and for a patch that is none [R-DELTA-8]", async () => {
    for (const body of ['{"record":{"size":7}}', "nonsense", "7"]) {
      const world = worldOf();
      const list = world.look("/a");
      await world.clock.advance(10);
      let isSpoilt = false;
      wiretap(world, (one) => {
        if (!isDelta(one) || isSpoilt) return one;
        isSpoilt = true;
        const at = body.startsWith("{") ? "/a/77" : "/a/1";
        return { ...one, body, fields: one.fields.map(([name, value]) => [name, value === "/a/1" ? at : value]) };
      });
      await write(world, 1, 10);
      expect([list.state, list.shown]).toEqual(["live", world.service.rows("a")]);
    }
  });

  it("gives out whole records to who subscribes to answers", async () => {
    const world = worldOf();
    const heard = wiretap(world);
    const told: unknown[] = [];
    world.client.subscribe("/a", (_request, response, body) => {
      const { status, headers } = response;
      told.push([status, headers.get("content-type"), headers.get("delta-base"), body]);
      if (status !== 200) void response.json().then((json) => told.push(json));
    });
    await world.clock.advance(10);
    await write(world, 1, 10);
    const record = { record: world.service.rows("a")[0] };
    expect(heard.filter(isDelta)).toHaveLength(1);
    expect(told.slice(1)).toEqual([[202, "application/json", null, record], record]);
  });
});

function replicaOf(opening: HttpResponse, target = "/a"): Replica {
  const replica = new Replica({ target, origin: "http://h", urls: new WeakMap(), versions: new WeakMap() });
  replica.replace(opening);
  return replica;
}

function delta(id: number, patch: unknown, base: string, ...fields: readonly Field[]): HttpResponse {
  const own: Field[] = [
    ["Content-Type", "application/merge-patch+json"],
    ["Content-Location", `/a/${id}`],
    ["Delta-Base", base],
  ];
  return { status: 202, reason: "", fields: [...own, ...fields], body: JSON.stringify(patch) };
}

describe("A replica", () => {
  it("applies deltas one after another, each to what the one before made [R-DELTA-3] [R-DELTA-8]", () => {
    const replica = replicaOf(listOf([{ id: 1, v: 1, x: { a: 1 } }, { id: 2 }], ["Item-Order", "v.asc-number,id.asc"]));
    const [first, second] = replica.rows as { x?: unknown }[];
    const batch = replica.take([
      delta(1, { record: { v: 2 } }, '"1"', ["ETag", '"2"']),
      delta(1, { record: { v: 3, y: [1, null] } }, '"2"', ["ETag", '"3"'], ["Event-ID", "m:9.0"]),
    ]);
    expect(replica.rows).toEqual([{ id: 2 }, { id: 1, v: 3, x: { a: 1 }, y: [1, null] }]);
    expect(replica.rows[0]).toBe(second);
    expect((replica.rows[1] as { x: unknown }).x).toBe(first?.x);
    expect(batch?.map(({ fields, body }) => [fields, JSON.parse(String(body))])).toEqual([
      [
        [
          ["Content-Type", "application/json"],
          ["Content-Location", "/a/1"],
          ["ETag", '"2"'],
        ],
        { record: { id: 1, v: 2, x: { a: 1 } } },
      ],
      [
        [
          ["Content-Type", "application/json"],
          ["Content-Location", "/a/1"],
          ["ETag", '"3"'],
          ["Event-ID", "m:9.0"],
        ],
        { record: { id: 1, v: 3, x: { a: 1 }, y: [1, null] } },
      ],
    ]);
    expect(replica.take([delta(1, { record: { v: 4 } }, '"2"')])).toBeUndefined();
    expect(replica.take([delta(1, { record: { v: 4 } }, '"3"')])).toHaveLength(1);
  });

  it("takes nothing of a batch in, of which one delta does not fit [R-DELTA-8]", () => {
    const replica = replicaOf(listOf([{ id: 1 }, { id: 2 }]));
    const { rows, version } = replica;
    const misfits = [
      [change(201, { id: 3 }, ["ETag", '"1"']), delta(3, {}, '"2"')],
      [leave(1), delta(1, {}, '"1"')],
      [delta(4, {}, '"1"')],
      [
        {
          ...delta(1, {}, '"1"'),
          fields: [["Content-Type", "application/merge-patch+json"] as const, ["Content-Location", "/a/1"] as const],
        },
      ],
    ];
    for (const batch of misfits) expect(replica.take(batch)).toBeUndefined();
    expect([replica.rows, replica.version]).toEqual([rows, version]);
    expect(replica.rows).toBe(rows);
  });

  it("keeps the object of a row that a delta leaves as it is", () => {
    const replica = replicaOf(listOf([{ id: 1, v: 1 }]));
    const [row] = replica.rows;
    replica.take([delta(1, {}, '"1"', ["ETag", '"1"'])]);
    replica.take([delta(1, { record: { v: 1 } }, '"1"', ["ETag", '"1"'])]);
    expect(replica.rows[0]).toBe(row);
  });

  it("of one record applies deltas to the whole document, by its own tag [R-DELTA-8]", () => {
    const opening = message(
      200,
      { record: { id: 1, v: 1 }, more: { n: 1 } },
      ["Items", 'record="/record"'],
      ["ETag", '"1"'],
    );
    const replica = replicaOf(opening, "/a/01");
    expect(replica.take([delta(1, { record: { v: 2 } }, '"0"')])).toBeUndefined();
    const batch = replica.take([
      delta(1, { record: { v: 2 } }, '"1"', ["ETag", '"2"']),
      delta(1, { more: { m: 2 } }, '"2"'),
    ]);
    expect(replica.document).toEqual({ record: { id: 1, v: 2 }, more: { n: 1, m: 2 } });
    expect([replica.rows, replica.recordUrl]).toEqual([[{ id: 1, v: 2 }], "/a/1"]);
    expect(batch?.map(({ body }) => body)).toEqual([
      '{"record":{"id":1,"v":2},"more":{"n":1}}',
      '{"record":{"id":1,"v":2},"more":{"n":1,"m":2}}',
    ]);
  });
});

describe("A feed", () => {
  it("keeps its position and its rows where a delta does not fit [R-DELTA-8]", () => {
    const feed = new Feed({
      target: "/a",
      origin: "http://h",
      clock: createFakeClock(),
      urls: new WeakMap(),
      versions: new WeakMap(),
      follow: () => () => {},
      askAnew: () => {},
      onStatus: () => {},
    });
    feed.take(listOf([{ id: 1 }], ["Event-ID", "m:1.0"]));
    expect(feed.take(change(202, { id: 1 }, ["ETag", '"1"'], ["Event-ID", "m:2.0"]))).toBe(true);
    expect(feed.take(change(201, { id: 2 }))).toBe(true);
    expect(feed.take(delta(1, { record: { v: 1 } }, '"0"', ["Event-ID", "m:4.0"]))).toBe(false);
    expect([feed.position, feed.replica.rows]).toEqual(["m:2.0", [{ id: 1 }]]);
  });
});

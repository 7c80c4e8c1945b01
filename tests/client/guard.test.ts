import { beforeAll, describe, expect, it } from "vitest";
import { type Conflict, createClient } from "../../src/client/index.ts";
import { World, type WorldOptions } from "./world.ts";

beforeAll(() => Promise.all([import("../../src/client/outbox.ts"), import("../../src/client/fallback.ts")]));

interface Row {
  id: number;
  color: string;
  size: number;
  tag: string | null;
}

async function open(options: WorldOptions = {}) {
  const world = new World(options);
  world.service.write([{ name: "a", columns: { color: "red", size: 1 } }]);
  const list = world.client.collection<Row>("/a");
  list.subscribe(() => {});
  await world.clock.advance(100);
  const somebodyWrites = async (columns: Record<string, string | number>) => {
    world.service.write([{ name: "a", id: 1, columns }]);
    await world.clock.advance(100);
  };
  return { world, list, somebodyWrites, row: () => list.getSnapshot().rows[0] as Row };
}

/** What became of a write, some time later. */
async function outcome(world: World, write: Promise<unknown>): Promise<unknown> {
  const settled = write.then(
    () => "done",
    (error: Error) => error.name,
  );
  await world.clock.advance(30_000);
  return settled;
}

describe.each(["direct", "derived"] as const)("A guarded write of a %s view", (flavour) => {
  it("is refused where the record has changed behind the row that was given, though the change is shown by now", async () => {
    const { world, list, somebodyWrites, row } = await open({ flavour });
    const opened = row();
    await somebodyWrites({ color: "blue" });
    expect(row().color).toBe("blue");
    expect(await outcome(world, list.update(opened, { size: 9 }, { ifUnchanged: true }))).toBe("ConflictError");
    expect(world.service.rows("a")[0]).toMatchObject({ color: "blue" });
    expect(world.service.rows("a")[0]?.size).not.toBe(9);
    expect(await outcome(world, list.update(row(), { size: 9 }, { ifUnchanged: true }))).toBe("done");
    world.client.close();
  });

  it("is refused by a base that was kept, also a copy, for lists and for records, updates and destroys", async () => {
    const { world, list, somebodyWrites, row } = await open({ flavour });
    const record = world.client.record<Row>("/a/1");
    record.subscribe(() => {});
    await world.clock.advance(100);
    const base = structuredClone(row());
    await somebodyWrites({ color: "blue" });
    const writes = [
      list.update(row(), { size: 9 }, { base }),
      list.update("/a/1", { size: 9 }, { base }),
      record.update({ size: 9 }, { base }),
      list.destroy(row(), { base }),
      record.destroy({ base }),
    ];
    for (const write of writes) expect(await outcome(world, write)).toBe("ConflictError");
    expect(await outcome(world, record.update({ size: 9 }, { base: structuredClone(row()) }))).toBe("done");
    world.client.close();
  });

  it("is done where nobody else changed anything, also right after own changes that are not answered yet", async () => {
    const { world, list, row } = await open({ flavour });
    const writes = [list.update(row(), { color: "blue" }, { ifUnchanged: true })];
    writes.push(
      list.update(row(), { size: 5 }, { ifUnchanged: true }),
      list.update(row(), { size: 6 }, { ifUnchanged: true }),
    );
    for (const write of writes) expect(await outcome(world, write)).toBe("done");
    expect(world.service.rows("a")[0]).toMatchObject({ color: "blue", size: 6 });
    world.client.close();
  });

  it("takes a row for what was seen that showed an own change, which was answered since", async () => {
    const { world, list, somebodyWrites, row } = await open({ flavour });
    const change = list.update(row(), { color: "blue" });
    const opened = row();
    expect([opened.color, list.isPending(opened)]).toEqual(["blue", true]);
    expect(await outcome(world, change)).toBe("done");
    expect(await outcome(world, list.update(opened, { size: 5 }, { base: opened }))).toBe("done");
    await somebodyWrites({ color: "green" });
    expect(await outcome(world, list.update(opened, { size: 6 }, { base: opened }))).toBe("ConflictError");
    expect(world.service.rows("a")[0]).toMatchObject({ color: "green" });
    expect(world.service.rows("a")[0]?.size).not.toBe(6);
    world.client.close();
  });

  it("is kept over a reload with what was seen", async () => {
    const { world, list, row } = await open({ flavour, hasStorage: true, isIdempotent: true });
    world.isOffline = true;
    const opened = row();
    world.write((tag) => list.update(opened, { tag }, { ifUnchanged: true }));
    await world.clock.settle();
    world.service.write([{ name: "a", id: 1, columns: { color: "blue" } }]);
    await world.reload();
    world.isOffline = false;
    await world.clock.advance(60_000);
    expect([world.service.rows("a")[0]?.tag, world.refusedLater.map(({ name }) => name)]).toEqual([
      null,
      ["ConflictError"],
    ]);
    world.client.close();
  });
});

it("A guarded write of what was not seen is a mistake that is told at once", async () => {
  const world = new World();
  const record = world.client.record<Row>("/a/1");
  await expect(record.update({ size: 1 }, { ifUnchanged: true })).rejects.toThrow("Nothing was seen of /a/1");
  const list = world.client.collection<Row>("/a");
  await expect(list.update("/a/1", { size: 1 }, { base: undefined })).rejects.toThrow("base is undefined: it is");
  world.client.close();
});

describe("A base that is no whole row", () => {
  it.each([
    [{}, "color, size, tag, id, v is missing"],
    [{ id: 1, color: "red", v: 1 }, "size, tag is missing"],
    [null, "base is null"],
    ["red", "base is red"],
  ])("is a mistake that names what is missing: %j", async (base, text) => {
    const { world, list } = await open();
    const update = list.update("/a/1", { size: 9 }, { base: base as never });
    await expect(update).rejects.toThrow(TypeError);
    await expect(update).rejects.toThrow(text);
    expect(world.service.rows("a")[0]?.size).toBe(1);
    world.client.close();
  });

  it("is a mistake where it is empty and nothing of the record is shown", async () => {
    const { world, list } = await open();
    await expect(list.update("/a/99", { size: 9 }, { base: {} as never })).rejects.toThrow("but empty");
    world.client.close();
  });
});

/** A server whose front weakens validators, and that never finds one equal where `isBroken`. */
function behindFront(isBroken: boolean) {
  const record = { id: 1, color: "red" };
  let version = 1;
  const matches: (string | null)[] = [];
  const times: number[] = [];
  const world = new World();
  const fetch = (async (url: string, init: RequestInit = {}) => {
    if (url.endsWith("rocket")) return Response.json({}, { status: 404 });
    const etag = `W/"${version}"`;
    if ((init.method ?? "GET") === "GET") return Response.json(record, { headers: { ETag: etag } });
    const match = new Headers(init.headers).get("if-match");
    matches.push(match);
    times.push(world.clock.now());
    if (isBroken || match !== `"${version}"`) return Response.json({ title: "No" }, { status: 412 });
    version += 1;
    return Response.json(Object.assign(record, JSON.parse(String(init.body))), { headers: { ETag: `W/"${version}"` } });
  }) as typeof globalThis.fetch;
  const NoSocket = class {
    constructor() {
      throw new Error("blocked");
    }
  } as unknown as typeof WebSocket;
  const client = createClient("http://h", { clock: world.clientClock, WebSocket: NoSocket, fetch, onError: () => {} });
  return { world, client, matches, times, record };
}

describe("Behind a front that weakens validators", () => {
  it("a guarded write names the strong one, and is done", async () => {
    const { world, client, matches, record } = behindFront(false);
    const live = client.record<{ color: string }>("/r/1");
    live.subscribe(() => {});
    await world.clock.advance(5_000);
    expect(await outcome(world, live.update({ color: "blue" }, { ifUnchanged: true }))).toBe("done");
    expect([matches, record.color]).toEqual([['"1"'], "blue"]);
    client.close();
  });

  it("a server that refuses all is asked five times at most, with growing waits, whatever onConflict gives", async () => {
    const { world, client, matches, times } = behindFront(true);
    const live = client.record<{ color: string }>("/r/1");
    live.subscribe(() => {});
    await world.clock.advance(5_000);
    const asked: Conflict[] = [];
    const onConflict = (conflict: Conflict): { color: string } => {
      asked.push(conflict);
      return { color: "blue" };
    };
    expect(await outcome(world, live.update({ color: "blue" }, { ifUnchanged: true, onConflict }))).toBe(
      "ConflictError",
    );
    expect(matches).toEqual(Array(5).fill('"1"'));
    expect(asked.length).toBe(4);
    const first = times[0] ?? 0;
    expect((times.at(-1) ?? 0) - first).toBeGreaterThan(500);
    client.close();
  });
});

/** An application that looks at no `If-Match`, with a record that somebody else may change. */
function unguarded(etagOf: (version: number) => string | undefined) {
  const world = new World();
  const record: Record<string, unknown> = { id: 1, color: "red", size: 1 };
  const asked: string[] = [];
  let version = 1;
  const change = (values: object): void => {
    version += 1;
    Object.assign(record, values);
  };
  const fetch = (async (url: string, { method = "GET", body }: RequestInit = {}) => {
    if (url.endsWith("rocket")) return Response.json({}, { status: 404 });
    asked.push(method);
    if (method === "PATCH") change(JSON.parse(String(body)));
    const etag = etagOf(version);
    const answer = url.endsWith("/r") ? [record] : record;
    return Response.json(answer, { headers: etag === undefined ? {} : { ETag: etag } });
  }) as typeof globalThis.fetch;
  const NoSocket = class {
    constructor() {
      throw new Error("blocked");
    }
  } as unknown as typeof WebSocket;
  const client = createClient("http://h", { clock: world.clientClock, WebSocket: NoSocket, fetch, onError: () => {} });
  return { world, client, record, asked, change };
}

describe.each([
  ["weak", (version: number) => `W/"${version}"`],
  ["no", () => undefined],
] as const)("Where an application gives %s ETags and looks at no If-Match", (_kind, etagOf) => {
  const open = async () => {
    const { client, world, ...app } = unguarded(etagOf);
    const [list, one] = [client.collection<Row>("/r"), client.record<Row>("/r/1")];
    for (const live of [list, one]) live.subscribe(() => {});
    await world.clock.advance(10_000);
    return { client, world, ...app, list, one };
  };

  it("the newer save is kept, for a record as for a row of a list", async () => {
    const { client, world, record, change, list, one } = await open();
    const bases = { one: one.getSnapshot().row as Row, list: list.getSnapshot().rows[0] as Row };
    change({ color: "blue" });
    const writes = [
      one.update({ color: "green" }, { ifUnchanged: true }),
      list.update(bases.list, { color: "green" }, { ifUnchanged: true }),
      one.update({ color: "green" }, { base: bases.one }),
      one.destroy({ base: bases.one }),
    ];
    for (const write of writes) expect(await outcome(world, write)).toBe("ConflictError");
    expect(record.color).toBe("blue");
    client.close();
  });

  it("a save over what is there is done after a GET, also right after another one", async () => {
    const { client, world, record, asked, one } = await open();
    asked.length = 0;
    const writes = [one.update({ size: 2 }, { ifUnchanged: true }), one.update({ size: 3 }, { ifUnchanged: true })];
    await world.clock.settle();
    expect([asked.slice(0, 2), asked.filter((method) => method === "PATCH").length]).toEqual([["GET", "PATCH"], 2]);
    for (const write of writes) expect(await outcome(world, write)).toBe("done");
    expect(record.size).toBe(3);
    client.close();
  });

  it("a conflict that is decided is compared anew", async () => {
    const { client, world, record, change, one } = await open();
    change({ color: "blue" });
    const onConflict = ({ mine }: Conflict<Row>) => mine;
    expect(await outcome(world, one.update({ size: 9 }, { ifUnchanged: true, onConflict }))).toBe("done");
    expect(record).toMatchObject({ color: "blue", size: 9 });
    client.close();
  });
});

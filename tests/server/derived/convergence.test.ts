import { expect, test } from "vitest";
import { createHub } from "../../../src/server/index.ts";
import {
  connectMemoryPeer,
  createFakeClock,
  createRandom,
  type MemoryPeer,
  Replica,
} from "../../../src/testing/index.ts";
import { DocumentStore } from "./store.ts";

interface Reader {
  readonly target: string;
  readonly replica: Replica;
  peer: MemoryPeer | undefined;
}

const seeds = Number(process.env.ROCKET_SEEDS ?? 150);

async function run(seed: number): Promise<{ snapshots: number; notifications: number }> {
  const random = createRandom(seed);
  const clock = createFakeClock(seed);
  const store = new DocumentStore(clock);
  const hub = createHub({
    origin: store.origin,
    clock,
    derived: { coalesceMs: 20, refreshMs: 5_000, maxConcurrentGets: 3 },
    limits: { maxUnsentBytes: 1024 },
    onError: (error) => {
      throw error;
    },
  });
  let nextId = 1;
  const write = (): string => {
    const { items } = store;
    const kind = random.below(items.length > 12 ? 6 : 5);
    if (kind <= 1 || items.length === 0) {
      items.splice(random.below(items.length + 1), 0, { id: nextId, v: "new" });
      return `/items/${nextId++}`;
    }
    const at = random.below(items.length);
    const item = random.pick(items);
    if (kind === 2) items.splice(items.indexOf(item), 1, { id: item.id, v: `v${random.below(1000)}` });
    else if (kind === 3) items.splice(at, 0, ...items.splice(items.indexOf(item), 1));
    else items.splice(items.indexOf(item), 1);
    return `/items/${item.id}`;
  };
  const readers: Reader[] = ["/items", "/items", "/items?limit=4"].map((target) => {
    return { target, replica: new Replica(target), peer: undefined };
  });
  const connect = async (reader: Reader): Promise<void> => {
    const resume = random.chance(0.7) && reader.replica.position !== undefined;
    const position = resume ? ([["Last-Event-ID", reader.replica.position ?? ""]] as const) : [];
    reader.peer?.disconnect();
    reader.replica.disconnected();
    reader.replica.ended = undefined;
    const onMessage = (message: Parameters<Replica["take"]>[0]) => reader.replica.take(message);
    reader.peer = await connectMemoryPeer(hub, reader.target, { fields: [["Host", "h"], ...position], onMessage });
  };
  store.latencyMs = () => (random.chance(0.5) ? random.below(60) : 0);
  const trouble = () => ({ status: 503, fields: [["Retry-After", "1"]] as const, body: "" });
  for (let step = 0; step < 60; step += 1) {
    const reader = random.pick(readers);
    const action = random.below(10);
    if (action <= 4) {
      const url = write();
      if (random.chance(0.9)) hub.changed([url]);
    } else if (action === 5) await connect(reader);
    else if (action === 6) {
      reader.peer?.disconnect();
      reader.peer = undefined;
    } else if (action === 7) reader.peer?.pause();
    else if (action === 8) reader.peer?.resume();
    else store.answer = random.chance(0.3) ? trouble : () => undefined;
    await clock.advance(random.below(80));
  }
  store.answer = () => undefined;
  for (const { peer } of readers) peer?.resume();
  await clock.advance(1_000);
  for (const reader of readers) {
    if (!reader.peer || reader.peer.closing) await connect(reader);
  }
  await clock.advance(40_000);
  for (const { target, replica } of readers) {
    const rows = target === "/items" ? store.items : store.items.slice(0, 4);
    expect(replica.ended).toBeUndefined();
    expect(replica.order).toEqual(rows.map(({ id }) => `/items/${id}`));
    expect([...replica.records.values()].sort()).toEqual(rows.map((row) => JSON.stringify(row)).sort());
  }
  for (const { peer } of readers) peer?.disconnect();
  await clock.advance(5_000);
  expect(hub.counts).toEqual({ connections: 0, subscriptions: 0, views: 0 });
  const closed = hub.close();
  await clock.advance(10);
  await closed;
  expect(clock.timers).toBe(0);
  const histories = readers.flatMap(({ replica }) => replica.history);
  return {
    snapshots: histories.filter(({ status }) => status === 200).length,
    notifications: histories.filter(({ index }) => index !== undefined).length,
  };
}

test(`derived views converge to the GET, order included, over ${seeds} seeds [R-DER-6] [R-FLD-10]`, async () => {
  const seen = { snapshots: 0, notifications: 0 };
  for (let seed = 1; seed <= seeds; seed += 1) {
    try {
      const { snapshots, notifications } = await run(seed);
      seen.snapshots += snapshots;
      seen.notifications += notifications;
    } catch (error) {
      throw new Error(`Seed ${seed} does not converge.`, { cause: error });
    }
  }
  expect(seen.snapshots).toBeGreaterThan(seeds);
  expect(seen.notifications).toBeGreaterThan(seeds);
}, 120_000);

import { expect, test } from "vitest";
import { createHub } from "../../../src/server/index.ts";
import { createFakeClock, createRandom } from "../../../src/testing/index.ts";
import { type Follower, Level0Follower, Level1Follower } from "./converging.ts";
import { DocumentStore, targets } from "./store.ts";

const seeds = Number(process.env.ROCKET_SEEDS ?? 500);

interface Seen {
  readonly snapshots: number;
  readonly notifications: number;
}

async function run(seed: number): Promise<Seen> {
  const random = createRandom(seed);
  const clock = createFakeClock(seed);
  const store = new DocumentStore(clock, random);
  const hub = createHub({
    origin: store.origin,
    clock,
    derived: { coalesceMs: 20, refreshMs: 5_000, maxConcurrentGets: random.pick([1, 3, 16]) },
    limits: { maxUnsentBytes: 1024 },
    onError: (error) => {
      throw error;
    },
  });
  const followers: Follower[] = [
    ...["/items", "/items", random.pick(targets)].map((target) => new Level1Follower(hub, target, false)),
    ...[random.pick(targets), random.pick(targets)].map((target) => new Level1Follower(hub, target, true)),
    new Level0Follower(hub, store, random.pick(targets)),
  ];
  const lag = random.pick([0, 0, 30, 110]);
  store.latencyMs = () => (random.chance(0.5) ? random.below(60) : 0);
  for (let step = 0; step < 70; step += 1) {
    const follower = random.pick(followers);
    const action = random.below(12);
    if (action <= 5) {
      const urls = store.write(random.below(lag + 1));
      if (random.chance(0.9)) hub.changed(urls);
    } else if (action === 6) void follower.connect(random);
    else if (action === 7) follower.disconnect();
    else if (action === 8) follower.peer?.pause();
    else if (action === 9) follower.peer?.resume();
    // A write that was rolled back or aborted: nothing changed.
    else if (action === 10) hub.changed([`/items/${random.below(20)}`]);
    else store.isDown = random.chance(0.3);
    await clock.advance(random.below(80));
  }
  store.isDown = false;
  for (const { peer } of followers) peer?.resume();
  for (let round = 0; round < 20; round += 1) {
    await clock.advance(2_000);
    for (const follower of followers) if (follower.isOver) void follower.connect(random);
  }
  await clock.advance(1_000);
  for (const follower of followers) {
    const [known, actual] = follower.compare(store);
    expect(known, follower.target).toEqual(actual);
  }
  for (const follower of followers) follower.disconnect();
  await clock.advance(5_000);
  expect(hub.counts).toEqual({ connections: 0, subscriptions: 0, views: 0 });
  const closed = hub.close();
  await clock.advance(10);
  await closed;
  expect(clock.timers).toBe(0);
  const histories = followers.flatMap(({ history }) => history);
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
}, 240_000);

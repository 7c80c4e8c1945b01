import { expect, it } from "vitest";
import type { Field } from "../../../src/protocol/index.ts";
import { createHub, type Origin, type Reads } from "../../../src/server/index.ts";
import { connectMemoryPeer, createFakeClock, createRandom, type MemoryPeer } from "../../../src/testing/index.ts";

const asked = process.env.ROCKET_SEEDS;
/** The last ones were found to take somebody back. */
const seeds = [...Array.from({ length: Number(asked ?? 20) }, (_, at) => at + 1), ...(asked ? [] : [34, 70, 118, 196])];

interface Said {
  readonly reads?: Reads;
  readonly fields?: readonly Field[];
}

/** Somebody who follows, from an opening on. */
interface Follower {
  readonly peer: Promise<MemoryPeer>;
  shown: string;
}

/** What has few states, that come again, and takes some time to read and to answer; the faults that followers see. */
async function play({ reads, fields = [] }: Said, seed: number): Promise<string[]> {
  const random = createRandom(seed);
  const clock = createFakeClock(seed);
  const states = ["a"];
  const faults: string[] = [];
  const pause = (ms: number) =>
    new Promise<void>((resolve) => void clock.setTimer(resolve, random.chance(0.5) ? random.below(ms) : 0));
  const origin: Origin = async () => {
    await pause(30);
    const body = JSON.stringify({ state: states.at(-1) });
    await pause(80);
    return { status: 200, fields: [["Content-Type", "application/json"], ...fields], body, ...(reads && { reads }) };
  };
  const hub = createHub({ origin, clock, derived: { maxConcurrentGets: random.pick([1, 16]) } });
  const open = (): Follower => {
    // Each state that is shown has to have stood at or after the one before, and none before the opening was asked for.
    let at = states.length - 1;
    const onMessage: NonNullable<Parameters<typeof connectMemoryPeer>[2]>["onMessage"] = ({ status, body }) => {
      if (status !== 200 && status !== 202) return;
      follower.shown = String(JSON.parse(String(body)).state);
      const moment = states.indexOf(follower.shown, at);
      if (moment < 0)
        faults.push(`seed ${seed}: ${status} ${follower.shown} is older than ${at} of ${states.join("")}`);
      else at = moment;
    };
    const follower = { shown: "", peer: connectMemoryPeer(hub, "/state", { onMessage }) };
    return follower;
  };
  const followers = [open()];
  for (let step = 0; step < 60; step += 1) {
    await clock.advance(random.below(40));
    const action = random.below(10);
    if (action < 5) {
      states.push(random.pick(["a", "b", "c"].filter((state) => state !== states.at(-1))));
      hub.changed(["/state"]);
    } else if (action < 8) followers.push(open());
    else if (followers.length > 1)
      for (const { peer } of followers.splice(random.below(followers.length), 1))
        void peer.then((one) => one.disconnect());
  }
  await clock.advance(10_000);
  for (const { shown } of followers) if (shown !== states.at(-1)) faults.push(`seed ${seed}: it ends with ${shown}`);
  void hub.close(0);
  return faults;
}

it.each<[string, Said]>([
  ["says what it reads", { reads: { collections: ["/state"], isComplete: true } }],
  ["does not say what it reads", {}],
  ["declares that everybody sees the same", { fields: [["Cache-Control", "public"]] }],
])(
  "No follower is taken back, whatever comes meanwhile, at an origin that %s",
  async (_title, said) => {
    const faults: string[] = [];
    for (const seed of seeds) faults.push(...(await play(said, seed)));
    expect(faults).toEqual([]);
  },
  240_000,
);

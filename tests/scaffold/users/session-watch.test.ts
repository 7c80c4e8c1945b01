import { describe, expect, test } from "vitest";
import { SessionWatch } from "../../../src/scaffold/users/session-watch.ts";
import { createFakeClock } from "../../../src/testing/index.ts";

type Store = ConstructorParameters<typeof SessionWatch>[0]["store"];

/** A watch over a store that a test fills. */
async function start() {
  const clock = createFakeClock(1);
  const errors: unknown[] = [];
  const asked: number[] = [];
  const state = { isAway: false, sessions: [] as string[], accounts: [] as { id: string; version: number }[] };
  const store: Store = {
    async endedSince(at) {
      if (state.isAway) throw new Error("away");
      asked.push(at);
      return { sessions: state.sessions, accounts: state.accounts.map((one) => ({ ...one, changedAt: at })) };
    },
    trim: async () => undefined,
  };
  const watch = new SessionWatch({ store, clock, reportError: (error) => errors.push(error) });
  await watch.start();
  return { watch, clock, errors, asked, state };
}

const standing = { sessionId: "s", userId: "u", version: 2 };

describe("A watch over sessions", () => {
  test("knows what others have ended within a second, and tells of it once", async () => {
    const { watch, clock, state } = await start();
    let told = 0;
    watch.subscribe(() => {
      told += 1;
    });
    expect(watch.isOver(standing)).toBe(false);

    state.sessions = ["s"];
    await clock.advance(1_000);

    expect([watch.isOver(standing), told]).toEqual([true, 1]);
    await clock.advance(5_000);
    expect(told).toBe(1);
  });

  test("takes what was said of an account before its last change for over, and not what is said since", async () => {
    const { watch, clock, state } = await start();

    state.accounts = [{ id: "u", version: 3 }];
    await clock.advance(1_000);

    expect([watch.isOver(standing), watch.isOver({ ...standing, version: 3 })]).toEqual([true, false]);
  });

  test("says that it does not know after thirty seconds without an answer, and why, once", async () => {
    const { watch, clock, errors, state } = await start();
    state.isAway = true;

    await clock.advance(29_000);
    const before = watch.isCurrent;
    await clock.advance(2_000);

    expect([before, watch.isCurrent, errors.length]).toEqual([true, false, 1]);
    state.isAway = false;
    await clock.advance(1_000);
    expect(watch.isCurrent).toBe(true);
  });

  test("looks back as far as clocks may be apart, and at first as far as a token counts", async () => {
    const { clock, asked } = await start();
    await clock.advance(1_000);

    const [first = 0, second = 0] = asked;
    expect([clock.wallTime() - 1_000 - first, clock.wallTime() - second]).toEqual([900_000, 301_000]);
  });

  test("asks nothing any more once it is closed", async () => {
    const { watch, clock, asked } = await start();
    watch.close();

    await clock.advance(5_000);

    expect(asked.length).toBe(1);
  });
});

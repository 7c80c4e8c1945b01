import { describe, expect, it } from "vitest";
import { FairTurns, type TurnLimits, type TurnTaker } from "../../src/server/stream/fair-turns.ts";
import { createRandom } from "../../src/testing/random.ts";

/** A connection, as far as turns are concerned. */
class Taker implements TurnTaker {
  isClosed = false;
  isCongested = false;
  readonly name: string;
  readonly address: string | undefined;
  #waiting: (() => void)[] = [];

  constructor(name: string, address?: string) {
    this.name = name;
    this.address = address;
  }

  room(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  change(changed: { readonly isClosed?: boolean; readonly isCongested?: boolean }): void {
    Object.assign(this, changed);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Turns of an event loop that goes on when it is told to. */
function arrange(limits: Partial<TurnLimits> = {}) {
  const deferred: (() => void)[] = [];
  const turns = new FairTurns(
    { defer: (callback) => void deferred.push(callback) },
    { most: 1_000, mostOfOne: 1_000, ...limits },
  );
  /** What began, a list for each turn of the loop. */
  const begun: string[][] = [[]];
  const running: { readonly name: string; readonly end: () => void }[] = [];
  const results: (string | undefined)[] = [];
  const give = (taker: Taker, count: number, isQuick = true): void => {
    for (let nth = 1; nth <= count; nth += 1) {
      const task = async (): Promise<string> => {
        begun.at(-1)?.push(`${taker.name}${nth}`);
        if (!isQuick) await new Promise<void>((end) => running.push({ name: `${taker.name}${nth}`, end }));
        return taker.name;
      };
      void turns.run(taker, task).then((result) => results.push(result));
    }
  };
  const promisesRun = () => new Promise<void>((resolve) => setImmediate(resolve));
  const pass = async (count = 1): Promise<void> => {
    for (let nth = 0; nth < count; nth += 1) {
      await promisesRun();
      begun.push([]);
      for (const callback of deferred.splice(0)) callback();
      await promisesRun();
    }
  };
  return { turns, begun, running, results, give, pass, order: () => begun.flat() };
}

describe("turns", () => {
  it("are one per turn of the event loop, the first at once", async () => {
    const { begun, give, pass } = arrange();
    const taker = new Taker("a");
    give(taker, 3);
    await pass(4);
    expect(begun).toEqual([["a1"], ["a2"], ["a3"], [], []]);
  });

  it("leave places to other addresses, however many connections one has, and however slow its tasks are", async () => {
    const { give, pass, order, running } = arrange({ most: 4, mostOfOne: 2, mostOfAddress: 2 });
    for (const name of ["a", "b", "c"]) give(new Taker(name, "one"), 2, false);
    await pass(8);
    expect(order()).toEqual(["a1", "a2"]);
    give(new Taker("z", "other"), 1);
    give(new Taker("y"), 1);
    await pass(4);
    expect(order().slice(-2)).toEqual(["z1", "y1"]);
    running.shift()?.end();
    await pass(4);
    expect(order().at(-1)).toBe("b1");
  });

  it("go round: who comes late waits for one task of each of the others", async () => {
    const { give, pass, order } = arrange();
    give(new Taker("a"), 64);
    give(new Taker("b"), 64);
    await pass(10);
    give(new Taker("c"), 2);
    const before = order().length;
    await pass(6);
    const after = order().slice(before);
    expect(after.indexOf("c1")).toBeLessThanOrEqual(2);
    expect(after.indexOf("c2") - after.indexOf("c1")).toBe(3);
  });

  it("never begin more at once than allowed, in all and of one, whatever is given when", async () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const random = createRandom(seed);
      const limits = { most: 1 + random.below(6), mostOfOne: 1 + random.below(3) };
      const { give, pass, running, order } = arrange(limits);
      const takers = ["a", "b", "c", "d"].map((name) => new Taker(name));
      const given = new Map<Taker, number>();
      for (let step = 0; step < 60; step += 1) {
        const taker = random.pick(takers);
        if (!given.has(taker)) {
          given.set(taker, 1 + random.below(20));
          give(taker, given.get(taker) ?? 0, false);
        }
        await pass();
        expect(running.length).toBeLessThanOrEqual(limits.most);
        for (const { name } of takers) {
          expect(running.filter((one) => one.name.startsWith(name)).length).toBeLessThanOrEqual(limits.mostOfOne);
        }
        running.splice(random.below(running.length || 1), 1)[0]?.end();
      }
      do {
        for (const { end } of running.splice(0)) end();
        await pass(20);
      } while (running.length > 0);
      // Nothing is left behind, and each taker's own tasks began in order.
      for (const [{ name }, count] of given) {
        const own = order().filter((one) => one.startsWith(name));
        expect(own).toEqual(Array.from({ length: count }, (_, at) => `${name}${at + 1}`));
      }
    }
  });

  it("of a taker whose task takes long are left to others", async () => {
    const { give, pass, order } = arrange({ mostOfOne: 2, most: 3 });
    give(new Taker("a"), 9, false);
    await pass(5);
    give(new Taker("b"), 2);
    await pass(5);
    expect(order()).toEqual(["a1", "a2", "b1", "b2"]);
  });

  it("of a taker without room wait, and are one at a time once it has room", async () => {
    const { give, pass, order, running } = arrange({ mostOfOne: 8 });
    const taker = new Taker("a");
    taker.isCongested = true;
    give(taker, 3, false);
    give(new Taker("b"), 1);
    await pass(5);
    expect(order()).toEqual(["b1"]);
    taker.change({ isCongested: false });
    await pass(5);
    expect(order()).toEqual(["b1", "a1"]);
    running.shift()?.end();
    await pass(5);
    expect(order()).toEqual(["b1", "a1", "a2"]);
    taker.change({ isCongested: true });
    running.shift()?.end();
    await pass(5);
    expect(order()).toEqual(["b1", "a1", "a2"]);
    taker.change({ isCongested: false });
    await pass(5);
    expect(order()).toEqual(["b1", "a1", "a2", "a3"]);
  });

  it("of a taker that is gone end without their tasks, and take no turn", async () => {
    const { give, pass, order, results } = arrange();
    const gone = new Taker("a");
    gone.isCongested = true;
    give(gone, 3);
    await pass();
    gone.change({ isClosed: true });
    give(new Taker("b"), 1);
    await pass(2);
    expect(order()).toEqual(["b1"]);
    expect(results.filter((result) => result === undefined)).toHaveLength(3);
  });

  it("go on after a task that fails", async () => {
    const { turns, give, pass, order } = arrange({ most: 1, mostOfOne: 1 });
    const taker = new Taker("a");
    const failed = turns.run(taker, () => Promise.reject(new Error("no")));
    give(taker, 1);
    await expect(failed).rejects.toThrow("no");
    await pass(3);
    expect(order()).toEqual(["a1"]);
  });
});

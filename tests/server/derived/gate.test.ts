import { expect, it } from "vitest";
import { Gate } from "../../../src/server/gate.ts";

/** What was deferred, a turn at a time. */
class Turns {
  deferred: (() => void)[] = [];

  async next(): Promise<void> {
    const due = this.deferred;
    this.deferred = [];
    for (const callback of due) callback();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

it("lets at most its number of tasks run in one turn, even of those that end in it", async () => {
  const turns = new Turns();
  const gate = new Gate(2, (callback) => turns.deferred.push(callback));
  const ran: number[] = [];
  const done = Promise.all([1, 2, 3, 4, 5].map((task) => gate.run(`${task}`, async () => ran.push(task))));
  await turns.next();
  expect(ran).toEqual([1, 2]);
  await turns.next();
  expect(ran).toEqual([1, 2, 3, 4]);
  await turns.next();
  expect(ran).toEqual([1, 2, 3, 4, 5]);
  await done;
});

it("gives a failed task's place to the next, and its error to who asked", async () => {
  const turns = new Turns();
  const gate = new Gate(1, (callback) => turns.deferred.push(callback));
  const failed = gate.run("a", () => Promise.reject(new Error("no answer")));
  const next = gate.run("b", async () => "answer");
  await expect(failed).rejects.toThrow("no answer");
  await turns.next();
  expect(await next).toBe("answer");
});

it("gives nobody more than a quarter of its places, so that others need not wait for what is slow", async () => {
  const turns = new Turns();
  const gate = new Gate(8, (callback) => turns.deferred.push(callback));
  const ends: (() => void)[] = [];
  const slow = Array.from({ length: 10 }, () => gate.run("slow", () => new Promise<void>((end) => ends.push(end))));
  await turns.next();
  expect(ends.length).toBe(2);
  expect(await gate.run("other", async () => "answer")).toBe("answer");
  for (let round = 0; round < 10; round += 1) {
    for (const end of ends.splice(0)) end();
    await turns.next();
    await turns.next();
    expect(ends.length).toBeLessThanOrEqual(2);
  }
  await Promise.all(slow);
});

import { describe, expect, test } from "vitest";
import { WaitingLine } from "../../../src/scaffold/sqlite/threads/waiting-line.ts";

interface Item {
  readonly address: string;
  readonly isSlow: boolean;
  readonly name: string;
}

const item = (address: string, name: string, isSlow = false): Item => ({ address, name, isSlow });

function takeAll(line: WaitingLine<Item>, kind: "quick" | "slow" = "quick"): string[] {
  const names: string[] = [];
  for (let next = line.take(kind); next; next = line.take(kind)) names.push(next.name);
  return names;
}

describe("What waits for a thread", () => {
  test("is taken by address in turn, of each in order", () => {
    const line = new WaitingLine<Item>(9);
    for (const name of ["a1", "a2", "a3"]) line.add(item("a", name));
    line.add(item("b", "b1"));
    line.add(item("c", "c1"));
    line.add(item("b", "b2"));
    expect(takeAll(line)).toEqual(["a1", "b1", "c1", "a2", "b2", "a3"]);
  });

  test("keeps what is slow apart from what is quick", () => {
    const line = new WaitingLine<Item>(9);
    line.add(item("a", "slow1", true));
    line.add(item("a", "quick"));
    line.add(item("a", "slow2", true));
    expect(line.take("quick")?.name).toBe("quick");
    expect(line.take("quick")).toBeUndefined();
    expect(takeAll(line, "slow")).toEqual(["slow1", "slow2"]);
  });

  test("makes whoever has the most go first when there are too many, the newest and slow ones of it", () => {
    const line = new WaitingLine<Item>(4);
    for (const name of ["a1", "a2"]) line.add(item("a", name));
    line.add(item("a", "slow", true));
    line.add(item("b", "b1"));
    expect(line.add(item("b", "b2"))?.name).toBe("slow");
    expect(line.add(item("c", "c1"))?.name).toBe("a2");
    expect(line.add(item("b", "b3"))?.name).toBe("b3");
    expect(takeAll(line)).toEqual(["a1", "b1", "c1", "b2"]);
  });

  test("lets one go that waits no more, once", () => {
    const line = new WaitingLine<Item>(2);
    const gone = item("a", "gone");
    line.add(gone);
    line.remove(gone);
    line.remove(gone);
    expect([line.add(item("a", "1")), line.add(item("a", "2"))]).toEqual([undefined, undefined]);
    expect(line.add(item("b", "3"))?.name).toBe("2");
    expect(line.clear().map(({ name }) => name)).toEqual(["1", "3"]);
    expect(line.take("quick")).toBeUndefined();
  });
});

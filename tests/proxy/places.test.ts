import { describe, expect, it } from "vitest";
import { type FreePlace, Places } from "../../src/proxy/places.ts";

function arrange(most: number, mostWaiting: number) {
  const places = new Places(most, mostWaiting);
  const begun: string[] = [];
  const frees = new Map<string, FreePlace>();
  const take = (name: string) =>
    places.take((free) => {
      begun.push(name);
      frees.set(name, free);
    });
  return { take, begun, free: (name: string) => frees.get(name)?.() };
}

describe("places", () => {
  it("are taken up to their number, then waited for in order, then refused", () => {
    const { take, begun, free } = arrange(2, 2);
    expect(["a", "b", "c", "d", "e"].map(take)).toEqual([true, true, true, true, false]);
    expect(begun).toEqual(["a", "b"]);
    free("b");
    expect(begun).toEqual(["a", "b", "c"]);
    expect(take("f")).toBe(true);
    free("a");
    free("c");
    expect(begun).toEqual(["a", "b", "c", "d", "f"]);
  });

  it("that are given back twice are one", () => {
    const { take, begun, free } = arrange(1, 9);
    for (const name of ["a", "b", "c"]) take(name);
    free("a");
    free("a");
    expect(begun).toEqual(["a", "b"]);
  });
});

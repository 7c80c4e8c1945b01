import { expect, it } from "vitest";
import { matchesItemFilter } from "../../src/protocol/index.ts";

it.each([
  [{ genre: "jazz" }, "jazz", true],
  [{ genre: "Jazz" }, "jazz", false],
  [{ genre: 7 }, "7", true],
  [{ genre: 7 }, "7.0", true],
  [{ genre: 7 }, "", false],
  [{ genre: 0 }, "", false],
  [{ genre: "7" }, "7.0", false],
  [{ genre: true }, "true", true],
  [{ genre: true }, "1", true],
  [{ genre: false }, "true", false],
  [{ genre: null }, "null", false],
  [{ genre: null }, "", false],
  [{}, "jazz", undefined],
  [undefined, "jazz", undefined],
])("A filter's text is compared with a row's value: %j and %j", (row, text, expected) => {
  expect(matchesItemFilter(row, [["genre", text]])).toBe(expected);
});

it("A filter of several members is refused by one, and unknown by one that the row lacks", () => {
  expect(matchesItemFilter({ a: 1 }, [])).toBe(true);
  const filter = [
    ["a", "1"],
    ["b", "2"],
  ] as const;
  expect(matchesItemFilter({ a: 1, b: 2 }, filter)).toBe(true);
  expect(matchesItemFilter({ a: 1 }, filter)).toBe(undefined);
  expect(matchesItemFilter({ a: 2 }, filter)).toBe(false);
});

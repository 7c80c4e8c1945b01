import { describe, expect, it } from "vitest";
import { matchRow, parseFilter } from "../../src/filter/index.ts";

function judge(row: object, filter: string, texts?: "json" | "number"): boolean | undefined {
  const [name = "", ...rest] = filter.split("=");
  return matchRow(parseFilter([[name, rest.join("=")]]), {
    value: (member) => Reflect.get(row, member),
    order: () => texts,
  });
}

describe("A row in JSON", () => {
  it.each([
    [{ a: "jazz" }, "a=jazz", true],
    [{ a: "Jazz" }, "a=jazz", false],
    [{ a: 7 }, "a=7", true],
    [{ a: 7 }, "a=7.0", true],
    [{ a: 7 }, "a=", false],
    [{ a: 0 }, "a=", false],
    [{ a: "7" }, "a=7.0", false],
    [{ a: true }, "a=true", true],
    [{ a: true }, "a=1", true],
    [{ a: false }, "a=true", false],
    [{ a: null }, "a=null", false],
    [{ a: null }, "a=", false],
    [{}, "a=jazz", undefined],
    [{ a: [] }, "a=jazz", undefined],
    [{ a: 7 }, "a=neq.8", true],
    [{ a: null }, "a=neq.8", false],
    [{ a: 1977 }, "a=gte.1977", true],
    [{ a: 1976.5 }, "a=gte.1977", false],
    [{ a: null }, "a=gte.1977", false],
    [{ a: 5 }, "a=gt.x", undefined],
    [{ a: 9_007_199_254_740_992 }, "a=lt.9007199254740993", true],
    [{ a: true }, "a=gt.false", true],
    [{ a: "b" }, "a=gt.a", undefined],
    [{ a: 2 }, "a=in.(1,2)", true],
    [{ a: "x" }, "a=not.in.(1,2)", true],
    [{ a: null }, "a=not.in.(1,2)", false],
    [{ a: "abc" }, "a=like.a*", true],
    [{ a: "abc" }, "a=not.like.a*", false],
    [{ a: "ABC" }, "a=ilike.a*", true],
    [{ a: "ÄBC" }, "a=ilike.ä*", undefined],
    [{ a: "İ" }, "a=ilike.i", undefined],
    [{ a: null }, "a=is.null", true],
    [{ a: {} }, "a=is.null", false],
    [{ a: {} }, "a=is.not_null", true],
    [{}, "a=is.null", undefined],
    [{ a: true }, "a=is.true", true],
    [{ a: null }, "a=not.is.true", true],
    [{ a: 1, b: 2 }, "and=(a.eq.1,b.eq.2)", true],
    [{ a: 1 }, "and=(a.eq.1,b.eq.2)", undefined],
    [{ a: 2 }, "and=(a.eq.1,b.eq.2)", false],
    [{ a: 1 }, "or=(a.eq.1,b.eq.2)", true],
    [{ a: 2 }, "or=(a.eq.1,b.eq.2)", undefined],
    [{ a: 2, b: null }, "or=(a.eq.1,b.eq.2)", false],
  ])("is in a list, or not, or nobody can tell: %j by %s", (row, filter, expected) => {
    expect(judge(row, filter)).toBe(expected);
  });

  it("has a place among texts where it is known how they are compared", () => {
    expect(judge({ a: "b" }, "a=gt.a", "json")).toBe(true);
    expect(judge({ a: "\ufb00" }, "a=gt.🎵", "json")).toBe(false);
    expect(judge({ a: "9007199254740993" }, "a=gt.9007199254740992", "number")).toBe(true);
    expect(judge({ a: "9007199254740993" }, "a=gt.91", "number")).toBe(true);
    expect(judge({ a: "9007199254740993" }, "a=gt.91", "json")).toBe(false);
  });
});

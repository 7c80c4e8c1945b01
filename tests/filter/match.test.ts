import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Comparable, type Filter, mapFilter, match, parseFilter } from "../../src/filter/index.ts";

/** A filter whose literals are numbers where they look so. */
function filterOf(text: string): Filter<string, Comparable> {
  const value = (literal: string): Comparable => (/^-?\d+$/.test(literal) ? Number(literal) : literal);
  return mapFilter(parseFilter([["and", `(${text})`]]), (condition): Filter<string, Comparable> => {
    if (condition.kind === "compare") return { ...condition, literal: value(condition.literal) };
    return condition.kind === "in" ? { ...condition, literals: condition.literals.map(value) } : condition;
  });
}

function judge(text: string, value: Comparable): boolean | null {
  return match(filterOf(text), () => value);
}

const bytes = (...values: number[]) => new Uint8Array(values);

describe("A condition", () => {
  it.each<[string, Comparable, boolean | null]>([
    ["a.eq.1", 1, true],
    ["a.eq.1", 1n, true],
    ["a.eq.1", "1", false],
    ["a.eq.1", true, false],
    ["a.eq.0", -0, true],
    ["a.eq.1", null, null],
    ["a.neq.1", 2, true],
    ["a.neq.1", null, null],
    ["a.not.eq.1", null, null],
    ["a.gt.9", 9_007_199_254_740_993n, true],
    ["a.gt.1", 1, false],
    ["a.gte.1", 1, true],
    ["a.lt.1", 0.5, true],
    ["a.lte.1", 1.5, false],
    ["a.gt.1", Number.NaN, true],
    ["a.gt.1", Number.NEGATIVE_INFINITY, false],
    ["a.gt.1", "", true],
    ["a.gt.z", bytes(), true],
    ["a.gt.b", "ba", true],
    ["a.gt.B", "a", true],
    ["a.gt.e", "é", true],
    ["a.lt.\ufb00", "🎵", false],
    ["a.in.(1,2)", 2, true],
    ["a.in.(1,2)", "2", false],
    ["a.in.(1,2)", null, null],
    ["a.not.in.(1,2)", 3, true],
    ["a.not.in.(1,2)", null, null],
    ["a.in.()", null, false],
    ["a.not.in.()", null, true],
    ["a.is.null", null, true],
    ["a.is.null", 0, false],
    ["a.is.not_null", "", true],
    ["a.is.true", true, true],
    ["a.is.true", 1, true],
    ["a.is.true", 2, false],
    ["a.is.true", "true", false],
    ["a.is.false", false, true],
    ["a.is.false", 0, true],
    ["a.is.false", null, false],
    ["a.not.is.false", null, true],
    ["a.like.a*c", "abbc", true],
    ["a.like.a*c", "abcd", false],
    ["a.like.a_c", "a🎵c", true],
    ["a.like.a_c", "ac", false],
    ["a.like.*", "", true],
    ["a.like.A*", "abc", false],
    ["a.ilike.A*É", "aé", false],
    ["a.ilike.A*É", "aÉ", true],
    ["a.like.*b", "b\0a", true],
    ["a.like.*", 5, false],
    ["a.not.like.*", 5, true],
    ["a.not.like.*", null, null],
  ])("is true, false or unknown: %s of %s", (text, value, expected) => {
    expect(judge(text, value)).toBe(expected);
  });

  it("compares bytes by bytes", () => {
    const filter: Filter<string, Comparable> = {
      kind: "compare",
      column: "a",
      relation: "gt",
      literal: bytes(1, 200),
    };
    expect(match(filter, () => bytes(1, 201))).toBe(true);
    expect(match(filter, () => bytes(1, 200, 0))).toBe(true);
    expect(match(filter, () => bytes(1, 200))).toBe(false);
    expect(match(filter, () => bytes(1, 3, 255))).toBe(false);
  });
});

it("A group has three values, as in SQL", () => {
  const values: Record<string, Comparable> = { t: 1, f: 0, n: null };
  const read = (column: string): Comparable => values[column] ?? null;
  const one = (name: string): string => `${name}.eq.1`;
  const table: [string, string, boolean | null, boolean | null][] = [
    ["t", "t", true, true],
    ["t", "f", false, true],
    ["t", "n", null, true],
    ["f", "f", false, false],
    ["f", "n", false, null],
    ["n", "n", null, null],
  ];
  for (const [a, b, and, or] of table) {
    for (const [left, right] of [
      [one(a), one(b)],
      [one(b), one(a)],
    ]) {
      expect(match(filterOf(`and(${left},${right})`), read)).toBe(and);
      expect(match(filterOf(`or(${left},${right})`), read)).toBe(or);
      expect(match(filterOf(`not.and(${left},${right})`), read)).toBe(and === null ? null : !and);
      expect(match(filterOf(`not.or(${left},${right})`), read)).toBe(or === null ? null : !or);
    }
  }
});

describe("A pattern", () => {
  /** By its definition, part by part. */
  function looksLike(text: readonly string[], pattern: readonly string[]): boolean {
    const [first, ...rest] = pattern;
    if (first === undefined) return text.length === 0;
    if (first === "*") return looksLike(text, rest) || (text.length > 0 && looksLike(text.slice(1), pattern));
    return text.length > 0 && (first === "_" || first === text[0]) && looksLike(text.slice(1), rest);
  }

  it("is met by what its definition says", () => {
    const unit = fc.constantFrom("a", "b", "é", "🎵");
    const pattern = fc.array(fc.oneof(unit, fc.constantFrom("*", "_")), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 8 }), pattern, (text, parts) => {
        expect(judge(`a.like.${parts.join("")}`, text.join(""))).toBe(looksLike(text, parts));
      }),
      { numRuns: 2_000 },
    );
  });

  it("is compared with a long text without going back to its start", () => {
    const pattern = Array.from({ length: 1_000 }, () => "*a").join("");
    expect(judge(`a.like.${pattern}b`, "a".repeat(20_000))).toBe(false);
  });
});

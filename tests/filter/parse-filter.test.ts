import { describe, expect, it } from "vitest";
import { type Filter, FilterError, parseFilter } from "../../src/filter/index.ts";

function parse(...pairs: string[]): Filter {
  return parseFilter(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}

function messageOf(...pairs: string[]): string {
  try {
    parse(...pairs);
  } catch (error) {
    if (error instanceof FilterError) return error.message;
    throw error;
  }
  return "none";
}

const eq = (column: string, literal: string) => ({ kind: "compare", column, relation: "eq", literal });
const compare = (column: string, relation: string, literal: string) => ({ kind: "compare", column, relation, literal });
const among = (column: string, isNot: boolean, ...literals: string[]) => ({ kind: "in", column, isNot, literals });
const test = (column: string, operator: string, literal: string, configuration?: string) => ({
  ...{ kind: "test", column, isNot: false, operator, literal, configuration },
});
const is = (column: string, isNot: boolean, state: string) => ({ kind: "is", column, isNot, state });

describe("A parameter", () => {
  it.each([
    ["genre=rock", eq("genre", "rock")],
    ["genre=eq.rock", eq("genre", "rock")],
    ["genre=", eq("genre", "")],
    ["file=readme.md", eq("file", "readme.md")],
    ["file=eq.eq.x", eq("file", "eq.x")],
    ["file=equal.x", eq("file", "equal.x")],
    ["a.b=1", eq("a.b", "1")],
    ['name="x"', eq("name", '"x"')],
    ['name=eq."x",(y)', eq("name", '"x",(y)')],
    ["year=gte.1977", compare("year", "gte", "1977")],
    ["year=not.gte.1977", compare("year", "lt", "1977")],
    ["year=not.gt.1977", compare("year", "lte", "1977")],
    ["year=not.lt.1977", compare("year", "gte", "1977")],
    ["year=not.lte.1977", compare("year", "gt", "1977")],
    ["year=not.eq.1977", compare("year", "neq", "1977")],
    ["year=not.neq.1977", compare("year", "eq", "1977")],
    ["id=in.(1,2)", among("id", false, "1", "2")],
    ["id=not.in.(1,2)", among("id", true, "1", "2")],
    ["id=in.()", among("id", false)],
    ["id=in.(,)", among("id", false, "", "")],
    ['id=in.("")', among("id", false, "")],
    [String.raw`id=in.("a,b", c ,"d\"e\\f",g"h)`, among("id", false, "a,b", " c ", 'd"e\\f', 'g"h')],
    ["year=is.null", is("year", false, "null")],
    ["year=is.unknown", is("year", false, "null")],
    ["year=is.not_null", is("year", true, "null")],
    ["year=not.is.null", is("year", true, "null")],
    ["year=not.is.not_null", is("year", false, "null")],
    ["year=is.NoT_NuLl", is("year", true, "null")],
    ["live=is.TRUE", is("live", false, "true")],
    ["or=( a.is.Null , b.in.(1,2) )", { kind: "or", parts: [is("a", false, "null"), among("b", false, "1", "2")] }],
    [
      'or=( and( a.eq.1, b.eq."x" ) , c.eq."y" )',
      {
        kind: "or",
        parts: [{ kind: "and", parts: [eq("a", "1"), eq("b", "x")] }, eq("c", "y")],
      },
    ],
    ["or=( a.eq.1, b.eq.x )", { kind: "or", parts: [eq("a", "1"), eq("b", "x ")] }],
    ["live=is.true", is("live", false, "true")],
    ["live=not.is.false", is("live", true, "false")],
    ["name=isdistinct.x", { kind: "or", parts: [compare("name", "neq", "x"), is("name", false, "null")] }],
    ["name=not.isdistinct.x", { kind: "and", parts: [eq("name", "x"), is("name", true, "null")] }],
    ["id=eq(any).{1,2}", among("id", false, "1", "2")],
    ["id=not.eq(any).{1,2}", among("id", true, "1", "2")],
    ["id=eq(any).{}", among("id", false)],
    ["id=eq(all).{1,2}", { kind: "and", parts: [eq("id", "1"), eq("id", "2")] }],
    ["id=gt(all).{}", among("id", true)],
    ["id=not.gt(all).{}", among("id", false)],
    ["id=gt(any).{1,2}", { kind: "or", parts: [compare("id", "gt", "1"), compare("id", "gt", "2")] }],
    ["id=not.gt(any).{1,2}", { kind: "and", parts: [compare("id", "lte", "1"), compare("id", "lte", "2")] }],
    [String.raw`id=lt(any).{"a,}\\"}`, compare("id", "lt", "a,}\\")],
    ["tags=cs.{a,b}", test("tags", "cs", "{a,b}")],
    ["tags=not.ov.{a}", { ...test("tags", "ov", "{a}"), isNot: true }],
    ["body=fts.a&b", test("body", "fts", "a&b")],
    ["body=plfts(pg_catalog.english).a b", test("body", "plfts", "a b", "pg_catalog.english")],
    ["name=imatch.^a", test("name", "imatch", "^a")],
    ["name=match(any).{a,b}", { kind: "or", parts: [test("name", "match", "a"), test("name", "match", "b")] }],
    ["file=tests.x", eq("file", "tests.x")],
    ["data->>a=gt.5", compare("data->>a", "gt", "5")],
  ])("is read as its column's condition: %s", (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it("may have a pattern", () => {
    const literal = (text: string) => ({ kind: "literal", text });
    const [one, many] = [
      { kind: "one", text: "" },
      { kind: "many", text: "" },
    ];
    expect(parse("name=like.a*b%_")).toEqual({
      ...{ kind: "like", column: "name", isNot: false, foldsCase: false },
      pattern: [literal("a"), many, literal("b"), many, one],
    });
    expect(parse(String.raw`name=not.ilike.**\*\\🎵`)).toEqual({
      ...{ kind: "like", column: "name", isNot: true, foldsCase: true },
      pattern: [many, literal("*"), literal("\\"), literal("🎵")],
    });
  });

  it.each([
    ["or=(a.eq.1,b.gt.2)", { kind: "or", parts: [eq("a", "1"), compare("b", "gt", "2")] }],
    ["and=(a.eq.1, b.gt.2)", { kind: "and", parts: [eq("a", "1"), compare("b", "gt", "2")] }],
    ["not.or=(a.eq.1,b.gt.2)", { kind: "and", parts: [compare("a", "neq", "1"), compare("b", "lte", "2")] }],
    ["not.and=(a.eq.1,b.gt.2)", { kind: "or", parts: [compare("a", "neq", "1"), compare("b", "lte", "2")] }],
    ["or=(a.eq.1,or(b.eq.2,c.eq.3))", { kind: "or", parts: [eq("a", "1"), eq("b", "2"), eq("c", "3")] }],
    [
      "or=(a.not.in.(1,2),not.and(b.eq.2,not.or(c.is.null,d.not.eq.4)))",
      {
        kind: "or",
        parts: [among("a", true, "1", "2"), compare("b", "neq", "2"), is("c", false, "null"), compare("d", "neq", "4")],
      },
    ],
    ["and=(limit.eq.5)", eq("limit", "5")],
    ["and=(not.eq.5)", eq("not", "5")],
    ["and=(or.eq.5)", eq("or", "5")],
    [String.raw`and=("a.b\"(".eq."x,)\\")`, eq('a.b"(', "x,)\\")],
    ["and=(a.eq.2026-01-01T00:00:00Z)", eq("a", "2026-01-01T00:00:00Z")],
    ["and=(a.eq.)", eq("a", "")],
    ["and=(a.eq.b(c)", eq("a", "b(c")],
    ["and=(a.cs.{1,2},b.eq.{x)", { kind: "and", parts: [test("a", "cs", "{1,2}"), eq("b", "{x")] }],
    [
      String.raw`and=(a.cs.{{"}\"",2},{3}},b.eq.{1}x)`,
      { kind: "and", parts: [test("a", "cs", String.raw`{{"}\"",2},{3}}`), eq("b", "{1}x")] },
    ],
    [
      "or=(data->>a.eq.1,data->b->0.is.null)",
      { kind: "or", parts: [eq("data->>a", "1"), is("data->b->0", false, "null")] },
    ],
    [
      "not.or=(a.isdistinct.1,b.like(all).{x})",
      {
        kind: "and",
        parts: [
          eq("a", "1"),
          is("a", true, "null"),
          { kind: "like", column: "b", isNot: true, foldsCase: false, pattern: [{ kind: "literal", text: "x" }] },
        ],
      },
    ],
  ])("may be a group: %s", (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it("is met together with all others, of the same column too", () => {
    expect(parse("year=gte.1970", "year=lt.1980", "genre=rock")).toEqual({
      kind: "and",
      parts: [compare("year", "gte", "1970"), compare("year", "lt", "1980"), eq("genre", "rock")],
    });
    expect(parse()).toEqual({ kind: "and", parts: [] });
  });

  it.each([
    [["genre=a", "genre=b"], '"genre" is given more than once'],
    [["year=not.5"], '"year"'],
    [["year=not.not.eq.5"], '"year"'],
    [["year=is.5"], '"5"'],
    [["id=in.1"], '"(" was expected at character 4'],
    [["id=in.(1"], '")" was expected at character 6'],
    [["id=in.(1)2"], "nothing more was expected at character 7"],
    [['id=in.("1"2)'], '"," or ")" was expected at character 8'],
    [['id=in.("1'], '"\\"" was expected'],
    [["id=in(any).(1)"], 'The operator "in" of "id" takes no "(any)"'],
    [["id=neq(any).{1}"], 'takes no "(any)"'],
    [["id=eq(some).{1}"], 'takes no "(some)"'],
    [["body=fts(a-b).x"], 'takes no "(a-b)"'],
    [["tags=cs(any).{1}"], 'takes no "(any)"'],
    [["id=eq(any).(1)"], '"{" was expected'],
    [["id=eq(any).{1"], '"}" was expected'],
    [[`id=like(any).{${"a,".repeat(64)}b}`], "more than 64 conditions"],
    [[`id=eq(any).{${"1,".repeat(1_000)}1}`], "more than 1000 values"],
    [
      [`or=(a.eq.1,and(a.eq.2,or(a.eq.3,and(a.eq.4,or(a.eq.5,and(a.eq.6,or(a.eq.7,and(b.eq.1,a.isdistinct.1))))))))`],
      "more than 8 levels",
    ],
    [["or=a.eq.1"], '"(" was expected at character 1'],
    [["or=()"], '"." was expected at character 2'],
    [["or=(a.eq.1"], '")" was expected'],
    [["or=(a.eq.1)b"], "nothing more was expected"],
    [["or=(a)"], '"." was expected at character 3'],
    [["or=(a.foo.1)"], 'no operator behind "a" in "or"'],
    [["name=like.a\\"], '"name"'],
    [["name=like.a\0b"], '"name"'],
  ])("that can't be is refused: %s", (pairs, named) => {
    expect(messageOf(...pairs)).toContain(named);
  });
});

describe("A filter", () => {
  const times = (count: number, text: string): string => Array.from({ length: count }, () => text).join(",");

  it("has at most 64 conditions, wherever they stand", () => {
    expect(messageOf(`or=(${times(63, "a.eq.1")})`, "b=1")).toBe("none");
    expect(messageOf(`or=(${times(64, "a.eq.1")})`, "b=1")).toContain("64 conditions");
  });

  it("is at most 8 levels deep", () => {
    const nested = (depth: number): string => (depth === 0 ? "a.eq.1" : `and(a.eq.1,or(${nested(depth - 1)}))`);
    expect(messageOf(`and=(${"or(".repeat(7)}a.eq.1${")".repeat(7)})`)).toBe("none");
    expect(messageOf(`and=(${"or(".repeat(8)}a.eq.1${")".repeat(8)})`)).toContain("8 levels");
    expect(messageOf(`or=(${nested(4)})`)).toContain("8 levels");
  });

  it("has at most 1,000 values in a list", () => {
    expect(messageOf(`a=in.(${times(1_000, "1")})`)).toBe("none");
    expect(messageOf(`a=in.(${times(1_001, "1")})`)).toContain("1000 values");
  });

  it("is refused in few words, however long it is", () => {
    const long = "x".repeat(8_000);
    for (const pair of [`${long}=is.5`, `a=is.${long}`, `${long}=not.5`, `or=(${long}.x)`, `${long}=in.5`]) {
      expect(messageOf(pair).length).toBeLessThan(400);
    }
  });
});

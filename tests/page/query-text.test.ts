import { describe, expect, it } from "vitest";
import {
  completions,
  conditionsIn,
  describeParameter,
  equalsIn,
  formatParameters,
  nextSorting,
  operatorsOf,
  parameterOf,
  parseParameters,
  showQuery,
  sortingIn,
  withSorting,
} from "../../src/page/query-text.ts";
import type { Column } from "../../src/page/schema.ts";
import { selectedNames } from "../../src/page/selected-names.ts";

const column = (name: string, more: Partial<Column> = {}): Column => ({
  ...{ name, type: "", kind: "text", nullable: false, generated: false, may: ["read", "create", "update"] },
  ...more,
});

describe("a query", () => {
  it.each([
    "genre=eq.rock&formed=gte.1970",
    "name=like.A*",
    "name=eq.a%26b%3Dc",
    "or=(a.eq.1,b.is.null)&order=name.desc,id",
    "text=eq.%20a%2Bb%25",
  ])("is the same after it was shown and typed: %s", (query) => {
    expect(formatParameters(parseParameters(showQuery(query)))).toBe(formatParameters(parseParameters(query)));
  });

  it("is shown as a person types it", () => {
    expect(showQuery("name=eq.The%20Who&formed=gt.1960")).toBe("name=eq.The Who&formed=gt.1960");
  });

  it("tells what columns have to equal", () => {
    const query = "a=1&b=eq.x.y&c=is.true&d=is.null&e=gt.1&f=not.eq.2&or=(a.eq.1,b.eq.2)&g=eq.eq.1&order=a";
    expect([...equalsIn(parseParameters(query))]).toEqual([
      ["a", "1"],
      ["b", "x.y"],
      ["c", "true"],
      ["g", "eq.1"],
    ]);
  });

  it("knows conditions from what orders and cuts", () => {
    expect(conditionsIn(parseParameters("a=1&order=a&limit=2&or=(b.eq.1)"))).toEqual([
      ["a", "1"],
      ["or", "(b.eq.1)"],
    ]);
  });
});

describe("the form", () => {
  it.each([
    ["genre", "eq", "rock", ["genre", "rock"]],
    ["file", "eq", "eq.x", ["file", "eq.eq.x"]],
    ["formed", "gte", "1970", ["formed", "gte.1970"]],
    ["name", "ilike", "pink", ["name", "ilike.*pink*"]],
    ["name", "ilike", "p*k", ["name", "ilike.p*k"]],
    ["name", "like", "Pink", ["name", "like.Pink*"]],
    ["label", "is.null", "", ["label", "is.null"]],
    ["hot", "is.false", "", ["hot", "is.false"]],
    ["genre", "in", "rock, jazz", ["genre", "in.(rock,jazz)"]],
  ] as const)("writes %s %s %s", (name, operator, value, parameter) => {
    expect(parameterOf(name, operator, value)).toEqual(parameter);
  });

  it("offers what fits a column", () => {
    const named = (more: Partial<Column>): string =>
      operatorsOf(column("a", more))
        .map(({ name }) => name)
        .join(" ");
    expect(named({ kind: "boolean" })).toBe("is.true is.false");
    expect(named({ kind: "number", nullable: true })).toBe("eq neq gt gte lt lte in is.null not.is.null");
    expect(named({ kind: "text" })).toBe("eq neq gt gte lt lte ilike like in");
    expect(named({ kind: "text", type: "timestamptz" })).toBe("eq neq gt gte lt lte in");
    expect(named({ kind: "bytes", nullable: true })).toBe("is.null not.is.null");
  });

  it("is read back as a person says it", () => {
    expect(describeParameter(["formed", "gte.1970"])).toBe("formed ≥ 1970");
    expect(describeParameter(["genre", "rock"])).toBe("genre = rock");
    expect(describeParameter(["label", "is.null"])).toBe("label is NULL");
  });
});

describe("an order", () => {
  it("goes up, down and away by clicks, and several stand side by side", () => {
    const up = nextSorting([], "name", false);
    const down = nextSorting(up, "name", false);
    expect([up, down, nextSorting(down, "name", false)]).toEqual([[["name", false]], [["name", true]], []]);
    const both = nextSorting(down, "id", true);
    const query = formatParameters(withSorting(parseParameters("a=1&order=x"), both));
    expect(query).toBe("a=1&order=name.desc,id");
    expect(sortingIn(parseParameters(query))).toEqual([
      ["name", true],
      ["id", false],
    ]);
  });
});

describe("completion", () => {
  const info = { columns: [column("genre"), column("label", { nullable: true }), column("hot", { kind: "boolean" })] };

  it("offers columns, then what can be asked of them", () => {
    expect(completions("ge", info)).toEqual(["genre="]);
    expect(completions("genre=eq.a&la", info)).toEqual(["genre=eq.a&label="]);
    expect(completions("label=is", info)).toEqual(["label=is.null"]);
    expect(completions("hot=", info)).toEqual(["hot=is.true", "hot=is.false", "hot=not."]);
    expect(completions("genre=g", info)).toEqual(["genre=gt.", "genre=gte."]);
    expect(completions("genre=not.l", info)).toEqual(["genre=not.lt.", "genre=not.lte.", "genre=not.like."]);
    expect(completions("se", info)).toEqual(["select="]);
    expect(completions("select=genre,la", info)).toEqual(["select=genre,label"]);
    expect(completions("order=genre.desc,ho", info)).toEqual(["order=genre.desc,hot", "order=genre.desc,hot.desc"]);
    expect(completions("order=ge", info)).toEqual(["order=genre", "order=genre.desc"]);
  });
});

describe("the names that a select shows", () => {
  it.each([
    ["id,since:formed", ["id", "since"]],
    ["*,manager(name)", ["a", "b", "manager"]],
    ["name,albums!inner(title,songs(*)),plays.sum(),count()", ["name", "albums", "sum", "count"]],
    ["name,extra->a->>b,...label(city)", ["name", "b"]],
    ['length:songs(seconds.sum()),"an odd, one"', ["length", "an odd, one"]],
  ])("are those of its rows: %s", (select, names) => {
    expect(selectedNames(select, ["a", "b"])).toEqual(names);
  });
});

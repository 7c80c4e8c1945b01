import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FilterError, parseJsonPath } from "../../src/filter/index.ts";

describe("A path into JSON", () => {
  it.each([
    ["data->>name", "data", ["name"], true, "data->>name"],
    ["data->a->0->-1->>b", "data", ["a", 0, -1, "b"], true, "data->a->0->-1->>b"],
    ['data->"name"', "data", ["name"], false, "data->name"],
    ['data->"0"', "data", ["0"], false, 'data->"0"'],
    ["data->01", "data", ["01"], false, "data->01"],
    [String.raw`data->"a->\"b\\"`, "data", ['a->"b\\'], false, String.raw`data->"a->\"b\\"`],
    ['data->""', "data", [""], false, 'data->""'],
    ["a b->a-b>c", "a b", ["a-b>c"], false, "a b->a-b>c"],
  ])("is read step by step: %s", (text, column, steps, isText, canonical) => {
    expect(parseJsonPath(text)).toEqual({ column, steps, isText, text: canonical });
  });

  it.each(["data", "->>a", "a-b", "a>b"])("is none where there is no arrow behind a name: %s", (text) => {
    expect(parseJsonPath(text)).toBeUndefined();
  });

  it.each([
    "data->",
    "data->>",
    "data->>a->b",
    'data->"a',
    'data->"a"b',
    'data->a"b',
    "data->->a",
    `data${"->a".repeat(33)}`,
  ])("is refused where it is malformed: %s", (text) => {
    expect(() => parseJsonPath(text)).toThrow(FilterError);
  });

  it("is read from its canonical text again", () => {
    const step = fc.oneof(
      fc.string({ unit: fc.constantFrom("a", "0", "-", ">", '"', "\\", ".", "é", "🎵") }),
      fc.integer({ min: -99, max: 99 }),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 4 }), fc.boolean(), (steps, isText) => {
        const quoted = steps.map((one) =>
          typeof one === "number" ? String(one) : `"${one.replace(/["\\]/g, "\\$&")}"`,
        );
        const text = `data${quoted.map((one, at) => `${isText && at === steps.length - 1 ? "->>" : "->"}${one}`).join("")}`;
        const path = parseJsonPath(text);
        expect(path?.steps.map(String)).toEqual(steps.map((one) => String(Object.is(one, -0) ? 0 : one)));
        expect(parseJsonPath(path?.text ?? "")).toEqual(path);
      }),
    );
  });
});

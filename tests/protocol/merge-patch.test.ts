import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyMergePatch, makeMergePatch, makeMergePatchText } from "../../src/protocol/index.ts";
import { madeMergePatchVectors, mergePatchVectors } from "./vectors.ts";

const runs = { numRuns: 2_000, seed: 7396 };
const name = fc.constantFrom("a", "b", "c", "__proto__", "constructor", "");
const { value: anyJson } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(null, true, false, 0, 1, "", "x"),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(fc.tuple(name, tie("value")), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
}));

/** What a JSON value is as a text with sorted members: `__proto__` counts, as it does not for `toEqual`. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
  return `{${members.sort().join()}}`;
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = { a: value };
  return value;
}

/** Whether a null stands in an object that is a member, and not within a list. */
function hasNullMember(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).some((member) => member === null || hasNullMember(member));
}

describe("a merge patch", () => {
  it.each(mergePatchVectors)("$patch leads from $before to $after [$requirement]", ({ before, patch, after }) => {
    const kept = canonical(before);
    expect(canonical(applyMergePatch(before, patch))).toBe(canonical(after));
    expect(canonical(before)).toBe(kept);
  });

  it.each(madeMergePatchVectors)("from $before to $after is $patch [$requirement]", ({ before, after, patch }) => {
    expect(canonical(makeMergePatch(before, after) ?? null)).toBe(canonical(patch));
  });

  it("leads to exactly what it was made for, wherever it can be made [R-DELTA-2] [R-DELTA-3]", () => {
    let made = 0;
    fc.assert(
      fc.property(anyJson, anyJson, (before, after) => {
        const patch = makeMergePatch(before, after);
        if (!patch) return;
        made += 1;
        expect(canonical(applyMergePatch(before, JSON.parse(JSON.stringify(patch))))).toBe(canonical(after));
      }),
      runs,
    );
    expect(made).toBeGreaterThan(runs.numRuns / 20);
  });

  it("can be made between any two objects of which the later has no null [R-DELTA-2]", () => {
    const object = fc.array(fc.tuple(name, anyJson), { maxLength: 4 }).map((entries) => Object.fromEntries(entries));
    fc.assert(
      fc.property(object, object, (before, after) => {
        fc.pre(!hasNullMember(after));
        expect(makeMergePatch(before, after)).toBeDefined();
      }),
      runs,
    );
  });

  it("keeps members that it does not name as the same objects, and no prototype of others [R-DELTA-3]", () => {
    const before = { a: { x: 1 }, b: { y: 1 } };
    const after = applyMergePatch(before, JSON.parse('{"b":{"y":2},"__proto__":{"isAdmin":true}}'));
    expect(Reflect.get(Object(after), "a")).toBe(before.a);
    expect(Object.getPrototypeOf(after)).toBe(Object.prototype);
    expect(Object.hasOwn(Object(after), "__proto__")).toBe(true);
    expect(Reflect.get({}, "isAdmin")).toBeUndefined();
  });

  it("is neither made nor applied deeper than 500 levels [R-DELTA-4]", () => {
    const deep = expect.objectContaining({ name: "ProtocolError", closeCode: 1002 });
    const change = [nested(499), { ...Object(nested(499)), b: 1 }];
    expect(applyMergePatch({}, nested(500))).toEqual(nested(500));
    expect(() => applyMergePatch({}, nested(501))).toThrow(deep);
    expect(() => applyMergePatch(nested(100_000), nested(100_000))).toThrow(deep);
    expect(makeMergePatch(...(change as [unknown, unknown]))).toEqual({ b: 1 });
    expect(makeMergePatch(nested(501), {})).toBeUndefined();
    expect(makeMergePatch({}, nested(100_000))).toBeUndefined();
    const list = JSON.parse(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`);
    expect(makeMergePatch({}, list)).toBeUndefined();
  });
});

describe("a merge patch of bodies", () => {
  const padding = "x".repeat(50);

  it("is what says the difference in fewer bytes, and nothing else [R-DELTA-2]", () => {
    const body = (plays: number, more = {}): string => JSON.stringify({ artist: { padding, plays, ...more } });
    expect(makeMergePatchText(body(1), body(2))).toBe('{"artist":{"plays":2}}');
    expect(makeMergePatchText(body(1), body(1))).toBe("{}");
    expect(makeMergePatchText(body(1), body(1, { a: null }))).toBeUndefined();
    expect(makeMergePatchText('{"abcdef":1}', '{"g":1}')).toBeUndefined();
    expect(makeMergePatchText('{"a":"x"}', '{"a":"\u20ac"}')).toBeUndefined();
    // Shorter in characters, and not in bytes.
    expect(makeMergePatchText('{"\u20ac\u20ac\u20ac\u20ac":1,"p":"123456789"}', '{"p":"123456789"}')).toBeUndefined();
    expect(makeMergePatchText("<a/>", body(1))).toBeUndefined();
    expect(makeMergePatchText(body(1), "<a/>")).toBeUndefined();
    expect(makeMergePatchText(`["${padding}",1]`, `["${padding}",2]`)).toBeUndefined();
  });

  it.each([
    ["1", true],
    ["-0.5", true],
    ["123456789012345", true],
    ["9007199254740993", false],
    ["1234567890123456789", false],
    ["0.1234567890123456789", false],
    ["52.5200065999999961", false],
    ["0.30000000000000004", true],
    ["3.141592653589793", true],
    ["1e5", true],
    ["1e400", false],
    ["1E-400", false],
    ['"9007199254740993 1e400 \\" 1e400"', true],
    ['"\\\\", "y": 9007199254740993', false],
  ])("with %s can be made: %j [R-DELTA-2]", (number, isMade) => {
    const before = `{"padding":"${padding}","n":1,"x":${number}}`;
    const after = `{"padding":"${padding}","n":2,"x":${number}}`;
    expect(makeMergePatchText(before, after)).toBe(isMade ? '{"n":2}' : undefined);
    expect(makeMergePatchText(after, before)).toBe(isMade ? '{"n":1}' : undefined);
    expect(makeMergePatchText(before, `{"padding":"${padding}","n":1}`)).toBe(
      isMade ? JSON.stringify({ x: null }) : undefined,
    );
  });

  it("with many quotes and backslashes is made in one go [R-SEC-8]", () => {
    const body = (plays: number): string =>
      JSON.stringify({ text: '"\\'.repeat(100_000), big: 123456789012, plays, x: "1e5" });
    expect(makeMergePatchText(body(1), body(2))).toBe('{"plays":2}');
    expect(makeMergePatchText(`{"a":1e5,"b":"${'\\"'.repeat(100_000)}`, "{}")).toBeUndefined();
  });
});

import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatJson, mergePatch } from "../../src/scaffold/json/json.ts";
import { JsonNumber, NestingError, parseJson } from "../../src/scaffold/json/json-reader.ts";

/** With doubles in place of kept texts: what JSON.parse gives. */
function plain(json: unknown): unknown {
  if (json instanceof JsonNumber) return Number(json.text);
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(plain);
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, plain(value)]));
}

function read(text: string): unknown {
  try {
    return plain(parseJson(text));
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError);
    return "no JSON";
  }
}

function platformRead(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return "no JSON";
  }
}

const numeral = fc
  .tuple(
    fc.constantFrom("", "-"),
    fc.constantFrom("0", "7", "12", "100", "9007199254740993", "123456789012345678901234567890"),
    fc.constantFrom("", ".0", ".5", ".10", ".12345678901234567890"),
    fc.constantFrom("", "e0", "E1", "e+21", "e-7", "E-400", "e400"),
  )
  .map((parts) => parts.join(""));

/** Names as a program's objects have of their own, and those that are places. */
const name = fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "1", "0", "-1", "toString", ""));
const string = fc.string({ unit: "binary" }).map((text) => JSON.stringify(text));
const space = fc.constantFrom("", "", " ", "\n", "\t\r");

/** JSON texts of any form. */
const { json } = fc.letrec<{ json: string; inner: string }>((tie) => ({
  json: fc.tuple(space, tie("inner"), space).map((parts) => parts.join("")),
  inner: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom("true", "false", "null", '"\\u0041\\/\\ud83d\\ude00\\ud800"'),
    numeral,
    string,
    fc.array(tie("json"), { maxLength: 4 }).map((items) => `[${items.join(",")}]`),
    fc
      .array(fc.tuple(space, name, space, tie("json")), { maxLength: 4 })
      .map((all) => `{${all.map(([a, one, b, value]) => `${a}${JSON.stringify(one)}${b}:${value}`).join(",")}}`),
  ),
}));

describe("reading JSON", () => {
  it("gives what the platform's reader gives, members in the same order", () => {
    fc.assert(
      fc.property(json, (text) => {
        const ours = read(text);
        expect(isDeepStrictEqual(ours, JSON.parse(text))).toBe(true);
        expect(JSON.stringify(ours)).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it("refuses what the platform's reader refuses: a sign more, less or another", () => {
    const sign = fc.constantFrom(..."[]{}\",:\\-+.eE01 \t\u00a0\ufeff\u0000\u0001\u001f\u007ftruefalsn'/u");
    fc.assert(
      fc.property(json, sign, fc.nat(), fc.nat(2), (text, other, place, taken) => {
        const at = place % (text.length + 1);
        const mutant = text.slice(0, at) + (taken === 2 ? "" : other) + text.slice(at + Math.min(taken, 1));
        expect(isDeepStrictEqual(read(mutant), platformRead(mutant)), mutant).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("refuses each kind of what is nearly JSON", () => {
    const nearly = [
      ...["", " ", "[1,]", "[,1]", "{,}", '{"a":1,}', "[1 2]", "{1:2}", "{a:1}", "[1}", '{"a":1]', '{"a" 1}', "1 2"],
      ...["01", "-01", "1.", ".5", "+1", "-", "1e", "1e+", "0x1", "NaN", "Infinity", "1_0", "--1"],
      ...['"', '"a', '"\\"', '"\\x"', '"\\u12"', '"\n"', '"\t"', "'a'", "tru", "nul", "True", "undefined"],
      ...["\ufeff1", "\u00a01", "// a\n1", "]", "}", "[", "{", '{"a"', '{"a":', "[1", "\u0000"],
    ];
    for (const text of nearly) expect(() => parseJson(text), text).toThrow(SyntaxError);
  });

  it("keeps the text of each number, and the members' order and texts", () => {
    fc.assert(
      fc.property(fc.array(numeral), (all) => {
        expect(formatJson(parseJson(`[ ${all.join(" , ")} ]`))).toBe(`[${all.join(",")}]`);
      }),
    );
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(formatJson(parseJson(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
      { examples: [['{"__proto__":{"a":1},"b":"\\ud800"}']] },
    );
  });

  it("gives a double only where that is written the same", () => {
    const doubles = ["0", "-1", "0.1", "1e-7", "9007199254740991", "-123456789012345", "1234567890123456"];
    for (const text of doubles) expect(parseJson(text)).toBe(Number(text));
    for (const text of ["-0", "1.0", "1E0", "1e0", "1e21", "1e400", "9007199254740993", "0.10", "100000000000000000"]) {
      expect(parseJson(text)).toEqual(new JsonNumber(text));
    }
  });

  it("says how deep is too deep only of JSON, and uses no stack", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(parseJson(nested(3), 3)).toEqual([[[]]]);
    expect(() => parseJson(nested(4), 3)).toThrow(NestingError);
    expect(() => parseJson(`[${nested(3)},[${nested(2)}]`, 3)).toThrow(SyntaxError);
    expect(() => parseJson('{"a":'.repeat(1_000_000) + "1".padEnd(1_000_001, "}"), 500)).toThrow(NestingError);
    expect(() => parseJson("[".repeat(1_000_000), 500)).toThrow(SyntaxError);
    expect(formatJson(parseJson(nested(500)))).toBe(nested(500));
    for (const depth of [501, 1_000_000]) expect(() => formatJson(parseJson(nested(depth)))).toThrow(NestingError);
  });
});

describe("a merge patch", () => {
  it("changes what it names alone, numbers' texts and all", () => {
    const merged = mergePatch(
      parseJson('{"a":1.0,"b":{"c":-0,"d":1E0},"__proto__":1}'),
      parseJson('{"b":{"d":null,"e":[1.50]},"f":{"g":null}}'),
    );
    expect(formatJson(merged)).toBe('{"a":1.0,"b":{"c":-0,"e":[1.50]},"__proto__":1,"f":{}}');
    expect(formatJson(mergePatch(parseJson("1.0"), parseJson('{"a":2.0}')))).toBe('{"a":2.0}');
    expect(formatJson(mergePatch(parseJson('{"a":1}'), parseJson("1E0")))).toBe("1E0");
  });
});

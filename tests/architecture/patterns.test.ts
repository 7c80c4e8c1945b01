import { describe, expect, it } from "vitest";
import { patternTrouble } from "../../scripts/linear-patterns.js";

describe("regular expressions", () => {
  it.each([
    ["two ways to part digits", "^[0-9]+\\.?[0-9]*$"],
    ["nested repetition", "^(?:a+)+$"],
    ["a repetition in one that has an end", "^(?:a*){9}$"],
    ["a repetition that has to come twice", "^(a*)\\1$"],
    ["a repetition in an alternative of its own", "^a$|b*c"],
    ["a repetition that is looked for at every place", "<[^>]*>"],
    ["blanks at the end", " +$"],
    ["alternatives that overlap", "^(?:\\w|\\d)*!"],
    ["alternatives that add up to another", "^(?:ab|a|b)*!"],
  ])("are found by the check with %s", (_, pattern) => {
    const text = `const a: string = "";\na.search(/${pattern}/);`;
    expect(patternTrouble("src/server/a.ts", text)).toEqual([`src/server/a.ts:2 /${pattern}/ is not linear`]);
  });

  it.each(["new RegExp(b)", "RegExp(b)"])("are found by the check where they are made of a text: %s", (code) => {
    expect(patternTrouble("src/server/a.ts", code)).toEqual(["src/server/a.ts:1 makes a pattern of a text"]);
  });

  it("may be linear ones, and what only looks like one", () => {
    const text = 'const a = /^[0-9]+(?:\\.[0-9]*)?$/;\nconst b = "/a+a+$/"; // /<[^>]*>/\nconst c = 4 / 2 / 1;\n';
    expect(patternTrouble("src/server/a.ts", text)).toEqual([]);
  });
});

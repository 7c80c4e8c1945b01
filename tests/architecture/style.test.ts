import { describe, expect, it } from "vitest";
import { readSources, source } from "./project.ts";
import { closureViolations, docViolations, fileSizeViolations, functionSizeViolations } from "./style.ts";

const sources = readSources();
const sample = (text: string) => [source("src/server/a.ts", text)];
const lines = (count: number, text: string): string => `${text}\n`.repeat(count);

describe("sizes", () => {
  it("of files stay within the limits", () => {
    expect(fileSizeViolations(sources)).toEqual([]);
  });

  it("of functions stay within the limits", () => {
    expect(functionSizeViolations(sources)).toEqual([]);
  });

  it("of closures stay within the limits", () => {
    expect(closureViolations(sources)).toEqual([]);
  });

  it("are found where a file is too long", () => {
    const files = [source("src/a/a.ts", lines(401, "a();")), source("src/a/b.ts", lines(400, "a();")), ...sample("")];
    expect(fileSizeViolations(files)).toEqual([
      "src/a/a.ts has 401 lines, more than 400",
      "the median file has 400 lines, more than 120",
    ]);
  });

  it("are found where a function is too long", () => {
    const text = `function a(): void {\n${lines(58, "b('}');")}}\nfunction c(): void {\n${lines(59, "d(`{`);")}}\n`;
    expect(functionSizeViolations(sample(text))).toEqual(["src/server/a.ts:61 c(…) has 61 lines, more than 60"]);
  });

  it("allow a hook a little more", () => {
    const text = `export function useA(): void {\n${lines(78, "b();")}}\nfunction useB(): void {\n${lines(79, "b();")}}\n`;
    expect(functionSizeViolations(sample(text))).toEqual(["src/server/a.ts:81 useB(…) has 81 lines, more than 80"]);
  });

  it("are found where a closure shares too much", () => {
    const state = "let a = 1;\nlet b = 2;\nlet c = 3;\nlet d = 4;\n";
    const closure = `function create(): F {\n${state}return (): void => {\n a = b + c + d;\n};\n}\n`;
    const loop = `function sum(): number {\n${state}return a + b + c + d;\n}\n`;
    expect(closureViolations(sample(closure + loop))).toEqual([
      "src/server/a.ts:1 create(…) is a closure over 4 lets: make it a class",
    ]);
  });
});

describe("TSDoc", () => {
  it("stands before each exported declaration", () => {
    expect(docViolations(sources)).toEqual([]);
  });

  it.each([
    ["no comment", "export const a = 1;", "a has no TSDoc"],
    ["a comment of another kind", "/* a */\nexport function a(): void {}", "a has no TSDoc"],
    ["an empty comment", "/** */\nexport class A {}", "A has no TSDoc"],
    ["a comment further up", "/** a */\n\nexport interface A {}", "A has no TSDoc"],
    ["a comment of another declaration", "/** a */\nconst a = 1;\nexport type B = 1;", "B has no TSDoc"],
    ["a list of names", "/** a */\nconst a = 1;\nexport { a };", "exports names away from their declarations"],
  ])("is missed where there is %s", (_, text, trouble) => {
    expect(docViolations(sample(text))).toEqual([`src/server/a.ts:${text.split("\n").length} ${trouble}`]);
  });

  it("is not asked of re-exports and of further overloads", () => {
    const overloads = "/** a */\nexport function a(b: 1): 1;\nexport function a(b: 2): 2 {\n  return b;\n}\n";
    expect(docViolations(sample(`export { b } from "./b.ts";\n${overloads}`))).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { findFunctions } from "./functions.ts";
import { mask } from "./mask.ts";
import { lineOf } from "./project.ts";

describe("the mask", () => {
  it.each([
    ["a line comment", "a // { b\nc", "a       \nc"],
    ["a block comment", "a /* {\n} */ b", "a     \n     b"],
    ["a string and its escapes", 'a "{\\"}" b', 'a "    " b'],
    ["a template and keeps its expressions", `a \`{\${b({ c: \`}\` })}}\` d`, "a `  {b({ c: ` ` })} ` d"],
    ["a regular expression with a class", "a = /[/{]\\/}/g;", "a =           ;"],
    ["a regular expression after return", "return /{/", "return    "],
    ["a regular expression as an argument", "f(/{/, b)", "f(   , b)"],
  ])("blanks %s", (_, text, code) => {
    expect(mask(text).code).toBe(code);
  });

  it("leaves divisions alone", () => {
    const text = "const a = (b + c) / d / e[0] / { valueOf };";
    expect(mask(text).code).toBe(text);
  });

  it("keeps the places of comments", () => {
    const { comments } = mask("a /* b */ c // d");
    expect(comments.map(({ start, text }) => [start, text])).toEqual([
      [2, "/* b */"],
      [12, "// d"],
    ]);
  });
});

describe("the function finder", () => {
  it.each([
    ["a declaration", "function a(b: string): void {\n}"],
    ["a declaration with a generic return type", "function a<T>(b: T): Map<string, () => T[]> {\n}"],
    ["a declaration that returns an object type", "function a(): { b: string } | undefined {\n}"],
    ["a declaration that returns a function type", "function a(): (b: string) => void {\n}"],
    ["a type guard", "function a(b: unknown): b is string {\n}"],
    ["a method", "class A { #a(b = (1 + 2)) {\n} }"],
    ["an arrow", "const a = (b: string): string => {\n};"],
    ["an async arrow", "const a = async (b) => {\n};"],
    ["a callback", "a.b(1, () => {\n});"],
  ])("finds %s", (_, code) => {
    const found = findFunctions(code);
    expect(found.map(({ start, bodyEnd }) => [lineOf(code, start), lineOf(code, bodyEnd)])).toEqual([[1, 2]]);
  });

  it.each([
    ["control flow", "if (a) {\n} for (const b of c) {\n} while (d) {\n} switch (e) {\n}"],
    ["a conditional with an object", "const a = b ? c(d) : {\n};"],
    ["an overload", "function a(b: string): void;"],
    ["a call in a case", "case a(b): {\n}"],
  ])("does not take %s for a function", (_, code) => {
    expect(findFunctions(code)).toEqual([]);
  });
});

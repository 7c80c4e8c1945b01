/** A function in masked code: where its parameters and its body's braces are. */
export interface FunctionRange {
  /** The name before the parameters; empty for arrows and anonymous functions. */
  readonly name: string;
  readonly start: number;
  readonly bodyStart: number;
  /** The place of the closing brace. */
  readonly bodyEnd: number;
}

const openers: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };
const notFunctions = new Set(["if", "for", "while", "switch", "catch", "with", "await"]);
const typeOperators = new Set(["is", "keyof", "typeof", "readonly", "asserts", "extends", "infer", "unique"]);

/** Every function with a body in braces: declarations, methods, accessors, arrows. */
export function findFunctions(code: string): FunctionRange[] {
  const pairs = pairBrackets(code);
  const found: FunctionRange[] = [];
  for (const [open, close] of pairs) {
    if (code[open] !== "(") continue;
    const name = /([\w$#]*)\s*(?:<[^()]*>)?\s*$/.exec(code.slice(Math.max(0, open - 200), open))?.[1] ?? "";
    if (notFunctions.has(name)) continue;
    const bodyStart = bodyAfter(code, pairs, close + 1);
    const bodyEnd = bodyStart === undefined ? undefined : pairs.get(bodyStart);
    if (bodyStart !== undefined && bodyEnd !== undefined) found.push({ name, start: open, bodyStart, bodyEnd });
  }
  return found.sort((one, other) => one.start - other.start);
}

/** The places of opening brackets and of what closes them. */
function pairBrackets(code: string): Map<number, number> {
  const pairs = new Map<number, number>();
  const open: number[] = [];
  for (let at = 0; at < code.length; at++) {
    const char = code.charAt(at);
    if (char === "(" || char === "[" || char === "{") open.push(at);
    else if (openers[char] !== undefined && code[open.at(-1) ?? -1] === openers[char]) pairs.set(open.pop() ?? -1, at);
  }
  return pairs;
}

/** Where the body starts whose parameters end before `from`: at once, after `=>`, or after a return type. */
function bodyAfter(code: string, pairs: ReadonlyMap<number, number>, from: number): number | undefined {
  const at = skipSpace(code, from);
  const end = code[at] === ":" ? new TypeSkipper(code, pairs).run(at + 1) : at;
  const body = code.startsWith("=>", end) ? skipSpace(code, end + 2) : end;
  return code[body] === "{" ? body : undefined;
}

function skipSpace(code: string, from: number): number {
  let at = from;
  while (/\s/.test(code.charAt(at))) at++;
  return at;
}

/** Walks over a return type up to the body's brace or the arrow. */
class TypeSkipper {
  readonly #code: string;
  readonly #pairs: ReadonlyMap<number, number>;
  #operandDue = true;
  #afterGroup = false;

  constructor(code: string, pairs: ReadonlyMap<number, number>) {
    this.#code = code;
    this.#pairs = pairs;
  }

  /** The place where the type ended. */
  run(from: number): number {
    let at = skipSpace(this.#code, from);
    for (;;) {
      const next = this.#past(at);
      if (next === undefined || next <= at) return at;
      at = skipSpace(this.#code, next);
    }
  }

  #past(at: number): number | undefined {
    const char = this.#code.charAt(at);
    if (this.#code.startsWith("=>", at)) return this.#afterGroup ? this.#operator(at + 2) : undefined;
    if (char === "{" && !this.#operandDue) return undefined;
    if (char === "(" || char === "[" || char === "{")
      return this.#operand((this.#pairs.get(at) ?? at) + 1, char === "(");
    if (char === "<") return this.#operand(this.#pastAngles(at), false);
    if (char === "|" || char === "&" || char === ".") return this.#operator(at + 1);
    if (char === '"' || char === "'") return this.#operand(this.#code.indexOf(char, at + 1) + 1, false);
    const word = /^[\w$]+/.exec(this.#code.slice(at, at + 100))?.[0];
    if (word === undefined) return undefined;
    return typeOperators.has(word) ? this.#operator(at + word.length) : this.#operand(at + word.length, false);
  }

  #operator(next: number): number {
    this.#operandDue = true;
    this.#afterGroup = false;
    return next;
  }

  #operand(next: number, group: boolean): number {
    this.#afterGroup = group && this.#operandDue;
    this.#operandDue = false;
    return next;
  }

  #pastAngles(from: number): number {
    let depth = 0;
    for (let at = from; at < this.#code.length; at++) {
      const char = this.#code[at];
      if (char === "<") depth++;
      if (char === ">" && this.#code[at - 1] !== "=" && --depth === 0) return at + 1;
    }
    return this.#code.length;
  }
}

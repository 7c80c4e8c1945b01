/** A part of a pattern: one certain character, any one, or any number of any. */
export interface PatternPart {
  readonly kind: "literal" | "one" | "many";
  /** The character; empty where it may be any. */
  readonly text: string;
}

/** What a text may look like, character by character. */
export type Pattern = readonly PatternPart[];

const one: PatternPart = { kind: "one", text: "" };
const many: PatternPart = { kind: "many", text: "" };

/**
 * Reads a pattern of `like`: `*` and `%` stand for any number of characters, `_` for one, and `\` takes the next one as it
 * is. `undefined` where it ends with a `\`, or has a NUL, behind which SQLite looks at nothing.
 */
export function parsePattern(text: string): Pattern | undefined {
  if (text.includes("\0")) return undefined;
  const parts: PatternPart[] = [];
  const characters = [...text];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at];
    if (character === "*" || character === "%") {
      if (parts.at(-1) !== many) parts.push(many);
    } else if (character === "_") {
      parts.push(one);
    } else {
      if (character === "\\") at += 1;
      const literal = characters[at];
      if (literal === undefined) return undefined;
      parts.push({ kind: "literal", text: literal });
    }
  }
  return parts;
}

/** Writes a pattern in its one spelling. */
export function formatPattern(pattern: Pattern): string {
  return writePattern(pattern, { one: "_", many: "*", escape: (character) => character.replace(/[*%_\\]/, "\\$&") });
}

/** How a language writes patterns. */
export interface PatternWords {
  readonly one: string;
  readonly many: string;
  /** Writes a character so that it stands for itself. */
  escape(character: string): string;
}

/** Writes a pattern in another language. */
export function writePattern(pattern: Pattern, words: PatternWords): string {
  return pattern.map(({ kind, text }) => (kind === "literal" ? words.escape(text) : words[kind])).join("");
}

function folded(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function characterAt(text: string, at: number): string {
  return String.fromCodePoint(text.codePointAt(at) ?? 0);
}

/**
 * Whether a text looks like a pattern, up to its first NUL. It goes on from the last place where any number of characters
 * may stand, so that no text takes longer than its length times the pattern's.
 *
 * @param foldsCase - whether `a` and `A` are the same; no other letters are
 */
export function looksLike(value: string, pattern: Pattern, foldsCase: boolean): boolean {
  const nul = value.indexOf("\0");
  const cut = nul < 0 ? value : value.slice(0, nul);
  const text = foldsCase ? folded(cut) : cut;
  let [at, place] = [0, 0];
  let back: { readonly place: number; readonly at: number } | undefined;
  while (at < text.length) {
    const part = pattern[place];
    const character = characterAt(text, at);
    if (part?.kind === "many") {
      place += 1;
      back = { place, at };
    } else if (part?.kind === "one" || character === (foldsCase && part ? folded(part.text) : part?.text)) {
      place += 1;
      at += character.length;
    } else if (back) {
      place = back.place;
      at = back.at + characterAt(text, back.at).length;
      back = { place, at };
    } else {
      return false;
    }
  }
  while (pattern[place]?.kind === "many") place += 1;
  return place === pattern.length;
}

import { FilterError } from "./filter-error.ts";

/** Reads a parameter's text from its start to its end. */
export class TextReader {
  /** The parameter's name. */
  readonly name: string;
  readonly #text: string;
  #at = 0;

  constructor(text: string, name: string) {
    this.#text = text;
    this.name = name;
  }

  /** What a pattern finds here. @param pattern - begins with `^` */
  look(pattern: RegExp): RegExpExecArray | null {
    return pattern.exec(this.#text.slice(this.#at));
  }

  /** As {@link look}, and goes on behind it. */
  take(pattern: RegExp): RegExpExecArray | null {
    const found = this.look(pattern);
    this.#at += found?.[0].length ?? 0;
    return found;
  }

  /** Goes on behind a character, where it is here. */
  passOver(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  passSpaces(): void {
    while (this.passOver(" ")) {}
  }

  /** @throws FilterError where another character is here */
  require(character: string): void {
    if (!this.passOver(character)) throw this.#error(`"${character}" was expected`);
  }

  /** @throws FilterError where something is left */
  requireEnd(): void {
    if (this.#at < this.#text.length) throw this.#error("nothing more was expected");
  }

  /** All that is left. */
  rest(): string {
    const text = this.#text.slice(this.#at);
    this.#at = this.#text.length;
    return text;
  }

  /** A value among others: in double quotes, or up to what ends it. @param ends - a comma, and what closes */
  value(ends: readonly [string, string]): string {
    const quoted = this.#quoted();
    if (quoted === undefined) return this.#upTo(ends);
    this.passSpaces();
    if (!ends.includes(this.#text[this.#at] ?? "")) throw this.#error(`"${ends[0]}" or "${ends[1]}" was expected`);
    return quoted;
  }

  /** An array of PostgreSQL with its commas, `{a,"b,c"}`; `undefined` where none is here that stands by itself. */
  array(): string | undefined {
    if (this.#text[this.#at] !== "{") return undefined;
    let [depth, end] = [0, this.#at];
    do {
      const character = this.#text[end];
      if (character === undefined) return undefined;
      if (character === '"') end = this.#quoteEnd(end);
      else depth += Number(character === "{") - Number(character === "}");
      end += 1;
    } while (depth > 0);
    if (this.#text[end] !== "," && this.#text[end] !== ")") return undefined;
    const text = this.#text.slice(this.#at, end);
    this.#at = end;
    return text;
  }

  /** Where the text in quotes ends that begins at a place: at its quote, or with all. */
  #quoteEnd(start: number): number {
    let at = start + 1;
    while (at < this.#text.length && this.#text[at] !== '"') at += this.#text[at] === "\\" ? 2 : 1;
    return at;
  }

  /** A column's name, in double quotes or up to a dot, and the dot behind it. */
  column(): string {
    const name = this.#quoted() ?? this.#upTo([".", ",", "(", ")"]);
    this.require(".");
    return name;
  }

  /** `undefined` where no quote is here. */
  #quoted(): string | undefined {
    if (!this.passOver('"')) return undefined;
    let text = "";
    while (!this.passOver('"')) {
      this.passOver("\\");
      const character = this.#text[this.#at];
      if (character === undefined) throw this.#error('"\\"" was expected');
      text += character;
      this.#at += 1;
    }
    return text;
  }

  #upTo(ends: readonly string[]): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !ends.includes(this.#text[this.#at] ?? "")) this.#at += 1;
    return this.#text.slice(start, this.#at);
  }

  #error(what: string): FilterError {
    return new FilterError(`In "${this.name.slice(0, 100)}", ${what} at character ${this.#at + 1}.`);
  }
}

/** A comment: where it starts, where it ends (exclusive), and its text with its marks. */
export interface Comment {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A source text whose comments, strings, templates and regular expressions are blanked out; all places stay the same. */
export interface Masked {
  readonly code: string;
  readonly comments: readonly Comment[];
}

const wordsBeforeRegex = /(?:^|[^\w$.])(?:return|typeof|case|in|of|void|delete|throw|await|yield|new|do|else)$/;

/** Blanks what is not code. Quotes stay, so that the place of a string is known; `${` and `}` stay as braces. */
export function mask(text: string): Masked {
  return new Masker(text).run();
}

class Masker {
  readonly #text: string;
  readonly #out: string[] = [];
  readonly #comments: Comment[] = [];
  /** Per open template expression: how many plain braces are open in it. */
  readonly #templates: number[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): Masked {
    while (this.#at < this.#text.length) this.#step();
    return { code: this.#out.join(""), comments: this.#comments };
  }

  #step(): void {
    const char = this.#text.charAt(this.#at);
    const pair = this.#text.slice(this.#at, this.#at + 2);
    if (pair === "//") this.#comment("\n", 0);
    else if (pair === "/*") this.#comment("*/", 2);
    else if (char === '"' || char === "'") this.#string(char);
    else if (char === "`") this.#openTemplate();
    else if (char === "/" && this.#regexMayStart()) this.#regex();
    else if (char === "}" && this.#templates.at(-1) === 0) this.#resumeTemplate();
    else this.#plain(char);
  }

  #plain(char: string): void {
    const open = this.#templates.at(-1);
    if (open !== undefined && char === "{") this.#templates[this.#templates.length - 1] = open + 1;
    if (open !== undefined && char === "}") this.#templates[this.#templates.length - 1] = open - 1;
    this.#keep(1);
  }

  #comment(mark: string, extra: number): void {
    const found = this.#text.indexOf(mark, this.#at + 2);
    const end = found < 0 ? this.#text.length : found + extra;
    this.#comments.push({ start: this.#at, end, text: this.#text.slice(this.#at, end) });
    this.#blankTo(end);
  }

  #string(quote: string): void {
    this.#keep(1);
    while (this.#at < this.#text.length && this.#text[this.#at] !== quote && this.#text[this.#at] !== "\n") {
      this.#blankTo(this.#at + (this.#text[this.#at] === "\\" ? 2 : 1));
    }
    this.#keep(1);
  }

  #openTemplate(): void {
    this.#keep(1);
    this.#template();
  }

  #resumeTemplate(): void {
    this.#templates.pop();
    this.#keep(1);
    this.#template();
  }

  #template(): void {
    while (this.#at < this.#text.length && this.#text[this.#at] !== "`") {
      if (this.#text.startsWith("${", this.#at)) {
        this.#blankTo(this.#at + 1);
        this.#keep(1);
        this.#templates.push(0);
        return;
      }
      this.#blankTo(this.#at + (this.#text[this.#at] === "\\" ? 2 : 1));
    }
    this.#keep(1);
  }

  #regexMayStart(): boolean {
    const before = this.#out.slice(-200).join("").trimEnd();
    if (before === "") return true;
    return /[([{},;:=!&|?~^+\-*%<>]$/.test(before) || wordsBeforeRegex.test(before);
  }

  #regex(): void {
    const rest = this.#text.slice(this.#at);
    const found = /^\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/.exec(rest);
    if (found) this.#blankTo(this.#at + found[0].length);
    else this.#keep(1);
  }

  #keep(count: number): void {
    this.#out.push(this.#text.slice(this.#at, this.#at + count));
    this.#at += count;
  }

  #blankTo(end: number): void {
    for (; this.#at < end && this.#at < this.#text.length; this.#at++) {
      this.#out.push(this.#text[this.#at] === "\n" ? "\n" : " ");
    }
  }
}

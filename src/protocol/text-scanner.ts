/** Reads a text from its beginning to its end, a pattern at a time; never goes back. */
export class TextScanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Where it is: how much was read. */
  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Takes what a sticky pattern matches here; `null`, and stays, where it matches nothing. */
  take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at = pattern.lastIndex;
    return match;
  }
}

/** What may stand between the members of a list (RFC 9110 §5.6.1): blanks and commas. */
export const listGap: RegExp = /[ \t,]*/y;

/** Where a member of a list ends. */
export const memberEnd: RegExp = /,|$/y;

/** A parameter (RFC 9110 §5.6.6), which may be empty: name, value that is a token, value in quotes. */
export const parameter: RegExp =
  /;[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]*=[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[^"\\]|\\.)*)"))?[ \t]*)?/y;

/** The value of a {@link parameter}'s match, without quotes; empty where there is none. */
export function parameterValue(token: string | undefined, quoted: string | undefined): string {
  return token ?? (quoted ?? "").replace(/\\(.)/g, "$1");
}

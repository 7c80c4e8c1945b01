/** What a case has found: what should have come, and what came. */
export class Fault extends Error {
  readonly expected: string;
  readonly came: string;

  constructor(expected: string, came: string) {
    super(`${expected} ${came}`);
    this.name = "Fault";
    this.expected = expected;
    this.came = came;
  }
}

/** Why a case could not be played against this peer. */
export class Skip extends Error {
  constructor(why: string) {
    super(why);
    this.name = "Skip";
  }
}

/** Throws a fault unless it holds. */
export function demand(holds: boolean, expected: string, came: string): asserts holds {
  if (!holds) throw new Fault(expected, came);
}

/** Ends a case that can't be played. */
export function skip(why: string): never {
  throw new Skip(why);
}

const longest = 300;

/** A text as one short line: line ends and control characters are shown. */
export function shown(text: string): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : text;
  return cut
    .replaceAll("\r\n", "⏎")
    .replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

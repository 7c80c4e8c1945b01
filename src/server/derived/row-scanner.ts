/** Where a piece of a JSON text stands. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const quote = 0x22;
const backslash = 0x5c;

function skipSpace(text: string, at: number): number {
  for (let next = at; ; next += 1) {
    const code = text.charCodeAt(next);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return next;
  }
}

function skipString(text: string, at: number): number {
  for (let next = at + 1; next < text.length; next += 1) {
    const code = text.charCodeAt(next);
    if (code === backslash) next += 1;
    else if (code === quote) return next + 1;
  }
  return text.length;
}

/** The end of the value that starts at `at`, in a text that is known to be JSON. */
function skipValue(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === quote) return skipString(text, at);
  const isNested = first === 0x7b || first === 0x5b;
  let depth = 0;
  for (let next = at; next < text.length; next += 1) {
    const code = text.charCodeAt(next);
    if (code === quote) {
      next = skipString(text, next) - 1;
    } else if (code === 0x7b || code === 0x5b) {
      depth += 1;
    } else if (code === 0x7d || code === 0x5d) {
      if (!isNested) return next;
      depth -= 1;
      if (depth === 0) return next + 1;
    } else if (!isNested && (code === 0x2c || code <= 0x20)) {
      return next;
    }
  }
  return text.length;
}

/**
 * The elements of the array whose `[` stands before `at`, from the element or `]` at `at` on. `until` may end the scan
 * early, at an element's start.
 *
 * @returns the spans, and where the scan ended: at the array's `]`, or at the start that `until` accepted
 */
export function scanElements(
  text: string,
  at: number,
  until: (start: number) => boolean = () => false,
): { readonly spans: Span[]; readonly end: number } {
  const spans: Span[] = [];
  let next = skipSpace(text, at);
  while (next < text.length && text.charCodeAt(next) !== 0x5d) {
    if (until(next)) break;
    const end = skipValue(text, next);
    spans.push({ start: next, end });
    next = skipSpace(text, end);
    if (text.charCodeAt(next) === 0x2c) next = skipSpace(text, next + 1);
  }
  return { spans, end: next };
}

/** Where the array of the top-level member `name` begins (after its `[`); of the whole text where there is no name. */
export function arrayStart(text: string, name: string | undefined): number | undefined {
  let at = skipSpace(text, 0);
  if (name === undefined) return text.charCodeAt(at) === 0x5b ? at + 1 : undefined;
  at = skipSpace(text, at + 1);
  let found: number | undefined;
  while (text.charCodeAt(at) === quote) {
    const keyEnd = skipString(text, at);
    const key: unknown = JSON.parse(text.slice(at, keyEnd));
    at = skipSpace(text, skipSpace(text, keyEnd) + 1);
    // As JSON.parse has it, the last of several members of one name counts.
    if (key === name) found = text.charCodeAt(at) === 0x5b ? at + 1 : undefined;
    at = skipSpace(text, skipValue(text, at));
    if (text.charCodeAt(at) !== 0x2c) break;
    at = skipSpace(text, at + 1);
  }
  return found;
}

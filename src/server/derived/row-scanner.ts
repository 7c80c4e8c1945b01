import type { Slice, Sliced } from "./slices.ts";

/** Where a piece of a JSON text stands. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Characters that may be parsed at once: of a row, and of what stands around a list. A document with a larger piece has
 * no list: it is followed as a whole.
 */
export const maxPieceChars: number = 1024 * 1024;

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const openArray = 0x5b;
const closeArray = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

/** The next character that is no space; where that is too far, some space. */
export function skipSpace(text: string, at: number): number {
  const most = at + maxPieceChars;
  for (let next = at; ; next += 1) {
    const code = text.charCodeAt(next);
    if ((code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) || next >= most) return next;
  }
}

/** Finds the end of the value that begins somewhere in a text that is taken for JSON, a stretch at a time. */
export class ValueSkipper {
  /** How far it has come; once it is through, the value's end. */
  at: number;
  readonly #text: string;
  readonly #isBare: boolean;
  #depth = 0;
  #isInString = false;

  constructor(text: string, at: number) {
    this.#text = text;
    this.at = at;
    const first = text.charCodeAt(at);
    this.#isBare = first !== quote && first !== openObject && first !== openArray;
  }

  /** Goes on to `limit`, or one character further. True where the value has ended before. */
  advance(limit: number): boolean {
    const text = this.#text;
    const end = Math.min(limit, text.length);
    const isBare = this.#isBare;
    // In local variables: a large document is gone through character by character.
    let [at, depth, isInString] = [this.at, this.#depth, this.#isInString];
    let isOver = false;
    for (; at < end && !isOver; at += 1) {
      const code = text.charCodeAt(at);
      if (isInString) {
        if (code === backslash) at += 1;
        else if (code === quote) [isInString, isOver] = [false, depth === 0];
      } else if (code === quote && !isBare) {
        isInString = true;
      } else if (code === openObject || code === openArray) {
        depth += 1;
      } else if (code === closeObject || code === closeArray) {
        depth -= 1;
        isOver = depth <= 0;
      } else if (isBare) {
        isOver = code === comma || code <= 0x20;
      }
    }
    // What ends a bare value is not its own.
    this.at = Math.min(isOver && isBare ? at - 1 : at, text.length);
    this.#depth = depth;
    this.#isInString = isInString;
    return isOver || at >= text.length;
  }
}

/** A value with its place; `undefined` where that is no JSON, or too large. */
export function readValue(text: string, start: number): (Span & { readonly value: unknown }) | undefined {
  const skipper = new ValueSkipper(text, start);
  if (!skipper.advance(start + maxPieceChars)) return undefined;
  const end = skipper.at;
  try {
    return { start, end, value: JSON.parse(text.slice(start, end)) as unknown };
  } catch {
    return undefined;
  }
}

/** Told of an element. False: the rest need not be read. */
export type TakeElement = (value: unknown, span: Span) => boolean;

/** What an element costs beside its characters. */
export const elementCost: number = 256;

/**
 * Reads the elements of an array.
 *
 * @param at - behind its `[`
 * @returns where its `]` stands; `undefined` where it is no JSON, has an element that is too large, or was not read on
 */
export function* readElements(text: string, at: number, take: TakeElement, slice: Slice): Sliced<number | undefined> {
  let next = skipSpace(text, at);
  if (text.charCodeAt(next) === closeArray) return next;
  for (;;) {
    const element = readValue(text, next);
    if (!element || !take(element.value, element)) return undefined;
    if (slice.spend(element.end - next + elementCost)) yield;
    next = skipSpace(text, element.end);
    const code = text.charCodeAt(next);
    if (code === closeArray) return next;
    if (code !== comma) return undefined;
    next = skipSpace(text, next + 1);
  }
}

/** A stretch of an array's text, and whether elements stand right before and behind it. */
export interface Stretch extends Span {
  readonly follows: boolean;
  readonly precedes: boolean;
}

/** Reads the elements of a stretch with the commas around them. False where it is none, as for `readElements`. */
export function* readStretch(
  text: string,
  { start, end, follows, precedes }: Stretch,
  take: TakeElement,
  slice: Slice,
): Sliced<boolean> {
  let next = skipSpace(text, start);
  if (next >= end) return next === end && !(follows && precedes);
  if (follows) {
    if (text.charCodeAt(next) !== comma) return false;
    next = skipSpace(text, next + 1);
    if (next >= end) return next === end && precedes;
  }
  for (;;) {
    const element = readValue(text, next);
    if (!element || element.end > end || !take(element.value, element)) return false;
    if (slice.spend(element.end - next + elementCost)) yield;
    next = skipSpace(text, element.end);
    if (next >= end) return next === end && !precedes;
    if (text.charCodeAt(next) !== comma) return false;
    next = skipSpace(text, next + 1);
    if (next >= end) return next === end && precedes;
  }
}

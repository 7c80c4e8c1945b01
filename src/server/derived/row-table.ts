import type { Row } from "./difference.ts";
import type { Slice, Sliced } from "./slices.ts";

/** A record's row: its URL, which is empty where it has none of its own, and where it stands in the document's text. */
export interface PlacedRow {
  readonly url: string;
  readonly start: number;
  readonly end: number;
}

/** Which rows of a table stand in a later one as they were. */
export interface KeptRows {
  /** How many at the beginning, and from which on the rest. */
  readonly first: number;
  readonly rest: number;
}

/** Up to so many rows are looked for one by one. */
const fewRows = 8;
/** What it costs to put a row's URL into a set, and to compare it with another. */
const [setCost, compareCost] = [64, 2];

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((url, at) => url === other[at]);
}

/** Whether no two of `urls` are the same, where only `added` are new. */
function* areUnique(urls: readonly string[], added: readonly string[], slice: Slice): Sliced<boolean> {
  if (added.length <= fewRows) {
    for (const url of added) {
      if (urls.indexOf(url) !== urls.lastIndexOf(url)) return false;
      if (slice.spend(urls.length * compareCost)) yield;
    }
    return true;
  }
  const seen = new Set<string>();
  for (const url of urls) {
    seen.add(url);
    if (slice.spend(setCost)) yield;
  }
  return seen.size === urls.length;
}

/** How many numbers of a sorted list are lower than `value`. */
function countBelow(sorted: Uint32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The rows of a document, in order. Large ones are asked for again and again: a table is made of the one before without
 * an object or a string for each row that stays.
 */
export class RowTable {
  /** Where the last row's piece ends: with what stands behind it. */
  readonly end: number;
  /** Whether there are rows that have no URL of their own [R-FLD-4]. */
  readonly hasOdd: boolean;
  readonly #text: string;
  readonly #urls: readonly string[];
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  /** Names the table to the one that is made of it, without keeping it in memory. */
  readonly #id: object = {};
  #kept: (KeptRows & { readonly of: object; readonly last: number }) | undefined;

  private constructor(
    text: string,
    urls: readonly string[],
    bounds: readonly [Uint32Array, Uint32Array],
    end: number,
    hasOdd: boolean,
  ) {
    this.#text = text;
    this.#urls = urls;
    [this.#starts, this.#ends] = bounds;
    this.end = end;
    this.hasOdd = hasOdd;
  }

  /** @param urls - of the rows, no two of them the same; empty where a row has none. @param bounds - where each row begins and ends, in turn */
  static of(text: string, urls: readonly string[], bounds: readonly number[], end: number): RowTable {
    const [starts, ends] = [new Uint32Array(urls.length), new Uint32Array(urls.length)];
    for (let row = 0; row < urls.length; row += 1) {
      starts[row] = bounds[row * 2] ?? end;
      ends[row] = bounds[row * 2 + 1] ?? end;
    }
    return new RowTable(text, urls, [starts, ends], end, urls.includes(""));
  }

  get length(): number {
    return this.#urls.length;
  }

  /** Where the first row begins; where the list ends, if it is empty. */
  get start(): number {
    return this.#starts[0] ?? this.end;
  }

  startOf(row: number): number {
    return this.#starts[row] ?? this.end;
  }

  endOf(row: number): number {
    return this.#ends[row] ?? this.end;
  }

  /** How many rows end before a place in the text, and how many begin at it or before. */
  countEndingBefore(place: number): number {
    return countBelow(this.#ends, place);
  }

  countBeginningUpTo(place: number): number {
    return countBelow(this.#starts, place + 1);
  }

  /** Rows with their texts. */
  slice(from = 0, to: number = this.length): Row[] {
    return this.#urls.slice(from, to).map((url, nth) => {
      return { url, text: this.#text.slice(this.startOf(from + nth), this.endOf(from + nth)) };
    });
  }

  /**
   * The table of a text in which some rows of this one, all of which have URLs, stand as they were.
   *
   * @param middle - the rows between those
   * @returns undefined where two rows have the same URL
   */
  *patched(
    text: string,
    { first, rest }: KeptRows,
    middle: readonly PlacedRow[],
    { end, slice }: { readonly end: number; readonly slice: Slice },
  ): Sliced<RowTable | undefined> {
    const added = middle.map(({ url }) => url);
    const isAsBefore = isSame(added, this.#urls.slice(first, rest));
    const urls = isAsBefore ? this.#urls : [...this.#urls.slice(0, first), ...added, ...this.#urls.slice(rest)];
    if (!isAsBefore && !(yield* areUnique(urls, added, slice))) return undefined;
    const by = text.length - this.#text.length;
    const moved = (bounds: Uint32Array, own: readonly number[]): Uint32Array => {
      const patched = new Uint32Array(urls.length);
      patched.set(bounds.subarray(0, first));
      patched.set(own, first);
      for (let from = rest, to = first + own.length; from < bounds.length; from += 1, to += 1) {
        patched[to] = (bounds[from] ?? 0) + by;
      }
      return patched;
    };
    const starts = moved(
      this.#starts,
      middle.map(({ start }) => start),
    );
    const ends = moved(
      this.#ends,
      middle.map((row) => row.end),
    );
    const table = new RowTable(text, urls, [starts, ends], end, false);
    table.#kept = { of: this.#id, first, rest, last: this.length - rest };
    return table;
  }

  /** How many rows at the beginning and at the end are known to be those of `before`; there may be more. */
  keptOf(before: RowTable): { readonly first: number; readonly last: number } {
    return this.#kept?.of === before.#id ? this.#kept : { first: 0, last: 0 };
  }
}

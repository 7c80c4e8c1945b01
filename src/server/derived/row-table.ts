import type { Row } from "./difference.ts";
import { digestPiece, digestWords } from "./digest.ts";

/** A record's row: its URL, and where it stands in the document's text. */
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

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((url, at) => url === other[at]);
}

/** Whether no two of `urls` are the same, where only `added` are new. */
function areUnique(urls: readonly string[], added: readonly string[]): boolean {
  if (added.length > fewRows) return new Set(urls).size === urls.length;
  return added.every((url) => urls.indexOf(url) === urls.lastIndexOf(url));
}

/**
 * The rows of a document, in order. Large ones are asked for again and again: a table is made of the one before without
 * an object or a string for each row that stays.
 */
export class RowTable {
  /** Where the last row's piece ends: with what stands behind it. */
  readonly end: number;
  /** A digest of each row and what stands between it and the next one. */
  readonly digests: Int32Array;
  readonly #text: string;
  readonly #urls: readonly string[];
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  /** Names the table to the one that is made of it, without keeping it in memory. */
  readonly #id: object = {};
  #kept: (KeptRows & { readonly of: object; readonly last: number }) | undefined;

  private constructor(text: string, urls: readonly string[], bounds: readonly [Uint32Array, Uint32Array], end: number) {
    this.#text = text;
    this.#urls = urls;
    [this.#starts, this.#ends] = bounds;
    this.end = end;
    this.digests = new Int32Array(urls.length * digestWords);
  }

  /** @returns undefined where two rows have the same URL */
  static of(text: string, rows: readonly PlacedRow[], end: number): RowTable | undefined {
    const urls = rows.map(({ url }) => url);
    if (new Set(urls).size !== urls.length) return undefined;
    const starts = Uint32Array.from(rows, ({ start }) => start);
    const ends = Uint32Array.from(rows, (row) => row.end);
    const table = new RowTable(text, urls, [starts, ends], end);
    table.#digest(0, urls.length);
    return table;
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

  /** Rows with their texts. */
  slice(from = 0, to: number = this.length): Row[] {
    return this.#urls.slice(from, to).map((url, nth) => {
      return { url, text: this.#text.slice(this.startOf(from + nth), this.endOf(from + nth)) };
    });
  }

  /**
   * The table of a text in which some rows of this one stand as they were.
   *
   * @param middle - the rows between those
   * @returns undefined where two rows have the same URL
   */
  patched(text: string, { first, rest }: KeptRows, middle: readonly PlacedRow[], end: number): RowTable | undefined {
    const added = middle.map(({ url }) => url);
    const isAsBefore = isSame(added, this.#urls.slice(first, rest));
    const urls = isAsBefore ? this.#urls : [...this.#urls.slice(0, first), ...added, ...this.#urls.slice(rest)];
    if (!isAsBefore && !areUnique(urls, added)) return undefined;
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
    const table = new RowTable(text, urls, [starts, ends], end);
    table.digests.set(this.digests.subarray(0, first * digestWords));
    table.digests.set(this.digests.subarray(rest * digestWords), (first + middle.length) * digestWords);
    // What stands behind the last row that stayed belongs to its piece.
    table.#digest(Math.max(0, first - 1), first + middle.length);
    table.#kept = { of: this.#id, first, rest, last: this.length - rest };
    return table;
  }

  /** How many rows at the beginning and at the end are known to be those of `before`; there may be more. */
  keptOf(before: RowTable): { readonly first: number; readonly last: number } {
    return this.#kept?.of === before.#id ? this.#kept : { first: 0, last: 0 };
  }

  #digest(from: number, to: number): void {
    for (let row = from; row < to; row += 1) {
      digestPiece(this.#text, this.startOf(row), this.startOf(row + 1), this.digests, row * digestWords);
    }
  }
}

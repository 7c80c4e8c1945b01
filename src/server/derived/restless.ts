import type { OriginResponse } from "../ports/origin.ts";
import type { Row } from "./difference.ts";
import type { Document } from "./document.ts";
import { namePointers } from "./record-rule.ts";
import { differences, haveSameNames, readShown, type Shown, type ShownPair } from "./shown.ts";

/** Looks that are further apart than this, in milliseconds, do not show what never rests. */
const closeMs = 2_000;
/** A place that differed in so many close looks in a row, without a write, does not rest. */
const enough = 2;
/** A part of `refreshMs`: regular looks come a little earlier and later. */
const duePart = 0.75;
/** How many places are known to rest. */
const maxKnown = 1_000;

/** What an answer that has another document comes to. */
export interface Judged {
  /** Whether it differs only where it never rests: that is no news. */
  readonly isQuiet: boolean;
  /** Whether another look soon would show if what differs ever rests. */
  readonly isDoubtful: boolean;
  /** The URLs of rows that differ only where that is no sign of a write. */
  readonly idle: ReadonlySet<string>;
}

/** A place in rows, beside those around them. */
function inRows(pointer: string): string {
  return `rows ${pointer}`;
}

/** The places at which each of the rows differs. */
function placesInEach(before: readonly unknown[], now: readonly unknown[]): string[] {
  let common: readonly string[] | undefined;
  for (const [at, row] of now.entries()) {
    const places = new Set(differences(before[at], row).map(inRows));
    common = common ? common.filter((place) => places.has(place)) : [...places];
    if (common.length === 0) return [];
  }
  return [...(common ?? [])];
}

/**
 * Learns at which places a document differs from look to look without a write: a time stamp, a request's id, around its
 * rows or in each of them. Such a place rests again once two looks show the same there. What differs in some rows only is
 * never taken for one.
 */
export class Restless {
  readonly #refreshMs: number;
  readonly #places: Set<string> = new Set();
  readonly #streaks: Map<string, number> = new Map();
  /** Places that a write has changed in each row, until another look shows whether they rest, and those that do. */
  #suspects: readonly string[] = [];
  readonly #resting: Set<string> = new Set();
  #isToldOfWrite = false;
  #isWritten = false;
  /** What the last look showed, and when. */
  #last: { readonly shown: Shown; readonly at: number } | undefined;
  /** When something was sent last. */
  #sentAt: number;

  /** @param refreshMs - what never rests in the rows is sent about once in this time, unless there is something else */
  constructor(refreshMs: number, now: number) {
    this.#refreshMs = refreshMs;
    this.#sentAt = now;
  }

  /** Something was written: what the next look shows may come of that. */
  written(): void {
    this.#isToldOfWrite = true;
  }

  /** A look begins. */
  begin(): void {
    this.#isWritten ||= this.#isToldOfWrite;
    this.#isToldOfWrite = false;
  }

  /** The look showed what was sent. */
  unchanged(): void {
    this.#settle(new Set());
  }

  /**
   * Judges an answer that is another one than was sent.
   *
   * @param document - what was sent last
   */
  judge(document: Document, response: OriginResponse, now: number): Judged {
    const isWritten = this.#isWritten;
    this.#isWritten = false;
    const pair = readShown(document, response);
    const judged = pair ? this.#compare(pair, document, isWritten, now) : news;
    if (!pair) this.#last = undefined;
    if (!judged.isQuiet) this.#sentAt = now;
    return judged;
  }

  #compare({ sent, now }: ShownPair, { list }: Document, isWritten: boolean, at: number): Judged {
    const { shown: before = sent, at: lastAt = Number.NEGATIVE_INFINITY } = this.#last ?? {};
    const rowsBefore = now.rows && rowsOf(before, sent, now.rows, list ? namePointers(list.rule) : []);
    const inEach = now.rows && rowsBefore ? placesInEach(rowsBefore, now.rows) : [];
    const moved = new Set([...differences(before.around, now.around), ...inEach]);
    for (const place of [...this.#places, ...this.#streaks.keys()]) if (!moved.has(place)) this.#rest(place);
    this.#settle(moved);
    for (const place of isWritten || at - lastAt > closeMs ? [] : moved) this.#moved(place);
    this.#last = { shown: now, at };
    if (isWritten && (now.rows?.length ?? 0) > 1) this.#suspects = inEach.filter((place) => this.#isSuspect(place));
    return this.#judged({ sent, now }, list?.rows.slice() ?? [], isWritten, at);
  }

  #judged({ sent, now }: ShownPair, rows: readonly Row[], isWritten: boolean, at: number): Judged {
    const isKnown = (place: string): boolean => this.#places.has(place);
    const isOdd = (place: string): boolean => this.#streaks.has(place) || this.#suspects.includes(place);
    const inRow = (now.rows ?? []).map((row, nth) => differences(sent.rows?.[nth], row).map(inRows));
    const areKnown = differences(sent.around, now.around).every(isKnown) && inRow.flat().every(isKnown);
    const isDue = now.rows !== undefined && at - this.#sentAt >= this.#refreshMs * duePart;
    const idle = rows.filter((_, nth) => inRow[nth]?.every((place) => isKnown(place) || isOdd(place)));
    return {
      isQuiet: areKnown && !isDue,
      isDoubtful: !areKnown && (!isWritten || this.#suspects.length > 0),
      idle: new Set(idle.map(({ url }) => url)),
    };
  }

  #isSuspect(place: string): boolean {
    return !this.#resting.has(place) && !this.#places.has(place);
  }

  /** Of the places that a write has changed in each row, those rest that did not move again. */
  #settle(moved: ReadonlySet<string>): void {
    for (const place of this.#suspects)
      if (!moved.has(place) && this.#resting.size < maxKnown) this.#resting.add(place);
    this.#suspects = [];
  }

  #moved(place: string): void {
    const streak = (this.#streaks.get(place) ?? 0) + 1;
    this.#streaks.set(place, streak);
    if (streak >= enough) this.#places.add(place);
  }

  #rest(place: string): void {
    this.#places.delete(place);
    this.#streaks.delete(place);
  }
}

const news: Judged = { isQuiet: false, isDoubtful: false, idle: new Set() };

/** The rows that a look's rows are compared with: those of the look before, if they are the same ones. */
function rowsOf(
  before: Shown,
  sent: Shown,
  now: readonly unknown[],
  pointers: readonly string[],
): readonly unknown[] | undefined {
  return before.rows && haveSameNames(before.rows, now, pointers) ? before.rows : sent.rows;
}

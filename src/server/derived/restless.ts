import { formatPointer } from "../../protocol/index.ts";
import type { OriginResponse } from "../ports/origin.ts";
import type { Document } from "./document.ts";
import { contentTypeOf } from "./standing.ts";

/** What stands around a list is compared up to so many characters. */
const maxChars = 64 * 1024;
/** Looks that are further apart than this, in milliseconds, do not show what never rests. */
const closeMs = 2_000;
/** A place that differed in so many close looks in a row, without a write, does not rest. */
const enough = 2;

/** What lies deeper differs as a whole. */
const maxDepth = 32;

/** The places, as JSON pointers, at which two values differ. */
function differences(one: unknown, other: unknown, at = "", depth = 0): string[] {
  if (Object.is(one, other)) return [];
  if (depth > maxDepth) return [at];
  const areObjects = [one, other].every((value) => typeof value === "object" && value !== null);
  if (!areObjects || Array.isArray(one) !== Array.isArray(other)) return [at];
  const [a, b] = [one as Record<string, unknown>, other as Record<string, unknown>];
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].flatMap((name) => differences(a[name], b[name], at + formatPointer(name), depth + 1));
}

/** What stands around a list, of which the rows are those of a document; `undefined` where they are not. */
function around({ list, body, contentType }: Document, response: OriginResponse): readonly unknown[] | undefined {
  const text = response.body;
  if (!list || typeof body !== "string" || typeof text !== "string" || contentType !== contentTypeOf(response)) {
    return undefined;
  }
  const { head, tail } = list;
  // With the brackets around them.
  const rows = body.slice(head.length - 1, body.length - tail.length + 1);
  const start = text.indexOf(rows);
  if (start < 0 || text.length - rows.length > maxChars || head.length + tail.length > maxChars) return undefined;
  try {
    const now = `${text.slice(0, start)}[]${text.slice(start + rows.length)}`;
    return [JSON.parse(head + tail), JSON.parse(now)];
  } catch {
    return undefined;
  }
}

/** What an answer that has another document comes to. */
export interface Judged {
  /** Whether it differs only where it never rests: that is no news. */
  readonly isQuiet: boolean;
  /** Whether another look soon would show if what differs ever rests. */
  readonly isDoubtful: boolean;
}

/**
 * Learns at which places around its rows a document differs from look to look without a write: a time stamp, a request's
 * id. Such a place rests again once two looks show the same there.
 */
export class Restless {
  readonly #places: Set<string> = new Set();
  readonly #streaks: Map<string, number> = new Map();
  #isToldOfWrite = false;
  #isWritten = false;
  /** What the last look showed around the rows, and when. */
  #last: { readonly value: unknown; readonly at: number } | undefined;

  /** Something was written: what the next look shows may come of that. */
  written(): void {
    this.#isToldOfWrite = true;
  }

  /** A look begins. */
  begin(): void {
    this.#isWritten ||= this.#isToldOfWrite;
    this.#isToldOfWrite = false;
  }

  /**
   * Judges an answer.
   *
   * @param document - what was sent last
   */
  judge(document: Document, response: OriginResponse, now: number): Judged {
    const isWritten = this.#isWritten;
    this.#isWritten = false;
    const values = around(document, response);
    if (!values) {
      this.#last = undefined;
      return { isQuiet: false, isDoubtful: false };
    }
    const [sent, value] = values;
    const { value: before = sent, at = Number.NEGATIVE_INFINITY } = this.#last ?? {};
    const moved = new Set(differences(before, value));
    for (const place of [...this.#places, ...this.#streaks.keys()]) if (!moved.has(place)) this.#rest(place);
    for (const place of isWritten || now - at > closeMs ? [] : moved) this.#moved(place);
    this.#last = { value, at: now };
    const isQuiet = differences(sent, value).every((place) => this.#places.has(place));
    return { isQuiet, isDoubtful: !isQuiet && !isWritten };
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

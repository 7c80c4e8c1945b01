import type { Body } from "../../protocol/index.ts";
import { findLikelyList, findListAt, type ListGap } from "./list-finder.ts";
import { type ReadRows, type RowsPlace, readRows, readStatedRows } from "./list-reader.ts";
import { type ItemsRule, parseStatement, type RowsRule, rowUrl, type StatedRule } from "./record-rule.ts";
import { maxPieceChars, readStretch, type Span, type Stretch } from "./row-scanner.ts";
import { type PlacedRow, RowTable } from "./row-table.ts";
import { finish, Slice, type Sliced } from "./slices.ts";

/** The records of a document and what stands around them. */
export interface RecordList {
  readonly rule: RowsRule;
  readonly rows: RowTable;
  /** What stands before the list's first and after its last element: a change there is no record's. */
  readonly head: string;
  readonly tail: string;
  /** What there is in the place of its array; the list is empty then. */
  readonly gap?: ListGap["gap"];
}

/** What one GET returned, taken apart. */
export interface Document {
  readonly contentType: string;
  readonly body: Body;
  /** Where the answer's `Link` with `rel="next"` led: whether there is more is a part of what is shown [R-SUB-18]. */
  readonly next?: string | undefined;
  /** The answer's `Items`: where the origin itself says that the records are [R-FLD-15]. */
  readonly items?: string | undefined;
  /** Absent where the document is one record as a whole. */
  readonly list?: RecordList;
}

/** Whose document it is: for links and keys of its rows. */
export interface DocumentPlace extends RowsPlace {
  /** The app's own rule for where the records are. */
  readonly rule?: StatedRule | undefined;
  /** The `Items` of the answer that is read. */
  readonly items?: string | undefined;
}

/** True where two bodies have the same bytes. */
export function isEqualBody(a: Body, b: Body): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}

function isJson(contentType: string): boolean {
  return /^application\/(?:[^;\s]+\+)?json\b/i.test(contentType);
}

/** True for JSON that is not too large: what stands around a list. */
function isPiece(text: string): boolean {
  if (text.length > maxPieceChars) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Takes an answer apart from scratch, in slices. A body that claims to be JSON and is not stays whole.
 *
 * @param before - what the same place had: a list stays one, whatever its rows are now
 */
export function* readingDocument(
  contentType: string,
  body: Body,
  place: DocumentPlace,
  before?: RecordList,
): Sliced<Document> {
  const isRead = typeof body === "string" && isJson(contentType);
  const list = isRead ? yield* readingList(body, place, before) : undefined;
  if (!list || list.gap === "nothing") place.rule?.onUnfit?.("place");
  else if (list.rows.hasOdd) place.rule?.onUnfit?.("row");
  const { items } = place;
  return list ? { contentType, body, items, list } : { contentType, body, items };
}

/** As `readingDocument`, at once. */
export function readDocument(contentType: string, body: Body, place: DocumentPlace, before?: RecordList): Document {
  return finish(readingDocument(contentType, body, place, before));
}

function* readingList(text: string, place: DocumentPlace, before?: RecordList): Sliced<RecordList | undefined> {
  const slice = new Slice();
  const stated = place.rule ? undefined : parseStatement(place.items);
  if (stated === "record") return undefined;
  if (stated) {
    const list = yield* readingStated(text, stated, place, slice);
    if (list !== "unreachable") return list;
  }
  const known = place.rule ?? before?.rule;
  const likely = place.rule ? undefined : yield* findLikelyList(text, place.target, slice);
  const found = likely ?? (known ? yield* findListAt(text, known.list, slice) : undefined);
  if (!found) return undefined;
  if ("gap" in found) {
    const isEmpty = place.rule !== undefined || found.gap === "null";
    return known && isEmpty && isPiece(text) ? emptyGap(known, text, found.gap) : undefined;
  }
  const { start } = found;
  const read = yield* readRows(text, found, { place, before: before?.rule }, slice);
  if (!read) return undefined;
  return listOf(text, start, read);
}

function listOf(text: string, start: number, { rule, urls, bounds, end }: ReadRows): RecordList | undefined {
  // Elements and what stands around them are JSON, so the whole is.
  if (!isPiece(text.slice(0, start) + text.slice(end))) return undefined;
  return { rule, rows: RowTable.of(text, urls, bounds, end), head: text.slice(0, start), tail: text.slice(end) };
}

/**
 * The list that an answer says its document has: empty where nothing is at its place; `undefined` where something else is,
 * and the document is one record.
 */
function* readingStated(
  text: string,
  rule: ItemsRule,
  place: DocumentPlace,
  slice: Slice,
): Sliced<RecordList | "unreachable" | undefined> {
  const found = yield* findListAt(text, rule.list, slice);
  if (!found) return undefined;
  if ("gap" in found) return isPiece(text) ? emptyGap(rule, text, found.gap) : undefined;
  const read = yield* readStatedRows(text, found, { rule, place }, slice);
  return typeof read === "object" ? listOf(text, found.start, read) : read;
}

/** The list where there is no array: it is empty. Some applications leave it out, or write `null`. */
function emptyGap(rule: RowsRule, text: string, gap: ListGap["gap"]): RecordList {
  return { rule, rows: RowTable.of(text, [], [], text.length), head: text, tail: "", gap };
}

/** How many characters two texts have in common: at their beginnings, or at their ends. */
function* common(a: string, b: string, most: number, isAtEnd: boolean, slice: Slice): Sliced<number> {
  const isEqual = (from: number, to: number): boolean => {
    return isAtEnd
      ? a.slice(a.length - to, a.length - from) === b.slice(b.length - to, b.length - from)
      : a.slice(from, to) === b.slice(from, to);
  };
  let low = 0;
  // Whole stretches are compared by the engine; only the last one by character.
  for (let step = 65_536; step >= 1; step = step === 1 ? 0 : Math.max(1, step >>> 4)) {
    while (low + step <= most && isEqual(low, low + step)) {
      low += step;
      if (slice.spend(step >>> 3)) yield;
    }
  }
  return low;
}

/**
 * Takes an answer apart, in slices, that most likely resembles the one before: only the rows between the texts' common
 * beginning and end are parsed.
 */
export function* rereadingDocument(
  before: Document,
  contentType: string,
  body: Body,
  place: DocumentPlace,
): Sliced<Document> {
  const isSame = before.contentType === contentType && before.items === place.items;
  const isAlike = typeof body === "string" && isSame;
  const list = isAlike ? yield* rereadingList(before, body, place) : undefined;
  return list
    ? { contentType, body, items: place.items, list }
    : yield* readingDocument(contentType, body, place, before.list);
}

/** As `rereadingDocument`, at once. */
export function rereadDocument(before: Document, contentType: string, body: Body, place: DocumentPlace): Document {
  return finish(rereadingDocument(before, contentType, body, place));
}

function* rereadingList(before: Document, text: string, place: DocumentPlace): Sliced<RecordList | undefined> {
  const { list, body: old } = before;
  // Which of its rows have URLs, where not all do, is told by the whole list.
  if (!list || list.gap || list.rows.hasOdd || typeof old !== "string") return undefined;
  const { head, tail, rows } = list;
  const slice = new Slice();
  const most = Math.min(old.length, text.length);
  const prefix = yield* common(old, text, most, false, slice);
  const suffix = yield* common(old, text, most - prefix, true, slice);
  if (prefix < head.length || suffix < tail.length) return undefined;
  // A row is the same when it and the character behind it are: else a number might go on.
  const kept = rows.countEndingBefore(prefix);
  const rest = Math.max(kept, rows.countBeginningUpTo(old.length - suffix));
  const stretch = {
    start: kept > 0 ? rows.endOf(kept - 1) : head.length,
    end: rest < rows.length ? rows.startOf(rest) + text.length - old.length : text.length - tail.length,
    follows: kept > 0,
    precedes: rest < rows.length,
  };
  return yield* patchingList(list, text, { first: kept, rest }, stretch, { place, slice });
}

function* patchingList(
  { rule, head, tail, rows }: RecordList,
  text: string,
  kept: { readonly first: number; readonly rest: number },
  stretch: Stretch,
  { place, slice }: { readonly place: DocumentPlace; readonly slice: Slice },
): Sliced<RecordList | undefined> {
  const middle: PlacedRow[] = [];
  const take = (value: unknown, { start, end }: Span): boolean => {
    const url = rowUrl(value, rule, place);
    if (url === undefined) return false;
    middle.push({ url, start, end });
    return true;
  };
  if (!(yield* readStretch(text, stretch, take, slice))) return undefined;
  const end = text.length - tail.length;
  const patched = yield* rows.patched(text, kept, middle, { end, slice });
  // Cut from the new document: a text that is cut from an old one would keep all of that in memory.
  return patched && { rule, rows: patched, head: text.slice(0, head.length), tail: text.slice(end) };
}

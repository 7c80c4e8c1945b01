import type { Body } from "../../protocol/index.ts";
import { digestPieces, type PiecedText } from "./digest.ts";
import { findRecordRule, listMember, type RecordRule, recordUrl } from "./record-rule.ts";
import { arrayStart, type Span, scanElements } from "./row-scanner.ts";
import { type PlacedRow, RowTable } from "./row-table.ts";

/** The records of a document and what stands around them. */
export interface RecordList {
  readonly rule: RecordRule;
  readonly rows: RowTable;
  /** What stands before the list's first and after its last element: a change there is no record's. */
  readonly head: string;
  readonly tail: string;
}

/** What one GET returned, taken apart. */
export interface Document {
  readonly contentType: string;
  readonly body: Body;
  /** Absent where the document is one record as a whole. */
  readonly list?: RecordList;
  /** Its digests in pieces: the elements of what seems to be its list, whether those have URLs for this viewer or not. */
  readonly pieces?: PiecedText | undefined;
}

/** Whose document it is: for links and keys of its rows. */
export interface DocumentPlace {
  /** Path and query. */
  readonly target: string;
  /** Host and port. */
  readonly authority: string;
  /** The app's own rule for where the records are. */
  readonly rule?: RecordRule | undefined;
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

function placedRow(text: string, { start, end }: Span, rule: RecordRule, place: DocumentPlace): PlacedRow | undefined {
  const url = recordUrl(JSON.parse(text.slice(start, end)), rule, place.target, place.authority);
  return url === undefined ? undefined : { url, start, end };
}

function readList(text: string, rule: RecordRule, place: DocumentPlace): RecordList | undefined {
  const start = arrayStart(text, rule.member);
  if (start === undefined) return undefined;
  const { spans, end } = scanElements(text, start);
  const placed: PlacedRow[] = [];
  for (const span of spans) {
    const row = placedRow(text, span, rule, place);
    if (!row) return undefined;
    placed.push(row);
  }
  const rows = RowTable.of(text, placed, end);
  return rows && { rule, rows, head: text.slice(0, start), tail: text.slice(end) };
}

/** Takes an answer apart from scratch. A body that claims to be JSON and is not stays whole. */
export function readDocument(contentType: string, body: Body, place: DocumentPlace): Document {
  if (typeof body !== "string" || !isJson(contentType)) return { contentType, body };
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { contentType, body };
  }
  const rule = place.rule ?? findRecordRule(parsed, place.target, place.authority);
  const list = rule && readList(body, rule, place);
  if (list) return { contentType, body, list, pieces: list.rows };
  const member = place.rule ? place.rule.member : listMember(parsed, place.target);
  return { contentType, body, pieces: member === null ? undefined : piecesOf(body, member) };
}

function piecesOf(text: string, member: string | undefined): PiecedText | undefined {
  const start = arrayStart(text, member);
  if (start === undefined) return undefined;
  const { spans, end } = scanElements(text, start);
  return digestPieces(
    text,
    spans.map((span) => span.start),
    end,
  );
}

function commonPrefix(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let low = 0;
  // Whole stretches are compared by the engine; only the last one by character.
  for (let step = 65_536; step >= 1; step = step === 1 ? 0 : Math.max(1, step >>> 4)) {
    while (low + step <= most && a.slice(low, low + step) === b.slice(low, low + step)) low += step;
  }
  return low;
}

function commonSuffix(a: string, b: string, most: number): number {
  let low = 0;
  for (let step = 65_536; step >= 1; step = step === 1 ? 0 : Math.max(1, step >>> 4)) {
    while (
      low + step <= most &&
      a.slice(a.length - low - step, a.length - low) === b.slice(b.length - low - step, b.length - low)
    ) {
      low += step;
    }
  }
  return low;
}

/**
 * Takes an answer apart that most likely resembles the one before: only the rows between the texts' common beginning
 * and end are parsed.
 */
export function rereadDocument(before: Document, contentType: string, body: Body, place: DocumentPlace): Document {
  const fast =
    typeof body === "string" && before.contentType === contentType ? rereadList(before, body, place) : undefined;
  return fast ? { contentType, body, list: fast, pieces: fast.rows } : readDocument(contentType, body, place);
}

function rereadList(before: Document, text: string, place: DocumentPlace): RecordList | undefined {
  const { list, body: old } = before;
  if (!list || typeof old !== "string") return undefined;
  const { rule, head, tail, rows } = list;
  const prefix = commonPrefix(old, text);
  const suffix = commonSuffix(old, text, Math.min(old.length, text.length) - prefix);
  if (prefix < head.length || suffix < tail.length) return undefined;
  // A row is the same when it and the character behind it are: else a number might go on.
  let kept = 0;
  let end = rows.length;
  while (kept < end && rows.endOf(kept) < prefix) kept += 1;
  const shift = text.length - old.length;
  const sameFrom = old.length - suffix;
  while (end > kept && rows.startOf(end - 1) > sameFrom) end -= 1;
  const resume = kept > 0 ? rows.endOf(kept - 1) : head.length;
  const stop = end < rows.length ? rows.startOf(end) + shift : text.length - tail.length;
  return patchList(list, text, { kept, end, resume, stop }, place, rule);
}

interface Middle {
  /** How many rows at the beginning stay, and from which on the rest stays. */
  readonly kept: number;
  readonly end: number;
  /** Where in the new text the rows between them begin and end. */
  readonly resume: number;
  readonly stop: number;
}

function patchList(
  list: RecordList,
  text: string,
  { kept, end, resume, stop }: Middle,
  place: DocumentPlace,
  rule: RecordRule,
): RecordList | undefined {
  const parsed: unknown = parseMiddle(text.slice(resume, stop), kept > 0, end < list.rows.length);
  if (!Array.isArray(parsed)) return undefined;
  const from = kept > 0 ? text.indexOf(",", resume) + 1 : resume;
  const { spans } = scanElements(text, parsed.length > 0 ? from : stop, (start) => start >= stop);
  if (spans.length !== parsed.length) return undefined;
  const middle: PlacedRow[] = [];
  for (const span of spans) {
    const row = placedRow(text, span, rule, place);
    if (!row) return undefined;
    middle.push(row);
  }
  const { head, tail } = list;
  const rows = list.rows.patched(text, { first: kept, rest: end }, middle, text.length - tail.length);
  // Cut from the new document: a text that is cut from an old one would keep all of that in memory.
  return rows && { rule, rows, head: text.slice(0, head.length), tail: text.slice(text.length - tail.length) };
}

/** The rows between those that stayed, with the commas around them, as an array; `undefined` where that is no JSON. */
function parseMiddle(text: string, follows: boolean, precedes: boolean): unknown {
  const inner = text.trim();
  if (inner === "" && !(follows && precedes)) return [];
  if (inner === "," && follows && precedes) return [];
  const rows = inner.slice(follows ? 1 : 0, precedes ? -1 : undefined);
  if ((follows && !inner.startsWith(",")) || (precedes && !inner.endsWith(",")) || rows.trim() === "") return undefined;
  try {
    return JSON.parse(`[${rows}]`);
  } catch {
    return undefined;
  }
}

import { fieldValue, formatPointer, nextLink, parsePointer, resolvePointer } from "../../protocol/index.ts";
import type { OriginResponse } from "../ports/origin.ts";
import type { Document, RecordList } from "./document.ts";
import { parseExactly } from "./exact-json.ts";
import { namePointers } from "./record-rule.ts";
import { contentTypeOf } from "./standing.ts";

/** Documents are compared place by place up to so many characters: around their rows, or rows included. */
const maxChars = 64 * 1024;

/** What lies deeper differs as a whole. */
const maxDepth = 32;

/** What a look shows, as far as it is compared place by place. */
export interface Shown {
  readonly around: unknown;
  /** The rows, where none of them is as it was sent. */
  readonly rows: readonly unknown[] | undefined;
}

/** What was sent last, and what a look shows now. */
export interface ShownPair {
  readonly sent: Shown;
  readonly now: Shown;
}

/** The places, as JSON pointers, at which two values differ. */
export function differences(one: unknown, other: unknown, at = "", depth = 0): string[] {
  if (Object.is(one, other)) return [];
  if (depth > maxDepth) return [at];
  const areObjects = [one, other].every((value) => typeof value === "object" && value !== null);
  if (!areObjects || Array.isArray(one) !== Array.isArray(other)) return [at];
  const [a, b] = [one as Record<string, unknown>, other as Record<string, unknown>];
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].flatMap((name) => differences(a[name], b[name], at + formatPointer(name), depth + 1));
}

function parse(text: string): unknown {
  try {
    return parseExactly(text);
  } catch {
    return undefined;
  }
}

/** What stands around a list, where its rows are as they were sent. */
function besideSameRows({ head, tail }: RecordList, body: string, text: string): ShownPair | undefined {
  // With the brackets around them.
  const rows = body.slice(head.length - 1, body.length - tail.length + 1);
  const start = text.indexOf(rows);
  if (start < 0 || text.length - rows.length > maxChars || head.length + tail.length > maxChars) return undefined;
  const sent = parse(head + tail);
  const now = parse(`${text.slice(0, start)}[]${text.slice(start + rows.length)}`);
  if (sent === undefined || now === undefined) return undefined;
  return { sent: { around: sent, rows: undefined }, now: { around: now, rows: undefined } };
}

/** Takes the rows out of a document; `undefined` where there is no list. */
function withRows(text: string, list: string): Shown | undefined {
  const root = { document: parse(text) };
  const names = ["document", ...(parsePointer(list) ?? [])];
  const parent = resolvePointer(root, formatPointer(...names.slice(0, -1)));
  const name = names.at(-1) ?? "";
  const rows = resolvePointer(parent, formatPointer(name));
  if (!Array.isArray(rows) || typeof parent !== "object" || parent === null) return undefined;
  Reflect.set(parent, name, []);
  return { around: root.document, rows };
}

/** Whether two lists have the same rows in the same order, by what names them. */
export function haveSameNames(
  one: readonly unknown[],
  other: readonly unknown[],
  pointers: readonly string[],
): boolean {
  const isNamed = (row: unknown, at: number): boolean =>
    pointers.every((pointer) => resolvePointer(row, pointer) === resolvePointer(other[at], pointer));
  return one.length === other.length && one.every(isNamed);
}

/** Documents of the same rows, none of which is as it was sent. */
function withOtherRows({ rule, rows }: RecordList, body: string, text: string): ShownPair | undefined {
  if (rows.length === 0 || body.length > maxChars || text.length > maxChars) return undefined;
  const ends = [...rows.slice(0, 1), ...rows.slice(rows.length - 1)];
  if (ends.some((row) => text.includes(row.text))) return undefined;
  const [sent, now] = [withRows(body, rule.list), withRows(text, rule.list)];
  return sent?.rows && now?.rows && haveSameNames(sent.rows, now.rows, namePointers(rule)) ? { sent, now } : undefined;
}

/** The link to the next part is one of the places around the rows. */
function withLink({ around, rows }: Shown, next: string | undefined): Shown {
  return { around: { document: around, next }, rows };
}

/** Compares an answer with what was sent last; `undefined` where that is not done place by place. */
export function readShown(
  { list, body, contentType, next, items }: Document,
  response: OriginResponse,
): ShownPair | undefined {
  const text = response.body;
  if (
    !list ||
    list.gap ||
    typeof body !== "string" ||
    typeof text !== "string" ||
    contentType !== contentTypeOf(response) ||
    items !== fieldValue(response.fields, "items")
  ) {
    return undefined;
  }
  const pair = besideSameRows(list, body, text) ?? withOtherRows(list, body, text);
  return pair && { sent: withLink(pair.sent, next), now: withLink(pair.now, nextLink(response.fields)) };
}

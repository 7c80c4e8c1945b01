import { arrayPlace, formatPointer, listName, parsePointer } from "../../protocol/index.ts";
import { elementCost, readValue, skipSpace, ValueSkipper } from "./row-scanner.ts";
import type { Slice, Sliced } from "./slices.ts";

/** How far a large value is skipped before others may have their turn. */
const stretchChars = 64 * 1024;

/** Where a document has its list. */
export interface FoundList {
  /** A pointer to it; empty where the document is the list. */
  readonly list: string;
  /** Its first character in the text behind `[`. */
  readonly start: number;
}

/** A place where there was to be a list, and is none, and nothing else that might be meant. */
export interface ListGap {
  readonly list: string;
  /** What is there. */
  readonly gap: "nothing" | "null";
}

function hasArray(members: ReadonlyMap<string, number>, text: string): boolean {
  return [...members.values()].some((value) => text[value] === "[");
}

/** Where the value ends that begins at a place. */
function* endOfValue(text: string, at: number, slice: Slice): Sliced<number> {
  const skipper = new ValueSkipper(text, at);
  for (let isOver = false; !isOver; ) {
    const from = skipper.at;
    isOver = skipper.advance(from + stretchChars);
    if (slice.spend(skipper.at - from + elementCost)) yield;
  }
  return skipper.at;
}

/** Where the values of an object's members begin: the last of one name counts. Empty where there is no object. */
function* findMembers(text: string, start: number, slice: Slice): Sliced<Map<string, number>> {
  const members = new Map<string, number>();
  if (text[start] !== "{") return members;
  let at = skipSpace(text, start + 1);
  while (text[at] === '"') {
    const key = readValue(text, at);
    if (!key) break;
    at = skipSpace(text, skipSpace(text, key.end) + 1);
    members.set(String(key.value), at);
    at = skipSpace(text, yield* endOfValue(text, at, slice));
    if (text[at] !== ",") break;
    at = skipSpace(text, at + 1);
  }
  return members;
}

/** Where an array's element begins; `undefined` where there are not so many. */
function* findElement(text: string, start: number, place: number, slice: Slice): Sliced<number | undefined> {
  let at = skipSpace(text, start + 1);
  for (let before = place; before > 0; before -= 1) {
    at = skipSpace(text, yield* endOfValue(text, at, slice));
    if (text[at] !== ",") return undefined;
    at = skipSpace(text, at + 1);
  }
  return text[at] === "]" ? undefined : at;
}

/**
 * Finds the array at a pointer, without reading the whole. What is behind it need not be JSON.
 *
 * @returns undefined where there is something else, or nothing beside an array of another name
 */
export function* findListAt(text: string, list: string, slice: Slice): Sliced<FoundList | ListGap | undefined> {
  let at = skipSpace(text, 0);
  for (const name of parsePointer(list) ?? []) {
    if (text[at] === "{") {
      const members: Map<string, number> = yield* findMembers(text, at, slice);
      const next = members.get(name);
      if (next === undefined) return hasArray(members, text) ? undefined : { list, gap: "nothing" };
      at = next;
    } else {
      const place = arrayPlace(name);
      const next: number | undefined =
        text[at] === "[" && place !== undefined ? yield* findElement(text, at, place, slice) : undefined;
      if (next === undefined) return undefined;
      at = next;
    }
  }
  if (text[at] === "[") return { list, start: at + 1 };
  return text.startsWith("null", at) ? { list, gap: "null" } : undefined;
}

/** Finds the array that most likely is a document's list: the whole, or a member of it. */
export function* findLikelyList(text: string, target: string, slice: Slice): Sliced<FoundList | undefined> {
  const at = skipSpace(text, 0);
  if (text[at] === "[") return { list: "", start: at + 1 };
  const arrays = new Map<string, number>();
  for (const [name, value] of yield* findMembers(text, at, slice)) {
    if (text[value] === "[") arrays.set(name, value + 1);
  }
  const name = listName([...arrays.keys()], target);
  const start = name === undefined ? undefined : arrays.get(name);
  return name === undefined || start === undefined ? undefined : { list: formatPointer(name), start };
}

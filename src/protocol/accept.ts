import type { Field } from "./message.ts";
import { listGap, memberEnd, parameter, parameterValue, TextScanner } from "./text-scanner.ts";

/** One range of an `Accept` (RFC 9110 §12.5.1). */
export interface MediaRange {
  /** As it was written, with its parameters and its weight. */
  readonly text: string;
  /** `application/json`, or with a `*` in it; in lower case. */
  readonly type: string;
  /** By names in lower case, without quotes; neither `q` nor what follows it. */
  readonly parameters: ReadonlyMap<string, string>;
  /** 0 (never this) to 1. */
  readonly weight: number;
}

/** A parameter with nothing behind its `=`, as some clients write them: its name. */
const emptyParameter = /;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?=[;,]|$)/y;
/** What is left of a range: up to a comma that stands in no quotes. */
const rest = /(?:"(?:[^"\\]|\\.)*"?|[^,"])*/sy;
const type = /([!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*/y;
// More digits than the grammar's three are read, too: clients divide.
const weightShape = /^(?:0(?:\.[0-9]*)?|1(?:\.0*)?)$/;

/** What was read lately, as most requests say the same: so much is kept, of texts that are no longer than this. */
const [maxKnown, maxKnownLength] = [100, 200];
const known: Map<string, readonly MediaRange[]> = new Map();

/**
 * Reads an `Accept`. A range that is malformed is left out. One without any says nothing, like one that is absent: then
 * anything is accepted.
 *
 * @param text - the field's value; of several fields, all values with commas between
 */
export function parseAccept(text: string): readonly MediaRange[] {
  const before = known.get(text);
  if (before) return before;
  const ranges = readAccept(text);
  if (text.length <= maxKnownLength) {
    if (known.size === maxKnown) known.clear();
    known.set(text, ranges);
  }
  return ranges;
}

/** The range that begins where the scanner is; `undefined` where it is malformed, and the scanner somewhere in it then. */
function readRange(text: string, scanner: TextScanner): MediaRange | undefined {
  const start = scanner.at;
  const name = scanner.take(type)?.[1];
  if (name === undefined) return undefined;
  const parameters = new Map<string, string>();
  let weight: string | undefined;
  for (let match = takeParameter(scanner); match; match = takeParameter(scanner)) {
    const [, key = "", token, quoted] = match;
    if (key === "" || weight !== undefined) continue;
    const value = parameterValue(token, quoted);
    if (key.toLowerCase() === "q") weight = value;
    else parameters.set(key.toLowerCase(), value);
  }
  const written = text.slice(start, scanner.at).trim();
  weight ??= "1";
  if (!weightShape.test(weight) || !scanner.take(memberEnd)) return undefined;
  return { text: written, type: name.toLowerCase(), parameters, weight: Number(weight) };
}

function takeParameter(scanner: TextScanner): RegExpExecArray | null {
  return scanner.take(emptyParameter) ?? scanner.take(parameter);
}

function readAccept(text: string): readonly MediaRange[] {
  const ranges: MediaRange[] = [];
  const scanner = new TextScanner(text);
  for (scanner.take(listGap); !scanner.isAtEnd; scanner.take(listGap)) {
    const range = readRange(text, scanner);
    if (range) ranges.push(range);
    else scanner.take(rest);
  }
  return ranges;
}

/** What a request's `Accept` fields say together. Without any that can be read: no ranges. */
export function acceptedRanges(fields: readonly Field[]): readonly MediaRange[] {
  const values = fields.filter(([name]) => name.toLowerCase() === "accept").map(([, value]) => value);
  return parseAccept(values.join(","));
}

/**
 * How much a media type is wanted, from 0 (not acceptable) to 1: the weight of the most exact range that takes it, of
 * several such the largest. 1 where there are no ranges. Parameters don't count.
 *
 * @param mediaType - in lower case, without parameters: `application/json`
 */
export function acceptWeight(ranges: readonly MediaRange[], mediaType: string): number {
  if (ranges.length === 0) return 1;
  for (const wanted of [mediaType, mediaType.replace(/\/.*/, "/*"), "*/*"]) {
    const found = ranges.filter((range) => range.type === wanted);
    if (found.length > 0) return Math.max(...found.map(({ weight }) => weight));
  }
  return 0;
}

/**
 * Whether a media type is accepted by its own name, not by a range with `*` [R-DELTA-1].
 *
 * @param mediaType - in lower case, without parameters: `application/merge-patch+json`
 */
export function isAcceptedByName(ranges: readonly MediaRange[], mediaType: string): boolean {
  return ranges.some((range) => range.type === mediaType && range.weight > 0);
}

import { type Comparable, type Condition, compareValues, type Filter, isGroup } from "../../filter/index.ts";
import type { Value } from "../ports/journal.ts";
import { valueKey } from "./image-key.ts";
import type { Interval } from "./interval-tree.ts";

/** Where the index has a view: under values that some columns must have, or under a range of one column's values. */
export type ViewPlace =
  | { readonly kind: "key"; readonly columns: readonly string[]; readonly key: string }
  | { readonly kind: "range"; readonly column: string; readonly isText: boolean; readonly interval: Interval };

type Part = Filter<string, Value>;
type Places = readonly ViewPlace[];

function keyPlaces(column: string, values: readonly Value[]): Places {
  return [...new Set(values.map(valueKey))].map((key) => ({ kind: "key", columns: [column], key }));
}

function rangePlace(column: string, { low, high }: Interval): ViewPlace {
  const isText = typeof low === "string" || typeof high === "string";
  return { kind: "range", column, isText, interval: { low, high } };
}

/** The values that a comparison lets through, and its literal; `undefined` where they are no range. */
function intervalOf({
  relation,
  literal,
}: Extract<Condition<string, Value>, { kind: "compare" }>): Interval | undefined {
  if (relation === "gt" || relation === "gte") return { low: literal, high: undefined };
  return relation === "lt" || relation === "lte" ? { low: undefined, high: literal } : undefined;
}

function conditionPlaces(condition: Condition<string, Value>): Places | undefined {
  const { column } = condition;
  if (condition.kind === "compare") {
    if (condition.relation === "eq") return keyPlaces(column, [condition.literal]);
    const interval = intervalOf(condition);
    return interval && [rangePlace(column, interval)];
  }
  if (condition.kind === "like" || condition.kind === "test" || condition.isNot) return undefined;
  if (condition.kind === "in") return keyPlaces(column, condition.literals);
  const isTrue = condition.state === "true";
  return condition.state === "null" ? undefined : keyPlaces(column, [isTrue, Number(isTrue)]);
}

function greater(a: Comparable | undefined, b: Comparable | undefined, sign: number): Comparable | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareValues(a, b) * sign > 0 ? a : b;
}

/** The ranges of a conjunction, those of the same column as one. */
function rangesOf(parts: readonly Part[]): ViewPlace[] {
  const ranges = new Map<string, Interval>();
  for (const part of parts) {
    const interval = part.kind === "compare" ? intervalOf(part) : undefined;
    if (part.kind !== "compare" || !interval) continue;
    const known = ranges.get(part.column) ?? { low: undefined, high: undefined };
    ranges.set(part.column, { low: greater(known.low, interval.low, 1), high: greater(known.high, interval.high, -1) });
  }
  return [...ranges].map(([column, interval]) => rangePlace(column, interval));
}

/** How many changes a place is likely to be found by: a value is rarer than a range with two ends, and that than one without. */
function breadth(place: ViewPlace): number {
  if (place.kind === "key") return 0;
  return place.interval.low === undefined || place.interval.high === undefined ? 2 : 1;
}

function narrowest(choices: readonly Places[]): Places | undefined {
  const rank = (places: Places): number => Math.max(0, ...places.map(breadth)) * 10_000 + places.length;
  return [...choices].sort((a, b) => rank(a) - rank(b))[0];
}

/**
 * The places that a view is found at by its filter: whatever meets that is at one of them. Of a conjunction's parts the one
 * that finds least counts; of alternatives all do. `undefined` where every change has to be looked at.
 */
export function placesOf(filter: Part): Places | undefined {
  if (!isGroup(filter)) return conditionPlaces(filter);
  if (filter.kind === "and") {
    const choices = filter.parts.map(placesOf).filter((places) => places !== undefined);
    return narrowest([...choices, ...rangesOf(filter.parts).map((range) => [range])]);
  }
  const places: ViewPlace[] = [];
  for (const part of filter.parts) {
    const some = placesOf(part);
    if (!some) return undefined;
    places.push(...some);
  }
  return places;
}

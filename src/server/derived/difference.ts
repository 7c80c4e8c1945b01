/** A record in a document: its URL and its own text. */
export interface Row {
  /** Empty where it has none of its own. */
  readonly url: string;
  readonly text: string;
}

/** One step from an old list to a new one. */
export interface Step {
  readonly status: 201 | 202 | 204;
  /** Empty where the row has none: then no notification can name it. */
  readonly url: string;
  /** The record's text; absent on 204. */
  readonly text?: string;
  /** Where the record stands in the list once this step is done; absent on 204. */
  readonly index?: number;
}

/** Positions, in `places`, of a longest increasing run of values that are not negative. */
function longestIncreasing(places: readonly number[]): Set<number> {
  const tails: number[] = [];
  const before: number[] = [];
  for (let at = 0; at < places.length; at += 1) {
    const value = places[at] ?? -1;
    if (value < 0) continue;
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((places[tails[middle] ?? 0] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    before[at] = low > 0 ? (tails[low - 1] ?? -1) : -1;
    tails[low] = at;
  }
  const kept = new Set<number>();
  for (let at = tails.at(-1) ?? -1; at >= 0; at = before[at] ?? -1) kept.add(at);
  return kept;
}

/** How many numbers of a sorted list are lower than `value`. */
function countBelow(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isSame(a: Row | undefined, b: Row | undefined): boolean {
  return a !== undefined && b !== undefined && a.url === b.url && a.text === b.text;
}

/**
 * The steps that turn one list of records into another: first what left, then what entered, changed or moved, in the
 * new list's order. Records that only shifted because of others take no step.
 *
 * A record that will move stands at its old place until its own step, so an index counts those that stand before it.
 *
 * @param kept - how many rows stand before both lists, and stay
 */
export function listDifference(before: readonly Row[], after: readonly Row[], kept = 0): Step[] {
  let first = 0;
  while (first < after.length && isSame(before[first], after[first])) first += 1;
  const most = Math.min(before.length, after.length) - first;
  let same = 0;
  while (same < most && isSame(before[before.length - 1 - same], after[after.length - 1 - same])) same += 1;
  return middleDifference(
    before.slice(first, before.length - same),
    after.slice(first, after.length - same),
    kept + first,
  );
}

/** What tells rows apart: their URLs; of those that have none, what they hold, and the how manieth of these it is. */
function namesOf(rows: readonly Row[]): readonly string[] {
  const counts = new Map<string, number>();
  return rows.map(({ url, text }) => {
    if (url !== "") return url;
    const count = (counts.get(text) ?? 0) + 1;
    counts.set(text, count);
    return `#${count} ${text}`;
  });
}

/**
 * The places of rows that may stay where those without URLs do, which no step can move; -1 for the others.
 *
 * @param places - where each row of `after` was; -1 for one that is new
 */
function placesBesideOdd(after: readonly Row[], places: readonly number[]): readonly number[] {
  const odd = places.filter((_, at) => after[at]?.url === "");
  if (odd.length === 0) return places;
  let passed = 0;
  return places.map((place, at) => {
    const isBeside = countBelow(odd, place) === passed;
    if (after[at]?.url === "") passed += 1;
    return isBeside ? place : -1;
  });
}

/** As `listDifference`, of what stands behind `first` rows that stay. */
function middleDifference(before: readonly Row[], after: readonly Row[], first: number): Step[] {
  const steps: Step[] = [];
  const [oldNames, names] = [namesOf(before), namesOf(after)];
  const remaining = new Set(names);
  const places = new Map<string, number>();
  const texts = new Map<string, string>();
  for (const [at, { url, text }] of before.entries()) {
    const name = oldNames[at] ?? "";
    texts.set(name, text);
    if (remaining.has(name)) places.set(name, places.size);
    else steps.push({ status: 204, url });
  }
  const afterPlaces = names.map((name) => places.get(name) ?? -1);
  const kept = longestIncreasing(placesBesideOdd(after, afterPlaces));
  const waiting = afterPlaces.filter((place, index) => place >= 0 && !kept.has(index)).sort((a, b) => a - b);
  let lastKept = -1;
  after.forEach(({ url, text }, at) => {
    const place = afterPlaces[at] ?? -1;
    const isKept = kept.has(at);
    if (isKept) lastKept = place;
    else if (place >= 0) waiting.splice(countBelow(waiting, place), 1);
    if (isKept && texts.get(names[at] ?? "") === text) return;
    const index = first + at + countBelow(waiting, lastKept);
    steps.push({ status: place < 0 ? 201 : 202, url, text, index });
  });
  return steps;
}

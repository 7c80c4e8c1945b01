import { type Comparable, compareValues } from "../../filter/index.ts";

/** The values from `low` to `high`, both included; without one of them, there is no end on that side. */
export interface Interval {
  readonly low: Comparable | undefined;
  readonly high: Comparable | undefined;
}

type End = Comparable | undefined;

/** How many entries a node has at most: they are looked at one after another, which is fast where they lie side by side. */
const width = 64;

/** Intervals in their order, and what stands at each. */
interface Leaf<Item> {
  readonly kind: "leaf";
  readonly lows: End[];
  readonly highs: End[];
  readonly entries: Item[][];
}

/** Nodes in their order. `lows` and `highs` are of an interval that none before stands at, nor any in it before. */
interface Inner<Item> {
  readonly kind: "inner";
  readonly lows: End[];
  readonly highs: End[];
  readonly entries: Node<Item>[];
  /** The greatest high of each. */
  readonly tops: End[];
}

type Node<Item> = Leaf<Item> | Inner<Item>;

function compareLow(a: End, b: End): number {
  if (a === undefined || b === undefined) return Number(b === undefined) - Number(a === undefined);
  return compareValues(a, b);
}

function compareHigh(a: End, b: End): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return compareValues(a, b);
}

/** How a node's entry stands to an interval. */
function compareAt({ lows, highs }: Node<unknown>, at: number, { low, high }: Interval): number {
  return compareLow(lows[at], low) || compareHigh(highs[at], high);
}

/** How many of a node's first entries come before an end, by what tells whether one does. */
function countBefore(count: number, isBefore: (at: number) => boolean): number {
  let [from, to] = [0, count];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (isBefore(middle)) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** The last of a node's entries that is not behind an interval; -1 where all are. */
function placeOf(node: Node<unknown>, interval: Interval): number {
  return countBefore(node.lows.length, (at) => compareAt(node, at, interval) <= 0) - 1;
}

/** Whether a value is not above an end. Most are numbers. */
function isUpTo(value: Comparable, end: End): boolean {
  if (typeof value === "number" && typeof end === "number") {
    if (value <= end) return true;
    if (value > end) return false;
  }
  return end === undefined || compareValues(value, end) <= 0;
}

/** The greatest high in a node. */
function topOf<Item>(node: Node<Item>): End {
  const tops = node.kind === "leaf" ? node.highs : node.tops;
  return tops.reduce((top, one) => (compareHigh(one, top) > 0 ? one : top), tops[0]);
}

/** Takes the second half of a node that has too much; `undefined` where it has not. */
function split<Item>(node: Node<Item>): Node<Item> | undefined {
  if (node.entries.length <= width) return undefined;
  const half = node.entries.length >>> 1;
  const [lows, highs] = [node.lows.splice(half), node.highs.splice(half)];
  if (node.kind === "leaf") return { kind: "leaf", lows, highs, entries: node.entries.splice(half) };
  return { kind: "inner", lows, highs, entries: node.entries.splice(half), tops: node.tops.splice(half) };
}

function innerOf<Item>(nodes: readonly Node<Item>[]): Inner<Item> {
  const lows = nodes.map((node) => node.lows[0]);
  const highs = nodes.map((node) => node.highs[0]);
  return { kind: "inner", lows, highs, entries: [...nodes], tops: nodes.map(topOf) };
}

/** Gives what comes to stand behind the node, where that had too much. */
function insert<Item>(node: Node<Item>, interval: Interval, item: Item): Node<Item> | undefined {
  const { low, high } = interval;
  const place = placeOf(node, interval);
  if (node.kind === "leaf") {
    const known = compareAt(node, place, interval) === 0 ? node.entries[place] : undefined;
    if (known) {
      known.push(item);
      return undefined;
    }
    node.lows.splice(place + 1, 0, low);
    node.highs.splice(place + 1, 0, high);
    node.entries.splice(place + 1, 0, [item]);
    return split(node);
  }
  const at = Math.max(place, 0);
  const child = node.entries[at];
  if (!child) return undefined;
  if (place < 0) {
    node.lows[at] = low;
    node.highs[at] = high;
  }
  const next = insert(child, interval, item);
  node.tops[at] = next || compareHigh(high, node.tops[at]) > 0 ? topOf(child) : node.tops[at];
  if (!next) return undefined;
  node.lows.splice(at + 1, 0, next.lows[0]);
  node.highs.splice(at + 1, 0, next.highs[0]);
  node.entries.splice(at + 1, 0, next);
  node.tops.splice(at + 1, 0, topOf(next));
  return split(node);
}

function removeAt<Item>(node: Node<Item>, at: number): void {
  for (const list of [node.lows, node.highs, node.entries]) list.splice(at, 1);
  if (node.kind === "inner") node.tops.splice(at, 1);
}

function remove<Item>(node: Node<Item>, interval: Interval, item: Item): void {
  const at = placeOf(node, interval);
  if (at < 0) return;
  if (node.kind === "leaf") {
    const items = node.entries[at] ?? [];
    const found = compareAt(node, at, interval) === 0 ? items.indexOf(item) : -1;
    if (found >= 0) items.splice(found, 1);
    if (items.length === 0) removeAt(node, at);
    return;
  }
  const child = node.entries[at];
  if (!child) return;
  remove(child, interval, item);
  if (child.entries.length === 0) removeAt(node, at);
  else node.tops[at] = topOf(child);
}

function search<Item>(node: Node<Item>, value: Comparable, visit: (item: Item) => void): void {
  const { lows } = node;
  const count = countBefore(lows.length, (at) => {
    const low = lows[at];
    if (typeof low === "number" && typeof value === "number" && low <= value) return true;
    return low === undefined || compareValues(low, value) <= 0;
  });
  const isLeaf = node.kind === "leaf";
  const tops = isLeaf ? node.highs : node.tops;
  for (let at = 0; at < count; at += 1) {
    if (!isUpTo(value, tops[at])) continue;
    if (isLeaf) node.entries[at]?.forEach(visit);
    else {
      const child = node.entries[at];
      if (child) search(child, value, visit);
    }
  }
}

function visitAll<Item>(node: Node<Item>, visit: (item: Item) => void): void {
  if (node.kind === "leaf") for (const items of node.entries) items.forEach(visit);
  else for (const child of node.entries) visitAll(child, visit);
}

/**
 * Things that stand at intervals, found by a value that lies in them, at the cost of what is found. A tree of wide nodes:
 * a search comes to few places in memory, and that is what takes its time.
 */
export class IntervalTree<Item> {
  #root: Node<Item> = { kind: "leaf", lows: [], highs: [], entries: [] };

  get isEmpty(): boolean {
    return this.#root.entries.length === 0;
  }

  add(interval: Interval, item: Item): void {
    const next = insert(this.#root, interval, item);
    if (next) this.#root = innerOf([this.#root, next]);
  }

  /** Twice is fine. */
  remove(interval: Interval, item: Item): void {
    remove(this.#root, interval, item);
    const { kind, entries } = this.#root;
    const [only] = entries;
    if (kind === "inner" && only && entries.length === 1) this.#root = only as Node<Item>;
    else if (kind === "inner" && !only) this.#root = { kind: "leaf", lows: [], highs: [], entries: [] };
  }

  /** Calls `visit` with each item whose interval has the value. */
  at(value: Comparable, visit: (item: Item) => void): void {
    search(this.#root, value, visit);
  }

  /** Calls `visit` with each item. */
  all(visit: (item: Item) => void): void {
    visitAll(this.#root, visit);
  }
}

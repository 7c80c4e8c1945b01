import { type Comparable, compareValues } from "../../filter/index.ts";

/** The values from `low` to `high`, both included; without one of them, there is no end on that side. */
export interface Interval {
  readonly low: Comparable | undefined;
  readonly high: Comparable | undefined;
}

interface Node<Item> extends Interval {
  readonly items: Item[];
  /** A node's is above those of the nodes below it, by chance: so none is much deeper than others. */
  readonly priority: number;
  left: Node<Item> | undefined;
  right: Node<Item> | undefined;
  /** The greatest `high` of the node and of all below it. */
  highest: Comparable | undefined;
  /** That of `left`, so that a search need not look there. */
  highestLeft: Comparable | undefined;
}

function compareLow(a: Interval, b: Interval): number {
  if (a.low === undefined || b.low === undefined) return Number(b.low === undefined) - Number(a.low === undefined);
  return compareValues(a.low, b.low);
}

function compareHigh(a: Comparable | undefined, b: Comparable | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return compareValues(a, b);
}

function compareIntervals(a: Interval, b: Interval): number {
  return compareLow(a, b) || compareHigh(a.high, b.high);
}

function renew<Item>(node: Node<Item>): Node<Item> {
  node.highest = node.high;
  node.highestLeft = node.left?.highest;
  for (const child of [node.left, node.right]) {
    if (child && compareHigh(child.highest, node.highest) > 0) node.highest = child.highest;
  }
  return node;
}

/** The two subtrees as one; all of the first is before the second. */
function join<Item>(left: Node<Item> | undefined, right: Node<Item> | undefined): Node<Item> | undefined {
  if (!left || !right) return left ?? right;
  if (left.priority > right.priority) {
    left.right = join(left.right, right);
    return renew(left);
  }
  right.left = join(left, right.left);
  return renew(right);
}

/** A subtree as two: what is before an interval, and what is after it. It is not among them. */
function split<Item>(node: Node<Item> | undefined, at: Interval): [Node<Item> | undefined, Node<Item> | undefined] {
  if (!node) return [undefined, undefined];
  if (compareIntervals(node, at) < 0) {
    const [before, after] = split(node.right, at);
    node.right = before;
    return [renew(node), after];
  }
  const [before, after] = split(node.left, at);
  node.left = after;
  return [before, renew(node)];
}

/** Things that stand at intervals, found by a value that lies in them, at the cost of what is found. */
export class IntervalTree<Item> {
  #root: Node<Item> | undefined;
  /** The last priority: whole, and odd at first. */
  #priority: number;

  /** @param chance - a number from 0 up to 1, by which nobody can know how the tree will grow */
  constructor(chance: number) {
    this.#priority = Math.floor(chance * 2 ** 32) | 1;
  }

  get isEmpty(): boolean {
    return this.#root === undefined;
  }

  add(interval: Interval, item: Item): void {
    const known = this.#find(interval);
    if (known) known.items.push(item);
    else {
      const { low, high } = interval;
      const fresh = { low, high, items: [item], priority: this.#nextPriority(), left: undefined, right: undefined };
      this.#root = this.#insert(this.#root, { ...fresh, highest: high, highestLeft: undefined });
    }
  }

  /** Twice is fine. */
  remove(interval: Interval, item: Item): void {
    const items = this.#find(interval)?.items ?? [];
    const at = items.indexOf(item);
    if (at >= 0) items.splice(at, 1);
    if (at >= 0 && items.length === 0) this.#root = this.#without(this.#root, interval);
  }

  /** Calls `visit` with each item whose interval has the value. */
  at(value: Comparable, visit: (item: Item) => void): void {
    this.#search(this.#root, value, visit);
  }

  /** Calls `visit` with each item. */
  all(visit: (item: Item) => void): void {
    const go = (node: Node<Item> | undefined): void => {
      if (!node) return;
      go(node.left);
      node.items.forEach(visit);
      go(node.right);
    };
    go(this.#root);
  }

  /** Marsaglia's xorshift of 32 bits: a source of chance may be slow, or a test's that gives one number only. */
  #nextPriority(): number {
    let next = this.#priority;
    next ^= next << 13;
    next ^= next >>> 17;
    next ^= next << 5;
    this.#priority = next;
    return next;
  }

  #find(interval: Interval): Node<Item> | undefined {
    let node = this.#root;
    while (node) {
      const sign = compareIntervals(interval, node);
      if (sign === 0) return node;
      node = sign < 0 ? node.left : node.right;
    }
    return undefined;
  }

  #insert(node: Node<Item> | undefined, fresh: Node<Item>): Node<Item> {
    if (!node || fresh.priority > node.priority) {
      [fresh.left, fresh.right] = split(node, fresh);
      return renew(fresh);
    }
    if (compareIntervals(fresh, node) < 0) node.left = this.#insert(node.left, fresh);
    else node.right = this.#insert(node.right, fresh);
    return renew(node);
  }

  #without(node: Node<Item> | undefined, interval: Interval): Node<Item> | undefined {
    if (!node) return undefined;
    const sign = compareIntervals(interval, node);
    if (sign === 0) return join(node.left, node.right);
    if (sign < 0) node.left = this.#without(node.left, interval);
    else node.right = this.#without(node.right, interval);
    return renew(node);
  }

  #search(from: Node<Item> | undefined, value: Comparable, visit: (item: Item) => void): void {
    let node = from;
    while (node) {
      if (node.left && isUpTo(value, node.highestLeft)) this.#search(node.left, value, visit);
      if (node.low !== undefined && compareValues(node.low, value) > 0) return;
      if (isUpTo(value, node.high)) node.items.forEach(visit);
      node = node.right;
    }
  }
}

/** Whether a value is not above an end. */
function isUpTo(value: Comparable, end: Comparable | undefined): boolean {
  return end === undefined || compareValues(value, end) <= 0;
}

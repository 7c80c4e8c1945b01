/** What waits for a thread. */
export interface Waiter {
  /** Where it comes from. */
  readonly address: string;
  /** Whether its like have taken long. */
  readonly isSlow: boolean;
}

interface Line<Item> {
  readonly quick: Item[];
  readonly slow: Item[];
}

function lengthOf(line: Line<unknown> | undefined): number {
  return line ? line.quick.length + line.slow.length : 0;
}

/** What waits, by where it comes from: each address in its turn, and what is quick before what is slow. */
export class WaitingLine<Item extends Waiter> {
  readonly #most: number;
  /** In the order of their turns. */
  readonly #lines: Map<string, Line<Item>> = new Map();
  #size = 0;

  /** @param most - how many may wait */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Takes one in.
   *
   * @returns who has to go for it: the last of the address that has the most; itself, where that is its own
   */
  add(item: Item): Item | undefined {
    const line = this.#lines.get(item.address) ?? { quick: [], slow: [] };
    this.#lines.set(item.address, line);
    (item.isSlow ? line.slow : line.quick).push(item);
    this.#size += 1;
    if (this.#size <= this.#most) return undefined;
    let longest = line;
    for (const other of this.#lines.values()) if (lengthOf(other) > lengthOf(longest)) longest = other;
    const last = longest === line ? item : (longest.slow.at(-1) ?? longest.quick.at(-1));
    if (last) this.remove(last);
    return last;
  }

  /** Takes the next of a kind out; `undefined` where none waits. */
  take(kind: keyof Line<Item>): Item | undefined {
    for (const [address, line] of this.#lines) {
      const [item] = line[kind];
      if (!item) continue;
      this.remove(item);
      // Its next turn comes after all others'.
      if (this.#lines.delete(address) && lengthOf(line) > 0) this.#lines.set(address, line);
      return item;
    }
    return undefined;
  }

  /** Takes one out that does not wait any more. */
  remove(item: Item): void {
    const line = this.#lines.get(item.address);
    const items = item.isSlow ? line?.slow : line?.quick;
    const at = items?.indexOf(item) ?? -1;
    if (!line || !items || at < 0) return;
    items.splice(at, 1);
    this.#size -= 1;
    if (lengthOf(line) === 0) this.#lines.delete(item.address);
  }

  /** All that wait, taken out. */
  clear(): Item[] {
    const all = [...this.#lines.values()].flatMap(({ quick, slow }) => [...quick, ...slow]);
    this.#lines.clear();
    this.#size = 0;
    return all;
  }
}

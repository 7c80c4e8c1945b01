import type { Field } from "../../protocol/index.ts";
import type { Clock } from "../ports/clock.ts";

/** So many are looked at for one write at most: more are not one viewer's. */
const maxTold = 100;
/** Between two looks at the same for its follower's writes, in milliseconds. */
const leastMs = 1_000;

/** What shows in a viewer's fields who it is, each for itself: a page's requests differ from its handshakes in the rest. */
function credentialsOf(fields: readonly Field[]): string[] {
  const valuesOf = (name: string): string[] =>
    fields.flatMap(([key, value]) => (key.toLowerCase() === name ? [value] : []));
  const cookies = valuesOf("cookie").flatMap((value) => value.split(";").map((pair) => pair.trim()));
  const named = valuesOf("authorization").map((value) => `authorization ${value}`);
  return cookies.length > 0 ? [...named, `cookie ${cookies.sort().join("; ")}`] : named;
}

/** What somebody follows. */
interface Followed {
  /** When a GET of its own was last answered. */
  readonly checkedAt: number;
}

/**
 * Has those asked as who write: a write may be a logout, after which their own GETs are refused, or change what they may
 * see [R-DER-9].
 */
export class OwnWrites<Item extends Followed> {
  readonly #clock: Clock;
  readonly #ask: (item: Item) => void;
  readonly #items: Map<string, Set<Item>> = new Map();
  readonly #waiting: Set<Item> = new Set();

  constructor(clock: Clock, ask: (item: Item) => void) {
    this.#clock = clock;
    this.#ask = ask;
  }

  add(fields: readonly Field[], item: Item): void {
    for (const credential of credentialsOf(fields)) {
      const items = this.#items.get(credential);
      if (items) items.add(item);
      else this.#items.set(credential, new Set([item]));
    }
  }

  remove(fields: readonly Field[], item: Item): void {
    for (const credential of credentialsOf(fields)) {
      const items = this.#items.get(credential);
      if (items?.delete(item) && items.size === 0) this.#items.delete(credential);
    }
  }

  /** Says who has written, by the fields of the request. */
  wrote(fields: readonly Field[]): void {
    if (this.#items.size === 0) return;
    const found = new Set(credentialsOf(fields).flatMap((credential) => [...(this.#items.get(credential) ?? [])]));
    for (const item of [...found].slice(0, maxTold)) this.#soon(item);
  }

  #soon(item: Item): void {
    if (this.#waiting.has(item)) return;
    const waitMs = item.checkedAt + leastMs - this.#clock.now();
    if (waitMs <= 0) {
      this.#ask(item);
      return;
    }
    this.#waiting.add(item);
    this.#clock.setTimer(() => {
      this.#waiting.delete(item);
      this.#ask(item);
    }, waitMs);
  }
}

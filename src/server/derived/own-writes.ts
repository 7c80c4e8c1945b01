import type { Field } from "../../protocol/index.ts";

/** So many are looked at for one write at most: more are not one viewer's. */
const maxTold = 100;

/** What shows in a viewer's fields who it is, each for itself: a page's requests differ from its handshakes in the rest. */
function credentialsOf(fields: readonly Field[]): string[] {
  const valuesOf = (name: string): string[] =>
    fields.flatMap(([key, value]) => (key.toLowerCase() === name ? [value] : []));
  const cookies = valuesOf("cookie").flatMap((value) => value.split(";").map((pair) => pair.trim()));
  const named = valuesOf("authorization").map((value) => `authorization ${value}`);
  return cookies.length > 0 ? [...named, `cookie ${cookies.sort().join("; ")}`] : named;
}

/**
 * Finds what those follow who write: a write may be a logout, after which their own GETs are refused, or change what
 * they may see.
 */
export class OwnWrites<Item extends object> {
  readonly #items: Map<string, Set<Item>> = new Map();

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

  /** What is followed with the credentials of a request. */
  of(fields: readonly Field[]): Item[] {
    if (this.#items.size === 0) return [];
    const found = new Set(credentialsOf(fields).flatMap((credential) => [...(this.#items.get(credential) ?? [])]));
    return [...found].slice(0, maxTold);
  }
}

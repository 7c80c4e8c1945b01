/** Tells that resources may have changed: in this process, or from one to others. */
export interface Staleness {
  /** Says that the resources at these URLs may have changed. Must not throw. */
  publish(urls: readonly string[]): void;
  /** Calls `listener` with what is published from now on, by anybody. Returns a function that ends it. */
  subscribe(listener: (urls: readonly string[]) => void): () => void;
}

/** Staleness within one process. */
export function createLocalStaleness(): Staleness {
  const listeners = new Set<(urls: readonly string[]) => void>();
  return {
    publish(urls) {
      for (const listener of listeners) listener(urls);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/**
 * The segments of a URL's path, compared as resources are likely to be meant: decoded, without case, without empty
 * segments, without the query.
 */
export function pathSegments(url: string): readonly string[] {
  const path = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "").split(/[?#]/)[0] ?? "";
  return path
    .split("/")
    .filter((segment) => segment !== "")
    .map((segment) => {
      try {
        return decodeURIComponent(segment).toLowerCase();
      } catch {
        return segment.toLowerCase();
      }
    });
}

/** True where two URLs' paths are the same, or one is above the other. */
export function isRelatedPath(a: string, b: string): boolean {
  const other = pathSegments(b);
  return pathSegments(a).every((segment, at) => at >= other.length || segment === other[at]);
}

/** Finds those whose path is the same as a written one, above it or below it. */
export class PathIndex<Item> {
  readonly #root: PathNode<Item> = { items: new Set(), children: new Map() };

  add(url: string, item: Item): void {
    let node = this.#root;
    for (const segment of pathSegments(url)) {
      let child = node.children.get(segment);
      if (!child) {
        child = { items: new Set(), children: new Map() };
        node.children.set(segment, child);
      }
      node = child;
    }
    node.items.add(item);
  }

  remove(url: string, item: Item): void {
    this.#removeFrom(this.#root, pathSegments(url), 0, item);
  }

  /** Everyone that a write to `url` makes stale (RFC 9111 §4.4, extended to paths above and below). */
  touched(url: string): Set<Item> {
    const found = new Set<Item>();
    let node: PathNode<Item> | undefined = this.#root;
    for (const segment of pathSegments(url)) {
      for (const item of node.items) found.add(item);
      node = node.children.get(segment);
      if (!node) return found;
    }
    collect(node, found);
    return found;
  }

  #removeFrom(node: PathNode<Item>, segments: readonly string[], at: number, item: Item): boolean {
    const segment = segments[at];
    if (segment === undefined) {
      node.items.delete(item);
    } else {
      const child = node.children.get(segment);
      if (child && this.#removeFrom(child, segments, at + 1, item)) node.children.delete(segment);
    }
    return node.items.size === 0 && node.children.size === 0;
  }
}

interface PathNode<Item> {
  readonly items: Set<Item>;
  readonly children: Map<string, PathNode<Item>>;
}

function collect<Item>(node: PathNode<Item>, into: Set<Item>): void {
  for (const item of node.items) into.add(item);
  for (const child of node.children.values()) collect(child, into);
}

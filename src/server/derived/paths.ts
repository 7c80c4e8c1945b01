/** Names of formats that some applications put behind a resource's own name. */
const format = /\.(?:atom|csv|geojson|html?|json|jsonld|md|ndjson|pdf|rss|txt|xml|ya?ml)$/;

/** The parts of one segment: without the name of a format, and a key in parentheses (OData) for itself. */
function partsOf(segment: string): string[] {
  const name = segment.replace(format, "");
  const key = name.indexOf("(");
  return key > 0 && name.endsWith(")") ? [name.slice(0, key), name.slice(key)] : [name];
}

/**
 * The segments of a URL's path, compared as resources are likely to be meant: decoded, without case, without empty
 * segments, without the query, without a format's name (`/posts/1.json`); `/odata/posts(1)` is below `/odata/posts`.
 */
export function pathSegments(url: string): readonly string[] {
  const path = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "").split(/[?#]/)[0] ?? "";
  return path
    .split("/")
    .filter((segment) => segment !== "")
    .flatMap((segment) => {
      try {
        return partsOf(decodeURIComponent(segment).toLowerCase());
      } catch {
        return partsOf(segment.toLowerCase());
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
    // Not by recursion: who asks chooses how deep a path is.
    const way: (readonly [parent: PathNode<Item>, segment: string])[] = [];
    let node: PathNode<Item> | undefined = this.#root;
    for (const segment of pathSegments(url)) {
      way.push([node, segment]);
      node = node.children.get(segment);
      if (!node) return;
    }
    node.items.delete(item);
    for (const [parent, segment] of way.reverse()) {
      const child = parent.children.get(segment);
      if (child && child.items.size + child.children.size > 0) return;
      parent.children.delete(segment);
    }
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
}

interface PathNode<Item> {
  readonly items: Set<Item>;
  readonly children: Map<string, PathNode<Item>>;
}

function collect<Item>(top: PathNode<Item>, into: Set<Item>): void {
  const waiting = [top];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    for (const item of node.items) into.add(item);
    for (const child of node.children.values()) waiting.push(child);
  }
}

import { hasKey } from "../engine/table.ts";
import type { Extent } from "./live.ts";
import { type CollectionQuery, canonicalUrl } from "./query.ts";
import { Refusal } from "./refusal.ts";
import type { Resource } from "./resource.ts";

const notByKey = "What this list is sorted by has values that no URL says, so its parts don't go by after; use offset.";

/** What is known of the records that a part is one of. */
export interface Whole {
  /** How many records an answer has at most. */
  readonly maxRows: number;
  /** How many records there are; `undefined` where they were not counted. */
  readonly total: number | undefined;
  /** Whether parts go by key, where nothing else is asked for. */
  readonly isByKey: boolean;
}

function sizeOf({ limit }: CollectionQuery, { maxRows }: Whole): number {
  return Math.min(limit ?? maxRows, maxRows);
}

/** The part that begins at `offset`, where that is the begin of a page, too. */
function partAt(query: CollectionQuery, offset: number, size: number): CollectionQuery {
  return { ...query, offset, page: query.page === undefined ? undefined : offset / size + 1 };
}

/** Where the last part begins that has records, as parts follow each other from the first. */
function lastOffset(total: number, size: number): number {
  return Math.max(0, Math.ceil(total / size) - 1) * size;
}

function previousPart(query: CollectionQuery, whole: Whole): CollectionQuery | undefined {
  if (query.after !== undefined) return undefined;
  const { page, offset = 0 } = query;
  const size = sizeOf(query, whole);
  if (offset === 0 || size === 0) return undefined;
  // Behind the last page there are any number of empty ones.
  const last = page === undefined || whole.total === undefined ? offset : lastOffset(whole.total, size);
  if (offset >= size) return partAt(query, Math.min(offset - size, last), size);
  return { ...query, limit: offset, offset: 0 };
}

function firstPart(
  query: CollectionQuery,
  size: number,
  previous: CollectionQuery | undefined,
): CollectionQuery | undefined {
  if (Array.isArray(query.after)) return { ...query, after: "start" };
  return previous && partAt(query, 0, size);
}

/** Where the next part begins, if parts go by key. */
function nextPlace({ page, offset, after }: CollectionQuery, { last }: Extent, { isByKey }: Whole): Extent["last"] {
  return after !== undefined || (isByKey && page === undefined && offset === undefined) ? last : undefined;
}

function nextPart(
  resource: Resource,
  query: CollectionQuery,
  extent: Extent,
  whole: Whole,
): CollectionQuery | undefined {
  const { hasMore, count } = extent;
  if (!hasMore || count === 0) return undefined;
  const after = hasKey(resource.table) ? nextPlace(query, extent, whole) : undefined;
  if (after) return { ...query, after };
  if (query.after !== undefined) throw new Refusal(400, notByKey);
  const offset = (query.offset ?? 0) + count;
  if (query.page === undefined) return { ...query, offset };
  // A page that ends early, for it has too many bytes, has a rest that is no page.
  return count === query.limit ? partAt(query, offset, count) : { ...query, page: undefined, offset };
}

/**
 * The `Link` to the parts of a collection beside one: `first` and `prev` where others are before it, `next` where others
 * follow, and `last`, too, where it is known; `undefined` where it is the whole.
 */
export function partLinks(
  resource: Resource,
  query: CollectionQuery,
  extent: Extent,
  whole: Whole,
): string | undefined {
  const size = sizeOf(query, whole);
  const previous = previousPart(query, whole);
  const next = nextPart(resource, query, extent, whole);
  const { total } = whole;
  const parts: readonly (readonly [relation: string, part: CollectionQuery | undefined])[] = [
    ["first", firstPart(query, size, previous)],
    ["prev", previous],
    ["next", next],
    [
      "last",
      next && total !== undefined && next.after === undefined
        ? partAt(query, lastOffset(total, size), size)
        : undefined,
    ],
  ];
  const links = parts.flatMap(([relation, part]) => {
    return part ? [`<${canonicalUrl(resource, part)}>; rel="${relation}"`] : [];
  });
  return links.length === 0 ? undefined : links.join(", ");
}

import type { Row, Snapshot } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import type { CollectionFormat } from "./formats.ts";
import { filterFrom, placeOf } from "./keyset.ts";
import type { Extent, PageLimits } from "./live.ts";
import { type CollectionQuery, itemOrder } from "./query.ts";
import { Refusal } from "./refusal.ts";
import type { Resource } from "./resource.ts";
import { treeQueryOf } from "./select-query.ts";

/** A part of a collection, as one answer has it. */
export interface RecordPage extends Extent {
  readonly records: readonly string[];
}

/** Takes records in up to the limits: no more is in memory than is answered. */
class Page {
  readonly records: string[] = [];
  readonly most: number;
  readonly #maxBytes: number;
  bytes = 0;
  hasMore = false;

  constructor({ limit }: CollectionQuery, { maxRows, maxPageBytes }: PageLimits) {
    this.most = Math.min(limit ?? maxRows, maxRows);
    this.#maxBytes = maxPageBytes;
  }

  /** Takes another record, where it has a place; `false` where no more is taken. */
  take(encode: () => string): boolean {
    const { records } = this;
    const record = records.length < this.most ? encode() : "";
    this.bytes += Buffer.byteLength(record) + 1;
    this.hasMore = records.length >= this.most || (records.length > 0 && this.bytes > this.#maxBytes);
    if (!this.hasMore) records.push(record);
    return !this.hasMore;
  }

  end(order: string | undefined): RecordPage {
    const { records, bytes, hasMore } = this;
    return { records, count: records.length, bytes, hasMore, order };
  }
}

/** A collection's records up to the limits, read one by one. */
export function* readPage(
  snapshot: Snapshot,
  resource: Resource,
  query: CollectionQuery,
  limits: PageLimits,
  format: CollectionFormat,
): Steps<RecordPage> {
  const { table } = resource;
  const { selected } = query;
  const page = new Page(query, limits);
  if (selected) {
    if (query.after !== undefined) throw new Refusal(400, "after goes with whole records; with select, use offset.");
    const { selection } = selected;
    const trees = treeQueryOf(query, selected);
    yield* snapshot.eachTree(table, trees, page.most + 1, (tree) =>
      page.take(() => format.encodeTree(selection, tree)),
    );
    return page.end(undefined);
  }
  let order = itemOrder(query);
  const places = query.order.map(({ member }) => [table.members.indexOf(member), member.type] as const);
  let last: Row | undefined;
  yield* snapshot.each(table, { ...query, filter: filterFrom(query) }, page.most + 1, (row: Row) => {
    if (order !== undefined && !places.every(([at, type]) => type.isComparable(row[at] ?? null))) order = undefined;
    const isTaken = page.take(() => format.encodeRecord(resource, row));
    if (isTaken) last = row;
    return isTaken;
  });
  return { ...page.end(order), last: last && placeOf(query.order, table, last) };
}

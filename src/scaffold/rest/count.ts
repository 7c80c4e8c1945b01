import type { Field } from "../../protocol/index.ts";
import type { Snapshot } from "../engine/snapshot.ts";
import { done, type Steps } from "../engine/steps.ts";
import type { Extent } from "./live.ts";
import type { Count } from "./preferences.ts";
import type { CollectionQuery } from "./query.ts";
import type { Resource } from "./resource.ts";
import { treeQueryOf } from "./select-query.ts";

/** How many records there are, and how that was found out. */
export interface Total {
  readonly count: number;
  readonly by: Count;
}

/** How a total is to be found out. */
export interface Counting {
  /** Other than `exact` where a guess will do. */
  readonly wanted: Count;
  /** Up to how many records are counted where an estimate is wanted. */
  readonly maxRows: number;
}

function* countAll(snapshot: Snapshot, { table }: Resource, query: CollectionQuery): Steps<number> {
  const { selected } = query;
  if (query.after !== undefined || !selected) return yield* snapshot.count(table, query);
  return yield* snapshot.countTrees(table, treeQueryOf(query, selected));
}

/** Whether a query gives as many records as it would without what it selects of them. */
function isPlain({ selected }: CollectionQuery): boolean {
  return !selected || (!selected.grouping && selected.embeds.every(({ keeps }) => keeps === "all"));
}

function* guess(
  snapshot: Snapshot,
  { table }: Resource,
  query: CollectionQuery,
  { wanted, maxRows }: Counting,
): Steps<Total | undefined> {
  if (wanted === "exact" || !isPlain(query)) return undefined;
  const planned = yield* snapshot.estimate?.(table, query) ?? done(undefined);
  if (planned === undefined) return undefined;
  if (wanted === "planned") return { count: planned, by: "planned" };
  const { count } = yield* snapshot.measure(table, query, maxRows + 1);
  return count > maxRows ? { count: Math.max(count, planned), by: "estimated" } : { count, by: "exact" };
}

/** How many records there are of which a part was read: exactly where that is known anyway, or where the database can't guess. */
export function* countTotal(
  snapshot: Snapshot,
  resource: Resource,
  query: CollectionQuery,
  { hasMore, count }: Extent,
  counting: Counting,
): Steps<Total> {
  const before = query.offset ?? 0;
  const endsHere = query.after === undefined && !hasMore && (count > 0 || before === 0);
  if (endsHere) return { count: before + count, by: "exact" };
  const guessed = yield* guess(snapshot, resource, query, counting);
  return guessed ?? { count: yield* countAll(snapshot, resource, query), by: "exact" };
}

/** What a request that asks for the number of records is told of it: `Content-Range: items 20-39/57`. */
export function countFields(
  { offset = 0, after = "start" }: CollectionQuery,
  { count }: Extent,
  total: Total,
): Field[] {
  // How many stand before a place is not counted.
  const range = count === 0 || after !== "start" ? "*" : `${offset}-${offset + count - 1}`;
  // A guess may be too low.
  const least = range === "*" ? 0 : offset + count;
  return [
    ["Preference-Applied", `count=${total.by}`],
    ["Content-Range", `items ${range}/${Math.max(total.count, least)}`],
  ];
}

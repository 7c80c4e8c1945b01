import { type Field, fieldValue } from "../../protocol/index.ts";
import type { Extent } from "./live.ts";
import type { CollectionQuery } from "./query.ts";
import type { Target } from "./target.ts";

/** The parameters that say which part of a collection is asked for. */
const parts: ReadonlySet<string> = new Set(["limit", "offset", "page", "per_page", "after"]);
/** `items=20-39`, or as PostgREST has it, with the unit in a field of its own: `20-39`. */
const range = /^(?:items=)?(\d{1,15})-(\d{0,15})$/;

/**
 * The part of a collection that `Range` asks for (RFC 9110 §14.2), as parameters; `undefined` where it asks for none, in another
 * unit, or where the URL says the part itself.
 */
export function rangeIn(fields: readonly Field[], { parameters }: Target): Target["parameters"] | undefined {
  const [, first, last] = range.exec(fieldValue(fields, "range")?.trim() ?? "") ?? [];
  const unit = fieldValue(fields, "range-unit")?.trim() ?? "items";
  if (first === undefined || unit !== "items" || parameters.some(([name]) => parts.has(name))) return undefined;
  const count = last ? Number(last) - Number(first) + 1 : undefined;
  // One that ends before it begins is none.
  if (count !== undefined && count < 1) return undefined;
  const limit = count === undefined ? [] : [["limit", String(count)] as const];
  return [...parameters, ...limit, ["offset", first]];
}

/** What is said of the part that `Range` asked for: which one it is. Nothing where it is empty. */
export function rangeFields({ offset = 0 }: CollectionQuery, { count }: Extent): Field[] {
  return count === 0 ? [] : [["Content-Range", `items ${offset}-${offset + count - 1}/*`]];
}

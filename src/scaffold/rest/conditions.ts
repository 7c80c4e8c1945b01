import { type Field, matchesEntityTag } from "../../protocol/index.ts";
import { Refusal } from "./refusal.ts";

function listOf(fields: readonly Field[], wanted: string): string | undefined {
  const lists = fields.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
  return lists.length === 0 ? undefined : lists.join(", ");
}

/** Whether an `If-Match` names this entity tag, by the strong comparison (RFC 9110 §8.8.3.2), or is `*`. */
function matchesStrongly(list: string, etag: string): boolean {
  return list.trim() === "*" || [...list.matchAll(/(W\/)?("[^"]*")/g)].some(([, weak, tag]) => !weak && tag === etag);
}

/** True for a request that is worth making an entity tag for. */
export function isConditional(fields: readonly Field[]): boolean {
  return listOf(fields, "if-match") !== undefined || listOf(fields, "if-none-match") !== undefined;
}

/**
 * Checks `If-Match`.
 *
 * @param etag - the current entity tag; `undefined` where there is no record
 * @throws Refusal 412
 */
export function requireMatch(fields: readonly Field[], etag: string | undefined): void {
  const list = listOf(fields, "if-match");
  if (list === undefined || (etag !== undefined && matchesStrongly(list, etag))) return;
  const now = etag === undefined ? "there is no such record" : "it has changed, or never had that entity tag";
  throw new Refusal(412, `If-Match does not hold: ${now}.`, { fields: etag === undefined ? [] : [["ETag", etag]] });
}

/** Whether an `If-None-Match` names the current entity tag. */
export function isKnown(fields: readonly Field[], etag: string): boolean {
  const list = listOf(fields, "if-none-match");
  return list !== undefined && matchesEntityTag(list, etag);
}

/** Checks `If-Match` and `If-None-Match` of a write. @throws Refusal 412 */
export function requireConditions(fields: readonly Field[], etag: string | undefined): void {
  requireMatch(fields, etag);
  if (etag !== undefined && isKnown(fields, etag)) {
    throw new Refusal(412, "If-None-Match does not hold: there is such a record.", { fields: [["ETag", etag]] });
  }
}

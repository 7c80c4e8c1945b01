import { parsePointer, resolvePointer } from "./json-pointer.ts";
import { applyMergePatch } from "./merge-patch-apply.ts";

/**
 * A record's body after a delta [R-DELTA-3], of which only the record is known before.
 *
 * @param record - the record before; what stands around it in its body has no other members [R-DELTA-7]
 * @param pointer - where the record is in its body (`record` in `Items`)
 * @returns the body, and the record in it
 * @throws ProtocolError where the patch is nested too deep
 */
export function applyDelta(
  record: unknown,
  pointer: string,
  patch: unknown,
): { readonly body: unknown; readonly record: unknown } {
  const names = parsePointer(pointer) ?? [];
  const before = names.reduceRight((inner, name) => Object.fromEntries([[name, inner]]), record);
  const body = applyMergePatch(before, patch);
  return { body, record: resolvePointer(body, pointer) };
}

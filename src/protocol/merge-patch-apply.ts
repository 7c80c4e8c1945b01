import { protocolError } from "./protocol-error.ts";

/** How deep a document may be nested that is patched [R-DELTA-4]. */
export const maxPatchDepth = 500;

/** True for a JSON object. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Applies a merge patch (RFC 7396) to a JSON value: gives the value after it, and leaves the one before as it is. Members that
 * the patch does not name are the same objects. A member named `__proto__` is one like any other [R-DELTA-3].
 *
 * @throws ProtocolError where the patch is nested deeper than 500 objects
 */
export function applyMergePatch(before: unknown, patch: unknown, depth: number = maxPatchDepth): unknown {
  if (!isJsonObject(patch)) return patch;
  if (depth === 0) throw protocolError("a merge patch is nested too deep");
  const members = new Map(isJsonObject(before) ? Object.entries(before) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) members.delete(name);
    else members.set(name, applyMergePatch(members.get(name), value, depth - 1));
  }
  return Object.fromEntries(members);
}

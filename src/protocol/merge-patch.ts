import { utf8Length } from "./characters.ts";
import { isJsonObject, maxPatchDepth } from "./merge-patch-apply.ts";
import { ownMember } from "./own-member.ts";

type JsonObject = Readonly<Record<string, unknown>>;

function isShallow(value: unknown, depth = maxPatchDepth): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((member) => isShallow(member, depth - 1));
}

/** Whether two values that are no objects are equal; arrays are where they are written so. */
function isEqual(a: unknown, b: unknown): boolean {
  return a === b || (Array.isArray(a) && Array.isArray(b) && JSON.stringify(a) === JSON.stringify(b));
}

function difference(before: JsonObject, after: JsonObject): JsonObject | undefined {
  const patch: [name: string, value: unknown][] = [];
  for (const [name, value] of Object.entries(after)) {
    const old = ownMember(before, name);
    if (isJsonObject(value)) {
      const inner = difference(isJsonObject(old) ? old : {}, value);
      if (!inner) return undefined;
      if (!isJsonObject(old) || Object.keys(inner).length > 0) patch.push([name, inner]);
    } else if (!isEqual(old, value)) {
      // In a patch, null takes a member away.
      if (value === null) return undefined;
      patch.push([name, value]);
    }
  }
  for (const name of Object.keys(before)) {
    if (!Object.hasOwn(after, name)) patch.push([name, null]);
  }
  return Object.fromEntries(patch);
}

/**
 * Makes the merge patch (RFC 7396) that leads from one JSON value to another [R-DELTA-2]. Arrays come as a whole.
 *
 * @returns `undefined` where a merge patch can't say it: one of the two is no object, a member becomes `null`, or something is
 * nested deeper than 500
 */
export function makeMergePatch(before: unknown, after: unknown): JsonObject | undefined {
  const isSayable = isJsonObject(before) && isJsonObject(after) && isShallow(before) && isShallow(after);
  return isSayable ? difference(before, after) : undefined;
}

const stringOrNumber = /"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|\\?$)|-?[0-9][0-9.eE+-]*/g;

/** Whether all readers take a number of a JSON text for the same, and write it so again. */
function isPlainNumber(text: string): boolean {
  const [digits = "", exponent = ""] = text.split(/e/i);
  return (digits.length <= 15 && exponent.length <= 2) || String(Number(text)) === text;
}

/** Whether all numbers of a JSON text are plain; only long ones and those with an exponent may not be. */
function hasPlainNumbers(json: string): boolean {
  if (!/[0-9.]{15}|[0-9][eE]/.test(json)) return true;
  const tokens = json.match(stringOrNumber) ?? [];
  return tokens.every((token) => token.startsWith('"') || isPlainNumber(token));
}

/**
 * Makes the merge patch between two bodies as text.
 *
 * @returns `undefined` where the body itself has to be sent: it is not longer than the patch, or {@link makeMergePatch} can't
 * say the difference, or one of the two is no JSON or has a number that many readers take for another
 */
export function makeMergePatchText(before: string, after: string): string | undefined {
  if (!hasPlainNumbers(before) || !hasPlainNumbers(after)) return undefined;
  try {
    const patch = makeMergePatch(JSON.parse(before), JSON.parse(after));
    const text = patch && JSON.stringify(patch);
    return text !== undefined && utf8Length(text) < utf8Length(after) ? text : undefined;
  } catch {
    return undefined;
  }
}

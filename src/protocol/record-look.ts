import { resolvePointer } from "./json-pointer.ts";
import type { RecordRule } from "./record-rule.ts";

/** After so long a URL that was made up, and was not there, may be looked at again, in milliseconds. */
export const lookAgainMs = 60_000;

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether one is a state of the other's record: its key, and something else that both have, are the same. */
function isSameRecord(found: unknown, row: object, pointer: string): boolean {
  if (!isObject(found)) return false;
  const key = resolvePointer(row, pointer);
  if (key === undefined || String(resolvePointer(found, pointer)) !== String(key)) return false;
  const shared = Object.keys(row).filter((name) => `/${name}` !== pointer && Object.hasOwn(found, name));
  const isEqual = (name: string): boolean =>
    JSON.stringify(Reflect.get(row, name)) === JSON.stringify(Reflect.get(found, name));
  return shared.length === 0 || shared.some(isEqual);
}

/**
 * Whether what was found at a URL that a rule made of a row's key is the row's record: the document, or a member of it.
 * Without that the URL is promised to nobody [R-FLD-12].
 */
export function holdsRecord(document: unknown, row: unknown, { pointer }: RecordRule): boolean {
  if (!isObject(document) || !isObject(row)) return false;
  return [document, ...Object.values(document)].some((one) => isSameRecord(one, row, pointer));
}

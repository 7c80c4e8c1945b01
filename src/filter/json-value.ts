import type { Comparable } from "./compare.ts";
import { type JsonPath, parseJsonPath } from "./json-path.ts";

/** A value in JSON; `undefined` where there is none. */
function childOf(value: unknown, step: string | number): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value) !== (typeof step === "number"))
    return undefined;
  if (typeof step === "number") return (value as readonly unknown[]).at(step);
  return Object.hasOwn(value, step) ? Reflect.get(value, step) : undefined;
}

function isScalar(value: unknown): boolean {
  return value !== null && value !== undefined && typeof value !== "object";
}

function pathOf(name: string): JsonPath | undefined {
  try {
    return parseJsonPath(name);
  } catch {
    return undefined;
  }
}

/** What a path leads to in a row's JSON. */
export interface FoundInJson {
  /** `undefined` where only the database knows how it is compared: numbers have texts that JSON does not show. */
  readonly value: Comparable | undefined;
  /** Whether literals are JSON, too. */
  readonly isJson: boolean;
}

/**
 * What a name leads to as a path into a member; `undefined` where it is no path, or the row has no such member.
 *
 * @param read - a member as JSON has it; `undefined` where the row has none
 */
export function findInJson(name: string, read: (name: string) => unknown): FoundInJson | undefined {
  const path = pathOf(name);
  const whole = path && read(path.column);
  if (!path || whole === undefined) return undefined;
  const isJson = !path.isText;
  let found: unknown = whole;
  for (const step of path.steps) {
    // To PostgreSQL, a value that is no array is its own first item.
    if (typeof step === "number" && isScalar(found)) return { value: undefined, isJson };
    found = childOf(found, step);
  }
  const value = found ?? null;
  // JSON's null is NULL to some databases only.
  if (value === null && isJson) return { value: undefined, isJson };
  if (typeof value === "boolean") return { value: isJson ? undefined : String(value), isJson };
  const isKnown = value === null || typeof value === "string" || (isJson && Number.isSafeInteger(value));
  return { value: isKnown ? (value as Comparable) : undefined, isJson };
}

/** A literal that is JSON, where it is surely compared as a value of that sort is. */
export function jsonLiteral(text: string): string | number | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "string" || Number.isSafeInteger(json) ? (json as string | number) : undefined;
  } catch {
    return undefined;
  }
}

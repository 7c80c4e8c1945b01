import { ownMember } from "./own-member.ts";

/** Members and the texts that they must be equal to, as a URL's query has them. */
export type ItemFilter = readonly (readonly [name: string, text: string])[];

function isEqualToText(value: unknown, text: string): boolean {
  if (typeof value === "number") return text !== "" && Number(text) === value;
  if (typeof value === "boolean") return text === String(value) || text === String(Number(value));
  return String(value) === text && value !== null;
}

/**
 * Whether a row has what a filter asks for, by the value's text; numbers by value. `undefined` where it lacks a member, so
 * that nobody can tell.
 */
export function matchesItemFilter(row: unknown, filter: ItemFilter): boolean | undefined {
  let isKnown = true;
  for (const [name, text] of filter) {
    const value = ownMember(row, name);
    if (value === undefined) isKnown = false;
    else if (!isEqualToText(value, text)) return false;
  }
  return isKnown ? true : undefined;
}

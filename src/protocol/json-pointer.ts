import { ownMember } from "./own-member.ts";

const arrayIndex = /^(?:0|[1-9][0-9]*)$/;

/** The names in a JSON pointer (RFC 6901), none in the empty one; `undefined` where it is malformed. */
export function parsePointer(pointer: string): string[] | undefined {
  if (/^[^/]|~(?![01])/.test(pointer)) return undefined;
  const parts = pointer.split("/").slice(1);
  return parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The place in an array that a pointer's name says; `undefined` where it says none. */
export function arrayPlace(name: string): number | undefined {
  return arrayIndex.test(name) ? Number(name) : undefined;
}

/**
 * What a JSON pointer (RFC 6901) names in a document; `undefined` where it names nothing or is malformed. The empty
 * pointer names the document.
 */
export function resolvePointer(document: unknown, pointer: string): unknown {
  const names = parsePointer(pointer);
  if (!names) return undefined;
  let value = document;
  for (const name of names) {
    value = Array.isArray(value) && arrayPlace(name) === undefined ? undefined : ownMember(value, name);
  }
  return value;
}

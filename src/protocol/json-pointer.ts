import { ownMember } from "./own-member.ts";

const arrayIndex = /^(?:0|[1-9][0-9]*)$/;

/**
 * What a JSON pointer (RFC 6901) names in a document; `undefined` where it names nothing or is malformed. The empty
 * pointer names the document.
 */
export function resolvePointer(document: unknown, pointer: string): unknown {
  if (/^[^/]|~(?![01])/.test(pointer)) return undefined;
  let value = document;
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    value = Array.isArray(value) && !arrayIndex.test(key) ? undefined : ownMember(value, key);
  }
  return value;
}

const arrayIndex = /^(?:0|[1-9][0-9]*)$/;

/**
 * What a JSON pointer (RFC 6901) names in a document; `undefined` where it names nothing or is malformed. The empty
 * pointer names the document.
 */
export function resolvePointer(document: unknown, pointer: string): unknown {
  if (pointer === "") return document;
  if (!pointer.startsWith("/")) return undefined;
  let value = document;
  for (const part of pointer.slice(1).split("/")) {
    if (/~(?![01])/.test(part)) return undefined;
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null) return undefined;
    if (Array.isArray(value) && !arrayIndex.test(key)) return undefined;
    if (!Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/** The JSON pointer to a member of the document: `/artists`. */
export function formatPointer(...names: readonly string[]): string {
  return names.map((name) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

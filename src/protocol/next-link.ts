import { parseLinks } from "./link-field.ts";
import type { Field } from "./message.ts";

/** The references of a field's links with `rel="next"` (RFC 8288). */
function nextOf([name, value]: Field): string[] {
  if (name.toLowerCase() !== "link") return [];
  return parseLinks(value)
    .filter(({ relations }) => relations.includes("next"))
    .map(({ reference }) => reference);
}

/** True for a `Link` field that leads to the next part of a list [R-SUB-18]. */
export function isNextLink(field: Field): boolean {
  return nextOf(field).length > 0;
}

/** Where an answer's `Link` with `rel="next"` leads, as sent; `undefined` where it has none [R-SUB-18]. */
export function nextLink(fields: readonly Field[]): string | undefined {
  const references = fields.flatMap(nextOf);
  return references.length > 0 ? references.join(" ") : undefined;
}

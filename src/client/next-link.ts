import type { Field } from "../protocol/index.ts";

const rel = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/gi;

/** True for a `Link` field that leads to the next part of a list (RFC 8288). */
export function isNextLink([name, value]: Field): boolean {
  if (!/^link$/i.test(name)) return false;
  // What stands in a URL is no parameter.
  return [...value.replace(/<[^<>]*>/g, "").matchAll(rel)].some(([, quoted, bare = quoted]) =>
    /(?:^|\s)next(?:\s|$)/i.test(bare ?? ""),
  );
}

/** One link of a `Link` field (RFC 8288). */
export interface LinkValue {
  /** The reference between `<` and `>`, as sent. */
  readonly reference: string;
  /** Its relations, in lower case. */
  readonly relations: readonly string[];
}

const target = /[ \t,]*<([^>]*)>/y;
const parameter = /[ \t]*;[ \t]*(?:([^\s;,="]+)[ \t]*(?:=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?)?/y;

/** Reads a `Link` field, in linear time. What is malformed ends the list. */
export function parseLinks(text: string): LinkValue[] {
  const links: LinkValue[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at = pattern.lastIndex;
    return match;
  };
  for (let link = take(target); link; link = take(target)) {
    let relation: string | undefined;
    for (let found = take(parameter); found; found = take(parameter)) {
      // Of several, the first counts (RFC 8288 §3.3).
      if (found[1]?.toLowerCase() === "rel") relation ??= found[2] ?? found[3] ?? "";
    }
    const relations = (relation ?? "").toLowerCase().split(/\s+/);
    links.push({ reference: link[1] ?? "", relations });
  }
  return links;
}

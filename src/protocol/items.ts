import { resolvePointer } from "./json-pointer.ts";
import { expandUrlTemplate } from "./url-template.ts";

/**
 * Where a document's records are, and how their URLs are made: the `Items` field of a 200. That of a resource that is one
 * record has `record` alone [R-FLD-2].
 */
export interface Items {
  /** JSON pointer into the 200's body to the array of rows; the whole body unless given. */
  readonly list?: string;
  /** JSON pointer into a record's own body to the record; the whole body unless given. */
  readonly record?: string;
  /** URL template over a row: `/artists/{id}`. Either this or `link` is there, unless the document is one record. */
  readonly url?: string;
  /** JSON pointer into a row to the row's own link: `/url`, `/_links/self/href`. */
  readonly link?: string;
}

const member = /([a-z*][a-z0-9_.*-]*)=(?:"((?:[ !#-[\]-~]|\\["\\])*)"|%"((?:[ !#-$&-~]|%[0-9a-f]{2})*)")/y;
const separator = /[ \t]*,[ \t]*/y;

function readDisplayString(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** The members of a dictionary of strings and display strings (RFC 9651 §3.2); `undefined` where it is anything else. */
function parseStringDictionary(text: string): Map<string, string> | undefined {
  const members = new Map<string, string>();
  const end = text.length;
  let at = 0;
  for (;;) {
    const match = matchAt(member, text, at);
    if (!match) return undefined;
    const [whole, key = "", plain, display = ""] = match;
    const value = plain === undefined ? readDisplayString(display) : plain.replace(/\\(.)/g, "$1");
    if (value === undefined) return undefined;
    members.set(key, value);
    at += whole.length;
    if (at === end) return members;
    const comma = matchAt(separator, text, at);
    if (!comma) return undefined;
    at += comma[0].length;
  }
}

/** Reads an `Items` field; `undefined` where it is malformed or has neither `url` nor `link`. Members that it does not know are left out. */
export function parseItems(text: string): Items | undefined {
  const members = parseStringDictionary(text);
  if (!members?.has("url") && !members?.has("link")) return undefined;
  const known = ["list", "record", "url", "link"].filter((name) => members.has(name));
  return Object.fromEntries(known.map((name) => [name, members.get(name)])) as Items;
}

/**
 * The `record` of an `Items` field, with `url` and `link` or without: the JSON pointer into a record's own body
 * [R-FLD-3]. `undefined` where the field is malformed or does not say: then the whole body is the record.
 */
export function parseRecordPointer(text: string): string | undefined {
  return parseStringDictionary(text)?.get("record");
}

const anyAuthority = "http://rocket.invalid";

/**
 * A row's URL by an `Items` field: its path and query. `undefined` where the row has none, or one of another host
 * [R-FLD-4, R-FLD-9].
 *
 * @param base - the subscription's URL: links are resolved against it; absolute or a path
 */
export function itemUrl({ url, link }: Items, row: unknown, base: string): string | undefined {
  if (url !== undefined) return expandUrlTemplate(url, row);
  const value = resolvePointer(row, link ?? "");
  const from = new URL(base, anyAuthority);
  if (typeof value !== "string" || !URL.canParse(value, from)) return undefined;
  const { host, pathname, search } = new URL(value, from);
  return host === from.host ? pathname + search : undefined;
}

import { resolvePointer } from "./json-pointer.ts";
import { parseStringDictionary } from "./string-dictionary.ts";
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
  /** Where the document was to have rows, as the server was told, and has none that fit: it is one record [R-FLD-13]. */
  readonly unfit?: string;
}

const names = ["list", "record", "url", "link", "unfit"] as const;

/**
 * Reads an `Items` field, also that of a resource that is one record, with `record` alone [R-FLD-3]. Members that it does not
 * know are left out, of whatever type they are; `undefined` where it is no dictionary (RFC 9651 §3.2), or one that it knows
 * is no string.
 */
export function parseAnyItems(text: string): Items | undefined {
  const members = parseStringDictionary(text);
  if (!members || members.size === 0) return undefined;
  const items: Partial<Record<(typeof names)[number], string>> = {};
  for (const name of names) {
    const value = members.get(name);
    if (value !== undefined) items[name] = value;
    else if (members.has(name)) return undefined;
  }
  return items;
}

/** Reads an `Items` field; `undefined` where it is malformed or has neither `url` nor `link`. Members that it does not know are left out. */
export function parseItems(text: string): Items | undefined {
  const items = parseAnyItems(text);
  return items?.url === undefined && items?.link === undefined ? undefined : items;
}

/** Whether a row's link names no record of its own: without a path, or with `.` or `..` in it, which lead elsewhere. */
function isLostLink(link: string): boolean {
  const [path = ""] = link.split(/[?#]/, 1);
  return path === "" || path.split(/[/\\]/).some((part) => /^(?:\.|%2e){1,2}$/i.test(part));
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
  if (typeof value !== "string" || isLostLink(value) || !URL.canParse(value, from)) return undefined;
  const { host, pathname, search } = new URL(value, from);
  return host === from.host ? pathname + search : undefined;
}

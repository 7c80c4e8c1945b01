import { formatPointer } from "./format-pointer.ts";
import { type Items, itemUrl } from "./items.ts";
import { parsePointer, resolvePointer } from "./json-pointer.ts";
import { encodeUrlPart, isNumberKey, urlTemplateExpression } from "./url-template.ts";

/**
 * Where the records of a document are and how their URLs are made: the one guess of it, where nothing says so. Servers
 * make it for what they derive, clients where there is no such server.
 */
export interface RecordRule {
  /** A pointer into the document to its list; empty where the document itself is the list. */
  readonly list: string;
  /** A pointer into a row: to its URL (`link`) or to its key. */
  readonly pointer: string;
  readonly kind: "link" | "key";
}

const linkPointers = ["/url", "/href", "/self", "/_links/self/href", "/links/self"];
const keyPointers = ["/id", "/_id", "/uuid", "/key"];

/** The path of a target, without its query and without a slash at its end. */
function collectionPath(target: string): string {
  const path = target.split("?")[0] ?? "";
  return path.endsWith("/") ? path.slice(0, -1) : path;
}

/**
 * The record URL of a row by a rule; `undefined` where the row has none: no such member, another type, a key that no URL
 * keeps, or a link to another host or to the list itself. Whether anything is at a URL that was made of a key is not known
 * yet.
 *
 * @param target - the view's path and query
 * @param authority - the view's host and port; a link to another one is no record's
 */
export function recordUrl(row: unknown, rule: RecordRule, target: string, authority: string): string | undefined {
  const path = collectionPath(target);
  if (rule.kind === "key") {
    const value = resolvePointer(row, rule.pointer);
    const isKey = typeof value === "string" ? !/^\.{0,2}$/.test(value) : isNumberKey(value);
    return isKey ? `${path}/${encodeUrlPart(String(value))}` : undefined;
  }
  const base = `http://${authority}${target}`;
  const url = URL.canParse(base) ? itemUrl({ link: rule.pointer }, row, base) : undefined;
  return url !== undefined && (url.includes("?") || collectionPath(url) !== path) ? url : undefined;
}

function nameOf(target: string): string {
  const segment = collectionPath(target).split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** True where even an empty list is one for sure. Its rows, when they come, most likely have ids. */
function isNamedList(list: string, target: string): boolean {
  return list === "" || list === formatPointer(nameOf(target));
}

/** The name of the member that seems to be a document's list, of those that are arrays; `undefined` where there is none. */
export function listName(arrays: readonly string[], target: string): string | undefined {
  const name = nameOf(target);
  if (arrays.includes(name)) return name;
  return arrays.length === 1 ? arrays[0] : undefined;
}

/** The rules that may fit a list whose records are not told otherwise, the likeliest first. */
export function likelyRules(list: string): RecordRule[] {
  return [
    ...linkPointers.map((pointer) => ({ list, pointer, kind: "link" }) as const),
    ...keyPointers.map((pointer) => ({ list, pointer, kind: "key" }) as const),
  ];
}

/** The rule for an empty list, or `undefined` where it may be anything: then the whole is one record. */
export function emptyListRule(list: string, target: string): RecordRule | undefined {
  return isNamedList(list, target) ? { list, pointer: "/id", kind: "key" } : undefined;
}

/** The URLs of a list's rows by several rules, of which those stay that give each row one of its own. */
export class UrlCandidates {
  readonly #target: string;
  readonly #authority: string;
  #candidates: readonly { readonly rule: RecordRule; readonly urls: Set<string> }[];

  constructor(rules: readonly RecordRule[], target: string, authority: string) {
    this.#target = target;
    this.#authority = authority;
    this.#candidates = rules.map((rule) => ({ rule, urls: new Set() }));
  }

  /** Takes the next row. False where no rule is left. */
  add(row: unknown): boolean {
    const left = this.#candidates.filter(({ rule, urls }) => {
      const url = recordUrl(row, rule, this.#target, this.#authority);
      if (url === undefined || urls.has(url)) return false;
      urls.add(url);
      return true;
    });
    if (left.length < this.#candidates.length) this.#candidates = left;
    return left.length > 0;
  }

  /** The first rule that fits all rows, with their URLs. */
  get found(): { readonly rule: RecordRule; readonly urls: readonly string[] } | undefined {
    const [first] = this.#candidates;
    return first && { rule: first.rule, urls: [...first.urls] };
  }
}

/** So many rows at the beginning of a list tell which rule fits best, where none fits all. */
export const tellingRows = 100;

/** Whether a row has something where a rule looks, be it a URL or not. */
function hasMember(row: unknown, { pointer }: RecordRule): boolean {
  const value = resolvePointer(row, pointer);
  return typeof value === "string" || typeof value === "number";
}

/**
 * The rule by which most rows have a URL of their own, the likeliest of several. `undefined` where too few rows look like
 * records: half of them have to, or, where it is a list for sure, one has to have the member, whatever that is.
 *
 * @param rows - {@link tellingRows} at most
 * @param isStated - whether the application says that they are a list of records
 */
export function bestRule(
  rules: readonly RecordRule[],
  rows: readonly unknown[],
  { target, authority, isStated = false }: { target: string; authority: string; isStated?: boolean },
): RecordRule | undefined {
  const fits = rules.flatMap((rule) => {
    const having = rows.filter((row) => hasMember(row, rule)).length;
    const urls = new Set(rows.map((row) => recordUrl(row, rule, target, authority)));
    urls.delete(undefined);
    // A link to elsewhere is no sign of a record; a key that no URL can have is.
    const signs = rule.kind === "key" ? having : urls.size;
    return having > 0 ? [{ rule, urls: urls.size, signs }] : [];
  });
  const [best] = fits.sort((a, b) => b.urls - a.urls || b.signs - a.signs);
  if (!best || isStated || isNamedList(best.rule.list, target)) return best?.rule;
  return best.signs * 2 >= rows.length ? best.rule : undefined;
}

/**
 * The `Items` field that tells a client of a rule.
 *
 * @param hasUrls - whether the rows' URLs can be written to
 */
export function itemsOfRule(rule: RecordRule, target: string, hasUrls: boolean): Items {
  const { list } = rule;
  if (rule.kind === "link") return { list, record: "", link: rule.pointer };
  const [name = ""] = parsePointer(rule.pointer) ?? [];
  const key = urlTemplateExpression(name);
  return { list, record: "", url: `${collectionPath(target)}${hasUrls ? "/" : "#"}${key}` };
}

/** What tells a row apart that has no URL of its own: a fragment of the list's [R-FLD-12]. @param url - made of its key */
export function fragmentUrl(url: string): string {
  const at = url.lastIndexOf("/");
  return `${url.slice(0, at)}#${url.slice(at + 1)}`;
}

/** The rule by which a document most likely holds records; `undefined` where nothing fits: then it is one record. */
export function guessRule(document: unknown, target: string, authority: string): RecordRule | undefined {
  if (typeof document !== "object" || document === null) return undefined;
  const names = Object.keys(document).filter((one) => Array.isArray(Reflect.get(document, one)));
  const name = Array.isArray(document) ? undefined : listName(names, target);
  const rows: unknown = name === undefined ? document : Reflect.get(document, name);
  if (!Array.isArray(rows)) return undefined;
  const list = name === undefined ? "" : formatPointer(name);
  if (rows.length === 0) return emptyListRule(list, target);
  const rules = likelyRules(list);
  const urls = new UrlCandidates(rules, target, authority);
  if (rows.every((row) => urls.add(row))) return urls.found?.rule;
  return bestRule(rules, rows.slice(0, tellingRows), { target, authority });
}

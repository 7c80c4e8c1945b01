import {
  encodeUrlPart,
  formatPointer,
  type Items,
  resolvePointer,
  urlTemplateExpression,
} from "../../protocol/index.ts";

/** Where the records of a document are and how their URLs are made. */
export interface RecordRule {
  /** The member that holds the list; `undefined` where the document itself is the list. */
  readonly member: string | undefined;
  /** A pointer into a row: to its URL (`link`) or to its key. */
  readonly pointer: string;
  readonly kind: "link" | "key";
}

/** Where an app's own documents hold records, where Rocket can't tell by itself. */
export interface RecordOptions {
  /** The member of the document that holds the list. Default: the document itself is the list. */
  readonly list?: string;
  /** The member of a row that is its key: the record's URL is the collection's with the key behind it. */
  readonly key?: string;
  /** A JSON pointer into a row to its link. One of `key` and `link` is needed. */
  readonly link?: string;
}

/** The rule that options state. @throws TypeError where they name neither key nor link */
export function recordRuleOf({ list, key, link }: RecordOptions): RecordRule {
  if (link !== undefined) return { member: list, pointer: link, kind: "link" };
  if (key === undefined) throw new TypeError("records: an entry needs a key or a link.");
  return { member: list, pointer: formatPointer(key), kind: "key" };
}

const linkPointers = ["/url", "/href", "/self", "/_links/self/href", "/links/self"];
const keyPointers = ["/id", "/_id", "/uuid", "/key"];

function isRow(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The path of a target, without its query and without a slash at its end. */
function collectionPath(target: string): string {
  const path = target.split("?")[0] ?? "";
  return path.endsWith("/") ? path.slice(0, -1) : path;
}

/**
 * The record URL of a row by a rule; `undefined` where the row has none: no such member, another type, or a link that
 * does not lie under the collection.
 *
 * @param target - the view's path and query
 * @param authority - the view's host and port; a link to another one is no record's
 */
export function recordUrl(row: unknown, rule: RecordRule, target: string, authority: string): string | undefined {
  const value = resolvePointer(row, rule.pointer);
  const path = collectionPath(target);
  if (rule.kind === "key") {
    const isKey = typeof value === "number" || (typeof value === "string" && value !== "");
    return isKey ? `${path}/${encodeUrlPart(String(value))}` : undefined;
  }
  if (typeof value !== "string" || !URL.canParse(value, `http://${authority}${target}`)) return undefined;
  const url = new URL(value, `http://${authority}${target}`);
  const isUnder = url.pathname.startsWith(`${path}/`) && url.pathname.length > path.length + 1;
  return url.host === new URL(`http://${authority}`).host && isUnder ? url.pathname + url.search : undefined;
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
function isNamedList(member: string | undefined, target: string): boolean {
  return member === undefined || member === nameOf(target);
}

/** The member of a document that seems to be its list; `undefined` where it is one itself, `null` where there is none. */
export function listMember(document: unknown, target: string): string | undefined | null {
  if (Array.isArray(document)) return undefined;
  if (!isRow(document)) return null;
  const name = nameOf(target);
  if (Object.hasOwn(document, name) && Array.isArray(document[name])) return name;
  const arrays = Object.keys(document).filter((key) => Array.isArray(document[key]));
  return arrays.length === 1 ? (arrays[0] ?? null) : null;
}

/** The rule that fits a document, or `undefined` where it holds no records: then the whole is one record. */
export function findRecordRule(document: unknown, target: string, authority: string): RecordRule | undefined {
  const member = listMember(document, target);
  if (member === null) return undefined;
  const rows = (member === undefined ? document : (document as Record<string, unknown>)[member]) as unknown[];
  if (rows.length === 0) return isNamedList(member, target) ? { member, pointer: "/id", kind: "key" } : undefined;
  if (!rows.every(isRow)) return undefined;
  const candidates: RecordRule[] = [
    ...linkPointers.map((pointer) => ({ member, pointer, kind: "link" }) as const),
    ...keyPointers.map((pointer) => ({ member, pointer, kind: "key" }) as const),
  ];
  return candidates.find((rule) => {
    const urls = new Set(rows.map((row) => recordUrl(row, rule, target, authority)));
    return urls.size === rows.length && !urls.has(undefined);
  });
}

/** The `Items` field that tells a client of a rule. */
export function itemsOf(rule: RecordRule, target: string): Items {
  const list = rule.member === undefined ? "" : formatPointer(rule.member);
  if (rule.kind === "link") return { list, record: "", link: rule.pointer };
  return { list, record: "", url: `${collectionPath(target)}/${urlTemplateExpression(rule.pointer.slice(1))}` };
}

import {
  decodeUrlPart,
  formatPointer,
  type Items,
  itemUrl,
  parseAnyItems,
  type RecordRule,
  recordUrl,
} from "../../protocol/index.ts";

/** Where an answer itself says that its records are, by its `Items`, and how their URLs are made [R-FLD-15]. */
export interface ItemsRule {
  readonly kind: "items";
  readonly list: string;
  readonly items: Items;
}

/** Where the records of a document are: as its answer says, as the app states, or as it seems. */
export type RowsRule = RecordRule | ItemsRule;

/** Whose a row is: the path and query of its document, and the host and port. */
export interface RowPlace {
  readonly target: string;
  readonly authority: string;
}

/** The URL of a row; `undefined` where it has none. */
export function rowUrl(row: unknown, rule: RowsRule, { target, authority }: RowPlace): string | undefined {
  if (rule.kind !== "items") return recordUrl(row, rule, target, authority);
  const base = `http://${authority}${target}`;
  return URL.canParse(base) ? itemUrl(rule.items, row, base) : undefined;
}

/** JSON pointers into a row to what makes its URL. */
export function namePointers(rule: RowsRule): readonly string[] {
  if (rule.kind !== "items") return [rule.pointer];
  const { url, link = "" } = rule.items;
  if (url === undefined) return [link];
  return [...url.matchAll(/\{([^{}]*)\}/g)].map(([, name = ""]) => formatPointer(decodeUrlPart(name) ?? name));
}

/** True for a template whose URLs are paths of the same host. */
function isPathTemplate(url: string): boolean {
  return url.startsWith("/") && !url.startsWith("//");
}

/**
 * What an answer's `Items` says of its document: the rule of its list, or that it is one record. `undefined` where it says
 * nothing that could be followed.
 */
export function parseStatement(field: string | undefined): ItemsRule | "record" | undefined {
  const items = field === undefined ? undefined : parseAnyItems(field);
  if (!items) return undefined;
  const { list = "", url, link } = items;
  if (url === undefined && link === undefined) return "record";
  return url === undefined || isPathTemplate(url) ? { kind: "items", list, items } : undefined;
}

/** A rule that the app states. */
export interface StatedRule extends RecordRule {
  /** Told of each document that is not as the app said: there is no such list, or a row has no URL of its own. */
  readonly onUnfit?: ((what: "place" | "row") => void) | undefined;
}

/** Where an app's own documents hold records, where Rocket can't tell by itself. */
export interface RecordOptions {
  /**
   * Where the document has its list: the name of a member, or, beginning with a slash, a JSON pointer (RFC 6901), as
   * `/_embedded/posts`. Default: the document itself is the list.
   */
  readonly list?: string;
  /** The name of a row's member that is its key: the record's URL is the collection's with the key behind it. */
  readonly key?: string;
  /** A JSON pointer into a row to its link. Either `key` or `link` is needed. */
  readonly link?: string;
}

/** The rule that options state, which were checked. */
export function recordRuleOf(options: RecordOptions & Pick<StatedRule, "onUnfit">): StatedRule {
  const { list: place = "", key = "", link, onUnfit } = options;
  const list = place === "" || place.startsWith("/") ? place : formatPointer(place);
  if (link !== undefined) return { list, pointer: link, kind: "link", onUnfit };
  return { list, pointer: formatPointer(key), kind: "key", onUnfit };
}

/** The `Items` field of a document that is not as the app said: it is one record [R-FLD-13]. */
export function unfitItems({ list }: RecordRule): Items {
  return { record: "", unfit: list };
}

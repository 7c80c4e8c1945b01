import {
  type Field,
  fieldValue,
  formatItems,
  fragmentUrl,
  type Items,
  itemsOfRule,
  nextLink,
  parseItems,
} from "../../protocol/index.ts";
import type { Notification } from "../delivery/notification.ts";
import type { OriginResponse } from "../ports/origin.ts";
import { endToEndFields } from "../viewer.ts";
import { listDifference, type Step } from "./difference.ts";
import { type Document, type DocumentPlace, isEqualBody, type RecordList } from "./document.ts";
import { type RowsRule, unfitItems } from "./record-rule.ts";
import type { RowTable } from "./row-table.ts";

/** A document as followers are given it. */
export interface Standing {
  readonly document: Document;
  /** The position: equal where the document is equal, on any process and after any restart [R-POS-8]. */
  readonly eventId: string;
  /** Whether the rows of its list have URLs that can be written to; true where there is no list. */
  readonly hasUrls: boolean;
  /** The fields of a 200 with the document. */
  readonly fields: readonly Field[];
  readonly etag: string | undefined;
}

/** The difference between two documents. */
export interface Difference {
  /** What turns the one into the other; `undefined` where only a snapshot tells [R-DER-5]. */
  readonly notifications: Notification[] | undefined;
  /** The URLs of the records that it concerns. */
  readonly urls: readonly string[];
}

/** What a message costs beside its body, roughly; it counts where there are many. */
const headBytes = 100;
const fewSteps = 16;

/**
 * Whether a field is the hub's own to say: a position and an order are those of another history, `Items` speaks of a list
 * that the hub has found or not. Where the document is one record, the origin may say where it is.
 */
function isHubField([name, value]: Field, list: RecordList | undefined): boolean {
  const key = name.toLowerCase();
  if (key === "items") return list !== undefined || parseItems(value) !== undefined;
  return key === "event-id" || key === "item-order";
}

/** The type that an answer says its body has. */
export function contentTypeOf({ fields }: OriginResponse): string {
  return fieldValue(fields, "content-type") ?? "application/octet-stream";
}

/** The validator that an answer gives. */
export function entityTagOf({ fields }: OriginResponse): string | undefined {
  return fieldValue(fields, "etag");
}

/** The document that an answer has, not yet taken apart. */
export function documentOf(response: OriginResponse): Document {
  const { fields, body } = response;
  return { contentType: contentTypeOf(response), body, next: nextLink(fields), items: fieldValue(fields, "items") };
}

/** True where an answer has the very document. */
export function hasDocument({ document }: Standing, response: OriginResponse): boolean {
  const { contentType, body, next, items } = documentOf(response);
  const isSaidSo = document.contentType === contentType && document.next === next && document.items === items;
  return isSaidSo && isEqualBody(document.body, body);
}

/** What several viewers may be given of one viewer's answer: what speaks of the document, not of who asked. */
const sharedFields = new Set([
  "cache-control",
  "content-language",
  "content-type",
  "etag",
  "expires",
  "items",
  "last-modified",
  "link",
  "vary",
]);

/** A document with its position, as it is kept. */
export interface KeptDocument {
  readonly document: Document;
  readonly eventId: string;
}

/** Behind the position of a document whose rows have no URLs: the same with URLs is another state. */
const withoutUrls = "~";

/** Equal where two rules are. */
function ruleText(rule: RowsRule): string {
  return JSON.stringify([rule.list, rule.kind, rule.kind === "items" ? formatItems(rule.items) : rule.pointer]);
}

/**
 * Behind the position: by which rule the rows' URLs are made. The rule may come of what stood there before, and where it is
 * another, the same document is another state.
 */
function ruleMark(rule: RowsRule): string {
  let hash = 0;
  for (const character of ruleText(rule)) {
    hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) >>> 0;
  }
  return `.${hash.toString(36)}`;
}

/** The `Items` field of a list; one that is not where the app stated it is empty, and that is said [R-FLD-13]. */
function listItems({ rule, gap }: RecordList, { target, rule: stated }: DocumentPlace, hasUrls: boolean): Items {
  // A 201 or 202 has the row alone.
  if (rule.kind === "items") return { ...rule.items, list: rule.list, record: "" };
  const items = itemsOfRule(rule, target, hasUrls);
  return gap === "nothing" && stated ? { ...items, ...unfitItems(stated) } : items;
}

/** How an answer is made into a standing. */
export interface StandingParts {
  readonly place: DocumentPlace;
  /** Whether others than its asker are given it. */
  readonly isShared: boolean;
  /** Whether the rows of its list have URLs that can be written to. */
  readonly hasUrls: boolean;
}

/** Makes of an answer what followers are given. */
export function readStanding(
  { document, eventId }: KeptDocument,
  response: OriginResponse,
  { place, isShared, hasUrls }: StandingParts,
): Standing {
  const { list } = document;
  const fields = endToEndFields(response.fields).filter((field) => {
    return !isHubField(field, list) && (!isShared || sharedFields.has(field[0].toLowerCase()));
  });
  if (list) fields.push(["Items", formatItems(listItems(list, place, hasUrls))]);
  else if (place.rule && fieldValue(fields, "items") === undefined)
    fields.push(["Items", formatItems(unfitItems(place.rule))]);
  const position = eventId + (list ? ruleMark(list.rule) : "") + (hasUrls ? "" : withoutUrls);
  return { document, eventId: position, hasUrls, fields, etag: entityTagOf(response) };
}

function isSameList(before: RecordList, after: RecordList): boolean {
  const isSameRule = before.rule === after.rule || ruleText(before.rule) === ruleText(after.rule);
  return isSameRule && before.gap === after.gap && before.head === after.head && before.tail === after.tail;
}

function isLarger(steps: readonly Step[], body: { readonly length: number }): boolean {
  const heads = steps.length > fewSteps ? steps.length * headBytes : 0;
  return steps.reduce((sum, { text = "", url }) => sum + text.length + url.length, heads) > body.length;
}

/** The steps between two lists, of which those rows are looked at that may differ. */
function rowSteps(before: RowTable, after: RowTable): Step[] {
  const { first, last } = after.keptOf(before);
  return listDifference(before.slice(first, before.length - last), after.slice(first, after.length - last), first);
}

/** What turns one document into another. @param url - the view's, which is the record's where the whole is one */
export function differenceOf(before: Standing, after: Standing, url: string): Difference {
  const { contentType, body, list } = after.document;
  const old = before.document;
  const isSameType = old.contentType === contentType;
  // Only a 200 says whether there is more [R-SUB-18], and where the records are.
  const isSameEnd = old.next === after.document.next && old.items === after.document.items;
  if (!old.list && !list) {
    const etag = after.etag === undefined ? {} : { etag: after.etag };
    const changed: Notification = { status: 202, position: 0, url, representation: { contentType, body, ...etag } };
    changed.eventId = after.eventId;
    return { notifications: isSameType && isSameEnd ? [changed] : undefined, urls: [url] };
  }
  if (!old.list || !list) return { notifications: undefined, urls: [] };
  const steps = rowSteps(old.list.rows, list.rows);
  const urls = steps.map((step) => step.url).filter((one) => one !== "");
  const isSame =
    urls.length === steps.length &&
    isSameType &&
    isSameEnd &&
    before.hasUrls === after.hasUrls &&
    isSameList(old.list, list);
  if (!isSame || isLarger(steps, body)) return { notifications: undefined, urls };
  const notifications = steps.map(({ status, url: made, text, index }): Notification => {
    const place = { status, position: 0, url: after.hasUrls ? made : fragmentUrl(made) };
    return text === undefined || index === undefined
      ? place
      : { ...place, index, representation: { contentType, body: text } };
  });
  const last = notifications.at(-1);
  if (last) last.eventId = after.eventId;
  return { notifications, urls };
}

import { type Field, fieldValue, formatItems, parseItems } from "../../protocol/index.ts";
import type { Notification } from "../delivery.ts";
import type { OriginResponse } from "../origin.ts";
import { endToEndFields } from "../viewer.ts";
import { listDifference, type Step } from "./difference.ts";
import { digestDocument } from "./digest.ts";
import { type Document, type DocumentPlace, isEqualBody, type RecordList } from "./document.ts";
import { itemsOf } from "./record-rule.ts";
import type { RowTable } from "./row-table.ts";

/** A document as followers are given it. */
export interface Standing {
  readonly document: Document;
  /** The position: equal where the document is equal, on any process and after any restart [R-POS-8]. */
  readonly eventId: string;
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

/** True where an answer has the very document. */
export function hasDocument({ document }: Standing, response: OriginResponse): boolean {
  return document.contentType === contentTypeOf(response) && isEqualBody(document.body, response.body);
}

/** Makes of an answer what followers are given. @param isLeftOut - says which of its fields, in lower case, they are not */
export function readStanding(
  document: Document,
  response: OriginResponse,
  place: DocumentPlace,
  isLeftOut: (name: string) => boolean,
): Standing {
  const { contentType, body, list, pieces } = document;
  const isKept = (field: Field): boolean => !isHubField(field, list) && !isLeftOut(field[0].toLowerCase());
  const fields = endToEndFields(response.fields).filter(isKept);
  if (list) fields.push(["Items", formatItems(itemsOf(list.rule, place.target))]);
  const etag = isLeftOut("etag") ? undefined : entityTagOf(response);
  return { document, eventId: `d-${digestDocument(contentType, body, pieces)}`, fields, etag };
}

/** A standing without some of its fields. */
export function withoutFields(standing: Standing, isLeftOut: (name: string) => boolean): Standing {
  const fields = standing.fields.filter(([name]) => !isLeftOut(name.toLowerCase()));
  return { ...standing, fields, etag: isLeftOut("etag") ? undefined : standing.etag };
}

function valuesOf(fields: readonly Field[], name: string): string {
  return JSON.stringify(fields.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value));
}

/** The names, in lower case, of the fields in which an answer with the same document differs. */
export function differingFields(standing: Standing, response: OriginResponse): string[] {
  const { list } = standing.document;
  const given = standing.fields.filter((field) => !isHubField(field, list));
  const own = endToEndFields(response.fields).filter((field) => !isHubField(field, list));
  const names = new Set([...given, ...own].map(([name]) => name.toLowerCase()));
  return [...names].filter((name) => valuesOf(given, name) !== valuesOf(own, name));
}

function isSameList(before: RecordList, after: RecordList): boolean {
  const { rule } = after;
  const isSameRule = before.rule.pointer === rule.pointer && before.rule.member === rule.member;
  return isSameRule && before.head === after.head && before.tail === after.tail;
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
  if (!old.list && !list) {
    const etag = after.etag === undefined ? {} : { etag: after.etag };
    const changed: Notification = { status: 202, position: 0, url, representation: { contentType, body, ...etag } };
    if (isSameType) changed.eventId = after.eventId;
    return { notifications: isSameType ? [changed] : undefined, urls: [url] };
  }
  if (!old.list || !list) return { notifications: undefined, urls: [] };
  const steps = rowSteps(old.list.rows, list.rows);
  const urls = steps.map((step) => step.url);
  if (!isSameType || !isSameList(old.list, list) || isLarger(steps, body)) return { notifications: undefined, urls };
  const notifications = steps.map(({ status, url: record, text, index }): Notification => {
    const place = { status, position: 0, url: record };
    return text === undefined || index === undefined
      ? place
      : { ...place, index, representation: { contentType, body: text } };
  });
  const last = notifications.at(-1);
  if (last) last.eventId = after.eventId;
  return { notifications, urls };
}

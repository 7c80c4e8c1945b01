import {
  compareByItemOrder,
  fieldValue,
  type HttpResponse,
  type Items,
  itemUrl,
  parseItemOrder,
  parseItems,
  parseRecordPointer,
  resolvePointer,
} from "../protocol/index.ts";
import { isDeepEqual } from "./deep-equal.ts";
import { bodyText } from "./problem.ts";
import type { RowUrls } from "./row-urls.ts";

type Compare = (a: unknown, b: unknown) => number;

/** The JSON of a body; the text itself where it is none. */
function contentOf(message: HttpResponse): unknown {
  const type = fieldValue(message.fields, "content-type") ?? "";
  if (typeof message.body !== "string" && !/json|^text\//.test(type)) return message.body;
  const text = bodyText(message);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A copy of the document with another list at the pointer. */
function withList(document: unknown, pointer: string, rows: readonly unknown[]): unknown {
  if (pointer === "" || typeof document !== "object" || document === null) return rows;
  const [, name = "", ...rest] = pointer.split("/");
  const key = name.replaceAll("~1", "/").replaceAll("~0", "~");
  const below = rest.length === 0 ? "" : `/${rest.join("/")}`;
  return { ...document, [key]: withList(Reflect.get(document, key), below, rows) };
}

/**
 * What a client knows of one view: a list of records with their URLs, or one document. Rows that are equal keep their
 * identity, whatever brings them again.
 */
export class Replica {
  /** Grows with each change that can be seen. */
  version = 0;
  /** True where the view is one document and not a list. */
  isRecord = false;
  /** True once the record itself was destroyed. */
  isGone = false;
  /** The validators that the server gave, by record URL. */
  readonly etags: Map<string, string> = new Map();
  /** The row that is shown for a URL ahead of time: one that comes and is equal takes its place unseen. */
  shownAhead: ((url: string) => unknown) | undefined;
  readonly #target: string;
  #opening: HttpResponse | undefined;
  #document: unknown;
  #items: Items = {};
  #compare: Compare | undefined;
  #byUrl: Map<string, unknown> = new Map();
  /** The records' URLs in order; where nothing tells an order, the map's own holds. */
  #order: string[] = [];
  /** The rows beside `#order`; `undefined` where they have to be gathered again. */
  #list: unknown[] | undefined;
  #rows: readonly unknown[] | undefined;
  readonly #urls: RowUrls;

  /**
   * @param target - path and query
   * @param urls - where the rows' URLs are noted
   */
  constructor(target: string, urls: RowUrls) {
    this.#target = target;
    this.#urls = urls;
  }

  /** The rows in order; the document as its only row where it is a record. The same array until something changes. */
  get rows(): readonly unknown[] {
    this.#rows ??= this.#gather().slice();
    return this.#rows;
  }

  /** The record at a URL. */
  get(url: string): unknown {
    return this.#byUrl.get(url);
  }

  /** Each record with its URL, in order. */
  *entries(): Iterable<readonly [url: string, row: unknown]> {
    for (const url of this.#order) yield [url, this.#byUrl.get(url)];
  }

  /** Everything as one 200, for whoever comes later; `undefined` before the first. */
  snapshot(position: string | undefined): HttpResponse | undefined {
    if (!this.#opening || this.isGone) return undefined;
    const fields = this.#opening.fields.filter(
      ([name]) => !/^(?:etag|event-id|content-length|subscription|request-id)$/i.test(name),
    );
    const whole = this.isRecord ? this.#document : withList(this.#document, this.#items.list ?? "", this.rows);
    const body = whole instanceof Uint8Array || typeof whole === "string" ? whole : JSON.stringify(whole);
    return { status: 200, reason: "OK", fields: position ? [...fields, ["Event-ID", position]] : fields, body };
  }

  /** Takes a 200 in, as a difference: what is equal stays what it is. */
  replace(message: HttpResponse): void {
    const { fields } = message;
    const field = fieldValue(fields, "items") ?? "";
    const order = parseItemOrder(fieldValue(fields, "item-order") ?? "");
    const before = this.#byUrl;
    this.#opening = message;
    this.#document = contentOf(message);
    const items = parseItems(field);
    this.isRecord = items === undefined;
    this.isGone = false;
    this.#items = items ?? { record: parseRecordPointer(field) ?? "" };
    this.#compare = order && compareByItemOrder(order);
    this.#byUrl = new Map();
    this.etags.clear();
    for (const [url, row] of this.#rowsOf(items)) this.#byUrl.set(url, this.#same(before.get(url), row, url));
    const urls = [...this.#byUrl.keys()];
    const isSame =
      urls.length === this.#order.length &&
      urls.every((url, at) => url === this.#order[at] && this.#byUrl.get(url) === before.get(url));
    this.#order = urls;
    this.#list = undefined;
    const etag = fieldValue(fields, "etag");
    if (etag && this.isRecord) this.etags.set(this.#path, etag);
    if (!isSame || this.version === 0) this.#changed();
  }

  /** Takes a 201, 202 or 204 in. */
  apply(message: HttpResponse): void {
    const url = fieldValue(message.fields, "content-location") ?? "";
    if (message.status === 204) {
      this.#leave(url);
      return;
    }
    const content = contentOf(message);
    if (this.isRecord) this.#document = content;
    const read = resolvePointer(content, this.#items.record ?? "") ?? content;
    const before = this.#byUrl.get(url);
    const row = this.#same(before, read, url);
    const etag = fieldValue(message.fields, "etag");
    if (etag) this.etags.set(url, etag);
    else this.etags.delete(url);
    const said = fieldValue(message.fields, "item-index");
    const isKnown = this.#byUrl.has(url);
    const [from, to] = this.#place(url, before, row, said === undefined ? undefined : Number(said));
    this.#byUrl.set(url, row);
    if (isKnown && from === to && row === before) return;
    if (from !== to && isKnown) this.#cut(from);
    if (from !== to || !isKnown) this.#insert(to, url, row);
    else if (to < 0) this.#list = undefined;
    else if (this.#list) this.#list[to] = row;
    this.#changed();
  }

  get #path(): string {
    return this.#target.split("?")[0] ?? "";
  }

  *#rowsOf(items: Items | undefined): Iterable<[string, unknown]> {
    if (!items) {
      yield [this.#path, resolvePointer(this.#document, this.#items.record ?? "") ?? this.#document];
      return;
    }
    const rows = resolvePointer(this.#document, items.list ?? "");
    if (!Array.isArray(rows)) return;
    for (const row of rows) {
      const url = itemUrl(items, row, this.#target);
      if (url !== undefined) yield [url, row];
    }
  }

  #same(before: unknown, row: unknown, url: string): unknown {
    const kept = [before, this.shownAhead?.(url)].find((one) => one !== undefined && isDeepEqual(one, row)) ?? row;
    this.#urls.set(kept, url);
    return kept;
  }

  #changed(): void {
    this.version += 1;
    this.#rows = undefined;
  }

  #leave(url: string): void {
    if (!this.#byUrl.has(url)) return;
    this.#cut(this.#find(url, this.#byUrl.get(url)));
    this.#byUrl.delete(url);
    this.etags.delete(url);
    if (this.isRecord && url === this.#path) this.isGone = true;
    this.#changed();
  }

  #cut(at: number): void {
    this.#order.splice(at, 1);
    this.#list?.splice(at, 1);
  }

  #insert(at: number, url: string, row: unknown): void {
    this.#order.splice(at, 0, url);
    this.#list?.splice(at, 0, row);
  }

  /** Where a record is and where it belongs, once it was taken away; -1 for a place that nobody needs to know. */
  #place(url: string, before: unknown, row: unknown, index: number | undefined): readonly [from: number, to: number] {
    const compare = this.#compare;
    if (!this.#byUrl.has(url)) return [-1, index ?? (compare ? this.#bisect(row, compare) : this.#order.length)];
    if (index === undefined && !compare) return [-1, -1];
    const from = index !== undefined && this.#order[index] === url ? index : this.#find(url, before);
    if (index !== undefined || !compare) return [from, index ?? from];
    if (compare(before, row) === 0) return [from, from];
    const to = this.#bisect(row, compare);
    return [from, to > from ? to - 1 : to];
  }

  #find(url: string, row: unknown): number {
    const guess = this.#compare ? this.#bisect(row, this.#compare) : -1;
    return this.#order[guess] === url ? guess : this.#order.indexOf(url);
  }

  #gather(): unknown[] {
    this.#list ??= this.#order.map((url) => this.#byUrl.get(url));
    return this.#list;
  }

  /** The first place whose row is not before this one. */
  #bisect(row: unknown, compare: Compare): number {
    const list = this.#gather();
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(list[middle], row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

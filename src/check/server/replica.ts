import { isDeepStrictEqual } from "node:util";
import { fieldOf, jsonOf, type Message } from "../wire/messages.ts";
import { compareRows, type ItemsField, type OrderPart, parseItemsField, parseOrder, resolve, rowUrl } from "./items.ts";
import { patched, within } from "./merge-patch.ts";

/** Whether a change is told by a delta. */
export function isDelta(message: Message): boolean {
  return message.status === 202 && fieldOf(message, "content-type") === "application/merge-patch+json";
}

interface Row {
  readonly url: string | undefined;
  readonly value: unknown;
}

/** What a client that follows the protocol holds of a resource. */
export class Replica {
  readonly #target: string;
  #items: ItemsField | undefined;
  #order: readonly OrderPart[] | undefined;
  #rows: Row[] = [];
  #document: unknown;
  #hasIndices = false;
  /** Tags of records that came with one, by their URLs. */
  readonly #tags: Map<string, string | undefined> = new Map();

  /** @param target - path and query of the resource */
  constructor(target: string) {
    this.#target = target;
  }

  /** Whether it holds a list of records. */
  get isList(): boolean {
    return this.#items?.url !== undefined || this.#items?.link !== undefined;
  }

  /** Takes a notification in. */
  apply(message: Message): void {
    const { status } = message;
    if (status === 200) this.#replace(message);
    else if (status === 201 || status === 202) this.#put(message);
    else if (status === 204) this.#remove(fieldOf(message, "content-location"));
  }

  /** The records, in their order. */
  get rows(): unknown[] {
    return this.#rows.map(({ value }) => value);
  }

  /** Whether the record is held. */
  has(url: string): boolean {
    return this.#rows.some((row) => row.url === url);
  }

  /** What is other than in the document that a GET gives now; `undefined` where nothing is. */
  difference(document: unknown): string | undefined {
    if (!this.isList) return isDeepStrictEqual(this.#document, document) ? undefined : "The document is another one.";
    const wanted = resolve(document, this.#items?.list);
    if (!Array.isArray(wanted)) return "A GET has no list where Items says.";
    const held = this.#rows.map(({ value }) => value);
    if (held.length !== wanted.length) return `A GET has ${wanted.length} records; the stream gave ${held.length}.`;
    if (isDeepStrictEqual(held, wanted)) return undefined;
    const missing = wanted.find((row) => !held.some((other) => isDeepStrictEqual(row, other)));
    if (missing !== undefined) return `A GET has a record that the stream did not give so: ${JSON.stringify(missing)}.`;
    // A list without an order, and without places, has its records in no order that a client could know.
    return this.#order || this.#hasIndices ? "The records are the same, in another order." : undefined;
  }

  #replace(message: Message): void {
    this.#tags.clear();
    const field = fieldOf(message, "items");
    const order = fieldOf(message, "item-order");
    this.#items = field === undefined ? undefined : parseItemsField(field);
    this.#order = order === undefined ? undefined : parseOrder(order);
    this.#document = this.isList ? jsonOf(message) : resolve(jsonOf(message), this.#items?.record);
    const rows = this.isList ? resolve(this.#document, this.#items?.list) : [];
    const urls = new Set<string>();
    this.#rows = (Array.isArray(rows) ? rows : []).map((value) => {
      const url = this.#urlOf(value);
      // Of several rows of one URL the first has it (R-FLD-4).
      const isOwn = url !== undefined && !urls.has(url);
      if (isOwn) urls.add(url);
      return { value, url: isOwn ? url : undefined };
    });
  }

  #urlOf(row: unknown): string | undefined {
    return this.#items && rowUrl(this.#items, row, this.#target);
  }

  /** False for a delta that is not for what is held (R-DELTA-8). */
  fits(message: Message): boolean {
    if (!isDelta(message)) return true;
    const url = fieldOf(message, "content-location") ?? "";
    const base = fieldOf(message, "delta-base");
    const tag = this.#tags.get(url) ?? base;
    return base !== undefined && tag === base && (!this.isList || this.has(url));
  }

  /** The record of a change, after it. */
  #valueOf(message: Message, url: string | undefined): unknown {
    const pointer = this.#items?.record ?? "";
    if (!isDelta(message)) return resolve(jsonOf(message), pointer);
    const before = this.isList ? this.#rows.find((row) => row.url === url)?.value : this.#document;
    return resolve(patched(within(pointer, before), jsonOf(message)), pointer);
  }

  #put(message: Message): void {
    const url = fieldOf(message, "content-location");
    const value = this.#valueOf(message, url);
    this.#tags.set(url ?? "", fieldOf(message, "etag"));
    if (!this.isList) {
      this.#document = value;
      return;
    }
    const index = fieldOf(message, "item-index");
    const at = this.#rows.findIndex((row) => row.url === url);
    const row = { url, value };
    if (index !== undefined) {
      this.#hasIndices = true;
      if (at >= 0) this.#rows.splice(at, 1);
      this.#rows.splice(Number(index), 0, row);
    } else if (at >= 0) this.#rows[at] = row;
    else this.#rows.push(row);
    const order = this.#order;
    if (order && index === undefined) this.#rows.sort((one, other) => compareRows(order, one.value, other.value));
  }

  #remove(url: string | undefined): void {
    this.#rows = this.#rows.filter((row) => row.url !== url);
  }
}

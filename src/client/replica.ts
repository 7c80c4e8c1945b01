import {
  applyDelta,
  compareByItemOrder,
  fieldValue,
  type HttpResponse,
  type ItemOrder,
  type Items,
  isNextLink,
  itemUrl,
  mergePatchType,
  parseAnyItems,
  parseItemOrder,
  resolvePointer,
} from "../protocol/index.ts";
import { isDeepEqual } from "./deep-equal.ts";
import { bodyJson, bodyText, localProblem, ProblemError } from "./problem.ts";
import { nameOf, noteUrl, noteVersion, noUrl, type RowUrls, type RowVersions } from "./row-urls.ts";

type Compare = (a: unknown, b: unknown) => number;

/** The JSON of a body; the text or bytes themselves where it is none. @throws ProblemError where it should be */
function contentOf(message: HttpResponse): unknown {
  const { body, fields, status } = message;
  const type = fieldValue(fields, "content-type") ?? "";
  if (typeof body !== "string" && !/json|^text\//.test(type)) return body;
  const json = bodyJson(message);
  if (json === undefined && status !== 204 && /json/.test(type)) {
    throw new ProblemError(localProblem(502, `The server says ${type}, and what it sent is no JSON.`));
  }
  return json === undefined ? bodyText(message) : json;
}

function pathOf(target: string): string {
  return target.split("?")[0] ?? "";
}

/** A change with the JSON of its body. */
interface Change {
  readonly message: HttpResponse;
  readonly content: unknown;
}

/** What is known of a record: its own body, or its row, and the validator that it came with. */
interface Known {
  readonly value: unknown;
  readonly etag: string | undefined;
}

/** A record and its URL, or what tells it apart as if that were one. */
export interface Entry {
  readonly url: string;
  row: unknown;
}

/** What a replica stands on. */
export interface ReplicaOptions {
  /** Path and query. */
  readonly target: string;
  /** Links to it are those of records: `http://example.com`. */
  readonly origin: string;
  /** Where the rows' URLs are noted. */
  readonly urls: RowUrls;
  /** Where their validators are noted. */
  readonly versions: RowVersions;
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
  /** The 200 that it began with; `undefined` before. */
  opening: HttpResponse | undefined;
  /** What a 200 would have for its body, but for the rows of a list. */
  document: unknown;
  /** Where the records are in it. */
  items: Items = {};
  /** The record's URL in the server's own form, where the view is one record. */
  recordUrl: string;
  /** True where the document has only the first of more records. */
  hasMore = false;
  /** The list's order, where the server tells it. */
  order: ItemOrder | undefined;
  /** The records in order. */
  entries: Entry[] = [];
  /** The URLs that the last 200 brought, and that were not there before. */
  arrived: readonly string[] = [];
  /** True once something came after the first 200. */
  hasBegun = false;
  /** The row that is shown for a URL ahead of time: one that comes and is equal takes its place unseen. */
  shownAhead: ((url: string) => unknown) | undefined;
  readonly #base: string;
  #compare: Compare | undefined;
  #byUrl: Map<string, Entry> = new Map();
  #rows: readonly unknown[] | undefined;
  readonly #urls: RowUrls;
  readonly #versions: RowVersions;

  constructor({ target, origin, urls, versions }: ReplicaOptions) {
    this.#base = origin + target;
    this.recordUrl = pathOf(target);
    this.#urls = urls;
    this.#versions = versions;
  }

  /** The rows in order; the document as its only row where it is a record. The same array until something changes. */
  get rows(): readonly unknown[] {
    this.#rows ??= this.entries.map(({ row }) => row);
    return this.#rows;
  }

  /** The URL of a row by where the list has its records, as `Items` says it. */
  urlOf(row: unknown): string | undefined {
    const { url, link } = this.items;
    return (url ?? link) === undefined ? undefined : itemUrl(this.items, row, this.#base);
  }

  /** The record at a URL. */
  get(url: string): unknown {
    return this.#byUrl.get(url)?.row;
  }

  /** Takes a 200 in, as a difference: what is equal stays what it is. */
  replace(message: HttpResponse): void {
    const { fields } = message;
    const items = parseAnyItems(fieldValue(fields, "items") ?? "") ?? {};
    const order = parseItemOrder(fieldValue(fields, "item-order") ?? "");
    const before = this.#byUrl;
    this.document = contentOf(message);
    this.hasBegun = this.opening !== undefined;
    this.opening = message;
    this.isRecord = (items.url ?? items.link) === undefined;
    this.isGone = false;
    if (this.isRecord) this.recordUrl = pathOf(fieldValue(fields, "subscription") ?? this.recordUrl);
    this.items = items;
    this.order = order;
    this.#compare = order && compareByItemOrder(order);
    this.#byUrl = new Map();
    for (const [at, one] of this.#rowsOf(items).entries()) {
      const made = this.isRecord ? this.recordUrl : itemUrl(items, one, this.#base);
      // Of several rows of one URL the first has it [R-FLD-4].
      const url = made === undefined || this.#byUrl.has(nameOf(made)) ? noUrl + at : made;
      const name = nameOf(url);
      this.#byUrl.set(name, { url: name, row: this.#same(before.get(name)?.row, one, url) });
    }
    const last = this.entries;
    const hadMore = this.hasMore;
    this.hasMore = !this.isRecord && fields.some(isNextLink);
    this.entries = [...this.#byUrl.values()];
    this.arrived = [...this.#byUrl.keys()].filter((url) => !before.has(url));
    const isSame =
      last.length === this.entries.length &&
      last.every(({ url, row }, at) => url === this.entries[at]?.url && row === this.entries[at]?.row);
    if (this.isRecord) this.#noteVersion(this.entries[0]?.row, fields);
    if (!isSame || this.hasMore !== hadMore) this.#changed();
    else this.version ||= 1;
  }

  /** Takes over what is known in another way. */
  adopt(entries: readonly Entry[]): void {
    this.entries = [...entries];
    this.#byUrl = new Map(entries.map((entry) => [entry.url, entry]));
    this.#changed();
  }

  /** Knows nothing any more. */
  clear(): void {
    this.opening = this.document = undefined;
    this.hasMore = false;
    this.entries = [];
    this.#byUrl = new Map();
    this.#changed();
  }

  /**
   * Takes the 201s, 202s and 204s of a batch in.
   *
   * @returns them with whole records in the place of deltas; `undefined` where a delta is for something else than what is
   * known: then nothing was taken in [R-DELTA-8]
   */
  take(batch: readonly HttpResponse[]): readonly HttpResponse[] | undefined {
    const changes: Change[] = [];
    // What the batch made of records so far.
    const made = new Map<string, Known | undefined>();
    for (const message of batch) {
      const name = this.isRecord ? "" : nameOf(fieldValue(message.fields, "content-location") ?? "");
      const change = this.#wholeOf(message, made.has(name) ? made.get(name) : this.#known(name));
      if (!change) return undefined;
      changes.push(change);
      const value = this.isRecord ? change.content : this.#recordIn(change.content);
      made.set(name, message.status === 204 ? undefined : { value, etag: fieldValue(message.fields, "etag") });
    }
    this.hasBegun = true;
    for (const change of changes) this.#apply(change);
    return changes.map(({ message }) => message);
  }

  #known(name: string): Known | undefined {
    const entry = this.isRecord ? this.entries[0] : this.#byUrl.get(name);
    if (!entry) return undefined;
    return { value: this.isRecord ? this.document : entry.row, etag: this.#versions.get(Object(entry.row)) };
  }

  /** A change with its record as a whole; `undefined` for a delta that is not for what is known. */
  #wholeOf(message: HttpResponse, known: Known | undefined): Change | undefined {
    const { fields } = message;
    if (fieldValue(fields, "content-type") !== mergePatchType) return { message, content: contentOf(message) };
    const base = fieldValue(fields, "delta-base");
    const patch = bodyJson(message);
    if (!known || base === undefined || (known.etag ?? base) !== base || typeof patch !== "object") return undefined;
    const content = applyDelta(known.value, this.isRecord ? "" : (this.items.record ?? ""), patch).body;
    const others = fields.filter(([name]) => !/^(?:content-type|delta-base|content-length)$/i.test(name));
    const whole: HttpResponse = {
      ...message,
      fields: [["Content-Type", "application/json"], ...others],
      // Few ask for it.
      get body() {
        return JSON.stringify(content);
      },
    };
    return { message: whole, content };
  }

  /** Takes a 201, 202 or 204 in. */
  #apply({ message, content }: Change): void {
    const { fields, status } = message;
    const named = fieldValue(fields, "content-location") ?? "";
    if (this.isRecord && named) this.#rename(named);
    const url = this.isRecord ? this.recordUrl : named;
    const name = nameOf(url);
    if (status === 204) {
      this.#leave(name);
      return;
    }
    if (this.isRecord) this.document = content;
    const known = this.#byUrl.get(name);
    const row = this.#same(known?.row, this.#recordIn(content), url);
    this.#noteVersion(row, fields);
    const index = fieldValue(fields, "item-index") ?? "";
    this.#place(known, { url: name, row }, /^[0-9]+$/.test(index) ? Number(index) : undefined);
  }

  /** What comes for one record is about that record, however its URL was written when it was asked for. */
  #rename(url: string): void {
    const [entry] = this.entries;
    this.recordUrl = url;
    if (!entry || entry.url === url) return;
    this.entries = [{ url, row: entry.row }];
    this.#byUrl = new Map(this.entries.map((one) => [url, one]));
    noteUrl(this.#urls, entry.row, url);
  }

  #rowsOf({ list = "" }: Items): readonly unknown[] {
    if (this.isRecord) return [this.#recordIn(this.document)];
    const rows = resolvePointer(this.document, list);
    return Array.isArray(rows) ? rows : [];
  }

  #recordIn(content: unknown): unknown {
    return resolvePointer(content, this.items.record ?? "") ?? content;
  }

  #same(before: unknown, row: unknown, url: string): unknown {
    const kept =
      [before, this.shownAhead?.(nameOf(url))].find((one) => one !== undefined && isDeepEqual(one, row)) ?? row;
    noteUrl(this.#urls, kept, url);
    return kept;
  }

  #noteVersion(row: unknown, fields: HttpResponse["fields"]): void {
    noteVersion(this.#versions, row, fieldValue(fields, "etag"));
  }

  #changed(): void {
    this.version += 1;
    this.#rows = undefined;
  }

  #leave(url: string): void {
    const entry = this.#byUrl.get(url);
    if (!entry) return;
    this.entries.splice(this.#find(entry), 1);
    this.#byUrl.delete(url);
    if (this.isRecord) this.isGone = true;
    this.#changed();
  }

  /**
   * Puts a record where it belongs.
   *
   * @param index - its place, where the server tells
   */
  #place(known: Entry | undefined, entry: Entry, index: number | undefined): void {
    const compare = this.#compare;
    const { url, row } = entry;
    const isMoved =
      index === undefined ? compare && known && compare(known.row, row) !== 0 : this.entries[index] !== known;
    if (known && !isMoved) {
      if (known.row === row) return;
      known.row = row;
    } else {
      if (known) this.entries.splice(this.#find(known), 1);
      const to = index ?? (compare ? this.#bisect(row, compare) : this.entries.length);
      this.entries.splice(to, 0, entry);
      this.#byUrl.set(url, entry);
    }
    this.#changed();
  }

  #find(entry: Entry): number {
    const guess = this.#compare ? this.#bisect(entry.row, this.#compare) : -1;
    return this.entries[guess] === entry ? guess : this.entries.indexOf(entry);
  }

  /** The first place whose row is not before this one. */
  #bisect(row: unknown, compare: Compare): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.entries[middle]?.row, row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

import {
  type Body,
  fieldValue,
  type HttpResponse,
  itemUrl,
  notificationKind,
  parseItems,
  resolvePointer,
} from "../protocol/index.ts";

/** One notification as a replica took it, for validators to look back on. */
export interface Applied {
  readonly status: number;
  readonly url?: string;
  readonly body?: Body;
  readonly eventId?: string;
  /** The record's place in the list, where the message told one. */
  readonly index?: number;
}

/**
 * What a client knows of one view at Level 1: it takes messages in, applies each batch when its commit mark comes, and
 * keeps the position to resume from. Forgetting what is not marked is what `disconnected()` is for.
 */
export class Replica {
  /** Records by URL; each as the text of its JSON. A document without records is one record under its own URL. */
  records: Map<string, string> = new Map();
  /** The records' URLs in the list's order, where the view tells places; else as they came. */
  order: string[] = [];
  /** The position that `records` stands at; to be given as `Last-Event-ID`. */
  position: string | undefined;
  /** True from the first 304 after an opening message. */
  isCaughtUp = false;
  /** The problem or redirect that ended the subscription. */
  ended: HttpResponse | undefined;
  /** True once the record itself left: the end of a record's subscription. */
  isGone = false;
  /** How many snapshots were taken. */
  snapshots = 0;
  /** Everything that was applied, in order. */
  readonly history: Applied[] = [];
  readonly #url: string;
  #isRecord = false;
  #recordPointer = "";
  #hasOpened = false;
  #unmarked: Applied[] = [];

  /** @param url - the view's URL, without its query where it is a record's */
  constructor(url: string) {
    this.#url = url;
  }

  /** A new connection starts: what was not marked will come again. */
  disconnected(): void {
    this.#unmarked = [];
    this.#hasOpened = false;
    this.isCaughtUp = false;
  }

  /** Takes one message of this subscription in. */
  take(message: HttpResponse): void {
    const kind = notificationKind(message.status);
    const eventId = fieldValue(message.fields, "event-id");
    const applied = eventId === undefined ? {} : { eventId };
    if (kind === "snapshot") {
      this.#replace(message);
      this.#mark({ status: 200, body: message.body, ...applied }, eventId);
      this.#hasOpened = true;
      this.isCaughtUp = false;
    } else if (kind === "bookmark") {
      this.#mark({ status: 304, ...applied }, eventId);
      this.isCaughtUp = this.#hasOpened;
      this.#hasOpened = true;
    } else if (kind === "enter" || kind === "change" || kind === "leave") {
      const url = fieldValue(message.fields, "content-location") ?? "";
      const body = kind === "leave" ? {} : { body: message.body };
      const index = fieldValue(message.fields, "item-index");
      const place = index === undefined ? {} : { index: Number(index) };
      this.#unmarked.push({ status: message.status, url, ...body, ...place, ...applied });
      if (eventId !== undefined) this.#commit(eventId);
    } else {
      this.ended = message;
    }
  }

  #mark(applied: Applied, eventId: string | undefined): void {
    this.#unmarked = [];
    this.history.push(applied);
    if (eventId !== undefined) this.position = eventId;
  }

  #commit(eventId: string): void {
    for (const applied of this.#unmarked) {
      this.history.push(applied);
      const { status, url = "", body, index } = applied;
      this.#reorder(url, status === 204 ? undefined : (index ?? this.order.length));
      if (status === 204) {
        this.records.delete(url);
        if (this.#isRecord && url === this.#url) this.isGone = true;
      } else {
        const document: unknown = JSON.parse(String(body));
        this.records.set(
          url,
          JSON.stringify(this.#isRecord ? document : resolvePointer(document, this.#recordPointer)),
        );
      }
    }
    this.#unmarked = [];
    this.position = eventId;
  }

  #reorder(url: string, index: number | undefined): void {
    const known = this.order.indexOf(url);
    if (known >= 0 && index === this.order.length) return;
    if (known >= 0) this.order.splice(known, 1);
    if (index !== undefined) this.order.splice(index, 0, url);
  }

  #replace({ fields, body }: HttpResponse): void {
    this.snapshots += 1;
    this.records = new Map();
    this.order = [];
    const document: unknown = JSON.parse(String(body));
    const field = fieldValue(fields, "items");
    const items = field === undefined ? undefined : parseItems(field);
    this.#isRecord = items === undefined;
    this.#recordPointer = items?.record ?? "";
    if (!items) {
      this.records.set(this.#url, JSON.stringify(document));
      return;
    }
    for (const row of resolvePointer(document, items.list ?? "") as Record<string, unknown>[]) {
      const url = itemUrl(items, row, this.#url);
      if (url === undefined) throw new TypeError(`A row has no URL by ${field}: ${JSON.stringify(row)}`);
      this.records.set(url, JSON.stringify(row));
      this.order.push(url);
    }
  }
}

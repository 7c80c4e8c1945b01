import {
  applyDelta,
  applyMergePatch,
  type Body,
  fieldValue,
  type HttpResponse,
  itemUrl,
  mergePatchType,
  notificationKind,
  parseItems,
  resolvePointer,
} from "../protocol/index.ts";

const decoder = new TextDecoder();

/** A body as text, whatever kind of frame it came in [R-MSG-2]. */
function textOf(body: Body | undefined): string {
  return typeof body === "string" ? body : decoder.decode(body);
}

/** One notification as a replica took it, for validators to look back on. */
export interface Applied {
  readonly status: number;
  readonly url?: string;
  readonly body?: Body;
  readonly eventId?: string;
  /** The record's entity tag, where the message told one. */
  readonly etag?: string;
  /** The record's place in the list, where the message told one. */
  readonly index?: number;
}

/** True for a change that is told by a delta. */
export function isDelta({ status, fields }: HttpResponse): boolean {
  return status === 202 && fieldValue(fields, "content-type") === mergePatchType;
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
  /** Entity tags by URL, of what records came by a message of their own. */
  readonly #etags: Map<string, string | undefined> = new Map();
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

  /**
   * The message with the record as a whole, where it is a delta; any other as it is. `undefined` for a delta that does not
   * fit: it can't be taken in, and what it is about is to be asked for anew [R-DELTA-8].
   */
  wholeOf(message: HttpResponse): HttpResponse | undefined {
    if (!isDelta(message)) return message;
    const { fields } = message;
    const url = this.#nameOf(message);
    const last = this.#unmarked.findLast((applied) => applied.url === url);
    const etag = last ? last.etag : this.#etags.get(url);
    const known = last ? last.body : this.#bodyOf(url);
    const isOther = etag !== undefined && etag !== fieldValue(fields, "delta-base");
    if (known === undefined || last?.status === 204 || isOther) return undefined;
    const body = applyMergePatch(JSON.parse(textOf(known)), JSON.parse(textOf(message.body)));
    const others = fields.filter(([name]) => !/^(?:content-type|delta-base)$/i.test(name));
    return { ...message, fields: [["Content-Type", "application/json"], ...others], body: JSON.stringify(body) };
  }

  /**
   * Takes one message of this subscription in.
   *
   * @throws RangeError where it is a delta that does not fit: see {@link Replica.wholeOf}
   */
  take(given: HttpResponse): void {
    const message = this.wholeOf(given);
    if (!message) throw new RangeError("A delta does not fit.");
    const kind = notificationKind(message.status);
    const eventId = fieldValue(message.fields, "event-id");
    const applied = eventId === undefined ? {} : { eventId };
    if (kind === "snapshot") {
      this.#replace(message);
      this.#mark({ status: 200, body: message.body, ...applied }, eventId);
      this.#hasOpened = true;
      this.isCaughtUp = false;
    } else if (kind === "bookmark") {
      // Within a batch it says nothing of that.
      if (this.#unmarked.length === 0) this.#mark({ status: 304, ...applied }, eventId);
      this.isCaughtUp = this.#hasOpened;
      this.#hasOpened = true;
    } else if (kind === "enter" || kind === "change" || kind === "leave") {
      const url = this.#nameOf(message);
      const body = kind === "leave" ? {} : { body: message.body };
      const index = fieldValue(message.fields, "item-index");
      const etag = fieldValue(message.fields, "etag");
      const place = {
        ...(index === undefined ? {} : { index: Number(index) }),
        ...(etag === undefined ? {} : { etag }),
      };
      this.#unmarked.push({ status: message.status, url, ...body, ...place, ...applied });
      if (eventId !== undefined) this.#commit(eventId);
    } else if (kind === "problem") {
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
      const { status, url = "", body, index, etag } = applied;
      this.#etags.set(url, etag);
      this.#reorder(url, status === 204 ? undefined : (index ?? this.order.length));
      if (status === 204) {
        this.records.delete(url);
        if (this.#isRecord) this.isGone = true;
      } else {
        const document: unknown = JSON.parse(textOf(body));
        this.records.set(
          url,
          JSON.stringify(this.#isRecord ? document : (resolvePointer(document, this.#recordPointer) ?? document)),
        );
      }
    }
    this.#unmarked = [];
    this.position = eventId;
  }

  /** The URL of a change's record: what comes for one record is about that record [R-SUB-15]. */
  #nameOf({ fields }: HttpResponse): string {
    return this.#isRecord ? this.#url : (fieldValue(fields, "content-location") ?? "");
  }

  /** The record as its own body. */
  #bodyOf(url: string): string | undefined {
    const text = this.records.get(url);
    if (text === undefined || this.#isRecord) return text;
    return JSON.stringify(applyDelta(JSON.parse(text), this.#recordPointer, {}).body);
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
    this.#etags.clear();
    const document: unknown = JSON.parse(textOf(body));
    const field = fieldValue(fields, "items");
    const items = field === undefined ? undefined : parseItems(field);
    this.#isRecord = items === undefined;
    this.#recordPointer = items?.record ?? "";
    if (!items) {
      this.records.set(this.#url, JSON.stringify(document));
      this.#etags.set(this.#url, fieldValue(fields, "etag"));
      return;
    }
    const rows = resolvePointer(document, items.list ?? "");
    for (const [at, row] of (Array.isArray(rows) ? rows : []).entries()) {
      const made = itemUrl(items, row, this.#url);
      // A row without a URL of its own is told apart by its place [R-FLD-4].
      const url = made === undefined || this.records.has(made) ? `#${at}` : made;
      this.records.set(url, JSON.stringify(row));
      this.order.push(url);
    }
  }
}

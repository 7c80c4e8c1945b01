import { type Body, type Field, fieldValue, formatItems } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import { Delivery, type Notification } from "../delivery.ts";
import type { OriginResponse } from "../origin.ts";
import { endToEndFields } from "../viewer.ts";
import { listDifference } from "./difference.ts";
import { digestDocument } from "./digest.ts";
import { type Document, type DocumentPlace, type RecordList, readDocument, rereadDocument } from "./document.ts";
import { itemsOf } from "./record-rule.ts";
import { RefreshSchedule, type RefreshTimes } from "./refresh.ts";
import { pathSegments } from "./staleness.ts";

/** Who asks: credentials and other fields, and the peer at the transport. The object itself is the lane of its requests. */
export interface Viewer {
  fields: readonly Field[];
  readonly peer?: unknown;
}

/** Those of a view's followers who ask as the same viewer: one GET speaks for all of them. */
export interface ViewerGroup<Follower> {
  readonly key: string;
  readonly viewer: Viewer;
  readonly followers: Set<Follower>;
  /** When a GET of its own was last answered with the view's document. */
  checkedAt: number;
  /** True after a first 404 or 410, which a second one has to confirm. */
  isMissing: boolean;
}

/** What a view needs of the hub. */
export interface ViewHost<Follower> {
  readonly clock: Clock;
  readonly times: RefreshTimes;
  /** One GET as a viewer, in bounded time and number; never rejects. */
  get(target: string, viewer: Viewer, ifNoneMatch?: string): Promise<OriginResponse>;
  /** Gives all that are live what came. */
  deliver(view: DerivedView<Follower>, delivery: Delivery): void;
  /** Gives all that are live the document anew. */
  replace(view: DerivedView<Follower>): void;
  /** Has followers ask anew, each for itself: their answers are no longer the view's. */
  reopen(followers: readonly Follower[]): void;
  /** Ends followers with an answer that is no document. */
  refuse(followers: readonly Follower[], response: OriginResponse): void;
  /** Ends followers of a record that is gone with its 204. */
  gone(view: DerivedView<Follower>, followers: readonly Follower[]): void;
  /** Nobody follows the view any more. */
  forget(view: DerivedView<Follower>): void;
}

const lookAgainMs = [25, 100];
const confirmGoneMs = 1_000;
const lingerMs = 1_000;
const firstRetryMs = 1_000;
const lastRetryMs = 30_000;

/** A document as followers are given it. */
interface Standing {
  readonly document: Document;
  readonly digest: string;
  readonly fields: readonly Field[];
  readonly etag: string | undefined;
}

function isRetryable(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** The wait that an answer asks for in seconds, in milliseconds. Dates are not read. */
function retryAfterMs(response: OriginResponse): number {
  const value = fieldValue(response.fields, "retry-after") ?? "";
  return /^\d{1,6}$/.test(value) ? Number(value) * 1_000 : 0;
}

/** A view of which only the document is known: it is asked for again, and compared. */
export class DerivedView<Follower> {
  readonly kind = "derived";
  /** The target, which is also its name on the wire. */
  readonly url: string;
  readonly sharingKey: string;
  readonly place: DocumentPlace;
  readonly groups: Map<string, ViewerGroup<Follower>> = new Map();
  readonly live: Set<Follower> = new Set();
  readonly #host: ViewHost<Follower>;
  readonly #schedule: RefreshSchedule;
  #standing: Standing;
  #written: Set<string> = new Set();
  #isTold = false;
  #looks = 0;
  #failures = 0;
  #waiting: (() => void)[] = [];

  constructor(host: ViewHost<Follower>, sharingKey: string, place: DocumentPlace, first: OriginResponse) {
    this.#host = host;
    this.url = place.target;
    this.sharingKey = sharingKey;
    this.place = place;
    this.#standing = readStanding(readDocument(contentTypeOf(first), first.body, place), first, place);
    const refreshMs = () => Math.max(10, host.times.refreshMs / Math.max(1, this.groups.size));
    this.#schedule = new RefreshSchedule(host.clock, host.times.coalesceMs, refreshMs, () => this.#look());
  }

  /** The position: equal where the document is equal, on any process and after any restart [R-POS-8]. */
  get eventId(): string {
    return `d-${this.#standing.digest}`;
  }

  get document(): Document {
    return this.#standing.document;
  }

  /** The fields of a 200 with the document. */
  get fields(): readonly Field[] {
    return this.#standing.fields;
  }

  get etag(): string | undefined {
    return this.#standing.etag;
  }

  /** True from when the document was said to be stale until it was looked at. */
  get isStale(): boolean {
    return this.#schedule.isDue || this.#isTold;
  }

  /** True where an answer's document is the view's. */
  isEqual(response: OriginResponse): boolean {
    const { contentType, body } = this.#standing.document;
    return contentType === contentTypeOf(response) && isEqualBody(body, response.body);
  }

  /**
   * Something was written that the document may show.
   *
   * @param written - the URLs that were written, where it is not certain that the write can be read yet: then it is
   * looked for again a little later, unless the difference has one of them
   */
  stale(written: readonly string[] = []): void {
    for (const url of written) this.#written.add(pathSegments(url).join("/"));
    this.#isTold = true;
    this.#looks = 0;
    this.#schedule.soon();
  }

  /** Looks now, and resolves when the document is one that was asked for after this call. */
  renewed(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#isTold = true;
      this.#schedule.soon();
    });
  }

  add(follower: Follower, groupKey: string, viewer: Viewer): void {
    let group = this.groups.get(groupKey);
    if (!group) {
      const checkedAt = this.#host.clock.now();
      group = { key: groupKey, viewer, followers: new Set(), checkedAt, isMissing: false };
      this.groups.set(groupKey, group);
    }
    group.followers.add(follower);
    for (const other of this.groups.values()) {
      if (other !== group && other.followers.delete(follower) && other.followers.size === 0)
        this.groups.delete(other.key);
    }
    // What was said while nobody was there to look for it.
    if (this.#isTold) this.#schedule.soon();
  }

  remove(follower: Follower): void {
    this.live.delete(follower);
    for (const group of this.groups.values()) {
      if (group.followers.delete(follower) && group.followers.size === 0) this.groups.delete(group.key);
    }
    this.linger();
  }

  /** Forgets the view after a while unless somebody follows it then: those who come back soon find it. */
  linger(): void {
    if (this.groups.size > 0) return;
    this.#host.clock.setTimer(() => {
      if (this.groups.size === 0) this.stop();
    }, lingerMs);
  }

  /** Looks no more. Twice is fine. */
  stop(): void {
    this.#schedule.stop();
    for (const resolve of this.#waiting.splice(0)) resolve();
    this.#host.forget(this);
  }

  async #look(): Promise<void> {
    const group = this.#nextGroup();
    const waiting = this.#waiting.splice(0);
    if (group) await this.#lookAs(group);
    for (const resolve of waiting) resolve();
  }

  async #lookAs(group: ViewerGroup<Follower>): Promise<void> {
    const written = this.#written;
    const isTold = this.#isTold;
    this.#written = new Set();
    this.#isTold = false;
    const response = await this.#host.get(this.url, group.viewer, this.etag);
    if (this.groups.get(group.key) === group) {
      await this.#take(group, response, { written, isTold });
    } else {
      // Who asked is gone: somebody else has to.
      this.stale([...written]);
    }
  }

  /** One whose 404 is to be confirmed, else the one that was checked least lately. */
  #nextGroup(): ViewerGroup<Follower> | undefined {
    let next: ViewerGroup<Follower> | undefined;
    for (const group of this.groups.values()) {
      if (group.isMissing) return group;
      if (!next || group.checkedAt < next.checkedAt) next = group;
    }
    return next;
  }

  async #take(group: ViewerGroup<Follower>, response: OriginResponse, cause: Cause): Promise<void> {
    const { status } = response;
    if (isRetryable(status)) {
      const waitMs = Math.min(lastRetryMs, firstRetryMs * 2 ** this.#failures);
      this.#failures += 1;
      this.#isTold = true;
      this.#schedule.later(Math.max(waitMs, retryAfterMs(response)));
      return;
    }
    this.#failures = 0;
    if (status === 404 || status === 410) {
      this.#missing(group, response);
      return;
    }
    group.isMissing = false;
    if (status === 304) {
      group.checkedAt = this.#host.clock.now();
      this.#lookAgain(cause.written);
    } else if (status === 200 || status === 203) {
      await this.#compare(group, response, cause);
    } else {
      this.#refuse(group, response);
    }
  }

  #missing(group: ViewerGroup<Follower>, response: OriginResponse): void {
    if (!group.isMissing) {
      group.isMissing = true;
      this.#schedule.later(confirmGoneMs);
    } else if (this.document.list) {
      this.#refuse(group, response);
    } else {
      this.#host.gone(this, [...group.followers]);
      if (this.groups.size > 0) this.stale();
    }
  }

  /** Ends a group; the others still wait for what this look was to find. */
  #refuse(group: ViewerGroup<Follower>, response: OriginResponse): void {
    this.#host.refuse([...group.followers], response);
    if (this.groups.size > 0) this.stale();
  }

  async #compare(group: ViewerGroup<Follower>, response: OriginResponse, { written, isTold }: Cause): Promise<void> {
    group.checkedAt = this.#host.clock.now();
    if (this.isEqual(response)) {
      this.#lookAgain(written);
      return;
    }
    if (!isTold && this.groups.size > 1 && !(await this.#isShared(group, response))) {
      this.#host.reopen([...group.followers]);
      return;
    }
    this.#adopt(response, written);
  }

  /** Whether another viewer of the view gets the same new document: else only this one's answer changed. */
  async #isShared(group: ViewerGroup<Follower>, response: OriginResponse): Promise<boolean> {
    const other = [...this.groups.values()].find((candidate) => candidate !== group);
    if (!other) return true;
    const second = await this.#host.get(this.url, other.viewer);
    return second.status === response.status && isEqualBody(second.body, response.body);
  }

  #adopt(response: OriginResponse, written: ReadonlySet<string>): void {
    const before = this.#standing;
    const document = rereadDocument(before.document, contentTypeOf(response), response.body, this.place);
    this.#standing = readStanding(document, response, this.place);
    const notifications = this.#notifications(before.document, document);
    if (!notifications) {
      this.#host.replace(this);
      return;
    }
    const last = notifications.at(-1);
    if (last) last.eventId = this.eventId;
    this.#host.deliver(this, new Delivery(this.url, notifications, 0, 0));
    const isFound = notifications.some(({ url }) => written.has(pathSegments(url).join("/")));
    if (!isFound) this.#lookAgain(written);
  }

  /** What turns one document into the other; `undefined` where only a snapshot tells. */
  #notifications(before: Document, after: Document): Notification[] | undefined {
    if (before.contentType !== after.contentType) return undefined;
    const { contentType } = after;
    if (!before.list && !after.list) {
      const etag = this.etag === undefined ? {} : { etag: this.etag };
      return [{ status: 202, position: 0, url: this.url, representation: { contentType, body: after.body, ...etag } }];
    }
    if (!before.list || !after.list || !isSameList(before.list, after.list)) return undefined;
    const steps = listDifference(before.list.rows, after.list.rows);
    const bytes = steps.reduce((sum, { text = "", url }) => sum + text.length + url.length, 0);
    if (bytes > after.body.length) return undefined;
    return steps.map(({ status, url, text, index }) => {
      const place: Notification = { status, position: 0, url };
      if (text === undefined || index === undefined) return place;
      return { ...place, index, representation: { contentType, body: text } };
    });
  }

  #lookAgain(written: ReadonlySet<string>): void {
    const waitMs = written.size > 0 ? lookAgainMs[this.#looks] : undefined;
    if (waitMs === undefined) return;
    this.#looks += 1;
    for (const url of written) this.#written.add(url);
    this.#isTold = true;
    this.#schedule.later(waitMs);
  }
}

/** Why a view is looked at. */
interface Cause {
  readonly written: ReadonlySet<string>;
  /** True where somebody said that the document may have changed; false for the regular look. */
  readonly isTold: boolean;
}

function contentTypeOf({ fields }: OriginResponse): string {
  return fieldValue(fields, "content-type") ?? "application/octet-stream";
}

function isEqualBody(a: Body, b: Body): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

function isSameList(before: RecordList, after: RecordList): boolean {
  const { rule } = after;
  const isSameRule = before.rule.pointer === rule.pointer && before.rule.member === rule.member;
  return isSameRule && before.head === after.head && before.tail === after.tail;
}

function readStanding(document: Document, response: OriginResponse, place: DocumentPlace): Standing {
  const { contentType, body, list } = document;
  const fields = endToEndFields(response.fields).filter(([name]) => !/^(items|item-order|event-id)$/i.test(name));
  if (list) fields.push(["Items", formatItems(itemsOf(list.rule, place.target))]);
  return { document, digest: digestDocument(contentType, body), fields, etag: fieldValue(response.fields, "etag") };
}

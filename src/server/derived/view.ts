import { type Field, fieldValue, formatItems } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import { Delivery, type Notification } from "../delivery.ts";
import type { OriginResponse } from "../origin.ts";
import { digestDocument } from "./digest.ts";
import { listDifference } from "./difference.ts";
import { type Document, type DocumentPlace, readDocument, rereadDocument } from "./document.ts";
import { itemsOf } from "./record-rule.ts";
import { RefreshSchedule, type RefreshTimes } from "./refresh.ts";

/** Those of a view's followers who ask as the same viewer: one GET speaks for all of them. */
export interface ViewerGroup<Follower> {
  readonly key: string;
  /** What they ask with. */
  fields: readonly Field[];
  readonly followers: Set<Follower>;
  /** When a GET of their own was last answered with the view's document. */
  checkedAt: number;
}

/** What a view needs of the hub. */
export interface ViewHost<Follower> {
  readonly clock: Clock;
  readonly times: RefreshTimes;
  /** One GET as a viewer, in bounded time and number; never rejects. */
  get(target: string, fields: readonly Field[]): Promise<OriginResponse>;
  /** Gives all that are live what came. */
  deliver(view: DerivedView<Follower>, delivery: Delivery): void;
  /** Has all that are live get the document anew. */
  replace(view: DerivedView<Follower>, followers: Iterable<Follower>): void;
  /** Ends the followers with an answer that is no document. */
  refuse(followers: Iterable<Follower>, response: OriginResponse): void;
  /** The record is gone: 204 and the end. */
  gone(view: DerivedView<Follower>, followers: Iterable<Follower>): void;
  /** Nobody follows the view any more. */
  forget(view: DerivedView<Follower>): void;
}

const lookAgainMs = [25, 100];
const confirmGoneMs = 1_000;
const retryMs = { first: 1_000, most: 30_000 };

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

/** The wait that an answer asks for, in milliseconds; a date is taken for a minute at most. */
function retryAfterMs(response: OriginResponse): number | undefined {
  const value = fieldValue(response.fields, "retry-after");
  return value !== undefined && /^\d{1,6}$/.test(value) ? Number(value) * 1_000 : undefined;
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
  #looksLeft = 0;
  #failures = 0;
  #turn = 0;
  #settled: (() => void)[] = [];

  constructor(host: ViewHost<Follower>, sharingKey: string, place: DocumentPlace, first: OriginResponse) {
    this.#host = host;
    this.url = place.target;
    this.sharingKey = sharingKey;
    this.place = place;
    this.#standing = this.#read(first);
    this.#schedule = new RefreshSchedule(host.clock, host.times, () => this.#look());
  }

  get digest(): string {
    return this.#standing.digest;
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

  /** True while the document is known to be looked at again. */
  get isStale(): boolean {
    return this.#schedule.isDue;
  }

  /** Something was written that the document may show. @param urls - what was written; empty where that is not known */
  stale(urls: readonly string[]): void {
    for (const url of urls) this.#written.add(url);
    this.#looksLeft = urls.length > 0 ? lookAgainMs.length : 0;
    this.#schedule.soon();
  }

  /** Looks now, and resolves when the document is one that was asked for after this call. */
  async renewed(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#settled.push(resolve);
      this.#schedule.soon();
    });
  }

  add(follower: Follower, groupKey: string, fields: readonly Field[]): void {
    let group = this.groups.get(groupKey);
    if (!group) {
      group = { key: groupKey, fields, followers: new Set(), checkedAt: this.#host.clock.now() };
      this.groups.set(groupKey, group);
    }
    group.fields = fields;
    group.followers.add(follower);
  }

  remove(follower: Follower): void {
    this.live.delete(follower);
    for (const group of this.groups.values()) {
      if (group.followers.delete(follower) && group.followers.size === 0) this.groups.delete(group.key);
    }
    if (this.groups.size > 0) return;
    this.#schedule.stop();
    for (const resolve of this.#settled.splice(0)) resolve();
    this.#host.forget(this);
  }

  /** What an answer's document would be called. */
  digestOf(response: OriginResponse): string {
    return this.#read(response).digest;
  }
}

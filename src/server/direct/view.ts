import type { Delivery } from "../delivery/delivery.ts";
import type { Notification } from "../delivery/notification.ts";
import type { Change, Image, Value } from "../ports/journal.ts";
import type { Ahead, DirectView } from "../ports/origin.ts";
import { imageKey } from "./image-key.ts";
import { changeBeyond } from "./net-changes.ts";
import { ViewFilter } from "./view-filter.ts";

/** Told as a change, whole: what the record was before is not known here. */
function createdAgain({ change: _, ...notification }: Notification): Notification {
  return { ...notification, status: 202 };
}

/** Before all positions. */
const nowhere = -1;

/** What a GET told of the room that there is for more, less what came since. */
interface Room {
  /** The position of that GET: changes up to it are in what it told. */
  from: number;
  /** What it showed beyond that. */
  readonly ahead: Ahead | undefined;
  readonly bytes: number;
  rowsLeft: number;
  bytesLeft: number;
  /** Whether there is a record whose place in the list is not told. */
  hasPlaceless: boolean;
}

function roomIn({ room, position, ahead }: DirectView): Room {
  const { rows = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY } = room ?? {};
  return { from: position, ahead, bytes, rowsLeft: rows, bytesLeft: bytes, hasPlaceless: false };
}

/** Of a member, beside its name: two quotes, a colon, a value, and what ends it. */
const fewestBytes = 5;

/** How many bytes a record had before a change, at least: what its image lacks is not known. */
function bytesBefore(change: Change): number {
  const exact = change.kind === "update" ? change.representBefore?.()?.body.length : undefined;
  if (exact !== undefined) return exact;
  let bytes = 0;
  for (const [name, value] of Object.entries(change.before ?? {})) {
    bytes += name.length + fewestBytes;
    if (typeof value === "string" || value instanceof Uint8Array) bytes += value.length;
  }
  return bytes;
}

/**
 * A direct view: what equal GETs return, and who follows it.
 *
 * @typeParam Follower - a subscription; the view itself asks nothing of it
 */
export class View<Follower = unknown> {
  /** The canonical URL. */
  readonly url: string;
  /** Whom it is for; empty where that is everybody. */
  readonly scope: string;
  readonly collection: string;
  /** The record's URL where the view is one record. */
  readonly record: string | undefined;
  /** The columns that its filter compares, sorted, and {@link imageKey} of the values they must have. */
  readonly columns: readonly string[];
  readonly key: string;
  /** What it asks beside that; absent where that is all. */
  readonly filter: ViewFilter | undefined;
  readonly #order: NonNullable<DirectView["order"]>;
  /** What there is room for, by what the last GET told and by what came since. */
  #room: Room;
  /** The position of the last change that counted. */
  #countedTo = nowhere;
  /** Everyone who follows it, in whatever state. */
  readonly followers: Set<Follower> = new Set();
  /** Those that get each change as it comes. */
  readonly live: Set<Follower> = new Set();
  /** The last delivery too large to be written at once, kept for a moment for those who are given it piece by piece. */
  large: { readonly delivery: Delivery; usedAt: number } | undefined;

  constructor(description: DirectView) {
    this.url = description.url;
    this.scope = description.scope ?? "";
    this.collection = description.collection;
    this.record = description.record;
    const values: Record<string, Value> = Object.create(null);
    for (const [column, value] of description.equals) values[column] = value;
    this.columns = Object.keys(values).sort();
    this.key = imageKey(values, this.columns) ?? "";
    this.filter = description.filter && new ViewFilter(description.filter);
    this.#order = description.order ?? [];
    this.#room = roomIn(description);
  }

  /** Takes over what a later GET tells of it, unless something was counted that the GET does not show yet. */
  renew(description: DirectView): void {
    if (description.position >= this.#countedTo) this.#room = roomIn(description);
  }

  /** Positions from before mean nothing any more. */
  beginEpoch(): void {
    this.#countedTo = nowhere;
    this.#room.from = nowhere;
  }

  /** Whether it may have more by now than a GET answers, or a record whose place in the list is not told. */
  get isOutgrown(): boolean {
    const { rowsLeft, bytesLeft, hasPlaceless } = this.#room;
    return rowsLeft < 0 || bytesLeft < 0 || hasPlaceless;
  }

  /** Whether the journal has too little of a change to tell whether the record was in this view, or is: it is opened anew. */
  isUndecided(change: Change): boolean {
    const { filter } = this;
    if (filter === undefined || change.kind === "reset") return false;
    return [change.before, change.after].some((image) => image && this.#hasEquals(image) && !filter.isDecidedBy(image));
  }

  /** Counts a change that is told to nobody, for all are behind. */
  count(change: Change): void {
    if (this.#room.rowsLeft === Number.POSITIVE_INFINITY && this.#order.length === 0) return;
    const status = this.#statusOf(change);
    if (status !== undefined) this.#count(change, status, 0);
  }

  /** What a change is to those who follow this view; `undefined` where it is nothing to them. */
  judge(change: Change): Notification | undefined {
    const status = this.#statusOf(change);
    if (status === undefined) return undefined;
    const { url, position } = change;
    if (status === 204) return { status, url, position };
    const representation = change.represent();
    return status === 201
      ? { status, url, position, representation }
      : { status, url, position, representation, change };
  }

  /**
   * Adds what a change is to those who follow this view to `into`. What follows a record's own 204 is not its any more
   * [R-SUB-9], once that ended its batch: a record that is created again before is one that changed [R-SUB-5].
   */
  collect(change: Change, into: Notification[]): void {
    const last = into.at(-1);
    const left = this.record !== undefined && last?.status === 204 ? last : undefined;
    if (left?.eventId !== undefined) return;
    const notification = this.judge(change);
    if (!notification) return;
    this.#count(change, notification.status, notification.representation?.body.length ?? 0);
    if (left) into.pop();
    into.push(left ? createdAgain(notification) : notification);
  }

  #statusOf(change: Change): Notification["status"] | undefined {
    if (change.collection !== this.collection || change.kind === "reset") return undefined;
    if (this.record !== undefined && change.url !== this.record) return undefined;
    const wasIn = change.kind !== "create" && this.#has(change.before);
    const isIn = change.kind !== "delete" && this.#has(change.after);
    if (isIn) return wasIn ? 202 : 201;
    return wasIn ? 204 : undefined;
  }

  #count(change: Change, status: Notification["status"], bytes: number): void {
    this.#countedTo = change.position;
    const room = this.#room;
    if (change.position <= room.from) return;
    const news = changeBeyond(change, room.ahead);
    if (!news) return;
    const { after } = change;
    if (status !== 204 && after && !this.#hasPlace(after)) room.hasPlaceless = true;
    const isMore = status === 201 || news !== change;
    if (status !== 202 || isMore) room.rowsLeft += isMore ? -1 : 1;
    // While there is room, it costs nothing to count what a changed record had before twice.
    const isNear = room.bytesLeft < room.bytes / 2;
    room.bytesLeft -= bytes - (isNear && status !== 201 ? bytesBefore(change) : 0);
  }

  #hasPlace(image: Image): boolean {
    return this.#order.every(([column, isBytes]) => {
      const value = image[column] ?? null;
      return value === null || value instanceof Uint8Array === isBytes;
    });
  }

  #has(image: Image | undefined): boolean {
    return this.#hasEquals(image) && (this.filter === undefined || (image !== undefined && this.filter.has(image)));
  }

  #hasEquals(image: Image | undefined): boolean {
    return this.columns.length === 0 || imageKey(image, this.columns) === this.key;
  }
}

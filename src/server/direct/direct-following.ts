import { chunkBytes, type Delivery, joinBytes } from "../delivery/delivery.ts";
import type { Advance, Follower, Following, Start } from "../delivery/following.ts";
import { encodeMessage } from "../delivery/message.ts";
import { type Notification, notificationMessage } from "../delivery/notification.ts";
import type { Batch, Page } from "../ports/journal.ts";
import type { Ahead } from "../ports/origin.ts";
import type { DirectFollower, DirectStart, DirectStream } from "./direct-stream.ts";
import { History } from "./history.ts";
import { changeBeyond, changeSince } from "./net-changes.ts";
import type { View } from "./view.ts";

/** How long to wait before the journal is tried again after it failed. */
const retryMs = 100;

/** Where a subscription begins to follow a direct view. */
export function startDirect(stream: DirectStream, start: DirectStart): Start {
  return {
    url: start.view.url,
    scope: start.view.scope ?? "",
    isOfViewer: false,
    follow: (follower) => new DirectFollowing(stream, start, follower),
  };
}

/** A subscription's place in a direct view. Live, it needs no cursor: it stands where the stream stands. */
class DirectFollowing implements Following, DirectFollower {
  readonly url: string;
  readonly scope: string;
  readonly follower: Follower;
  readonly #stream: DirectStream;
  readonly #view: View<DirectFollower>;
  /** Everything up to here was given to the connection; counts while it is behind. */
  #cursor: number;
  /** Where the journal stood when it was authorised: it has not arrived before that. */
  readonly #goal: number;
  /** What its first message showed beyond the cursor; until all of that is told, it is given no position. */
  #ahead: Ahead | undefined;
  /** Where that is so; `undefined` while it is not known. */
  #aheadEnd: number | undefined;
  #epoch: number;
  /** The last notification that was found, until it is known whether it ends its batch. The cursor is past it. */
  #held: Notification | undefined;
  /** Where it stood when it began with the net batch that its cursor is within, of which it was given a part. */
  #begun: number | undefined;
  /** What is read from the journal; its pages are given up while there is no room. */
  #history: History | undefined;
  /** Tells what is awaited from what came to nothing meanwhile. */
  #round = 0;

  constructor(stream: DirectStream, start: DirectStart, follower: Follower) {
    const { view, cursor, epoch } = start;
    this.url = view.url;
    this.scope = view.scope ?? "";
    this.follower = follower;
    this.#stream = stream;
    this.#cursor = cursor;
    this.#goal = view.position;
    this.#ahead = start.ahead;
    this.#epoch = epoch;
    this.#view = stream.join(start, this);
  }

  get position(): string {
    return this.#stream.bookmark.eventId;
  }

  get resumesFrom(): undefined {
    return undefined;
  }

  enter(): void {
    this.#view.live.add(this);
    this.#history = undefined;
    if (this.#stream.isUnseen) this.follower.tellUnseen(true);
  }

  leave(): void {
    this.#view.live.delete(this);
    this.#held = undefined;
    this.#begun = undefined;
    this.#history = undefined;
    this.#ahead = undefined;
    this.#round += 1;
  }

  rest(): void {
    this.#history?.release();
  }

  end(): void {
    this.#stream.part(this.#view, this);
  }

  deliver(delivery: Delivery): void {
    if (this.follower.endExpired()) return;
    const { outlet, form, liveForm } = this.follower;
    if (outlet.isCongested) {
      this.#fallBehind(delivery.from);
      return;
    }
    const { chunks, bytes } = delivery.encoded(liveForm, outlet.framing);
    if (chunks.length > 1 && !outlet.hasRoomFor(bytes)) {
      // Piece by piece it is given as to all who catch up.
      this.#stream.keep(this.#view, delivery, delivery.encoded(form, outlet.framing).bytes);
      this.#fallBehind(delivery.from);
      return;
    }
    for (const chunk of chunks) outlet.send(chunk.bytes);
    const isGone = this.#view.record !== undefined && delivery.notifications.at(-1)?.status === 204;
    if (isGone) this.follower.endGone();
  }

  advance(): Advance | "arrived" | Promise<Advance> {
    const { bookmark, epoch } = this.#stream;
    if (this.#epoch !== epoch) return "restart";
    if (this.#ahead && this.#aheadEnd === undefined) return this.#tried(() => this.#findAheadEnd());
    if (this.#isAhead) return this.#tried(() => this.#awaitTail());
    if (this.#cursor < bookmark.position) return this.#tried(() => this.#follow());
    this.#ahead = undefined;
    // A page may have ended here, so that what it held was the end of the batch.
    return this.#guarded(() => this.#mark(bookmark.eventId) ?? "arrived");
  }

  /** True where it was shown, or could have been shown, what the stream was not given yet. */
  get #isAhead(): boolean {
    return Math.max(this.#cursor, this.#goal) > this.#stream.bookmark.position;
  }

  #fallBehind(cursor: number): void {
    this.#cursor = cursor;
    this.#epoch = this.#stream.epoch;
    this.follower.fallBehind();
  }

  async #tried(go: () => Promise<Advance>): Promise<Advance> {
    try {
      return await go();
    } catch (error) {
      this.#stream.reportUnread(error);
      await this.#pause();
      return "more";
    }
  }

  /** All that was shown has a position once everything is told that was committed by now. */
  async #findAheadEnd(): Promise<Advance> {
    await this.#stream.sync();
    this.#aheadEnd = this.#stream.bookmark.position;
    return "more";
  }

  async #awaitTail(): Promise<Advance> {
    await this.#stream.sync();
    if (this.#isAhead && this.#epoch === this.#stream.epoch) await this.#pause();
    return "more";
  }

  async #follow(): Promise<Advance> {
    const cursor = this.#cursor;
    if (this.#giveChunk()) return "more";
    const recent = this.#history?.owesAt(cursor) ? undefined : this.#stream.recent.next(cursor);
    if (recent) {
      this.#begun ??= cursor;
      return this.#guarded(() => this.#give(recent, false));
    }
    const page = await this.#nextPage(cursor);
    return typeof page === "string" ? page : this.#guarded(() => this.#give(page, page.more, true));
  }

  /** Gives the next piece of a large delivery that is kept ready-made. */
  #giveChunk(): boolean {
    const { large, record } = this.#view;
    if (!large || this.#held || this.#ahead || record !== undefined) return false;
    const { form, outlet } = this.follower;
    const chunk = large.delivery.chunkAfter(this.#cursor, form, outlet.framing);
    if (!chunk) return false;
    large.usedAt = this.#stream.clock.now();
    outlet.send(chunk.bytes);
    this.#begun ??= this.#cursor;
    this.#cursor = chunk.position;
    return true;
  }

  async #nextPage(cursor: number): Promise<Page | Advance> {
    const stream = this.#stream;
    this.#history ??= new History(stream.journal, this.#view.collection);
    const known = this.#history.pageAt(cursor);
    if (known) return known;
    const round = this.#round;
    const begun = this.#begun ?? cursor;
    const page = await this.#history.read(begun, cursor, stream.bookmark.position);
    stream.wasRead();
    // Long histories let others have their turn between two pages.
    await new Promise<void>((resolve) => stream.clock.defer(resolve));
    if (round !== this.#round || this.#epoch !== stream.epoch) return "more";
    if (!page || page.position <= begun) return "restart";
    if (page.position > cursor) return page;
    // A batch that was left in the middle began before this page: what it left out is in the next one.
    this.#begun = page.position;
    return "more";
  }

  /** What can't be shown or written as a message is not skipped: the subscription starts over. */
  #guarded<Result>(give: () => Result): Result | "restart" {
    try {
      return give();
    } catch (error) {
      this.#stream.reportError(error, "encode");
      return "restart";
    }
  }

  /**
   * Gives what a batch has after the cursor, at most about a chunk.
   *
   * @param more - whether the batch goes on after that
   * @param isHistory - whether what was told before is left out of it already
   */
  #give(batch: Batch, more: boolean, isHistory = false): Advance {
    const { outlet } = this.follower;
    const view = this.#view;
    const cursor = this.#cursor;
    const found: Notification[] = this.#held ? [this.#held] : [];
    const frames: Uint8Array[] = [];
    let bytes = 0;
    for (const told of batch.changes) {
      if (told.position <= cursor) continue;
      const change = changeBeyond(told, this.#ahead);
      if (!change) continue;
      if (change.kind === "reset" && change.collection === view.collection) return "restart";
      if (view.isUndecided(change)) return "restart";
      view.collect(isHistory ? change : changeSince(change, this.#begun ?? cursor), found);
      const [known, held] = found;
      if (!known || !held) continue;
      found.shift();
      const frame = this.#frame(known);
      frames.push(frame);
      bytes += frame.length;
      if (bytes < chunkBytes) continue;
      this.#held = held;
      this.#cursor = change.position;
      outlet.send(joinBytes(frames));
      return "more";
    }
    if (frames.length > 0) outlet.send(joinBytes(frames));
    this.#held = found[0];
    this.#begun = undefined;
    this.#cursor = batch.position;
    const isShort = this.#ahead !== undefined && batch.position < (this.#aheadEnd ?? 0);
    if (!isShort) this.#ahead = undefined;
    return (more || isShort ? undefined : this.#mark(batch.eventId)) ?? "more";
  }

  /** Sends what was held as the end of its batch. Says what comes of it where it was the end of the record, too. */
  #mark(eventId: string): "ended" | "restart" | undefined {
    const held = this.#held;
    if (!held) return undefined;
    this.#held = undefined;
    const isEnd = this.#view.record !== undefined && held.status === 204;
    // The record was there when this was authorised: it has been created again since [R-RES-1].
    if (isEnd && held.position <= this.#goal) return "restart";
    held.eventId = eventId;
    this.follower.outlet.send(this.#frame(held));
    return isEnd ? "ended" : undefined;
  }

  #frame(notification: Notification): Uint8Array {
    const { form, outlet } = this.follower;
    return encodeMessage(notificationMessage(notification, form, this.#view.url), outlet.framing);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#stream.clock.setTimer(resolve, retryMs));
  }
}

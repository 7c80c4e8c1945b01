import { chunkBytes, encodeNotification, joinBytes, type Notification } from "../delivery/delivery.ts";
import { History } from "../direct/history.ts";
import { changeSince } from "../direct/net-changes.ts";
import type { Batch } from "../ports/journal.ts";
import { reopenSubscription, showDocument } from "./authorise.ts";
import type { ConnectionCore, Subscription } from "./subscription.ts";

/** How long to wait before the journal is tried again after it failed. */
const retryMs = 100;

/** True where the subscription was shown, or could have been shown, what the hub was not told of yet. */
function isAhead({ cursor, goal, connection }: Subscription): boolean {
  return Math.max(cursor, goal) > connection.hub.bookmark.position;
}

/**
 * Brings the subscriptions of one connection from their cursors to where the hub stands, one after another and no
 * faster than the peer reads. Those that were caught up before come first: no bookmark goes out while they are behind.
 */
export class CatchUp {
  readonly #connection: ConnectionCore;
  readonly #queue: Subscription[] = [];
  #isRunning = false;
  /** What is read from the journal for the subscription at hand; its pages are given up while there is no room. */
  #history: History | undefined;

  constructor(connection: ConnectionCore) {
    this.#connection = connection;
  }

  add(subscription: Subscription): void {
    if (this.#connection.isClosed || this.#queue.includes(subscription)) return;
    if (subscription.caughtUp) this.#queue.unshift(subscription);
    else this.#queue.push(subscription);
    if (!this.#isRunning) void this.#run();
  }

  stop(): void {
    this.#queue.length = 0;
    this.#history = undefined;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // What called may still be changing the subscription.
    await undefined;
    for (let subscription = this.#queue.shift(); subscription; subscription = this.#queue.shift()) {
      while (subscription.state === "behind" && (await this.#advance(subscription)));
      this.#history = undefined;
    }
    this.#isRunning = false;
  }

  /** Goes a piece of the way. False when the subscription needs no more of it. Never rejects. */
  async #advance(subscription: Subscription): Promise<boolean> {
    const { hub } = this.#connection;
    if (this.#connection.isCongested) {
      this.#history?.release();
      await this.#connection.room();
      return true;
    }
    if (subscription.derived) return this.#guard(subscription, () => this.#show(subscription));
    if (subscription.epoch !== hub.epoch) return this.#startOver(subscription);
    try {
      if (isAhead(subscription)) return await this.#awaitTail(subscription);
      if (subscription.cursor < hub.bookmark.position) return await this.#follow(subscription);
    } catch (error) {
      hub.reportError(error, "catch-up");
      await this.#pause();
      return true;
    }
    return this.#guard(subscription, () => this.#arrive(subscription));
  }

  async #awaitTail(subscription: Subscription): Promise<boolean> {
    const { hub } = this.#connection;
    await hub.sync();
    if (isAhead(subscription) && subscription.epoch === hub.epoch) await this.#pause();
    return true;
  }

  async #follow(subscription: Subscription): Promise<boolean> {
    const { hub, transport } = this.#connection;
    const { view, cursor, held } = subscription;
    if (view?.large && !held && view.record === undefined) {
      const chunk = view.large.delivery.chunkAfter(cursor, subscription.form, transport.framing);
      if (chunk) {
        view.large.usedAt = hub.clock.now();
        this.#connection.send(chunk.bytes);
        subscription.begun ??= cursor;
        subscription.cursor = chunk.position;
        return true;
      }
    }
    const recent = hub.recent.next(cursor);
    if (recent) {
      subscription.begun ??= cursor;
      return this.#guard(subscription, () => this.#give(subscription, recent, false));
    }
    return this.#followHistory(subscription);
  }

  async #followHistory(subscription: Subscription): Promise<boolean> {
    const { hub } = this.#connection;
    const { view, cursor, begun = cursor } = subscription;
    if (!hub.journal || !view) return this.#startOver(subscription);
    this.#history ??= new History(hub.journal, view.collection);
    let page = this.#history.pageAt(cursor);
    if (!page) {
      const { epoch } = hub;
      page = await this.#history.read(begun, cursor);
      // Long histories let others have their turn between two pages.
      await new Promise<void>((resolve) => hub.clock.defer(resolve));
      if (subscription.state !== "behind" || epoch !== hub.epoch) return true;
      if (!page || page.position <= begun) return this.#startOver(subscription);
      if (page.position <= cursor) {
        // A batch that was left in the middle began before this page: what it left out is in the next one.
        subscription.begun = page.position;
        return true;
      }
    }
    const { more } = page;
    return this.#guard(subscription, () => this.#give(subscription, page, more, true));
  }

  /** What can't be shown or written as a message is not skipped: the subscription starts over. */
  #guard(subscription: Subscription, give: () => boolean): boolean {
    try {
      return give();
    } catch (error) {
      this.#connection.hub.reportError(error, "encode");
      return this.#startOver(subscription);
    }
  }

  /**
   * Gives the subscription what a batch has for it after its cursor, at most about a chunk.
   *
   * @param more - whether the batch goes on after that
   * @param isHistory - whether what was told before is left out of it already
   */
  #give(subscription: Subscription, batch: Batch, more: boolean, isHistory = false): boolean {
    const { hub } = this.#connection;
    const { view, cursor, begun = cursor } = subscription;
    if (!view) return false;
    const found: Notification[] = subscription.held ? [subscription.held] : [];
    const frames: Uint8Array[] = [];
    let bytes = 0;
    for (const change of batch.changes) {
      if (change.position <= cursor) continue;
      if (change.kind === "reset" && change.collection === view.collection) return this.#startOver(subscription);
      view.collect(isHistory ? change : changeSince(change, begun), found, (changed) => hub.represent(changed));
      const [known, held] = found;
      if (!known || !held) continue;
      found.shift();
      const frame = this.#frame(subscription, known);
      frames.push(frame);
      bytes += frame.length;
      if (bytes < chunkBytes) continue;
      subscription.held = held;
      subscription.cursor = change.position;
      this.#connection.send(joinBytes(frames));
      return true;
    }
    if (frames.length > 0) this.#connection.send(joinBytes(frames));
    subscription.held = found[0];
    subscription.begun = undefined;
    subscription.cursor = batch.position;
    return more || this.#mark(subscription, batch.eventId);
  }

  /** Sends what was held as the end of its batch. False where that was the end of the subscription, too. */
  #mark(subscription: Subscription, eventId: string): boolean {
    const { held, view } = subscription;
    if (!held) return true;
    subscription.held = undefined;
    held.eventId = eventId;
    this.#connection.send(this.#frame(subscription, held));
    if (view?.record === undefined || held.status !== 204) return true;
    this.#connection.endGone(subscription);
    return false;
  }

  #frame(subscription: Subscription, notification: Notification): Uint8Array {
    const message = encodeNotification(notification, subscription.form, subscription.view?.url ?? "");
    return this.#connection.transport.framing.frame(message);
  }

  /** Gives a subscription of a derived view the document, unless it has it: there is no history to go through. */
  #show(subscription: Subscription): boolean {
    const { derived, standing } = subscription;
    // It goes on once its own GET returned the document.
    if (derived && !derived.shows(subscription)) return false;
    if (derived && derived.eventId !== standing) showDocument(subscription, derived);
    if (subscription.state !== "behind") return false;
    subscription.state = "live";
    derived?.live.add(subscription);
    this.#connection.settle(subscription);
    return false;
  }

  /** The subscription stands where the hub stands: it goes live, and says so. */
  #arrive(subscription: Subscription): boolean {
    // A page may have ended here, so that what it held was the end of the batch.
    if (!this.#mark(subscription, this.#connection.hub.bookmark.eventId)) return false;
    subscription.state = "live";
    subscription.view?.live.add(subscription);
    this.#connection.settle(subscription);
    return false;
  }

  #startOver(subscription: Subscription): boolean {
    reopenSubscription(subscription);
    return false;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#connection.hub.clock.setTimer(resolve, retryMs));
  }
}

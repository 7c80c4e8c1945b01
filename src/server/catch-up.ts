import type { ConnectionCore, Subscription } from "./core.ts";
import { Delivery, type Notification } from "./delivery.ts";
import type { Batch } from "./journal.ts";
import { reopenSubscription } from "./opening.ts";

/** How many changes are read from the journal at once. */
const pageChanges = 1_000;
/** How long to wait before the journal is tried again after it failed. */
const retryMs = 100;

/**
 * Brings the subscriptions of one connection from their cursors to where the hub stands, one after another and no
 * faster than the peer reads. Those that were caught up before come first, so that a bookmark never skips them.
 */
export class CatchUp {
  readonly #connection: ConnectionCore;
  readonly #queue: Subscription[] = [];
  #isRunning = false;
  #isStopped = false;
  #wake: (() => void) | undefined;

  constructor(connection: ConnectionCore) {
    this.#connection = connection;
  }

  add(subscription: Subscription): void {
    if (this.#isStopped || this.#queue.includes(subscription)) return;
    if (subscription.caughtUp) this.#queue.unshift(subscription);
    else this.#queue.push(subscription);
    if (!this.#isRunning) void this.#run();
  }

  /** The connection has room again. */
  release(): void {
    this.#wake?.();
  }

  stop(): void {
    this.#isStopped = true;
    this.#queue.length = 0;
    this.#wake?.();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    const { hub } = this.#connection;
    // What called may still be changing the subscription.
    await undefined;
    for (let subscription = this.#queue.shift(); subscription; subscription = this.#queue.shift()) {
      try {
        while (subscription.state === "behind" && !this.#isStopped && (await this.#step(subscription)));
      } catch (error) {
        hub.reportError(error, "catch-up");
        await new Promise<void>((resolve) => hub.clock.setTimer(resolve, retryMs));
        if (subscription.state === "behind" && !this.#isStopped) this.#queue.unshift(subscription);
      }
    }
    this.#isRunning = false;
  }

  /** One piece of the way. False when the subscription needs no more of it. */
  async #step(subscription: Subscription): Promise<boolean> {
    const { hub } = this.#connection;
    if (this.#connection.isCongested) {
      await this.#room();
      return true;
    }
    if (subscription.epoch !== hub.epoch) {
      reopenSubscription(subscription);
      return false;
    }
    if (subscription.backlog) return this.#sendChunk(subscription);
    if (subscription.cursor > hub.bookmark.position) {
      await hub.sync();
      if (subscription.cursor > hub.bookmark.position && subscription.epoch === hub.epoch) {
        await new Promise<void>((resolve) => hub.clock.setTimer(resolve, retryMs));
      }
      return true;
    }
    if (subscription.cursor === hub.bookmark.position) return this.#arrive(subscription);
    const batch = hub.recent.next(subscription.cursor);
    if (batch) return this.#load(subscription, batch, false);
    const { epoch } = hub;
    const page = await hub.journal?.read(subscription.cursor, pageChanges);
    // Long histories let others have their turn between two pages.
    await new Promise<void>((resolve) => hub.clock.defer(resolve));
    if (subscription.state !== "behind" || epoch !== hub.epoch) return true;
    if (!page) {
      reopenSubscription(subscription);
      return false;
    }
    return this.#load(subscription, page, page.more);
  }

  #load(subscription: Subscription, batch: Batch, more: boolean): boolean {
    const { hub } = this.#connection;
    const { view, cursor } = subscription;
    if (!view) return false;
    const notifications: Notification[] = subscription.held ? [subscription.held] : [];
    subscription.held = undefined;
    for (const change of batch.changes) {
      if (change.position <= cursor) continue;
      if (change.kind === "reset" && change.collection === view.collection) {
        reopenSubscription(subscription);
        return false;
      }
      view.collect(change, notifications, (changed) => hub.represent(changed));
    }
    const last = notifications.at(-1);
    if (more) subscription.held = notifications.pop();
    else if (last) last.eventId = batch.eventId;
    const chunks = new Delivery(view.url, notifications).chunks(subscription.form, this.#connection.transport.framing);
    const ends = !more && view.record !== undefined && last?.status === 204;
    subscription.backlog = { chunks, next: 0, position: batch.position, ends };
    return true;
  }

  #sendChunk(subscription: Subscription): boolean {
    const { backlog } = subscription;
    if (!backlog) return true;
    const chunk = backlog.chunks[backlog.next++];
    if (chunk) {
      this.#connection.send(chunk);
      return true;
    }
    subscription.backlog = undefined;
    subscription.cursor = backlog.position;
    if (!backlog.ends) return true;
    this.#connection.endGone(subscription);
    return false;
  }

  /** The subscription stands where the hub stands: it goes live, and says so. */
  #arrive(subscription: Subscription): boolean {
    subscription.state = "live";
    subscription.view?.live.add(subscription);
    this.#connection.settle(subscription);
    return false;
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

import type { HttpResponse } from "../protocol/index.ts";
import { Batch } from "./batch.ts";
import type { CreatedRecords } from "./created.ts";
import type { Feed } from "./feed.ts";
import { HeldRows } from "./held-rows.ts";
import type { OverlayContext, View } from "./layer.ts";
import { Overlay } from "./overlay.ts";
import { codedError } from "./problem.ts";
import { Recogniser } from "./recogniser.ts";
import { type Guard, requireSeen } from "./require-seen.ts";
import type { RowUrls } from "./row-urls.ts";
import type { StoredWrite, Write, WriteKind } from "./write.ts";
import { WriteDelivery, type WriteDeliveryOptions } from "./write-delivery.ts";
import { WriteQueue, type WriteQueueOptions } from "./write-queue.ts";

/** What an outbox needs. */
export interface OutboxOptions extends WriteDeliveryOptions, WriteQueueOptions {
  /** What the server said at the well-known URL, where it was asked already. */
  readonly wellKnown: HttpResponse | undefined;
  /** The views whose rows are known. */
  readonly views: ReadonlySet<View>;
}

/** A write to be sent. */
export interface WriteToSend {
  readonly kind: WriteKind;
  readonly url: string;
  readonly values: object;
  /** What the writer saw: it is written only where the record is still so. */
  readonly base?: object | undefined;
  /** Where that is from; absent where the write is not guarded. */
  readonly guard?: Guard | undefined;
  /** Decides on a conflict: other values, or nothing to give up. */
  readonly onConflict?: ((conflict: never) => unknown) | undefined;
}

/**
 * Writes in the order in which they were made: its `WriteQueue` keeps them, its `WriteDelivery` sends them, and its overlays
 * show them ahead of time until the streams do.
 */
export class Outbox implements OverlayContext {
  readonly urls: RowUrls;
  readonly #options: OutboxOptions;
  readonly #overlays: WeakMap<View, Overlay> = new WeakMap();
  /** What a row shows that was made ahead of time: the last write, and the row of the server's below it. */
  readonly shows: WeakMap<object, { readonly write: Write; readonly below: unknown }> = new WeakMap();
  readonly #queue: WriteQueue;
  readonly #delivery: WriteDelivery;
  readonly #recogniser: Recogniser;
  readonly #held: HeldRows;
  /** The batch that is being made. */
  #batch: Batch | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.urls = options.urls;
    const queue = new WriteQueue(options);
    this.#queue = queue;
    const onUrl = (temporary: string, url: string): void => this.#named(temporary, url);
    this.#held = new HeldRows(options.clock, () => this.#changed());
    this.#recogniser = new Recogniser({ ...options, created: queue.created, held: this.#held, onUrl });
    const loading = queue.load((left) => this.#loaded(left));
    const onChanged = (): void => this.#changed();
    this.#delivery = new WriteDelivery(options, { queue, recogniser: this.#recogniser, loading, onChanged });
    if (options.wellKnown) this.#delivery.idempotency.learn(options.wellKnown);
    void this.#delivery.run();
  }

  /** All that is not yet seen in the streams, oldest first. */
  get writes(): readonly Write[] {
    return this.#queue.writes;
  }

  get created(): CreatedRecords {
    return this.#queue.created;
  }

  /** Sends a write. Resolves with the record as the server answers it. @throws ProblemError, ConflictError, TypeError (network) */
  write(view: View, write: WriteToSend): Promise<unknown> {
    const batch = this.#batch;
    const done = this.#write(view, write, batch?.id);
    if (batch && this.writes.filter((one) => one.batch === batch.id).length > batch.added.length)
      batch.added.push(done);
    return done;
  }

  async #write(
    view: View,
    { kind, url, values, base, guard, onConflict }: WriteToSend,
    batch: string | undefined,
  ): Promise<unknown> {
    if (guard) requireSeen(url, base, guard, this);
    // What can't be written as JSON is refused at once.
    const copy = JSON.parse(JSON.stringify(values)) as Record<string, unknown>;
    const { user, versions } = this.#options;
    const shown = base && this.shows.get(base);
    const after = this.writes.find((one) => one === shown?.write && one.state !== "answered")?.id;
    // A write that was answered since is what was seen.
    const seen = shown ? ((shown.write.row ?? shown.below) as object | undefined) : base;
    const etag = seen && after === undefined ? versions.get(seen) : undefined;
    const id = crypto.randomUUID();
    const madeAt = this.#options.clock.now();
    const write: StoredWrite = {
      id,
      kind,
      view: view.url,
      url,
      values: copy,
      etag,
      base: etag ? undefined : seen,
      user,
      madeAt,
      batch,
    };
    if (this.#delivery.isClosed) throw codedError("closed", "The client is closed.");
    return new Promise((resolve, reject) => {
      this.#queue.add(write, { resolve, reject, onConflict: onConflict as Write["onConflict"], after });
      this.#changed();
      void this.#delivery.run();
    });
  }

  /** A write is being made: it is one of the batch that is. */
  begin(): boolean {
    if (this.#batch) this.#batch.begun += 1;
    return this.#batch !== undefined;
  }

  /**
   * Sends all writes that `make` makes as one: the server carries out all of them, or none.
   *
   * @throws ProblemError, ConflictError, TypeError; with it, all of them are taken back
   */
  async batch(make: () => unknown): Promise<void> {
    if (this.#batch) throw new TypeError("A batch can't be made within another one.");
    const batch = new Batch();
    this.#batch = batch;
    try {
      const trouble = batch.trouble(make());
      if (trouble) throw trouble;
    } catch (error) {
      const made = this.writes.filter((write) => write.batch === batch.id);
      this.#delivery.refuseAll(made, error as Error);
      throw error;
    } finally {
      this.#batch = undefined;
      // All of it at once, or nothing.
      this.#options.callbacks.flush();
    }
    await Promise.all(batch.added);
  }

  /** Tries at once what waits. */
  wake(): void {
    this.#delivery.wake();
  }

  /** There are other credentials of the same user. */
  renew(): void {
    this.#delivery.renew();
  }

  /** What the server says of itself at the well-known URL: whether it does a repeated `Idempotency-Key` once. */
  learn(wellKnown: HttpResponse): void {
    this.#delivery.idempotency.learn(wellKnown);
    this.#delivery.wake();
  }

  /** What is shown ahead of time in a view. */
  overlayOf(view: View): Overlay {
    const overlay = this.#overlays.get(view) ?? new Overlay(view, this, this.#options.clock);
    this.#overlays.set(view, overlay);
    return overlay;
  }

  /** Gives the key of a record in lists: of one that was created here, the URL that it was shown by first. What is given holds. */
  giveKey(url: string): string {
    // It may be what a create makes that is not answered yet.
    if (this.writes.some(({ kind, state }) => kind === "create" && state !== "answered")) this.created.noteShown(url);
    return this.created.keyOf(this.created.real(url));
  }

  readonly isHeld = (url: string): boolean => this.#held.has(url) && !this.created.isClaimed(url);

  get views(): ReadonlySet<View> {
    return this.#options.views;
  }

  /** Removes those that all views show by now. */
  settle(): void {
    if (this.writes.length === 0) return;
    const overlays = [...this.views].map((view) => this.overlayOf(view));
    const settle = (write: Write): boolean => overlays.map((overlay) => overlay.settle(write)).every(Boolean);
    const settled = this.writes.filter((one) => one.state === "answered" && settle(one));
    for (const write of settled) {
      this.#recogniser.settled(write);
      this.#queue.remove(write, "settle");
    }
  }

  /** Notes what came, whoever looks at it: it may be what was written. */
  note(feed: Feed, batch: readonly HttpResponse[]): void {
    if (this.writes.length === 0) return;
    this.#recogniser.came(this.writes, feed, batch);
    for (const view of this.views) if (view.feed === feed) this.overlayOf(view).note(batch);
  }

  /** Sends nothing more; what is kept stays kept. */
  close(): void {
    this.#end("The client is closed.");
  }

  /** Sends nothing more, and keeps nothing more of this user. */
  async drop(): Promise<void> {
    this.#end("The user has logged out: the write was dropped.");
    await this.#queue.clear();
  }

  #end(reason: string): void {
    if (this.#delivery.isClosed) return;
    this.#held.close();
    for (const view of this.views) this.overlayOf(view).close();
    this.#delivery.close();
    this.#queue.close(reason);
  }

  /** What a reload left behind may have been carried out for the page before: what is shown by now stays what it is. */
  #loaded(left: readonly StoredWrite[]): void {
    const shown = [...this.views].flatMap(({ feed }) => feed.replica.entries);
    const creates = left.filter(({ kind }) => kind === "create");
    for (const write of creates) for (const { url, row } of shown) this.created.noteArrived(write, url, row);
    if (creates.length > 0) for (const { url } of shown) this.created.noteShown(url);
    if (left.length > 0) this.#changed();
  }

  #changed(): void {
    for (const view of [...this.views]) view.changed();
    this.settle();
  }

  /** A record has its URL: what waits for it outlives a reload by that one only. */
  #named(temporary: string, url: string): void {
    for (const one of this.writes.filter((other) => other.url === temporary)) this.#queue.change(one, { url });
  }
}

import { Delivery } from "../delivery/delivery.ts";
import { Deltas } from "../delivery/deltas.ts";
import type { Follower } from "../delivery/following.ts";
import type { Notification } from "../delivery/notification.ts";
import { Unseen } from "../delivery/unseen.ts";
import type { CollectionSight, ViewSight } from "../hub-state.ts";
import type { Clock } from "../ports/clock.ts";
import type { Batch, Bookmark, Change, Journal } from "../ports/journal.ts";
import type { Ahead, DirectView } from "../ports/origin.ts";
import { ChangeCounts } from "./change-counts.ts";
import { DirectViews } from "./direct-views.ts";
import { LargeDeliveries } from "./large-deliveries.ts";
import { netBatch } from "./net-changes.ts";
import { RecentBatches } from "./recent.ts";
import { Rights, type RightsParts } from "./rights.ts";
import type { View } from "./view.ts";
import { ViewIndex } from "./view-index.ts";

/** Where a direct view is followed from. */
export interface DirectStart {
  readonly view: DirectView;
  /** Everything up to here is known to the subscriber. */
  readonly cursor: number;
  /** What the subscriber knows beyond that, of the state that it begins with. */
  readonly ahead?: Ahead | undefined;
  /** The journal's epoch, as it was when the view was asked for. */
  readonly epoch: number;
}

/** Who follows a direct view: one subscription's place in the stream of its changes. */
export interface DirectFollower {
  readonly url: string;
  readonly scope: string;
  readonly follower: Follower;
  /** Gives it what its view produced, or has it fall behind where there is no room. */
  deliver(delivery: Delivery): void;
}

/** What a stream of direct views is made with. */
export interface DirectStreamParts extends Omit<RightsParts, "sync"> {
  readonly journal: Journal;
  readonly maxRecentChanges: number;
  readonly maxRecentBytes: number;
  /** Has `flush` called at the end of this turn. */
  readonly schedule: () => void;
  /** Calls {@link DirectStream.distribute}, and has what it gave written. */
  readonly flush: () => void;
  /** Told in which collections something changed, or that anything may have: `/`. */
  readonly changed: ((urls: readonly string[]) => void) | undefined;
  /** Told that positions from before mean nothing any more. */
  readonly onEpoch: () => void;
  readonly reportError: (error: unknown, stage: string) => void;
}

/** What a turn's batches come to. */
interface Produced {
  readonly notifications: Map<View<DirectFollower>, Notification[]>;
  /** The views of which the journal can't tell what happened. */
  readonly reset: Set<View<DirectFollower>>;
}

/** The journal's changes, as those who follow direct views are given them. */
export class DirectStream {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly recent: RecentBatches;
  readonly reportError: DirectStreamParts["reportError"];
  readonly #parts: DirectStreamParts;
  readonly #index: ViewIndex<DirectFollower>;
  readonly #views: DirectViews<DirectFollower>;
  readonly #changes: ChangeCounts = new ChangeCounts();
  readonly #large: LargeDeliveries;
  readonly #rights: Rights;
  readonly #untail: () => void;
  readonly #unseen: Unseen;
  /** True once followers were told that the journal can't be read. */
  #isUnseen = false;
  /** True once it was reported why the journal can't be read, until it was read again. */
  #hasReported = false;
  #bookmark: Bookmark;
  #epoch = 0;
  #incoming: Batch[] = [];

  constructor(parts: DirectStreamParts) {
    this.#parts = parts;
    this.clock = parts.clock;
    this.#index = new ViewIndex();
    this.#views = new DirectViews(this.#index);
    this.journal = parts.journal;
    this.reportError = parts.reportError;
    this.recent = new RecentBatches(parts.maxRecentChanges, parts.maxRecentBytes);
    this.#large = new LargeDeliveries(parts.clock, parts.maxRecentBytes);
    this.#rights = new Rights({ ...parts, sync: () => this.sync() });
    this.#unseen = new Unseen(parts.clock, (isUnseen) => this.#tellUnseen(isUnseen));
    this.#bookmark = parts.journal.head;
    this.#untail = parts.journal.tail((batch) => {
      this.#changes.add(batch);
      this.#incoming.push(netBatch(batch));
      parts.schedule();
    });
  }

  /** Where all who are live stand. */
  get bookmark(): Bookmark {
    return this.#bookmark;
  }

  /** True while there may be something new that the journal can't tell [R-HB-5]. */
  get isUnseen(): boolean {
    return this.#isUnseen;
  }

  /** Counts how often the journal lost its thread; positions of another epoch mean nothing. */
  get epoch(): number {
    return this.#epoch;
  }

  get counts(): { readonly views: number; readonly followers: number } {
    return { views: this.#views.size, followers: this.#views.followers };
  }

  /** The collections with their changes, as an operator sees them. */
  get collections(): CollectionSight[] {
    return this.#changes.sights;
  }

  /** The views, as an operator sees them. */
  get sights(): ViewSight[] {
    return this.#views.sights;
  }

  /** Has somebody follow a view, whose right to it was just granted. */
  join({ view: description, epoch }: DirectStart, one: DirectFollower): View<DirectFollower> {
    const view = this.#views.add(description, one, epoch === this.#epoch);
    this.#rights.granted(one);
    return view;
  }

  /** Twice is fine. */
  part(view: View<DirectFollower>, one: DirectFollower): void {
    this.#views.remove(view, one);
    this.#rights.ended(one);
  }

  /** Keeps a delivery that is too large to be written at once for those who are given it piece by piece. */
  keep(view: View<DirectFollower>, delivery: Delivery, bytes: number): void {
    this.#large.keep(view, delivery, bytes);
  }

  /** Brings everyone to what was committed before the call. */
  async sync(): Promise<void> {
    await this.journal.poll();
    this.wasRead();
    this.#parts.flush();
  }

  /** The journal could be read, also for one of those who wait for it. */
  wasRead(): void {
    this.#hasReported = false;
  }

  /** Reports why the journal could not be read: once until it could, however many try again and again. */
  reportUnread(error: unknown): void {
    if (!this.#hasReported) this.reportError(error, "catch-up");
    this.#hasReported = true;
  }

  /** Gives up what is kept for a moment only, and looks whether the journal can be read. To be called every second. */
  sweep(): void {
    this.#large.sweep();
    if (this.journal.isAway === true) {
      this.#unseen.changed();
    } else {
      this.#unseen.begin();
      this.#unseen.end(true);
    }
  }

  stop(): void {
    this.#unseen.stop();
    this.#untail();
    this.#rights.stop();
  }

  /** Gives what came in to everyone it concerns. */
  distribute(): void {
    const batches = this.#incoming;
    if (batches.length === 0) return;
    this.#incoming = [];
    try {
      this.#distribute(batches);
    } catch (error) {
      this.reportError(error, "distribute");
      this.#restart();
    }
  }

  #tellUnseen(isUnseen: boolean): void {
    const isNews = isUnseen !== this.#isUnseen;
    this.#isUnseen = isUnseen;
    // What came in until now is told first.
    this.distribute();
    for (const view of this.#index.all()) for (const { follower } of view.followers) follower.tellUnseen(isUnseen);
    // Nobody says what to look at again while the journal is away.
    if (isNews && isUnseen) this.#parts.changed?.(["/"]);
  }

  #distribute(batches: readonly Batch[]): void {
    const from = this.#bookmark.position;
    const produced: Produced = { notifications: new Map(), reset: new Set() };
    const { notifications: all, reset } = produced;
    for (const batch of batches) {
      if (batch.lost) {
        all.clear();
        for (const view of this.#index.all()) reset.add(view);
        this.#beginEpoch();
      } else {
        this.#match(batch, produced);
        this.recent.push(batch);
      }
      this.#bookmark = { position: batch.position, eventId: batch.eventId };
    }
    const deltas = new Deltas();
    for (const [view, notifications] of all) {
      if (reset.has(view) || notifications.length === 0) continue;
      const delivery = new Delivery(view.url, notifications, from, this.#bookmark.position, deltas);
      try {
        for (const one of view.live) one.deliver(delivery);
      } catch (error) {
        this.reportError(error, "encode");
        reset.add(view);
      }
    }
    for (const view of reset) {
      for (const { follower } of view.isOutgrown ? view.followers : view.live) follower.restart();
    }
    const isLost = batches.some(({ lost }) => lost);
    this.#parts.changed?.(isLost ? ["/"] : [...new Set(batches.flatMap(collectionsOf))]);
  }

  #match(batch: Batch, { notifications: all, reset }: Produced): void {
    const concerned = new Set<Notification[]>();
    for (const change of batch.changes) {
      if (change.kind === "reset") {
        for (const view of this.#index.all(change.collection)) reset.add(view);
        continue;
      }
      this.#index.visit(change, (view) => {
        if (view.isUndecided(change)) return void reset.add(view);
        if (view.live.size === 0) view.count(change);
        if (view.isOutgrown) reset.add(view);
        if (view.live.size === 0) return;
        let notifications = all.get(view);
        if (!notifications) {
          notifications = [];
          all.set(view, notifications);
        }
        try {
          view.collect(change, notifications);
          concerned.add(notifications);
          if (view.isOutgrown) reset.add(view);
        } catch (error) {
          this.reportError(error, "encode");
          reset.add(view);
        }
      });
    }
    for (const notifications of concerned) {
      const last = notifications.at(-1);
      if (last) last.eventId ??= batch.eventId;
    }
  }

  /** Positions from before mean nothing any more. */
  #beginEpoch(): void {
    this.#epoch += 1;
    this.recent.clear();
    this.#large.clear();
    for (const view of this.#index.all()) view.beginEpoch();
    this.#parts.onEpoch();
  }

  /** After a failure in the middle of distributing, nobody's place is certain: all start over. */
  #restart(): void {
    this.#beginEpoch();
    this.#bookmark = this.journal.head;
    this.#incoming = [];
    for (const view of this.#index.all()) for (const { follower } of view.live) follower.restart();
  }
}

function collectionsOf({ changes }: Batch): string[] {
  return changes.map(({ collection }: Change) => collection);
}

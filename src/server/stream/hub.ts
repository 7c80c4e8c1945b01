import { createProblem, type Field, problemResponse, wellKnownPath } from "../../protocol/index.ts";
import { ByteBudget } from "../byte-budget.ts";
import { Delivery, type Notification } from "../delivery/delivery.ts";
import { SharedFrames } from "../delivery/shared-frames.ts";
import { DirectViews } from "../direct/direct-views.ts";
import { LargeDeliveries } from "../direct/large-deliveries.ts";
import { journaledChange, netBatch } from "../direct/net-changes.ts";
import { RecentBatches } from "../direct/recent.ts";
import type { Rights } from "../direct/rights.ts";
import type { View } from "../direct/view.ts";
import { ViewIndex } from "../direct/view-index.ts";
import { OriginAsker } from "../origin-asker.ts";
import type { Batch, Bookmark, Change, Journal, Representation } from "../ports/journal.ts";
import type { DirectView, OriginResponse } from "../ports/origin.ts";
import type { Transport } from "../ports/transport.ts";
import { viewerFields } from "../viewer.ts";
import {
  beginSubscription,
  type Opening,
  openingWishes,
  openSubscription,
  openView,
  reopenSubscription,
} from "./authorise.ts";
import { Connection, type Handshake } from "./connection.ts";
import { createDerivedViews } from "./derived-listener.ts";
import { Drain } from "./drain.ts";
import { createOpeningTurns, type FairTurns, newcomer } from "./fair-turns.ts";
import { Heartbeat } from "./heartbeat.ts";
import { type HubLimits, type HubOptions, type ResolvedHubOptions, resolveHubOptions } from "./hub-options.ts";
import { createRights } from "./hub-rights.ts";
import { StallWatch } from "./stall-watch.ts";
import {
  type ConnectionCore,
  type DerivedStart,
  type DirectStart,
  type HubCore,
  Subscription,
} from "./subscription.ts";
import { wellKnownResponse } from "./well-known.ts";

/** How many there are of what, for logs and status pages. */
export interface HubCounts {
  readonly connections: number;
  readonly subscriptions: number;
  readonly views: number;
}

/** Turns changes into notifications for everyone who follows a view that they touch. */
export interface Hub {
  /** The bounds in force, defaults filled in. */
  readonly limits: HubLimits;
  /** What is held for all peers together, with its bound: hosts count what they hold, too [R-SEC-5]. */
  readonly held: ByteBudget;
  /** True while one more connection would be too many. */
  readonly isFull: boolean;
  /**
   * False while {@link Hub.changed} can matter to nobody: no derived view stands or is being opened, and what is said
   * stays in this process.
   */
  readonly needsChanges: boolean;
  readonly counts: HubCounts;
  /** Runs the request that authorises a Level 0 subscription, before the 101 is sent. Never rejects. */
  authorise(handshake: Handshake): Promise<Opening>;
  /**
   * Takes a peer over. At Level 1 the subscription to the handshake's URL is opened in band.
   *
   * @param authorised - at Level 0, what {@link Hub.authorise} accepted
   */
  connect(transport: Transport, handshake: Handshake, authorised?: Opening): Connection;
  /** The 200 at `/.well-known/rocket`. */
  wellKnown(): OriginResponse;
  /**
   * Says that resources may have changed: derived views of them, and of what is above and below, are looked at again.
   *
   * @param urls - paths, or absolute URLs
   * @param writer - the fields of the request that has written: what its viewer follows is looked at, too [R-DER-9].
   * Default: nobody's
   */
  changed(urls: readonly string[], writer?: readonly Field[]): void;
  /**
   * Ends every connection: a last bookmark, then 1012 in random order over the drain window [R-CLOSE-4].
   *
   * @param drainMs - the window in milliseconds; shorter where there are few connections. Default 5,000
   */
  close(drainMs?: number): Promise<void>;
}

const restarting = "The server is restarting.";

function isWellKnown(target: string): boolean {
  return target.split("?")[0] === wellKnownPath;
}

class LiveHub implements Hub, HubCore {
  readonly limits: HubLimits;
  readonly clock: ResolvedHubOptions["clock"];
  readonly journal: Journal | undefined;
  readonly recent: RecentBatches;
  readonly held: ByteBudget;
  readonly shared: SharedFrames = new SharedFrames();
  readonly reportError: ResolvedHubOptions["reportError"];
  readonly ask: HubCore["ask"];
  readonly askShared: HubCore["askShared"];
  readonly identityOf: HubCore["identityOf"];
  readonly turns: FairTurns;
  readonly derived: HubCore["derived"];
  bookmark: Bookmark;
  epoch = 0;
  readonly #options: ResolvedHubOptions;
  readonly #client: OriginAsker;
  readonly #index: ViewIndex<Subscription> = new ViewIndex();
  readonly #views: DirectViews = new DirectViews(this.#index);
  readonly #connections: Set<Connection> = new Set();
  readonly #large: LargeDeliveries;
  readonly #representations: WeakMap<Change, Representation> = new WeakMap();
  readonly #heartbeat: Heartbeat;
  readonly #rights: Rights;
  readonly #untail: (() => void) | undefined;
  #incoming: Batch[] = [];
  #touched: ConnectionCore[] = [];
  #isScheduled = false;
  #drain: Drain | undefined;

  constructor(options: ResolvedHubOptions) {
    this.#options = options;
    this.limits = options.limits;
    this.clock = options.clock;
    this.journal = options.journal;
    this.reportError = options.reportError;
    const { maxRecentChanges, maxRecentBytes, maxHeldBytes, stallTimeoutMs } = options.limits;
    this.recent = new RecentBatches(maxRecentChanges, maxRecentBytes);
    this.held = new ByteBudget(maxHeldBytes);
    this.identityOf = options.identityOf;
    const client = new OriginAsker(options);
    this.#client = client;
    this.ask = (method, target, fields, viewer) => client.ask(method, target, fields, viewer);
    this.askShared = (method, target, viewer, since) => client.askShared(method, target, viewer, since);
    this.turns = createOpeningTurns(options.clock, options.limits.maxConcurrentOpenings);
    this.bookmark = options.journal?.head ?? { position: 0, eventId: "" };
    this.#untail = options.journal?.tail((batch) => {
      this.#incoming.push(netBatch(batch));
      this.#schedule();
    });
    this.derived = options.derived && createDerivedViews(this, options.derived);
    this.#rights = createRights(this, options.refreshMs);
    this.#large = new LargeDeliveries(options.clock, maxRecentBytes);
    const stalls = new StallWatch<Connection>(options.clock, stallTimeoutMs, this.held);
    const kept = [this.#large, this.shared, client.shared];
    this.#heartbeat = new Heartbeat(options.clock, this.#connections, stalls, kept);
  }

  get isFull(): boolean {
    return this.#connections.size >= this.limits.maxConnections;
  }

  get needsChanges(): boolean {
    return this.#options.derived?.isStalenessShared === true || this.derived?.isIdle === false;
  }

  get counts(): HubCounts {
    const { views = 0, followers = 0 } = this.derived?.counts ?? {};
    return {
      connections: this.#connections.size,
      subscriptions: this.#views.subscriptions + followers,
      views: this.#views.size + views,
    };
  }

  async authorise({ target, fields, peer }: Handshake): Promise<Opening> {
    if (isWellKnown(target)) {
      const detail = "This URL is for connections that offer the subprotocol rocket.v1.";
      return { kind: "refused", response: problemResponse(createProblem(400, detail)) };
    }
    const request = { target, fields: viewerFields(fields), peer };
    const opening = await this.turns.run(newcomer(this.identityOf(peer).address), () =>
      openView(this, request, { lastEventId: "*" }),
    );
    return opening ?? { kind: "refused", response: problemResponse(createProblem(503, restarting)) };
  }

  connect(transport: Transport, handshake: Handshake, authorised?: Opening): Connection {
    const { level, target } = handshake;
    const connection = new Connection(this, transport, level, viewerFields(handshake.fields), handshake.peer);
    this.#connections.add(connection);
    if (this.#drain) {
      connection.close(1012, restarting);
    } else if (level === 1 && isWellKnown(target)) {
      connection.sendMessage(this.wellKnown());
    } else {
      const subscription = new Subscription(connection, target, connection.fields, true);
      connection.own = subscription;
      if (level === 1) openSubscription(subscription, openingWishes(handshake.fields));
      else if (authorised?.kind === "accepted") beginSubscription(subscription, authorised);
    }
    return connection;
  }

  moment(): number {
    return this.#client.shared.moment();
  }

  wellKnown(): OriginResponse {
    return wellKnownResponse(this.limits, this.#options.promises);
  }

  close(drainMs = 5_000): Promise<void> {
    this.#drain ??= new Drain(this.clock, this.#connections, drainMs, restarting, () => {
      this.#heartbeat.stop();
      this.#rights.stop();
      this.#untail?.();
      this.derived?.stop();
    });
    this.#flush();
    return this.#drain.run();
  }

  changed(urls: readonly string[], writer: readonly Field[] = []): void {
    this.#options.derived?.staleness.publish(urls);
    if (urls.length > 0) this.derived?.wrote(writer);
  }

  async sync(): Promise<void> {
    await this.journal?.poll();
    this.#flush();
  }

  join(subscription: Subscription, start: DirectStart | DerivedStart): void {
    if (start.kind === "derived") {
      this.#joinDerived(subscription, start);
      return;
    }
    this.#joinDirect(subscription, start.view);
    this.#rights.granted(subscription);
  }

  #joinDerived(subscription: Subscription, start: DerivedStart): void {
    if (subscription.derived !== start.view) this.part(subscription);
    this.derived?.follow(start, subscription);
    subscription.derived = start.view;
  }

  #joinDirect(subscription: Subscription, description: DirectView): void {
    const view = this.#views.find(description);
    if (subscription.view === view && !subscription.derived) return;
    this.part(subscription);
    this.#views.add(view, subscription);
  }

  part(subscription: Subscription): void {
    const { derived } = subscription;
    subscription.derived = undefined;
    derived?.remove(subscription);
    if (this.#views.remove(subscription)) this.#rights.ended(subscription);
  }

  represent(change: Change): Representation {
    let representation = this.#representations.get(change);
    if (!representation) {
      if (!this.journal) throw new TypeError("A change can't be shown without its journal.");
      representation = this.journal.represent(journaledChange(change));
      this.#representations.set(change, representation);
    }
    return representation;
  }

  keep(view: View<Subscription>, delivery: Delivery, bytes: number): void {
    this.#large.keep(view, delivery, bytes);
  }

  touch(connection: ConnectionCore): void {
    this.#touched.push(connection);
    this.#schedule();
  }

  drop(connection: ConnectionCore): void {
    this.#connections.delete(connection as Connection);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.clock.defer(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  /** Gives what came in this turn to everyone it concerns, and each touched connection one write. */
  #flush(): void {
    try {
      if (this.#incoming.length > 0) this.#distribute();
    } catch (error) {
      this.reportError(error, "distribute");
      this.#restart();
    }
    const touched = this.#touched;
    this.#touched = [];
    for (const connection of touched) {
      try {
        connection.flush();
      } catch (error) {
        this.reportError(error, "write");
      }
    }
  }

  #distribute(): void {
    const batches = this.#incoming;
    this.#incoming = [];
    const from = this.bookmark.position;
    const produced = new Map<View<Subscription>, Notification[]>();
    const reset = new Set<View<Subscription>>();
    const collections = new Set<string>();
    for (const batch of batches) {
      if (this.derived) for (const { collection } of batch.changes) collections.add(collection);
      if (batch.lost) {
        produced.clear();
        for (const view of this.#index.all()) reset.add(view);
        this.#beginEpoch();
      } else {
        this.#match(batch, produced, reset);
        this.recent.push(batch);
      }
      this.bookmark = { position: batch.position, eventId: batch.eventId };
    }
    for (const [view, notifications] of produced) {
      if (reset.has(view) || notifications.length === 0) continue;
      const delivery = new Delivery(view.url, notifications, from, this.bookmark.position);
      try {
        for (const subscription of view.live) subscription.connection.deliver(subscription, delivery);
      } catch (error) {
        this.reportError(error, "encode");
        reset.add(view);
      }
    }
    for (const view of reset) {
      for (const subscription of view.isOutgrown ? view.subscriptions : view.live) reopenSubscription(subscription);
    }
    if (batches.some(({ lost }) => lost)) this.derived?.changed(["/"], true);
    else this.derived?.changed([...collections], true);
  }

  #match(batch: Batch, produced: Map<View<Subscription>, Notification[]>, reset: Set<View<Subscription>>): void {
    const concerned = new Set<Notification[]>();
    for (const change of batch.changes) {
      if (change.kind === "reset") {
        for (const view of this.#index.all(change.collection)) reset.add(view);
        continue;
      }
      this.#index.visit(change, (view) => {
        if (view.live.size === 0) view.count(change);
        if (view.isOutgrown) reset.add(view);
        if (view.live.size === 0) return;
        let notifications = produced.get(view);
        if (!notifications) {
          notifications = [];
          produced.set(view, notifications);
        }
        try {
          view.collect(change, notifications, (changed) => this.represent(changed));
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
    this.epoch += 1;
    this.recent.clear();
    this.#large.clear();
    this.#client.shared.clear();
  }

  /** After a failure in the middle of distributing, nobody's place is certain: all start over. */
  #restart(): void {
    this.#beginEpoch();
    this.bookmark = this.journal?.head ?? this.bookmark;
    this.#incoming = [];
    for (const view of this.#index.all()) for (const subscription of view.live) reopenSubscription(subscription);
  }
}

/**
 * Makes a hub over an origin and its journal.
 *
 * @throws TypeError | RangeError naming the option and its value
 */
export function createHub(options: HubOptions): Hub {
  return new LiveHub(resolveHubOptions(options));
}

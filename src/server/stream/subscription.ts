import type { Body, Field } from "../../protocol/index.ts";
import type { ByteBudget } from "../byte-budget.ts";
import type { Delivery, Form, Notification } from "../delivery/delivery.ts";
import type { Frames, SharedFrames } from "../delivery/shared-frames.ts";
import type { DerivedView } from "../derived/derived-view.ts";
import type { Admission, DerivedViews } from "../derived/derived-views.ts";
import type { RecentBatches } from "../direct/recent.ts";
import type { View } from "../direct/view.ts";
import type { Clock } from "../ports/clock.ts";
import type { Bookmark, Change, Journal, Representation } from "../ports/journal.ts";
import type { DirectView, OriginResponse } from "../ports/origin.ts";
import type { Transport } from "../ports/transport.ts";
import type { PeerIdentity, Viewer } from "../viewer.ts";
import type { FairTurns } from "./fair-turns.ts";
import type { HubLimits } from "./hub-options.ts";

/** What connections and subscriptions need of the hub. */
export interface HubCore {
  readonly limits: HubLimits;
  readonly clock: Clock;
  readonly journal: Journal | undefined;
  readonly recent: RecentBatches;
  /** What is held for all peers together. */
  readonly held: ByteBudget;
  readonly shared: SharedFrames;
  /** Where all live subscriptions stand. */
  readonly bookmark: Bookmark;
  /** Counts how often the journal lost its thread; cursors of another epoch mean nothing. */
  readonly epoch: number;
  /** Asks the origin, in bounded time; never rejects. */
  ask(method: string, target: string, fields: readonly Field[], viewer?: Viewer): Promise<OriginResponse>;
  /** As `ask`; those that ask the same shortly after share the answer, if it is from `since` on. */
  askShared(method: string, target: string, viewer: Viewer, since: number): Promise<OriginResponse>;
  /** A moment for {@link HubCore.askShared} that no answer so far is from. */
  moment(): number;
  /** In which connections' openings are run. */
  readonly turns: FairTurns;
  /** What is known of a peer at the transport. Never throws. */
  identityOf(peer: unknown): PeerIdentity;
  /** Brings the hub to everything committed before the call. */
  sync(): Promise<void>;
  /** Puts a subscription into its view. */
  join(subscription: Subscription, start: DirectStart | DerivedStart): void;
  /** Views that are derived by asking again; absent where only the journal's are served. */
  readonly derived: DerivedViews<Subscription> | undefined;
  /** Takes a subscription out of its view. */
  part(subscription: Subscription): void;
  represent(change: Change): Representation;
  /** Keeps a delivery that is too large to be written at once for those who are given it piece by piece. */
  keep(view: View<Subscription>, delivery: Delivery, bytes: number): void;
  /** Has the connection's pending bytes written at the end of this turn. */
  touch(connection: ConnectionCore): void;
  /** Forgets a connection that is gone. */
  drop(connection: ConnectionCore): void;
  /** The 200 at `/.well-known/rocket`. */
  wellKnown(): OriginResponse;
  reportError(error: unknown, stage: string): void;
}

/** A message that the hub writes. */
export interface Message {
  readonly status: number;
  readonly fields: readonly Field[];
  readonly body?: Body;
  /** Where others that write the very same message find it ready-made. */
  readonly frames?: Frames | undefined;
}

/** What a connection's parts and its subscriptions need of it. */
export interface ConnectionCore {
  readonly hub: HubCore;
  readonly level: 0 | 1;
  readonly transport: Transport;
  /** The viewer's fields as the handshake gave them. */
  readonly fields: readonly Field[];
  /** Who the peer is at the transport; opaque. */
  readonly peer: unknown;
  /** The handshake's subscription. */
  own: Subscription | undefined;
  /** In-band subscriptions by canonical URL. */
  others: Map<string, Subscription> | undefined;
  readonly isClosed: boolean;
  /** True while more is unsent than one connection may hold: then it is parked [R-SUB-12]. */
  readonly isCongested: boolean;
  find(url: string): Subscription | undefined;
  /** Queues framed bytes; they are written at the end of this turn. */
  send(bytes: Uint8Array): void;
  /** Queues a message. Level 0 has none but notifications. */
  sendMessage(message: Message): void;
  /** Writes what was queued, at once. */
  flush(): void;
  /** Gives a live subscription what its view produced, or parks it before that where there is no room. */
  deliver(subscription: Subscription, delivery: Delivery): void;
  /** Resolves once the connection is not congested any more, or closed. */
  room(): Promise<void>;
  /** Runs `task` after those for the same URL that were given before it. One that fails ends the connection with 1011. */
  inTurn(target: string, task: () => Promise<void> | void): Promise<void>;
  /** As `deliver`, to a subscription of a derived view: it has no position to go on from, only the document. */
  deliverDerived(subscription: Subscription, delivery: Delivery): void;
  /** Has a subscription that is behind brought to where the hub stands. */
  catchUp(subscription: Subscription): void;
  /** Tells a subscription that just went live that it is caught up. */
  settle(subscription: Subscription): void;
  /** Takes a subscription off; nothing more comes for it. */
  remove(subscription: Subscription): void;
  /** Ends a subscription whose record is gone: its 204 was sent [R-SUB-9]. */
  endGone(subscription: Subscription): void;
  /** Ends a subscription with a problem or a redirect [R-SUB-10]. */
  endRefused(subscription: Subscription, refusal: OriginResponse): void;
  /** Writes what was queued, then says good-bye. */
  close(code: number, reason: string): void;
}

/** Where a direct view is followed from. */
export interface DirectStart {
  readonly kind: "direct";
  readonly view: DirectView;
  readonly cursor: number;
  readonly epoch: number;
}

/** The derived view to follow, and who follows it. */
export interface DerivedStart extends Admission<Subscription> {
  readonly kind: "derived";
}

/** One connection's interest in one view. Live, it needs no cursor: it stands where the hub stands. */
export class Subscription {
  readonly connection: ConnectionCore;
  /** The handshake's own subscription: its messages carry no name. */
  readonly isOwn: boolean;
  /** What its GETs ask, and as whom. */
  target: string;
  fields: readonly Field[];
  view: View<Subscription> | undefined;
  /** What it follows where that is a derived view, and the position that it was given last. */
  derived: DerivedView<Subscription> | undefined;
  standing = "";
  state: "opening" | "behind" | "live" | "ended" = "opening";
  /** Everything up to here was given to the connection; counts while it is behind. */
  cursor = 0;
  /** Where the journal stood when it was authorised: it is not caught up before that. */
  goal = 0;
  /** The journal's epoch that cursor and goal belong to. */
  epoch = 0;
  /** True while the peer takes it for caught up: bookmarks speak for it. */
  caughtUp = false;
  /** True from its opening message until it was told that it is caught up. */
  owesBookmark = false;
  /** The last notification that was found, until it is known whether it ends its batch. The cursor is past it. */
  held: Notification | undefined;
  /** Where it stood when it began with the net batch that its cursor is within, of which it was told a part. */
  begun: number | undefined;

  constructor(connection: ConnectionCore, target: string, fields: readonly Field[], isOwn: boolean) {
    this.connection = connection;
    this.target = target;
    this.fields = fields;
    this.isOwn = isOwn;
  }

  get form(): Form {
    if (this.connection.level === 0) return "level0";
    return this.isOwn ? "level1" : "labelled";
  }

  /** The URL of what it follows, in canonical form; `undefined` before it is opened. */
  get url(): string | undefined {
    return this.derived?.url ?? this.view?.url;
  }

  /** The fields that name the subscription on a message of its own. */
  get labels(): readonly Field[] {
    return this.isOwn || this.url === undefined ? [] : [["Subscription", this.url]];
  }

  /** The fields that say where it stands while it is live. */
  get bookmark(): readonly Field[] {
    const { journal, bookmark } = this.connection.hub;
    if (this.derived) return [["Event-ID", this.standing]];
    return journal ? [["Event-ID", bookmark.eventId]] : [];
  }

  /** Leaves its view: nothing is delivered to it any more. */
  leave(): void {
    this.held = undefined;
    this.begun = undefined;
    this.view?.live.delete(this);
    this.derived?.live.delete(this);
  }
}

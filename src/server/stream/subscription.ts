import { closeCodeForStatus, type Field, fieldValue, reasonPhrase } from "../../protocol/index.ts";
import type { Follower, Following, ShownState, Start } from "../delivery/following.ts";
import type { Form } from "../delivery/notification.ts";
import type { Outlet } from "../delivery/outlet.ts";
import type { SharedFrames } from "../delivery/shared-frames.ts";
import type { Clock } from "../ports/clock.ts";
import type { OriginResponse } from "../ports/origin.ts";
import type { Revocations } from "../ports/revocations.ts";
import type { GivenRight } from "./doubts.ts";
import { Expiry } from "./expiry.ts";
import type { AcceptedOpening, Opening, OpeningRequest, OpeningWishes } from "./opening.ts";

/**
 * Where a subscription is.
 *
 * ```
 *            begin               arrive
 * opening ───────────▶ behind ───────────▶ live
 *    ▲                ▲ │  ▲ ◀─────────────┘ │
 *    │        release │ │  │   fallBehind    │
 *    │                │ ▼ hold               │
 *    │                held ◀─────────────────┤ hold
 *    │ restart          │                    │
 *    └──────────────────┴────────────────────┘     end: from each of them to ended
 * ```
 *
 * - `opening`: the request that authorises it is under way.
 * - `behind`: it was sent its first message, and catches up.
 * - `held`: what it follows may be shown to it no more for now.
 * - `live`: it is given what happens, as it happens.
 */
export type SubscriptionState = "opening" | "behind" | "held" | "live" | "ended";

/** What happens to a subscription. */
export type SubscriptionEvent = "begin" | "fallBehind" | "hold" | "release" | "arrive" | "restart" | "end";

type Transitions = Readonly<Record<SubscriptionState, Partial<Record<SubscriptionEvent, SubscriptionState>>>>;

/** Whatever is not here happens in vain. */
const transitions: Transitions = {
  opening: { begin: "behind", end: "ended" },
  behind: { begin: "behind", hold: "held", arrive: "live", restart: "opening", end: "ended" },
  held: { begin: "behind", release: "behind", restart: "opening", end: "ended" },
  live: { begin: "behind", fallBehind: "behind", hold: "held", restart: "opening", end: "ended" },
  ended: {},
};

const lostHistory = "What happened is not known. GET again and reconnect.";

/** All subscriptions of a connection, as one of them sees them. */
export interface SubscriptionHolder {
  readonly outlet: Outlet;
  readonly level: 0 | 1;
  /** Whether notifications say their position at Level 0, too. */
  readonly hasPositions: boolean;
  readonly peer: unknown;
  readonly frames: SharedFrames;
  readonly clock: Clock;
  readonly isRevoked: Revocations["isRevoked"];
  /** Has it brought to where it can be live. */
  catchUp(subscription: Subscription): void;
  /** It has begun with a right, and is told of doubts by itself. */
  begun(right: GivenRight): void;
  /** Has it opened anew: {@link Subscription.opened} is told what became of that. */
  reopen(subscription: Subscription, wishes: OpeningWishes): void;
  /** Has its peer told that it is caught up, as it is live now. */
  settle(subscription: Subscription): void;
  /** Takes it off; closes the connection where it was there for nothing else. */
  drop(subscription: Subscription, code: number, reason: string): void;
}

/** One connection's interest in one view. */
export class Subscription implements Follower {
  /** The handshake's own subscription: its messages carry no name. */
  readonly isOwn: boolean;
  readonly #holder: SubscriptionHolder;
  readonly #expiry: Expiry;
  #request: Omit<OpeningRequest, "peer">;
  #state: SubscriptionState = "opening";
  #following: Following | undefined;
  #isCaughtUp = false;
  /** True from its first message until it was told that it is caught up. */
  #owesBookmark = false;
  /** True while there may be something new that nobody has looked at [R-DER-10, R-HB-5]. */
  #isUnseen = false;

  constructor(holder: SubscriptionHolder, request: Omit<OpeningRequest, "peer">, isOwn: boolean) {
    this.#holder = holder;
    this.#request = request;
    this.isOwn = isOwn;
    this.#expiry = new Expiry(holder.clock, holder.isRevoked, () => this.endExpired());
    this.#expiry.set(request.fields);
  }

  get state(): SubscriptionState {
    return this.#state;
  }

  get outlet(): Outlet {
    return this.#holder.outlet;
  }

  get form(): Form {
    const { level, hasPositions } = this.#holder;
    if (level === 0 && !hasPositions) return "level0";
    return this.isOwn ? "level1" : "labelled";
  }

  get liveForm(): Form {
    // Its bookmark may wait for other subscriptions: until then, its peer does not take it for caught up.
    if (this.#holder.level === 0 || !this.#request.takesDeltas || this.#owesBookmark) return this.form;
    return this.isOwn ? "level1 with deltas" : "labelled with deltas";
  }

  get target(): string {
    return this.#request.target;
  }

  get fields(): readonly Field[] {
    return this.#request.fields;
  }

  get peer(): unknown {
    return this.#holder.peer;
  }

  /** The URL of what it follows, in canonical form; `undefined` before it is opened. */
  get url(): string | undefined {
    return this.#following?.url;
  }

  /** The fields that say where it stands while it is live. */
  get position(): readonly Field[] {
    return this.#following ? [["Event-ID", this.#following.position]] : [];
  }

  /** What a bookmark for it says beside the position. */
  get staleness(): readonly Field[] {
    return this.#isUnseen ? [["Stale", "?1"]] : [];
  }

  /** True while the peer takes it for caught up: bookmarks speak for it. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** True while a bookmark would skip what it has not got [R-HB-4]. */
  get isMissing(): boolean {
    return this.#isCaughtUp && this.#state !== "live";
  }

  /**
   * Sends the opening message and starts what follows it [R-SUB-1].
   *
   * @param isShared - others begin with the very same message
   */
  begin(opening: AcceptedOpening, extraFields: readonly Field[] = [], isShared = false): void {
    const { start, status, fields, body, source } = opening;
    if (this.endExpired() || !this.#go("begin")) return;
    this.#isUnseen = false;
    this.#stand(start);
    this.#owesBookmark = true;
    const frames = isShared && status === 200 ? this.#holder.frames.of(source, this.form) : undefined;
    this.outlet.sendMessage({ status, fields: [...fields, ...this.#labels, ...extraFields], body, frames });
    this.#holder.catchUp(this);
    this.#judge(opening);
  }

  /** As `begin`, for another request for the same URL: the state is sent anew. */
  beginAnew(request: OpeningRequest, opening: AcceptedOpening, extraFields: readonly Field[]): void {
    this.#take(request);
    this.begin(opening, extraFields);
  }

  /** Replaces what it asks with, and keeps its position [R-BAND-5]. */
  renew(request: OpeningRequest, opening: AcceptedOpening, extraFields: readonly Field[]): void {
    const { start } = opening;
    this.#take(request);
    const position = this.#state === "live" ? this.position : [];
    this.#isUnseen = false;
    this.outlet.sendMessage({ status: 304, fields: [...position, ["Subscription", start.url], ...extraFields] });
    // What another viewer is shown of the same URL may be something else: then it begins anew, or comes as a fresh 200.
    if (!start.isOfViewer && start.scope !== this.#following?.scope) this.restart();
    if (start.isOfViewer && this.#state !== "opening" && this.#go("begin")) {
      this.#stand(start, this.#following?.position);
      this.#holder.catchUp(this);
    }
    this.#judge(opening);
  }

  /** Ends it where its credentials have ended, or were taken back. True where they have. */
  endExpired(): boolean {
    const refusal = this.#state === "ended" ? undefined : this.#expiry.refusal;
    if (refusal) this.endRefused(refusal);
    return refusal !== undefined;
  }

  fallBehind(): void {
    if (!this.#go("fallBehind")) return;
    this.#following?.leave();
    this.#holder.catchUp(this);
  }

  hold(): void {
    if (this.#go("hold")) this.#following?.leave();
  }

  release(): void {
    if (this.#go("release")) this.#holder.catchUp(this);
  }

  tellUnseen(isUnseen: boolean): void {
    if (this.#isUnseen === isUnseen) return;
    this.#isUnseen = isUnseen;
    if (this.#holder.level === 0 || !this.#isCaughtUp || this.#owesBookmark) return;
    // Of what it catches up with, the bookmark that follows says it.
    if (this.#state !== "live") this.#owesBookmark = true;
    if (this.#state === "live" || isUnseen) this.#say();
  }

  /** There is no room for what comes next. */
  rest(): void {
    this.#following?.rest();
  }

  /** Goes a piece of the way to where it is live. False when it needs no more of it. Never rejects. */
  async advance(): Promise<boolean> {
    const following = this.#following;
    if (this.#state !== "behind" || !following || this.endExpired()) return false;
    const going = following.advance();
    const advance = typeof going === "string" ? going : await going;
    if (this.#state !== "behind" || this.#following !== following) return this.#state === "behind";
    if (advance === "more") return true;
    if (advance === "arrived") this.#arrive(following);
    else if (advance === "restart") this.restart();
    else if (advance === "held") this.hold();
    else this.endGone();
    return false;
  }

  /**
   * Starts over where nobody can tell what happened: a fresh 200 [R-RES-6], at Level 0 a close with 1001 [R-L0-6], and a
   * refusal where there is nothing to see any more [R-L0-7, R-SUB-10].
   */
  restart(): void {
    if (!this.#go("restart")) return;
    this.#following?.leave();
    const anew = this.#holder.level === 0 ? "*" : undefined;
    this.#holder.reopen(this, { lastEventId: this.#following?.resumesFrom ?? anew });
  }

  /** Begins with what its opening came to, or ends with that. @param isShared - see {@link Subscription.begin} */
  opened(opening: Opening, isShared: boolean): void {
    if (this.#state !== "opening" || this.endExpired()) return;
    if (opening.kind === "refused") this.endRefused(opening.response);
    else if (this.#holder.level === 0 && !this.#goesOnWith(opening)) this.#lose();
    else this.begin(opening, [], isShared);
  }

  show({ fields, body, source }: ShownState): void {
    if (this.#holder.level === 0) {
      this.#lose();
      return;
    }
    this.#owesBookmark = true;
    const frames = this.#holder.frames.of(source, this.form);
    this.outlet.sendMessage({ status: 200, fields: [...fields, ...this.#labels], body, frames });
    if (this.#state === "live") this.#holder.settle(this);
  }

  /** Says that it is caught up, unless that was said already. */
  sayCaughtUp(): void {
    this.#isCaughtUp = true;
    if (!this.#owesBookmark) return;
    this.#owesBookmark = false;
    this.#say();
  }

  #say(): void {
    const position = this.#state === "live" ? this.position : [];
    this.outlet.sendMessage({ status: 304, fields: [...position, ...this.staleness, ...this.#labels] });
  }

  endGone(): void {
    this.#holder.drop(this, 1000, "The record is gone.");
  }

  endRefused(refusal: OriginResponse): void {
    // Told first: a bookmark that waited for this subscription would speak for it, too.
    this.outlet.sendMessage({ ...refusal, fields: [...refusal.fields, ...this.#labels] });
    this.#holder.drop(this, closeCodeForStatus(refusal.status), reasonPhrase(refusal.status));
  }

  /** Nothing more comes for it. Whoever holds it calls this, once it is taken off. Twice is fine. */
  end(): void {
    if (!this.#go("end")) return;
    this.#expiry.stop();
    this.#following?.leave();
    this.#following?.end();
  }

  /** The fields that name the subscription on a message of its own. */
  get #labels(): readonly Field[] {
    return this.isOwn || this.url === undefined ? [] : [["Subscription", this.url]];
  }

  /** What it was authorised by may have become another right before it began: then it is asked for anew. */
  #judge({ right }: AcceptedOpening): void {
    if (!right) return;
    if (right.isDoubted) this.restart();
    this.#holder.begun(right);
  }

  #take(request: OpeningRequest): void {
    this.#request = request;
    this.#expiry.set(request.fields);
  }

  /** Ends the connection of who can't be shown a state. Who goes on from positions has none to go on from [R-STR-20]. */
  #lose(): void {
    this.outlet.close(this.#holder.hasPositions ? 4410 : 1001, lostHistory);
  }

  /** False where the event happens in vain. */
  #go(event: SubscriptionEvent): boolean {
    const next = transitions[this.#state][event];
    if (next === undefined) return false;
    this.#state = next;
    return true;
  }

  /** Stands on what an opening brought, and then no more on what it stood on before: that may be the same view. */
  #stand(start: Start, given?: string): void {
    const before = this.#following;
    before?.leave();
    this.#following = start.follow(this, given);
    before?.end();
  }

  #arrive(following: Following): void {
    if (!this.#go("arrive")) return;
    following.enter();
    this.#holder.settle(this);
  }

  /** True where an opening goes on from what the subscription was given last. */
  #goesOnWith({ status, fields }: AcceptedOpening): boolean {
    const from = this.#following?.resumesFrom;
    return from !== undefined && status === 304 && fieldValue(fields, "event-id") === from;
  }
}

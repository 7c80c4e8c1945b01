import type { Field } from "../../protocol/index.ts";
import type { SharedFrames } from "../delivery/shared-frames.ts";
import type { SubscriptionSight } from "../hub-state.ts";
import type { Clock } from "../ports/clock.ts";
import type { IsMeant, Revocations } from "../ports/revocations.ts";
import { CatchUp } from "./catch-up.ts";
import type { Doubts, GivenRight } from "./doubts.ts";
import type { Handshake } from "./handshake.ts";
import { type Opening, type OpeningRequest, type OpeningWishes, openingRequest, openingWishes } from "./opening.ts";
import type { Opener, Openings } from "./openings.ts";
import { Subscription, type SubscriptionHolder } from "./subscription.ts";
import { UrlTurns } from "./url-turns.ts";

/** What a connection's subscriptions are kept with. */
export interface SubscriptionSetParts {
  readonly openings: Openings;
  readonly frames: SharedFrames;
  readonly clock: Clock;
  readonly isRevoked: Revocations["isRevoked"];
  readonly doubts: Doubts;
  /** Whether two URLs may name the same view, as only its opening tells. */
  readonly hasOtherSpellings: boolean;
  /** Where all that is live stands, as fields: what a bookmark says where the handshake has no subscription. */
  readonly position: () => readonly Field[];
  readonly reportError: (error: unknown, stage: string) => void;
}

/** The subscriptions of one connection, and the bookmarks that speak for them. */
export class SubscriptionSet implements SubscriptionHolder {
  readonly outlet: Opener;
  readonly level: 0 | 1;
  readonly hasPositions: boolean;
  readonly peer: unknown;
  readonly frames: SharedFrames;
  readonly clock: Clock;
  readonly isRevoked: Revocations["isRevoked"];
  readonly #parts: SubscriptionSetParts;
  /** The handshake's subscription. */
  #own: Subscription | undefined;
  /** In-band subscriptions by canonical URL. */
  #others: Map<string, Subscription> | undefined;
  #catchUp: CatchUp | undefined;
  #turns: UrlTurns | undefined;

  constructor(
    outlet: Opener,
    { level, peer, hasPositions }: Pick<SubscriptionHolder, "level" | "hasPositions"> & { readonly peer?: unknown },
    parts: SubscriptionSetParts,
  ) {
    this.outlet = outlet;
    this.level = level;
    this.peer = peer;
    this.hasPositions = hasPositions;
    this.frames = parts.frames;
    this.clock = parts.clock;
    this.isRevoked = parts.isRevoked;
    this.#parts = parts;
  }

  get size(): number {
    return (this.#others?.size ?? 0) + (this.#own ? 1 : 0);
  }

  /** The subscriptions, as an operator sees them. */
  get sights(): SubscriptionSight[] {
    return this.#all.map(({ target, state }) => ({ url: target, state }));
  }

  /** Opens the handshake's subscription. @param authorised - what its request came to, where that was asked before */
  openOwn({ target, fields: all }: Handshake, fields: readonly Field[], authorised: Opening | undefined): void {
    const request = openingRequest(target, { fields, peer: this.peer });
    const accepted = authorised?.kind === "accepted" ? authorised : undefined;
    const own = new Subscription(this, { ...request, fields: accepted?.right?.fields ?? request.fields }, true);
    this.#own = own;
    if (accepted) own.begin(accepted);
    else if (this.level === 1) this.#open(own, openingWishes(all), undefined);
  }

  /** Makes a subscription in band. */
  add(url: string, request: OpeningRequest): Subscription {
    const subscription = new Subscription(this, request, false);
    this.#others ??= new Map();
    this.#others.set(url, subscription);
    return subscription;
  }

  /** The subscription to a view. @param url - in canonical form */
  find(url: string): Subscription | undefined {
    return this.#own?.url === url ? this.#own : this.#others?.get(url);
  }

  /** The subscription with that URL, or that was subscribed to by it. */
  findNamed(target: string): Subscription | undefined {
    const own = this.#own?.target === target ? this.#own : undefined;
    const others = (): readonly Subscription[] => [...(this.#others?.values() ?? [])];
    return this.find(target) ?? own ?? others().find((subscription) => subscription.target === target);
  }

  /** Runs an opening in this connection's turn. */
  run(request: OpeningRequest, wishes: OpeningWishes, begin: (opening: Opening) => void): Promise<void> {
    return this.#parts.openings.run(this.outlet, request, wishes, begin);
  }

  /** Runs `task` after those for the same URL that were given before it. One that fails ends the connection with 1011. */
  inTurn(url: string, task: () => Promise<void> | void): Promise<void> {
    this.#turns ??= new UrlTurns((error) => {
      this.#parts.reportError(error, "open");
      this.outlet.close(1011, "The subscription could not be opened.");
    });
    // A journal's views have canonical URLs, known only once they are opened: so any two may be the same.
    return this.#turns.run(this.#parts.hasOtherSpellings ? "" : url, task);
  }

  begun(right: GivenRight): void {
    this.#parts.doubts.leave(right);
  }

  reopen(subscription: Subscription, wishes: OpeningWishes): void {
    this.#open(subscription, wishes, this.#parts.openings.moment());
  }

  catchUp(subscription: Subscription): void {
    this.#catchUp ??= new CatchUp(this.outlet);
    this.#catchUp.add(subscription);
  }

  /** The handshake's own bookmark speaks for all that are caught up, so it waits for those that fell behind. */
  settle(subscription: Subscription): void {
    if (!subscription.isOwn) subscription.sayCaughtUp();
    this.#settleOwn();
  }

  /** Sends a bookmark for all that are caught up, at Level 1 and where it says no more than is true [R-HB-2, R-HB-4]. */
  sendBookmark(): boolean {
    const isTrue = (!this.#own || this.#own.isCaughtUp) && !this.#hasMissing;
    if (this.level === 0 || !isTrue) return false;
    this.outlet.sendMessage({
      status: 304,
      fields: this.#own ? [...this.#own.position, ...this.#own.staleness] : this.#parts.position(),
    });
    return true;
  }

  /** Takes a subscription off; nothing more comes for it. */
  remove(subscription: Subscription): void {
    const { url } = subscription;
    if (subscription === this.#own) this.#own = undefined;
    else if (url !== undefined && this.#others?.get(url) === subscription) this.#others.delete(url);
    subscription.end();
    this.#settleOwn();
  }

  drop(subscription: Subscription, code: number, reason: string): void {
    this.remove(subscription);
    if (subscription.isOwn && !this.#others?.size) this.outlet.close(code, reason);
  }

  /** Ends those whose credentials have ended, or were taken back. */
  endExpired(): void {
    for (const subscription of this.#all) subscription.endExpired();
  }

  /** Opens those anew whose viewers may have other rights by now: nothing is shown until then. */
  doubt(isMeant: IsMeant): void {
    for (const subscription of this.#all.filter(({ fields }) => isMeant(fields))) subscription.restart();
  }

  /** Ends all of them: the connection is closed. */
  endAll(): void {
    for (const subscription of this.#all) subscription.end();
    this.#catchUp?.stop();
  }

  get #all(): Subscription[] {
    return [...(this.#own ? [this.#own] : []), ...(this.#others?.values() ?? [])];
  }

  get #hasMissing(): boolean {
    if (this.#own?.isMissing) return true;
    for (const { isMissing } of this.#others?.values() ?? []) if (isMissing) return true;
    return false;
  }

  #settleOwn(): void {
    if (this.#own?.state === "live" && !this.#hasMissing) this.#own.sayCaughtUp();
  }

  /** @param since - the moment from which on an answer to somebody who asked the same will do, too */
  #open(subscription: Subscription, wishes: OpeningWishes, since: number | undefined): void {
    const { openings } = this.#parts;
    void this.inTurn(subscription.target, () => {
      // A SUBSCRIBE that had its turn before may have brought other credentials.
      const { target, fields, peer } = subscription;
      const begin = (opening: Opening): void => subscription.opened(opening, since !== undefined);
      return openings.run(this.outlet, { target, fields, peer }, wishes, begin, since);
    });
  }
}

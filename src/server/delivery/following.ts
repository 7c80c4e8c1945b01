import type { Field } from "../../protocol/index.ts";
import type { OriginResponse } from "../ports/origin.ts";
import type { Form } from "./notification.ts";
import type { Outlet } from "./outlet.ts";

/**
 * What a piece of the way came to.
 *
 * - `more`: there may be more to go.
 * - `restart`: what comes next is not known. The subscription is opened anew.
 * - `held`: nothing may be shown for now.
 * - `ended`: the record is gone, and its 204 was sent.
 */
export type Advance = "more" | "restart" | "held" | "ended";

/** What a subscription stands on: one view, and how far the subscription has come with it. */
export interface Following {
  /** The URL of the view, in canonical form. */
  readonly url: string;
  /** Whom the view is for, where others are shown something else at its URL. */
  readonly scope: string;
  /** The position of a subscription that is live. */
  readonly position: string;
  /** The position from which an opening anew can go on; `undefined` where only the state tells what happened. */
  readonly resumesFrom: string | undefined;
  /** The subscription goes live: it is given what happens, as it happens. */
  enter(): void;
  /** It is not live any more, and what `advance` is about comes to nothing. Twice is fine. */
  leave(): void;
  /**
   * Goes a piece of the way to where `enter` is right; must not reject. `arrived` is said at once or not at all: nothing
   * may happen between it and `enter`.
   */
  advance(): Advance | "arrived" | Promise<Advance>;
  /** There is no room for more: what was read ahead is given up. */
  rest(): void;
  /** The view is followed no more. Twice is fine. */
  end(): void;
}

/** Who follows: a subscription, as what it stands on sees it. */
export interface Follower {
  readonly outlet: Outlet;
  /** How its notifications are written. */
  readonly form: Form;
  /** How they are while it is live in a direct view: it has all that was before, so deltas may tell what comes [R-DELTA-6]. */
  readonly liveForm: Form;
  /** What its GETs ask, and as whom. */
  readonly target: string;
  readonly fields: readonly Field[];
  readonly peer: unknown;
  /** Ends it where its credentials have ended: it is given nothing more. True then [R-SEC-11]. */
  endExpired(): boolean;
  /** It was live, and there was no room for what came. It catches up. */
  fallBehind(): void;
  /** It may be shown nothing for now… */
  hold(): void;
  /** …and catches up from now on. */
  release(): void;
  /** Says whether there may be something new that is not known yet [R-DER-10, R-HB-5]. */
  tellUnseen(isUnseen: boolean): void;
  /** What happened can't be told: it is opened anew. */
  restart(): void;
  /** Shows it the state anew; at Level 0 it has to GET that itself [R-L0-6]. */
  show(state: ShownState): void;
  /** Ends it: the record is gone, and its 204 was sent [R-SUB-9]. */
  endGone(): void;
  /** Ends it with a problem or a redirect [R-SUB-10]. */
  endRefused(refusal: OriginResponse): void;
}

/** A state that subscriptions are shown. */
export interface ShownState {
  /** With its position. */
  readonly fields: readonly Field[];
  readonly body: OriginResponse["body"];
  /** What it is made of: whatever is made of the same is the same message. */
  readonly source: object;
}

/** Where a subscription begins to follow a view. */
export interface Start {
  /** The URL of the view, in canonical form. */
  readonly url: string;
  /** Whom it is for: an own place in it is none in one that is for others. */
  readonly scope: string;
  /** True where what is followed is for this viewer alone: another one's place in it is none. */
  readonly isOfViewer: boolean;
  /**
   * Puts a subscription into the view; it is behind.
   *
   * @param given - the position of what it was given last, where that is not what the opening brought
   */
  follow(follower: Follower, given?: string): Following;
}

import type { Delivery } from "../delivery/delivery.ts";
import type { OriginResponse } from "../ports/origin.ts";

/** Who follows a derived view: one subscription's place in it. */
export interface DerivedFollower {
  /** Gives it what the view's document was changed by. For those who are live. */
  deliver(delivery: Delivery): void;
  /** Gives it the document anew. For those who are live. */
  replace(): void;
  /** Has it wait… */
  hold(): void;
  /** …and go on, with the document as it is then. */
  release(): void;
  /** Says whether there may be something that no look has shown yet. Twice the same is fine. */
  tellUnseen(isUnseen: boolean): void;
  /** Has it ask anew, for itself: its answers are no longer the view's. */
  reopen(): void;
  /** Ends it with an answer that is no document. */
  refuse(response: OriginResponse): void;
  /** Ends it with the 204 of a record that is gone. */
  endGone(): void;
}

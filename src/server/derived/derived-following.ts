import { Delivery } from "../delivery/delivery.ts";
import type { Advance, Follower, Following, Start } from "../delivery/following.ts";
import { refusalOf } from "../origin-answer.ts";
import type { OriginResponse } from "../ports/origin.ts";
import type { DerivedFollower } from "./derived-follower.ts";
import type { DerivedView } from "./derived-view.ts";
import type { Admission, DerivedViews } from "./derived-views.ts";

/** A derived view's members are found anew by each look. No direct view has this for its scope. */
const ofViewer = "viewer";

/**
 * Where a subscription begins to follow a derived view.
 *
 * @param position - that of the document that it has, or is sent first
 */
export function startDerived(views: DerivedViews, admission: Admission, position: string): Start {
  return {
    url: admission.view.url,
    scope: ofViewer,
    isOfViewer: true,
    follow: (follower, given = position) => new DerivedFollowing(views, admission, given, follower),
  };
}

/** A subscription's place in a derived view: there is no history, only the document that it was given last. */
class DerivedFollowing implements Following, DerivedFollower {
  readonly scope: string = ofViewer;
  readonly #views: DerivedViews;
  readonly #view: DerivedView;
  readonly #follower: Follower;
  #position: string;

  constructor(views: DerivedViews, admission: Admission, position: string, follower: Follower) {
    this.#views = views;
    this.#view = admission.view;
    this.#follower = follower;
    this.#position = position;
    views.follow(admission, this);
  }

  get url(): string {
    return this.#view.url;
  }

  get position(): string {
    return this.#position;
  }

  get resumesFrom(): string {
    return this.#position;
  }

  enter(): void {
    this.#view.live.add(this);
  }

  leave(): void {
    this.#view.live.delete(this);
  }

  rest(): void {
    // Nothing is read ahead.
  }

  end(): void {
    this.#view.remove(this);
  }

  advance(): Advance | "arrived" {
    try {
      // It goes on once its own GET returned the document.
      if (!this.#view.checkRight(this)) return "held";
      if (this.#view.eventId !== this.#position) this.#show();
      return "arrived";
    } catch (error) {
      this.#views.reportError(error, "encode");
      return "restart";
    }
  }

  deliver(delivery: Delivery): void {
    const { outlet } = this.#follower;
    if (this.#follower.endExpired()) return;
    this.#guarded(() => {
      if (outlet.isCongested) {
        this.#follower.fallBehind();
        return;
      }
      this.#send(delivery);
      this.#position = this.#view.eventId;
    });
  }

  replace(): void {
    if (this.#follower.endExpired()) return;
    this.#guarded(() => {
      if (this.#follower.outlet.isCongested) this.#follower.fallBehind();
      else this.#show();
    });
  }

  hold(): void {
    this.#follower.hold();
  }

  release(): void {
    this.#follower.release();
  }

  tellUnseen(isUnseen: boolean): void {
    this.#guarded(() => this.#follower.tellUnseen(isUnseen));
  }

  reopen(): void {
    this.#follower.restart();
    // It keeps its name, and is given nothing of the view any more.
    this.end();
  }

  refuse(response: OriginResponse): void {
    this.#follower.endRefused(refusalOf(response));
  }

  endGone(): void {
    const { url, eventId } = this.#view;
    this.#guarded(() => {
      this.#send(new Delivery(url, [{ status: 204, position: 0, url, eventId }], 0, 0));
      this.#follower.endGone();
    });
  }

  #show(): void {
    const { standing } = this.#view;
    this.#position = standing.eventId;
    const fields = [...standing.fields, ["Event-ID", standing.eventId] as const];
    this.#follower.show({ fields, body: standing.document.body, source: standing });
  }

  #send(delivery: Delivery): void {
    const { form, outlet } = this.#follower;
    for (const chunk of delivery.encoded(form, outlet.framing).chunks) outlet.send(chunk.bytes);
  }

  /** A fault in what concerns one subscription ends its connection, and nobody else's. */
  #guarded(give: () => void): void {
    try {
      give();
    } catch (error) {
      this.#views.reportError(error, "encode");
      this.#follower.outlet.close(1011, "A change could not be written as a message.");
    }
  }
}

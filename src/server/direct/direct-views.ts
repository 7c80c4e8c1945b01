import type { DirectView } from "../ports/origin.ts";
import type { Subscription } from "../stream/subscription.ts";
import { View } from "./view.ts";
import type { ViewIndex } from "./view-index.ts";

/** The direct views that are followed: equal ones are one. */
export class DirectViews {
  readonly #index: ViewIndex<Subscription>;
  readonly #views: Map<string, View<Subscription>> = new Map();

  /** @param index - kept to those that are followed */
  constructor(index: ViewIndex<Subscription>) {
    this.#index = index;
  }

  get size(): number {
    return this.#views.size;
  }

  /** How many subscriptions they have. */
  get subscriptions(): number {
    let count = 0;
    for (const { subscriptions } of this.#views.values()) count += subscriptions.size;
    return count;
  }

  /** The view of that description: the one that is followed already, or a new one. */
  find(description: DirectView): View<Subscription> {
    const view = new View<Subscription>(description);
    const known = this.#views.get(view.url);
    const isSame = known?.key === view.key && known.collection === view.collection && known.record === view.record;
    return known && isSame ? known : view;
  }

  add(view: View<Subscription>, subscription: Subscription): void {
    if (view.subscriptions.size === 0) {
      this.#views.set(view.url, view);
      this.#index.add(view);
    }
    view.subscriptions.add(subscription);
    subscription.view = view;
  }

  /** False where the subscription follows none of them. */
  remove(subscription: Subscription): boolean {
    const { view } = subscription;
    if (!view?.subscriptions.delete(subscription)) return false;
    view.live.delete(subscription);
    subscription.view = undefined;
    if (view.subscriptions.size > 0) return true;
    this.#index.remove(view);
    if (this.#views.get(view.url) === view) this.#views.delete(view.url);
    return true;
  }
}

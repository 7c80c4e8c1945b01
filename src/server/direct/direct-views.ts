import type { ViewSight } from "../hub-state.ts";
import type { DirectView } from "../ports/origin.ts";
import { View } from "./view.ts";
import type { ViewIndex } from "./view-index.ts";

/** No URL has a space. */
function nameOf({ url, scope }: Pick<View, "url" | "scope">): string {
  return scope === "" ? url : `${url} ${scope}`;
}

/** The direct views that are followed: equal ones are one. */
export class DirectViews<Follower> {
  readonly #index: ViewIndex<Follower>;
  readonly #views: Map<string, View<Follower>> = new Map();

  /** @param index - kept to those that are followed */
  constructor(index: ViewIndex<Follower>) {
    this.#index = index;
  }

  get size(): number {
    return this.#views.size;
  }

  /** How many follow them. */
  get followers(): number {
    let count = 0;
    for (const { followers } of this.#views.values()) count += followers.size;
    return count;
  }

  /** The views, as an operator sees them. */
  get sights(): ViewSight[] {
    return [...this.#views.values()].map(({ url, followers }) => ({ url, kind: "direct", followers: followers.size }));
  }

  /** Has somebody follow the view of that description: the one that is followed already, or a new one. @param isCurrent - whether its position means something */
  add(description: DirectView, follower: Follower, isCurrent = true): View<Follower> {
    const view = this.#find(description);
    if (isCurrent) view.renew(description);
    if (view.followers.size === 0) {
      this.#views.set(nameOf(view), view);
      this.#index.add(view);
    }
    view.followers.add(follower);
    return view;
  }

  /** Twice is fine. */
  remove(view: View<Follower>, follower: Follower): void {
    view.live.delete(follower);
    if (!view.followers.delete(follower) || view.followers.size > 0) return;
    this.#index.remove(view);
    if (this.#views.get(nameOf(view)) === view) this.#views.delete(nameOf(view));
  }

  #find(description: DirectView): View<Follower> {
    const view = new View<Follower>(description);
    const known = this.#views.get(nameOf(view));
    const isSame = known?.key === view.key && known.collection === view.collection && known.record === view.record;
    const hasSameFilter = known?.filter === view.filter || view.filter?.isSame(known?.filter) === true;
    return known && isSame && hasSameFilter ? known : view;
  }
}

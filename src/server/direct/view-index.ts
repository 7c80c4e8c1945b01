import type { Change } from "../ports/journal.ts";
import { imageKey, type View } from "./view.ts";

/** Views of one collection that filter by the same columns, by the values they ask for. */
interface FilterGroup<Follower> {
  readonly columns: readonly string[];
  readonly views: Map<string, View<Follower>[]>;
}

interface CollectionViews<Follower> {
  readonly whole: View<Follower>[];
  readonly records: Map<string, View<Follower>[]>;
  readonly groups: Map<string, FilterGroup<Follower>>;
}

function addTo<Follower>(map: Map<string, View<Follower>[]>, key: string, view: View<Follower>): void {
  const views = map.get(key);
  if (views) views.push(view);
  else map.set(key, [view]);
}

function removeFrom<Follower>(map: Map<string, View<Follower>[]>, key: string, view: View<Follower>): void {
  const views = map.get(key);
  if (!views) return;
  remove(views, view);
  if (views.length === 0) map.delete(key);
}

function remove<Follower>(views: View<Follower>[], view: View<Follower>): void {
  const at = views.indexOf(view);
  if (at >= 0) views.splice(at, 1);
}

/** Finds the views that a change can touch, at the cost of what it touches and not of what there is. */
export class ViewIndex<Follower> {
  readonly #collections: Map<string, CollectionViews<Follower>> = new Map();

  add(view: View<Follower>): void {
    let collection = this.#collections.get(view.collection);
    if (!collection) {
      collection = { whole: [], records: new Map(), groups: new Map() };
      this.#collections.set(view.collection, collection);
    }
    if (view.record !== undefined) {
      addTo(collection.records, view.record, view);
    } else if (view.columns.length === 0) {
      collection.whole.push(view);
    } else {
      const name = JSON.stringify(view.columns);
      const group = collection.groups.get(name) ?? {
        columns: view.columns,
        views: new Map<string, View<Follower>[]>(),
      };
      collection.groups.set(name, group);
      addTo(group.views, view.key, view);
    }
  }

  remove(view: View<Follower>): void {
    const collection = this.#collections.get(view.collection);
    if (!collection) return;
    if (view.record !== undefined) {
      removeFrom(collection.records, view.record, view);
    } else if (view.columns.length === 0) {
      remove(collection.whole, view);
    } else {
      const name = JSON.stringify(view.columns);
      const group = collection.groups.get(name);
      if (!group) return;
      removeFrom(group.views, view.key, view);
      if (group.views.size === 0) collection.groups.delete(name);
    }
    const { whole, records, groups } = collection;
    if (whole.length === 0 && records.size === 0 && groups.size === 0) this.#collections.delete(view.collection);
  }

  /** Calls `visit` with each view that `change` can touch, once. */
  visit(change: Change, visit: (view: View<Follower>) => void): void {
    const collection = this.#collections.get(change.collection);
    if (!collection) return;
    for (const view of collection.whole) visit(view);
    for (const view of collection.records.get(change.url) ?? []) visit(view);
    for (const { columns, views } of collection.groups.values()) {
      const before = imageKey(change.before, columns);
      const after = imageKey(change.after, columns);
      if (before !== undefined) for (const view of views.get(before) ?? []) visit(view);
      if (after !== undefined && after !== before) for (const view of views.get(after) ?? []) visit(view);
    }
  }

  /** Every view of a collection, or of all collections. */
  all(collection?: string): View<Follower>[] {
    const found: View<Follower>[] = [];
    for (const [path, { whole, records, groups }] of this.#collections) {
      if (collection !== undefined && collection !== path) continue;
      found.push(...whole);
      for (const views of records.values()) found.push(...views);
      for (const group of groups.values()) for (const views of group.views.values()) found.push(...views);
    }
    return found;
  }
}

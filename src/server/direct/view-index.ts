import type { Change, Value } from "../ports/journal.ts";
import { imageKey } from "./image-key.ts";
import { IntervalTree } from "./interval-tree.ts";
import type { View } from "./view.ts";
import type { ViewPlace } from "./view-places.ts";

/** Views of one collection that filter by the same columns, by the values they ask for. */
interface FilterGroup<Follower> {
  readonly columns: readonly string[];
  readonly views: Map<string, View<Follower>[]>;
}

/** Views of one collection that ask for a range of a column's values. */
interface RangeGroup<Follower> {
  readonly column: string;
  /** Whether an end of the ranges is a text. */
  readonly isText: boolean;
  readonly views: IntervalTree<View<Follower>>;
}

interface CollectionViews<Follower> {
  /** All of them. */
  readonly views: Set<View<Follower>>;
  /** Those that each change may touch. */
  readonly whole: View<Follower>[];
  readonly records: Map<string, View<Follower>[]>;
  readonly groups: Map<string, FilterGroup<Follower>>;
  readonly ranges: Map<string, RangeGroup<Follower>>;
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

/** By what a view is found; `undefined` where each change may touch it. */
function placesOf({ columns, key, filter }: View): readonly ViewPlace[] | undefined {
  return columns.length > 0 ? [{ kind: "key", columns, key }] : filter?.places;
}

/** Finds the views that a change can touch, at the cost of what it touches and not of what there is. */
export class ViewIndex<Follower> {
  readonly #collections: Map<string, CollectionViews<Follower>> = new Map();
  #visits = 0;

  add(view: View<Follower>): void {
    let collection = this.#collections.get(view.collection);
    if (!collection) {
      collection = { views: new Set(), whole: [], records: new Map(), groups: new Map(), ranges: new Map() };
      this.#collections.set(view.collection, collection);
    }
    collection.views.add(view);
    if (view.record !== undefined) {
      addTo(collection.records, view.record, view);
      return;
    }
    const places = placesOf(view);
    if (!places) collection.whole.push(view);
    for (const place of places ?? []) addAt(collection, place, view);
  }

  remove(view: View<Follower>): void {
    const collection = this.#collections.get(view.collection);
    if (!collection?.views.delete(view)) return;
    if (collection.views.size === 0) {
      this.#collections.delete(view.collection);
      return;
    }
    if (view.record !== undefined) {
      removeFrom(collection.records, view.record, view);
      return;
    }
    const places = placesOf(view);
    if (!places) remove(collection.whole, view);
    for (const place of places ?? []) removeAt(collection, place, view);
  }

  /** Calls `visit` with each view that `change` can touch, once. */
  visit(change: Change, visit: (view: View<Follower>) => void): void {
    const collection = this.#collections.get(change.collection);
    if (!collection) return;
    this.#visits += 1;
    const round = this.#visits;
    // One with a filter may stand at several places.
    const meet = (view: View<Follower>): void => {
      if (view.filter === undefined || view.filter.meet(round)) visit(view);
    };
    for (const view of collection.whole) visit(view);
    for (const view of collection.records.get(change.url) ?? []) visit(view);
    for (const { columns, views } of collection.groups.values()) {
      const before = imageKey(change.before, columns);
      const after = imageKey(change.after, columns);
      if (before !== undefined) for (const view of views.get(before) ?? []) meet(view);
      if (after !== undefined && after !== before) for (const view of views.get(after) ?? []) meet(view);
    }
    for (const group of collection.ranges.values()) {
      const before = change.before?.[group.column];
      const after = change.after?.[group.column];
      if (change.before) visitRanges(group, before, meet);
      if (change.after && (!change.before || after !== before)) visitRanges(group, after, meet);
    }
  }

  /** Every view of a collection, or of all collections. */
  all(collection?: string): View<Follower>[] {
    const found: View<Follower>[] = [];
    for (const [path, { views }] of this.#collections) {
      if (collection === undefined || collection === path) found.push(...views);
    }
    return found;
  }
}

/** What groups of views are told apart by. */
function nameOf(place: ViewPlace): string {
  return place.kind === "key" ? JSON.stringify(place.columns) : JSON.stringify([place.column, place.isText]);
}

function addAt<Follower>({ groups, ranges }: CollectionViews<Follower>, place: ViewPlace, view: View<Follower>): void {
  const name = nameOf(place);
  if (place.kind === "key") {
    const { columns, key } = place;
    const group = groups.get(name) ?? { columns, views: new Map<string, View<Follower>[]>() };
    groups.set(name, group);
    addTo(group.views, key, view);
  } else {
    const { column, isText, interval } = place;
    const group = ranges.get(name) ?? { column, isText, views: new IntervalTree<View<Follower>>() };
    ranges.set(name, group);
    group.views.add(interval, view);
  }
}

function removeAt<Follower>(
  { groups, ranges }: CollectionViews<Follower>,
  place: ViewPlace,
  view: View<Follower>,
): void {
  const name = nameOf(place);
  if (place.kind === "key") {
    const group = groups.get(name);
    if (!group) return;
    removeFrom(group.views, place.key, view);
    if (group.views.size === 0) groups.delete(name);
  } else {
    const group = ranges.get(name);
    group?.views.remove(place.interval, view);
    if (group?.views.isEmpty) ranges.delete(name);
  }
}

/** Of a value that is missing, or of bytes among texts, nobody knows where it stands. */
function visitRanges<Follower>(
  { isText, views }: RangeGroup<Follower>,
  value: Value | undefined,
  visit: (view: View<Follower>) => void,
): void {
  if (value === null) return;
  if (value === undefined || (isText && value instanceof Uint8Array)) views.all(visit);
  else views.at(value, visit);
}

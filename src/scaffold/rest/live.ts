import { conditionsOf, groupOf } from "../../filter/index.ts";
import type { DirectView, OriginResponse } from "../../server/index.ts";
import type { RecordFilter } from "../engine/query.ts";
import type { Row, Snapshot, TableSources } from "../engine/snapshot.ts";
import { done, type Steps } from "../engine/steps.ts";
import type { ServedTable } from "../engine/table.ts";
import { embeddedTables } from "../engine/tree.ts";
import { isDirect, viewFilter } from "./image-filter.ts";
import type { Place } from "./keyset.ts";
import { type CollectionQuery, canonicalUrl } from "./query.ts";
import { formatRecordFilter } from "./record-filter.ts";
import { collectionPath, type Resource, urlOf } from "./resource.ts";
import type { Selected } from "./selection.ts";

/** How an answer can be followed, or why it can't. */
export type Liveness = Pick<OriginResponse, "view" | "url" | "reads" | "notLive">;

/** Where an answer with a collection ends, and a link leads to the rest. */
export interface PageLimits {
  /** Records at most. */
  readonly maxRows: number;
  /** Bytes of records at most, unless one alone has more. */
  readonly maxPageBytes: number;
}

/** What the service lets be followed. */
export interface LiveSettings extends PageLimits {
  /** Why nothing can be followed at all; `undefined` where it can. */
  readonly notLive: string | undefined;
}

/** Why a table can't be followed; `undefined` where it can. */
function whyNotLive(snapshot: Snapshot, settings: LiveSettings, table: ServedTable): string | undefined {
  if (settings.notLive !== undefined) return settings.notLive;
  // Of a private one, what decides what it shows counts.
  const reason = snapshot.isPrivate(table) ? undefined : snapshot.unwatched.get(table.name);
  return reason === undefined
    ? undefined
    : `Changes of this table can't be watched, so it can't be followed: ${reason}`;
}

const unwatched = "What is shown here depends on something whose changes can't be watched, so it can't be followed.";

function sourcesOf(snapshot: Snapshot, table: ServedTable): Steps<TableSources> {
  if (snapshot.isPrivate(table)) return snapshot.sources(table);
  return done({ tables: [table.name], isComplete: true, isUnwatched: false });
}

/**
 * How an answer is followed that no journal keeps: the hub asks again when what it was read from has changed.
 *
 * @param url - in canonical form
 * @param others - the tables that it was read from beside the resource's own
 */
export function* derive(
  snapshot: Snapshot,
  settings: LiveSettings,
  { table: own, basePath }: Resource,
  url: string,
  others: readonly ServedTable[] = [],
): Steps<Liveness> {
  const names = new Set<string>();
  let isComplete = true;
  for (const table of new Set([own, ...others])) {
    const notLive = whyNotLive(snapshot, settings, table);
    if (notLive !== undefined) return { notLive };
    const sources = yield* sourcesOf(snapshot, table);
    if (sources.isUnwatched) return { notLive: unwatched };
    for (const name of sources.tables) names.add(name);
    isComplete &&= sources.isComplete;
  }
  return { url, reads: { collections: [...names].map((name) => collectionPath(name, basePath)), isComplete } };
}

const everything: RecordFilter = { kind: "and", parts: [] };

/** A filter as a view has it, with what its viewer may be shown. */
function filterFor(
  snapshot: Snapshot,
  { table }: Resource,
  filter: RecordFilter,
): Pick<DirectView, "equals" | "filter" | "scope" | "isScopeChanging"> {
  const viewer = snapshot.filterOf(table);
  if (!viewer) return viewFilter(filter);
  const conditions = formatRecordFilter(viewer.filter);
  return {
    ...viewFilter(groupOf("and", [filter, viewer.filter])),
    scope: conditions.length === 0 ? "" : JSON.stringify(conditions),
    isScopeChanging: viewer.isChanging,
  };
}

function follow(
  snapshot: Snapshot,
  settings: LiveSettings,
  resource: Resource,
  view: Omit<DirectView, "position" | "eventId" | "collection" | "equals" | "filter">,
  filter: RecordFilter = everything,
): Steps<Liveness> {
  const { bookmark, ahead } = snapshot;
  const notLive = whyNotLive(snapshot, settings, resource.table);
  if (notLive !== undefined) return done({ notLive });
  // Where that has no place in the journal, or is one viewer's, it is followed by asking again.
  if (!bookmark || snapshot.isPrivate(resource.table)) return derive(snapshot, settings, resource, view.url);
  const { path: collection } = resource;
  const { position, eventId } = bookmark;
  const asked = filterFor(snapshot, resource, filter);
  return done({ view: { collection, ...view, ...asked, position, eventId, ...(ahead && { ahead }) } });
}

/** How a record is followed. */
export function followRecord(
  snapshot: Snapshot,
  settings: LiveSettings,
  resource: Resource,
  row: Row,
): Steps<Liveness> {
  const url = urlOf(resource, row);
  return follow(snapshot, settings, resource, { url, record: url });
}

/** How what is selected of a record is followed: by asking again. @param url - in canonical form */
export function followSelected(
  snapshot: Snapshot,
  settings: LiveSettings,
  resource: Resource,
  { selected, url }: { readonly selected: Selected; readonly url: string },
): Steps<Liveness> {
  return derive(snapshot, settings, resource, url, embeddedTables(selected));
}

/** What of a collection an answer holds. */
export interface Extent {
  readonly count: number;
  readonly bytes: number;
  /** Whether the collection has more. */
  readonly hasMore: boolean;
  /** The place of its last record; `undefined` where a URL can't say that. */
  readonly last?: Place | undefined;
  /** The `Item-Order`; `undefined` where the records' JSON does not tell their order. */
  readonly order: string | undefined;
}

/** Whether a GET asks for a part of a collection, however much that has. */
export function isPartQuery({ limit, offset, after }: Pick<CollectionQuery, "limit" | "offset" | "after">): boolean {
  return limit !== undefined || offset !== undefined || after !== undefined;
}

/** Whether what is in the answer, and where, can't be told from a change alone: as in a part of a collection. */
export function isDerived({ filter, selected, ...query }: CollectionQuery, { hasMore, order }: Extent): boolean {
  if (selected || hasMore || order === undefined || isPartQuery(query)) return true;
  return !conditionsOf(filter).every(isDirect);
}

/** How a collection is followed. */
export function followCollection(
  snapshot: Snapshot,
  settings: LiveSettings,
  resource: Resource,
  query: CollectionQuery,
  extent: Extent,
): Steps<Liveness> {
  const { selected } = query;
  if (selected) {
    return followSelected(snapshot, settings, resource, { selected, url: canonicalUrl(resource, query) });
  }
  if (isDerived(query, extent)) return derive(snapshot, settings, resource, canonicalUrl(resource, query));
  const view: Parameters<typeof follow>[3] = {
    url: canonicalUrl(resource, query),
    order: query.order.map(({ member: { name, type } }) => [name, type.comparison === "bytes"]),
    room: { rows: settings.maxRows - extent.count, bytes: settings.maxPageBytes - extent.bytes },
  };
  return follow(snapshot, settings, resource, view, query.filter);
}

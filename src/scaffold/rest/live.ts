import { conditionsOf, groupOf } from "../../filter/index.ts";
import type { DirectView, OriginResponse } from "../../server/index.ts";
import type { Query, RecordFilter } from "../engine/query.ts";
import type { Row, Snapshot, TableSources } from "../engine/snapshot.ts";
import { done, type Steps } from "../engine/steps.ts";
import { isDirect, viewFilter } from "./image-filter.ts";
import { type CollectionQuery, canonicalUrl } from "./query.ts";
import { formatRecordFilter } from "./record-filter.ts";
import { collectionPath, type Resource, urlOf } from "./resource.ts";

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
function whyNotLive(snapshot: Snapshot, settings: LiveSettings, { table }: Resource): string | undefined {
  if (settings.notLive !== undefined) return settings.notLive;
  // Of a private one, what decides what it shows counts.
  const reason = snapshot.isPrivate(table) ? undefined : snapshot.unwatched.get(table.name);
  return reason === undefined
    ? undefined
    : `Changes of this table can't be watched, so it can't be followed: ${reason}`;
}

const unwatched = "What is shown here depends on something whose changes can't be watched, so it can't be followed.";

function sourcesOf(snapshot: Snapshot, { table }: Resource): Steps<TableSources> {
  if (snapshot.isPrivate(table)) return snapshot.sources(table);
  return done({ tables: [table.name], isComplete: true, isUnwatched: false });
}

/** How an answer is followed that no journal keeps: the hub asks again when what it was read from has changed. */
function* derive(snapshot: Snapshot, settings: LiveSettings, resource: Resource, url: string): Steps<Liveness> {
  const notLive = whyNotLive(snapshot, settings, resource);
  if (notLive !== undefined) return { notLive };
  const { tables, isComplete, isUnwatched } = yield* sourcesOf(snapshot, resource);
  if (isUnwatched) return { notLive: unwatched };
  return { url, reads: { collections: tables.map((name) => collectionPath(name, resource.basePath)), isComplete } };
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
  const notLive = whyNotLive(snapshot, settings, resource);
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

/** What of a collection an answer holds. */
export interface Extent {
  readonly count: number;
  readonly bytes: number;
  /** Whether the collection has more. */
  readonly hasMore: boolean;
  /** The `Item-Order`; `undefined` where the records' JSON does not tell their order. */
  readonly order: string | undefined;
}

/** Whether what is in the answer, and where, can't be told from a change alone: as in a part of a collection. */
export function isDerived({ filter, limit, offset }: Query, { hasMore, order }: Extent): boolean {
  if (hasMore || order === undefined || limit !== undefined || offset !== undefined) return true;
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
  if (isDerived(query, extent)) return derive(snapshot, settings, resource, canonicalUrl(resource, query));
  const view: Parameters<typeof follow>[3] = {
    url: canonicalUrl(resource, query),
    order: query.order.map(({ member: { name, type } }) => [name, type.comparison === "bytes"]),
    room: { rows: settings.maxRows - extent.count, bytes: settings.maxPageBytes - extent.bytes },
  };
  return follow(snapshot, settings, resource, view, query.filter);
}

import { groupOf } from "../../filter/index.ts";
import { encodeUrlPart, type Field } from "../../protocol/index.ts";
import type { OriginRequest, OriginResponse } from "../../server/index.ts";
import { Denied } from "../engine/denied.ts";
import type { RecordFilter } from "../engine/query.ts";
import type { Row, Snapshot } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import type { RecordKey } from "../engine/table.ts";
import { embeddedTables, type Tree } from "../engine/tree.ts";
import { requireJsonAccepted } from "./accept.ts";
import type { Catalog } from "./catalog.ts";
import { isConditional, isKnown, requireMatch } from "./conditions.ts";
import { countFields, countTotal } from "./count.ts";
import { findRecord, noRecord } from "./find-record.ts";
import {
  type CollectionFormat,
  chooseFormat,
  chooseRecordFormat,
  jsonFormat,
  notSingle,
  type RecordFormat,
  representAs,
} from "./formats.ts";
import {
  derive,
  type Extent,
  followCollection,
  followRecord,
  followSelected,
  isDerived,
  isPartQuery,
  type Liveness,
  type LiveSettings,
  type PageLimits,
} from "./live.ts";
import { isUnmodified, modifiedAt, modifiedFields, requireUnmodified } from "./modified.ts";
import { partLinks } from "./part-links.ts";
import { preferredCount } from "./preferences.ts";
import { type CollectionQuery, canonicalUrl, formatParameters, itemOrder, parseQuery, recordUrl } from "./query.ts";
import { rangeFields, rangeIn } from "./range.ts";
import { type RecordPage, readPage } from "./read-page.ts";
import { Refusal, shorten } from "./refusal.ts";
import { filterBeside, findParent, parametersThrough, type Related, relatedFilter } from "./related.ts";
import { etagOf } from "./representation.ts";
import { type Resource, urlOf } from "./resource.ts";
import { requireRoute } from "./route.ts";
import { parseRecordQuery, parseSelectedQuery, treeQueryOf } from "./select-query.ts";
import type { Selected } from "./selection.ts";
import type { Target } from "./target.ts";

/** Records have no parameters. @throws Refusal 400 where there are some */
export function refuseParameters({ parameters }: Target): void {
  const [first] = parameters;
  if (first) throw new Refusal(400, `The parameter "${shorten(first[0])}" means nothing here.`);
}

/** Who went on from the bookmark would be told again what the answer shows beyond [R-POS-3]. */
function eventIdFields({ bookmark, ahead }: Snapshot): Field[] {
  return bookmark && !ahead ? [["Event-ID", bookmark.eventId]] : [];
}

function answer(
  request: OriginRequest,
  etag: string,
  fields: readonly Field[],
  body: string,
  contentType: string = jsonFormat.contentType,
): OriginResponse {
  requireMatch(request.fields, etag);
  const named: Field = ["ETag", etag];
  if (isKnown(request.fields, etag)) return { status: 304, fields: [named, ...fields], body: "" };
  const content = request.method === "HEAD" ? "" : body;
  return { status: 200, fields: [["Content-Type", contentType], named, ...fields], body: content };
}

/** A 304 says of how it can be followed no more than what it was read from, or why it can't. */
function withLiveness(response: OriginResponse, liveness: Liveness): OriginResponse {
  if (response.status === 200 || liveness.notLive !== undefined) return { ...response, ...liveness };
  return liveness.reads ? { ...response, reads: liveness.reads } : response;
}

function readIndex(request: OriginRequest, catalog: Catalog): OriginResponse {
  const collections = [...catalog.resources.values()].map(({ plural, path }) => ({ name: plural, url: path }));
  const body = JSON.stringify({ collections });
  return { ...answer(request, etagOf(body), [], body), notLive: "The list of collections can't be followed." };
}

/** A 304 in place of a 200. */
function notModified(response: OriginResponse): OriginResponse {
  const fields = response.fields.filter(([name]) => name.toLowerCase() !== "content-type");
  return { ...response, status: 304, fields, body: "" };
}

/** Only JSON tells where records are, how they compare, and what becomes of them. */
const isOfJson = /^item/i;
function onlyAsJson(what: string): Liveness {
  return { notLive: `${what} can be followed as application/json only.` };
}

/** How a record's answer is read, and what that depends on. */
function recordFields(format: RecordFormat, { recordItems }: Pick<Resource, "recordItems">): Field[] {
  const items: Field[] = format === jsonFormat ? [["Items", recordItems]] : [];
  return [["Vary", "Accept"], ...items];
}

/** What is selected of a record. */
function* readSelected(
  snapshot: Snapshot,
  request: OriginRequest,
  settings: LiveSettings,
  { resource, key }: { readonly resource: Resource; readonly key: RecordKey },
  selected: Selected,
): Steps<OriginResponse> {
  const { selection } = selected;
  const all = parseQuery(resource, []);
  let found: Tree | undefined;
  yield* findRecord(resource, key, function* (...named) {
    found = yield* snapshot.findTree(...named, treeQueryOf(all, selected));
    return found?.row;
  });
  if (!found) throw noRecord();
  const format = chooseRecordFormat(request.fields);
  const { contentType, etag, body } = representAs(format, resource, format.encodeTree(selection, found));
  const url = recordUrl(resource, found.row, selected);
  const liveness = yield* followSelected(snapshot, settings, resource, { selected, url });
  const response = answer(request, etag, recordFields(format, selection), body, contentType);
  return withLiveness(response, format === jsonFormat ? liveness : onlyAsJson("A record"));
}

function* readRecord(
  snapshot: Snapshot,
  request: OriginRequest,
  settings: LiveSettings,
  resource: Resource,
  key: RecordKey,
): Steps<OriginResponse> {
  const row = yield* findRecord(resource, key, (...named) => snapshot.find(...named));
  if (!row) throw noRecord();
  const format = chooseRecordFormat(request.fields);
  const { contentType, etag, body } = representAs(format, resource, format.encodeRecord(resource, row));
  const liveness = yield* followRecord(snapshot, settings, resource, row);
  const position = liveness.url === undefined ? eventIdFields(snapshot) : [];
  const fields = [...recordFields(format, resource), ...modifiedFields(resource, row), ...position];
  const modified = modifiedAt(resource, row);
  requireUnmodified(request.fields, modified);
  const response = answer(request, etag, fields, body, contentType);
  const told = format === jsonFormat ? liveness : onlyAsJson("A record");
  return withLiveness(isUnmodified(request.fields, modified) ? notModified(response) : response, told);
}

/** The entity tag of a collection, or of what a URL has of it: what conditions on it compare. */
export function* collectionEtag(
  snapshot: Snapshot,
  resource: Resource,
  { limits, within }: { readonly limits: PageLimits; readonly within?: RecordFilter },
  asked: { readonly query?: CollectionQuery; readonly format?: CollectionFormat } = {},
): Steps<string> {
  const { query: own = parseQuery(resource, []), format = jsonFormat } = asked;
  const query = { ...own, filter: within ?? own.filter };
  const page = yield* readPage(snapshot, resource, query, limits, format);
  const whole = { maxRows: limits.maxRows, total: undefined, isByKey: false };
  const link = format.isSingle ? undefined : partLinks(resource, query, page, whole);
  return etagOf(format.join(resource, page.records, undefined), link);
}

/** How much a GET would answer, without reading it. */
function* measure(snapshot: Snapshot, resource: Resource, query: CollectionQuery, limits: PageLimits): Steps<Extent> {
  const { count, isComparable } = yield* snapshot.measure(resource.table, query, limits.maxRows + 1);
  const order = isComparable ? itemOrder(query) : undefined;
  // How many bytes they have is not worth reading them: half of what may be is a guess.
  return { count, bytes: limits.maxPageBytes / 2, hasMore: count > limits.maxRows, order };
}

/** A part's place is its document's, and its records' that of `Item-Index`: it has neither of the journal's. */
function collectionFields(
  snapshot: Snapshot,
  { items }: Pick<Resource, "items">,
  { order }: Extent,
  isPart: boolean,
): Field[] {
  if (isPart || order === undefined) return [["Items", items]];
  return [["Items", items], ["Item-Order", order], ...eventIdFields(snapshot)];
}

/** What else an answer depends on (RFC 7240 §2). */
const vary: Field = ["Vary", "Accept, Prefer"];
const varyByRange: Field = ["Vary", "Accept, Prefer, Range"];

/** As {@link readPage}, no more than is needed. @throws Refusal 406 where exactly one record is asked for, and there is another number */
function* readAsked(
  snapshot: Snapshot,
  resource: Resource,
  query: CollectionQuery,
  limits: PageLimits,
  format: CollectionFormat,
): Steps<RecordPage> {
  if (!format.isSingle) return yield* readPage(snapshot, resource, query, limits, format);
  const limit = Math.min(query.limit ?? 2, 2);
  const page = yield* readPage(snapshot, resource, { ...query, limit }, limits, format);
  // One that is big may leave no room for another.
  const count = page.hasMore && page.count < limit ? limit : page.count;
  if (count !== 1) throw notSingle(count);
  return page;
}

function* readCollection(
  snapshot: Snapshot,
  request: OriginRequest,
  settings: LiveSettings,
  resource: Resource,
  query: CollectionQuery,
): Steps<OriginResponse> {
  const wanted = preferredCount(request.fields);
  const format = chooseFormat(request.fields);
  const isJson = format === jsonFormat;
  // A HEAD resumes or authorises a subscription: it needs the position, not the records.
  const { selected } = query;
  const isPlain = isJson && !isPartQuery(query) && wanted === undefined && !selected;
  if (request.method === "HEAD" && !isConditional(request.fields) && isPlain) {
    const extent = yield* measure(snapshot, resource, query, settings);
    const liveness = yield* followCollection(snapshot, settings, resource, query, extent);
    const isPart = liveness.url !== undefined || isDerived(query, extent);
    const fields = collectionFields(snapshot, resource, extent, isPart);
    return { status: 200, fields: [["Content-Type", format.contentType], vary, ...fields], body: "", ...liveness };
  }
  const page = yield* readAsked(snapshot, resource, query, settings, format);
  const { page: number } = query;
  // A page tells its number of pages, and follows it.
  const isExact = number !== undefined;
  const counting = { wanted: isExact ? "exact" : (wanted ?? "exact"), maxRows: settings.maxRows } as const;
  const counted =
    wanted !== undefined || isExact ? yield* countTotal(snapshot, resource, query, page, counting) : undefined;
  const total = counted?.by === "exact" ? counted.count : undefined;
  const facts = number === undefined || total === undefined ? undefined : { page: number, total };
  const body = format.join(resource, page.records, facts, selected?.selection);
  const liveness = yield* followCollection(snapshot, settings, resource, query, page);
  const isPart = liveness.url !== undefined || isDerived(query, page);
  const fields = collectionFields(snapshot, selected?.selection ?? resource, page, isPart);
  const counts = wanted !== undefined && counted ? countFields(query, page, counted) : [];
  const told = counts.length === 0 && query.isRange ? rangeFields(query, page) : counts;
  const whole = { maxRows: settings.maxRows, total, isByKey: format.goesByKey === true };
  const link = format.isSingle ? undefined : partLinks(resource, query, page, whole);
  if (link !== undefined) fields.push(["Link", link]);
  const etag = etagOf(body, [link ?? "", ...told.map(([, value]) => value)].join("\n"));
  const said = [
    query.isRange ? varyByRange : vary,
    ...fields.filter(([name]) => isJson || !isOfJson.test(name)),
    ...told,
  ];
  const response = answer(request, etag, said, body, format.contentType);
  return withLiveness(response, isJson ? liveness : onlyAsJson("A collection"));
}

/** The records of a collection that belong to a record: the collection under a filter, and followed as that. */
function* readRelated(
  snapshot: Snapshot,
  catalog: Catalog,
  request: OriginRequest,
  { parameters }: Target,
  settings: LiveSettings,
  related: Related,
): Steps<OriginResponse> {
  const own = yield* relatedFilter(snapshot, related);
  const asked = parseSelectedQuery(catalog, related.resource, parameters, settings.maxRows);
  const query = { ...asked, filter: groupOf("and", [own, asked.filter]) };
  return yield* readPart(snapshot, request, settings, related.resource, query);
}

/** The records that a third table ties to a record: a part of their collection, and followed as that. */
function* readThrough(
  snapshot: Snapshot,
  catalog: Catalog,
  request: OriginRequest,
  { parameters }: Target,
  settings: LiveSettings,
  related: Related,
): Steps<OriginResponse> {
  const row = yield* findParent(snapshot, related);
  const asked = parametersThrough(catalog.relations, related, row, parameters);
  const query = parseSelectedQuery(catalog, related.resource, asked, settings.maxRows);
  return yield* readPart(snapshot, request, settings, related.resource, query);
}

/** A part of a collection that another URL asks for, with its own. */
function* readPart(
  snapshot: Snapshot,
  request: OriginRequest,
  settings: LiveSettings,
  resource: Resource,
  query: CollectionQuery,
): Steps<OriginResponse> {
  const response = yield* readCollection(snapshot, request, settings, resource, query);
  return { ...response, fields: [...response.fields, ["Content-Location", canonicalUrl(resource, query)]] };
}

/** The record that a record names by a foreign key, and followed by asking again: it may come to name another one. */
function* readNamed(
  snapshot: Snapshot,
  catalog: Catalog,
  request: OriginRequest,
  { parameters }: Target,
  settings: LiveSettings,
  related: Related,
): Steps<OriginResponse> {
  const { resource, parent, relation } = related;
  const selected = parseRecordQuery(catalog, resource, parameters, settings.maxRows);
  const row = yield* findParent(snapshot, related);
  const query = { ...parseQuery(resource, []), filter: filterBeside(related, row) };
  const format = chooseRecordFormat(request.fields);
  let found: { readonly row: Row; readonly json: string } | undefined;
  const take = (row: Row, json: string): boolean => {
    found = { row, json };
    return false;
  };
  if (selected) {
    const trees = treeQueryOf(query, selected);
    yield* snapshot.eachTree(resource.table, trees, 1, (tree) =>
      take(tree.row, format.encodeTree(selected.selection, tree)),
    );
  } else {
    yield* snapshot.each(resource.table, query, 1, (one) => take(one, format.encodeRecord(resource, one)));
  }
  if (!found) throw noRecord();
  const { contentType, etag, body } = representAs(format, resource, found.json);
  const name = encodeUrlPart(catalog.relations.nameOf(parent.table, relation));
  const asked = selected ? `?${formatParameters(selected.parameters)}` : "";
  const others = [parent.table, ...(selected ? embeddedTables(selected) : [])];
  const liveness = yield* derive(snapshot, settings, resource, `${urlOf(parent, row)}/${name}${asked}`, others);
  const fields: readonly Field[] = [
    ...recordFields(format, selected?.selection ?? resource),
    ["Content-Location", recordUrl(resource, found.row, selected)],
  ];
  return withLiveness(
    answer(request, etag, fields, body, contentType),
    format === jsonFormat ? liveness : onlyAsJson("A record"),
  );
}

/** Answers a GET or HEAD. @throws Refusal */
export function* read(
  snapshot: Snapshot,
  catalog: Catalog,
  request: OriginRequest,
  target: Target,
  settings: LiveSettings,
): Steps<OriginResponse> {
  const route = requireRoute(catalog, target);
  if (route.place === "unseen") throw new Denied();
  if (route.place === "collection") {
    const ranged = rangeIn(request.fields, target);
    const query = parseSelectedQuery(catalog, route.resource, ranged ?? target.parameters, settings.maxRows);
    if (!ranged) return yield* readCollection(snapshot, request, settings, route.resource, query);
    return yield* readPart(snapshot, request, settings, route.resource, { ...query, isRange: true });
  }
  if (route.place === "related") return yield* readRelated(snapshot, catalog, request, target, settings, route);
  if (route.place === "through") return yield* readThrough(snapshot, catalog, request, target, settings, route);
  if (route.place === "named") return yield* readNamed(snapshot, catalog, request, target, settings, route);
  if (route.place === "record") {
    const selected = parseRecordQuery(catalog, route.resource, target.parameters, settings.maxRows);
    if (selected) return yield* readSelected(snapshot, request, settings, route, selected);
    return yield* readRecord(snapshot, request, settings, route.resource, route.key);
  }
  requireJsonAccepted(request.fields);
  refuseParameters(target);
  return readIndex(request, catalog);
}

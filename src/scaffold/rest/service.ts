import { type Field, fieldValue } from "../../protocol/index.ts";
import type { Clock, Origin, OriginRequest, OriginResponse } from "../../server/index.ts";
import { acceptedBodies, requireJsonAccepted, requireJsonBody } from "./accept.ts";
import { type Action, allowedMethods } from "./actions.ts";
import { parseBody, unwrap } from "./body.ts";
import { withBrokenKeys } from "./broken-keys.ts";
import { refuse } from "./failure.ts";
import { parseOnce, performOnce, type ShownRecord } from "./idempotency.ts";
import type { LiveSettings } from "./live.ts";
import { inOwnWords } from "./own-words.ts";
import { findRecord, refuseParameters } from "./read.ts";
import type { Reader } from "./reader.ts";
import { Refusal, shorten } from "./refusal.ts";
import { representRecord } from "./representation.ts";
import { findRoute, type Route, requireRoute } from "./route.ts";
import type { Snapshot } from "./snapshot.ts";
import { parseTarget, type Target } from "./target.ts";
import type { Reads } from "./threads/reads.ts";
import { createRecord, destroyRecord, patchRecord, putRecord, type WriteRequest } from "./write.ts";
import type { Writer } from "./writer.ts";

/** What a REST service over a database stands on. */
export interface ServiceOptions {
  readonly reader: Reader;
  readonly reads: Reads;
  /** `undefined` where nothing can be written. */
  readonly writer: Writer | undefined;
  readonly actions: ReadonlySet<Action>;
  readonly settings: LiveSettings;
  readonly clock: Clock;
  readonly onError: (error: unknown, stage: string) => void;
}

function optionsResponse(allow: Field, methods: readonly string[]): OriginResponse {
  const bodies = ["POST", "PATCH"].flatMap((method) => {
    const field = methods.includes(method) ? acceptedBodies(method) : undefined;
    return field ? [field] : [];
  });
  return { status: 204, fields: [allow, ...bodies], body: "" };
}

function perform(snapshot: Snapshot, target: Target, write: WriteRequest): OriginResponse {
  const route = requireRoute(snapshot.catalog, target);
  if (route.place === "index") throw new Refusal(404, "There is nothing here any more.");
  try {
    return performAt(snapshot, route, write);
  } catch (error) {
    throw inOwnWords(snapshot.connection, error, route.resource.table);
  }
}

function performAt(snapshot: Snapshot, route: Exclude<Route, { place: "index" }>, write: WriteRequest): OriginResponse {
  const { method } = write.request;
  const { resource } = route;
  if (route.place === "collection") {
    if (method === "POST") return createRecord(snapshot, resource, write);
    throw new Refusal(404, "There is nothing here any more.");
  }
  const { key } = route;
  if (method === "PUT") return putRecord(snapshot, resource, key, write);
  if (method === "PATCH") return patchRecord(snapshot, resource, key, write);
  return destroyRecord(snapshot, resource, key, write);
}

/** Names the foreign keys of a record that were written and don't hold: some are checked at the commit only. */
function explain(snapshot: Snapshot, { fields }: OriginResponse, { json }: WriteRequest, error: unknown): unknown {
  const url = fieldValue(fields, "content-location");
  const route = url === undefined ? undefined : findRoute(snapshot.catalog, parseTarget(url));
  const row = route?.place === "record" && findRecord(snapshot, route.resource, route.key);
  if (!row) return error;
  const { resource } = route;
  const sent = unwrap(resource, json).map(([name]) => name);
  return withBrokenKeys(error, snapshot.connection, resource.table, (column) => {
    return sent.includes(column) ? row[resource.members.findIndex(({ name }) => name === column)] : undefined;
  });
}

/** The record at a URL of the service's own making, as it is now. */
function show(snapshot: Snapshot, url: string): ShownRecord {
  const route = findRoute(snapshot.catalog, parseTarget(url));
  const row = route?.place === "record" && findRecord(snapshot, route.resource, route.key);
  return row ? representRecord(route.resource, row) : undefined;
}

/** Answers HTTP requests from a database. */
export class Service {
  readonly #options: ServiceOptions;

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** Answers a request; never rejects. */
  readonly answer: Origin = async (request) => {
    try {
      const target = parseTarget(request.target);
      // Without an await where the URL is known: writes of one turn keep their order and share a transaction.
      const known = findRoute(this.#options.reader.catalog, target);
      return await this.#dispatch(request, target, known ?? (await this.#lookAgain(target)));
    } catch (error) {
      return refuse(error, request, this.#options.onError);
    }
  };

  /** A URL that is not known may be that of a new table. */
  #lookAgain(target: Target): Promise<Route> {
    return this.#options.reader.read(({ catalog }) => requireRoute(catalog, target));
  }

  async #dispatch(request: OriginRequest, target: Target, route: Route): Promise<OriginResponse> {
    const { reads, actions } = this.#options;
    const { method } = request;
    const methods = allowedMethods(actions, route.place);
    const allow: Field = ["Allow", methods.join(", ")];
    if (!methods.includes(method)) {
      throw new Refusal(405, `${shorten(method)} is not allowed here; ${allow[1]} are.`, { fields: [allow] });
    }
    if (method === "OPTIONS") return optionsResponse(allow, methods);
    if (method === "GET" || method === "HEAD") return reads.answer(request, target);
    return this.#write(request, target);
  }

  async #write(request: OriginRequest, target: Target): Promise<OriginResponse> {
    const { writer, actions, settings, clock } = this.#options;
    if (!writer)
      throw new Refusal(405, "The database can't be written.", { fields: [["Allow", "GET, HEAD, OPTIONS"]] });
    refuseParameters(target);
    const once = parseOnce(request);
    const takesBody = request.method !== "DELETE";
    if (takesBody) {
      requireJsonBody(request.method, request.fields);
      requireJsonAccepted(request.fields);
    }
    const json = takesBody ? parseBody(request.body) : {};
    const write: WriteRequest = { request, json, canCreate: actions.has("create"), limits: settings };
    const { result, bookmark } = await writer.write((snapshot) => {
      const run = () => perform(snapshot, target, write);
      const done = once
        ? performOnce(snapshot, once, clock.wallTime(), run, (url) => show(snapshot, url))
        : { result: run() };
      return { ...done, explain: (error) => explain(snapshot, done.result, write, error) };
    });
    if (!bookmark || fieldValue(result.fields, "event-id") !== undefined) return result;
    return { ...result, fields: [...result.fields, ["Event-ID", bookmark.eventId]] };
  }
}

import { type Field, fieldValue } from "../../protocol/index.ts";
import type { Origin, OriginRequest, OriginResponse } from "../../server/index.ts";
import { Denied } from "../engine/denied.ts";
import type { Engine } from "../engine/engine.ts";
import type { Snapshot, Transaction } from "../engine/snapshot.ts";
import { done, type Steps } from "../engine/steps.ts";
import { hasKey } from "../engine/table.ts";
import type { Viewer } from "../engine/viewer.ts";
import { acceptedBodies, requireJsonAccepted, requireJsonBody } from "./accept.ts";
import { type Action, allowedMethods, type Writable } from "./actions.ts";
import { type BodyShape, parseBody } from "./body.ts";
import { destroyCollection, patchCollection } from "./bulk.ts";
import { type Catalog, catalogOf, type IsServed } from "./catalog.ts";
import { createRecord, createRelated, createUnseen } from "./create.ts";
import { refuse } from "./failure.ts";
import { findRecord } from "./find-record.ts";
import { parseOnce, performOnce, type ShownRecord } from "./idempotency.ts";
import type { LiveSettings } from "./live.ts";
import { isJsonPatch } from "./patch.ts";
import { asPreferred, preferredReturn, requirePreferences } from "./preferences.ts";
import { refuseParameters } from "./read.ts";
import { Refusal, shorten } from "./refusal.ts";
import { representRecord } from "./representation.ts";
import { findRoute, type Route, requireRoute } from "./route.ts";
import { parseTarget, type Target } from "./target.ts";
import { destroyRecord, patchRecord, putRecord } from "./write.ts";
import type { WriteRequest } from "./write-request.ts";

/** What a REST service over a database stands on. */
export interface ServiceOptions {
  readonly engine: Engine;
  /** Whom a request is for. A promise that rejects with a Refusal, or its throw, is the answer. */
  readonly viewerOf: (request: OriginRequest) => Viewer | Promise<Viewer>;
  /** Answers a GET or HEAD: by `read`, wherever the engine runs that. */
  readonly answerRead: (request: OriginRequest, target: Target, viewer: Viewer) => Promise<OriginResponse>;
  readonly isServed: IsServed;
  readonly actions: ReadonlySet<Action>;
  readonly settings: LiveSettings;
  readonly onError: (error: unknown, stage: string) => void;
}

function optionsResponse(allow: Field, methods: readonly string[]): OriginResponse {
  const bodies = ["POST", "PATCH"].flatMap((method) => {
    const field = methods.includes(method) ? acceptedBodies(method) : undefined;
    return field ? [field] : [];
  });
  return { status: 204, fields: [allow, ...bodies], body: "" };
}

function perform(
  transaction: Transaction,
  catalog: Catalog,
  target: Target,
  write: WriteRequest,
): Steps<OriginResponse> {
  const { method } = write.request;
  const route = requireRoute(catalog, target);
  if (route.place === "collection" && method === "POST") return createRecord(transaction, route.resource, write);
  if (route.place === "collection" && method === "PATCH") return patchCollection(transaction, route.resource, write);
  if (route.place === "collection" && method === "DELETE") return destroyCollection(transaction, route.resource, write);
  if (route.place === "unseen" && method === "POST") return createUnseen(transaction, route.resource, write);
  if (route.place === "related" && method === "POST") return createRelated(transaction, route, write);
  if (route.place !== "record") throw new Refusal(404, "There is nothing here any more.");
  refuseParameters(target);
  const { resource, key } = route;
  if (method === "PUT") return putRecord(transaction, resource, key, write);
  if (method === "PATCH") return patchRecord(transaction, resource, key, write);
  return destroyRecord(transaction, resource, key, write);
}

/** What is answered to somebody, or to a role of the database, is for nobody else to keep. */
function forViewer(response: OriginResponse, { role, claims }: Viewer): OriginResponse {
  if (role === undefined && claims === undefined) return response;
  const own: readonly Field[] = [
    ["Cache-Control", "private"],
    ["Vary", "Authorization, Cookie"],
  ];
  return { ...response, fields: [...response.fields, ...own] };
}

/** What a body's JSON may be. */
function shapeOf({ method, fields }: OriginRequest): BodyShape {
  if (method === "POST") return "either";
  return isJsonPatch(fieldValue(fields, "content-type")) ? "list" : "object";
}

function writableOf(route: Route): Writable {
  if (route.place === "index") return { writes: [], hasKey: false };
  const { table } = route.resource;
  return { writes: table.writes, hasKey: hasKey(table) };
}

/** Whether a request asks to be shown what its viewer may not read. */
function isUnread({ place }: Route, { method }: OriginRequest): boolean {
  return place === "unseen" && (method === "GET" || method === "HEAD");
}

/** The record at a URL of the service's own making, as it is now. */
function* show(snapshot: Snapshot, catalog: Catalog, url: string): Steps<ShownRecord> {
  const route = findRoute(catalog, parseTarget(url));
  if (route?.place !== "record") return undefined;
  const row = yield* findRecord(route.resource, route.key, (...named) => snapshot.find(...named));
  return row && representRecord(route.resource, row);
}

/** Answers HTTP requests from a database. */
export class Service {
  readonly #options: ServiceOptions;

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** Answers a request; never rejects. */
  readonly answer: Origin = async (request) => {
    const { engine, onError, viewerOf } = this.#options;
    let viewer: Viewer | undefined;
    try {
      // Without an await where the viewer and the URL are known: writes of one turn keep their order and share a transaction.
      const asked = viewerOf(request);
      viewer = asked instanceof Promise ? await asked : asked;
      const target = parseTarget(request.target);
      const found = engine.schemaFor(viewer);
      const schema = found instanceof Promise ? await found : found;
      const known = findRoute(this.#catalogOf({ schema }), target);
      const route = known && !isUnread(known, request) ? known : await this.#lookAgain(target, viewer);
      return forViewer(await this.#dispatch(request, target, route, viewer), viewer);
    } catch (error) {
      const refusal = refuse(error, request, viewer, engine, onError);
      return viewer ? forViewer(refusal, viewer) : refusal;
    }
  };

  /** A URL that is not known may be that of a new table, and what could not be read may be granted by now. */
  #lookAgain(target: Target, viewer: Viewer): Promise<Route> {
    const look = (snapshot: Snapshot): Steps<Route> => done(requireRoute(this.#catalogOf(snapshot), target));
    return this.#options.engine.read(look, viewer);
  }

  #catalogOf({ schema }: Pick<Snapshot, "schema">): Catalog {
    return catalogOf(schema, this.#options.isServed);
  }

  async #dispatch(request: OriginRequest, target: Target, route: Route, viewer: Viewer): Promise<OriginResponse> {
    const { answerRead, actions } = this.#options;
    const { method } = request;
    const methods = allowedMethods(actions, route.place, writableOf(route));
    const allow: Field = ["Allow", methods.join(", ")];
    // Others may read it, so that is no question of the method.
    if (isUnread(route, request)) throw new Denied();
    if (!methods.includes(method)) {
      throw new Refusal(405, `${shorten(method)} is not allowed here; ${allow[1]} are.`, { fields: [allow] });
    }
    if (method === "OPTIONS") return optionsResponse(allow, methods);
    if (method === "GET" || method === "HEAD") return answerRead(request, target, viewer);
    return this.#write(request, target, viewer);
  }

  async #write(request: OriginRequest, target: Target, viewer: Viewer): Promise<OriginResponse> {
    const { engine, actions, settings } = this.#options;
    if (!engine.canWrite)
      throw new Refusal(405, "The database can't be written.", { fields: [["Allow", "GET, HEAD, OPTIONS"]] });
    requirePreferences(request.fields);
    const once = parseOnce(request, viewer);
    const takesBody = request.method !== "DELETE";
    if (takesBody) {
      requireJsonBody(request.method, request.fields);
    }
    if (takesBody || preferredReturn(request.fields) === "representation") requireJsonAccepted(request.fields);
    const json = takesBody ? parseBody(request.body, shapeOf(request)) : {};
    const write: WriteRequest = { request, target, json, canCreate: actions.has("create"), limits: settings };
    const { result, bookmark } = await engine.write((transaction) => {
      const catalog = this.#catalogOf(transaction);
      const run = function* (): Steps<OriginResponse> {
        return asPreferred(yield* perform(transaction, catalog, target, write), request.fields);
      };
      return once ? performOnce(transaction, once, run, (url) => show(transaction, catalog, url)) : run();
    }, viewer);
    if (!bookmark || fieldValue(result.fields, "event-id") !== undefined) return result;
    return { ...result, fields: [...result.fields, ["Event-ID", bookmark.eventId]] };
  }
}

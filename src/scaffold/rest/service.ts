import { type Field, fieldValue } from "../../protocol/index.ts";
import type { Origin, OriginRequest, OriginResponse } from "../../server/index.ts";
import { BrokenRule } from "../engine/broken-rule.ts";
import { Denied } from "../engine/denied.ts";
import type { Engine } from "../engine/engine.ts";
import type { Snapshot, Transaction } from "../engine/snapshot.ts";
import { done, type Steps } from "../engine/steps.ts";
import type { Viewer } from "../engine/viewer.ts";
import { acceptedBodies, requireJsonAccepted, requireJsonBody } from "./accept.ts";
import type { Action } from "./actions.ts";
import { batchPath, ofRequest, performBatch, readBatch } from "./batch.ts";
import { type Catalog, catalogOf, type IsServed } from "./catalog.ts";
import { refuse } from "./failure.ts";
import { findRecord } from "./find-record.ts";
import { findRecordFormat, jsonFormat, recordFormatOf, representAs } from "./formats.ts";
import { type AnsweredRecord, parseOnce, performOnce, type ShownRecord } from "./idempotency.ts";
import type { LiveSettings } from "./live.ts";
import { performWrite, readBody, requireMethod, requireWritable, takesBody } from "./perform.ts";
import { inPostgrestWords, isOfPostgrest } from "./postgrest-words.ts";
import { requireProfile } from "./profile.ts";
import { Refusal } from "./refusal.ts";
import { findRoute, type Route, requireRoute } from "./route.ts";
import { answerCall, calledName, callPlace } from "./rpc.ts";
import { answerSchema, isSchemaTarget } from "./schema-document.ts";
import { parseRecordQuery } from "./select-query.ts";
import { showRow } from "./shown-record.ts";
import { parseTarget, type Target } from "./target.ts";
import type { WriteRequest } from "./write-request.ts";

/** What a REST service over a database stands on. */
export interface ServiceOptions {
  readonly engine: Engine;
  /** Whom a request is for. A promise that rejects with a Refusal, or its throw, is the answer. */
  readonly viewerOf: (request: OriginRequest) => Viewer | Promise<Viewer>;
  /** Answers a GET or HEAD: by `read`, wherever the engine runs that. */
  readonly answerRead: (request: OriginRequest, target: Target, viewer: Viewer) => Promise<OriginResponse>;
  readonly isServed: IsServed;
  /** The schema whose tables have their own names as URLs. */
  readonly schema: string;
  /** Whether what is answered depends on who asks, beside their roles. Default: no. */
  readonly hasRules?: boolean;
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

/** What is answered to a viewer is for nobody else to keep. @param isForViewers - whether others may be answered otherwise */
function forViewer(response: OriginResponse, isForViewers: boolean): OriginResponse {
  if (!isForViewers) return response;
  const own: readonly Field[] = [
    ["Cache-Control", "private"],
    ["Vary", "Authorization, Cookie"],
  ];
  return { ...response, fields: [...response.fields, ...own] };
}

/** Whether a request asks to be shown what its viewer may not read. */
function isUnread({ place }: Route, { method }: OriginRequest): boolean {
  return place === "unseen" && (method === "GET" || method === "HEAD");
}

/** The record at a URL of the service's own making, as it is now. */
function* show(
  snapshot: Snapshot,
  catalog: Catalog,
  { url, contentType }: AnsweredRecord,
  maxRows: number,
): Steps<ShownRecord> {
  const target = parseTarget(url);
  const route = findRoute(catalog, target);
  if (route?.place !== "record") return undefined;
  const { resource, key } = route;
  const row = yield* findRecord(resource, key, (...named) => snapshot.find(...named));
  const selected = parseRecordQuery(catalog, resource, target.parameters, maxRows);
  const format = recordFormatOf(contentType);
  const json = row && (yield* showRow(snapshot, resource, row, { selected, format }));
  return json === undefined ? undefined : representAs(format, resource, json);
}

/** Answers HTTP requests from a database. */
export class Service {
  readonly #options: ServiceOptions;

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** Answers a request; never rejects. */
  readonly answer: Origin = async (request) => {
    const { engine, isServed, onError, viewerOf } = this.#options;
    let viewer: Viewer | undefined;
    try {
      // Without an await where the viewer and the URL are known: writes of one turn keep their order and share a transaction.
      const asked = viewerOf(request);
      viewer = asked instanceof Promise ? await asked : asked;
      requireProfile(request, this.#options.schema);
      if (this.#isBatch(request)) return forViewer(await this.#batch(request, viewer), this.#isForViewers(viewer));
      const target = parseTarget(request.target);
      if (isSchemaTarget(isServed.basePath, target))
        return forViewer(await this.#tellSchema(request, viewer), this.#isForViewers(viewer));
      const found = engine.schemaFor(viewer);
      const schema = found instanceof Promise ? await found : found;
      const catalog = this.#catalogOf({ schema });
      const name = isServed(callPlace) ? calledName(catalog, target) : undefined;
      if (name !== undefined) {
        const answer = await answerCall(this.#options, { request, target, viewer, name });
        return forViewer(answer, this.#isForViewers(viewer));
      }
      const known = findRoute(catalog, target);
      const route = known && !isUnread(known, request) ? known : await this.#lookAgain(target, viewer);
      return forViewer(await this.#dispatch(request, target, route, viewer), this.#isForViewers(viewer));
    } catch (error) {
      const refusal = refuse(error, request, viewer, engine, onError);
      return viewer ? forViewer(refusal, this.#isForViewers(viewer)) : refusal;
    }
  };

  #isBatch({ target }: OriginRequest): boolean {
    return target.split("?", 1)[0] === this.#options.isServed.basePath + batchPath;
  }

  /** A URL that is not known may be that of a new table, and what could not be read may be granted by now. */
  #lookAgain(target: Target, viewer: Viewer): Promise<Route> {
    const look = (snapshot: Snapshot): Steps<Route> => done(requireRoute(this.#catalogOf(snapshot), target));
    return this.#options.engine.read(look, viewer);
  }

  /** As it is now: what was seen last may lack a new table. */
  #tellSchema(request: OriginRequest, viewer: Viewer): Promise<OriginResponse> {
    const { actions, engine } = this.#options;
    const { claims, isEverybody = false, isReader = false } = viewer;
    const canWrite = engine.canWrite && !isReader;
    const isAnonymous = claims === undefined && !isEverybody;
    const tell = (snapshot: Snapshot): Steps<OriginResponse> =>
      done(answerSchema(request, snapshot, this.#catalogOf(snapshot), { actions, canWrite, isAnonymous }));
    return engine.read(tell, viewer);
  }

  #isForViewers({ role, claims }: Viewer): boolean {
    return role !== undefined || claims !== undefined || this.#options.hasRules === true;
  }

  #catalogOf({ schema }: Pick<Snapshot, "schema">): Catalog {
    return catalogOf(schema, this.#options.isServed);
  }

  async #dispatch(request: OriginRequest, target: Target, route: Route, viewer: Viewer): Promise<OriginResponse> {
    const { answerRead, actions } = this.#options;
    const { method } = request;
    // Others may read it, so that is no question of the method.
    if (isUnread(route, request)) throw new Denied();
    const methods = requireMethod(route, method, actions);
    if (method === "OPTIONS") return optionsResponse(["Allow", methods.join(", ")], methods);
    if (method === "GET" || method === "HEAD") {
      const answer = answerRead(request, target, viewer);
      return isOfPostgrest(request.fields) ? inPostgrestWords(await answer) : answer;
    }
    return this.#write(request, target, viewer);
  }

  async #write(request: OriginRequest, target: Target, viewer: Viewer): Promise<OriginResponse> {
    const { actions, settings } = this.#options;
    this.#requireWrites();
    requireWritable(request);
    const json = takesBody(request) ? readBody(request) : {};
    const format = findRecordFormat(request.fields) ?? jsonFormat;
    const write: WriteRequest = { request, target, json, format, canCreate: actions.has("create"), limits: settings };
    return this.#carryOut(request, viewer, (transaction, catalog) => performWrite(transaction, catalog, write));
  }

  /** Answers a batch of writes, which are one transaction. */
  async #batch(request: OriginRequest, viewer: Viewer): Promise<OriginResponse> {
    const { engine, actions, settings, onError } = this.#options;
    this.#requireWrites();
    if (request.method !== "POST") {
      throw new Refusal(405, "A batch is a POST.", { fields: [["Allow", "POST"]] });
    }
    requireJsonBody("POST", request.fields);
    requireJsonAccepted(request.fields);
    const known = engine.schemaFor(viewer);
    if (known instanceof Promise) await known;
    const batch = { request, parts: readBatch(request.body), actions, limits: settings };
    let current: number | undefined;
    const note = (at: number | undefined): void => {
      current = at;
    };
    try {
      return await this.#carryOut(request, viewer, (...given) => performBatch(...given, batch, note));
    } catch (error) {
      const refusal = refuse(error, request, viewer, engine, onError);
      const at = current ?? (error instanceof BrokenRule ? error.place?.request : undefined);
      return at === undefined ? refusal : ofRequest(refusal, at);
    }
  }

  #requireWrites(): void {
    if (this.#options.engine.canWrite) return;
    throw new Refusal(405, "The database can't be written.", { fields: [["Allow", "GET, HEAD, OPTIONS"]] });
  }

  /** Carries out what a request asks for in one transaction, once only where it has a key for that. */
  async #carryOut(
    request: OriginRequest,
    viewer: Viewer,
    run: (transaction: Transaction, catalog: Catalog) => Steps<OriginResponse>,
  ): Promise<OriginResponse> {
    const once = parseOnce(request, viewer);
    const { result, bookmark } = await this.#options.engine.write((transaction) => {
      const catalog = this.#catalogOf(transaction);
      if (!once) return run(transaction, catalog);
      return performOnce(
        transaction,
        once,
        () => run(transaction, catalog),
        (record) => show(transaction, catalog, record, this.#options.settings.maxRows),
      );
    }, viewer);
    if (!bookmark || fieldValue(result.fields, "event-id") !== undefined) return result;
    return { ...result, fields: [...result.fields, ["Event-ID", bookmark.eventId]] };
  }
}

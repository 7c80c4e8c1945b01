import { type Field, fieldValue } from "../../protocol/index.ts";
import type { OriginRequest, OriginResponse, Value } from "../../server/index.ts";
import type { Engine, Written } from "../engine/engine.ts";
import type { Arguments, Parameter, ServedFunction } from "../engine/function.ts";
import type { Snapshot } from "../engine/snapshot.ts";
import { done, type Steps } from "../engine/steps.ts";
import type { Decoded } from "../engine/value-type.ts";
import type { Viewer } from "../engine/viewer.ts";
import { requireJsonBody } from "./accept.ts";
import type { Action } from "./actions.ts";
import { parseBody } from "./body.ts";
import type { Catalog, IsServed } from "./catalog.ts";
import { isKnown, requireMatch } from "./conditions.ts";
import { chooseRecordFormat, jsonFormat, notSingle, type RecordFormat } from "./formats.ts";
import { parseOnce, performOnce } from "./idempotency.ts";
import type { PageLimits } from "./live.ts";
import { asPreferred, requirePreferences } from "./preferences.ts";
import { refuseParameters } from "./read.ts";
import { FieldErrors, listNames, Refusal, shorten } from "./refusal.ts";
import { etagOf } from "./representation.ts";
import { segmentsBelow } from "./route.ts";
import { decodePart, type Target } from "./target.ts";

/** What calls are answered from. */
export interface CallOptions {
  readonly engine: Engine;
  readonly actions: ReadonlySet<Action>;
  readonly settings: PageLimits;
}

/** A request that calls a function. */
export interface CallRequest {
  readonly request: OriginRequest;
  readonly target: Target;
  readonly viewer: Viewer;
  /** The function's name. */
  readonly name: string;
}

/** What stands before the names of functions in URLs. Where only some tables are served, none are. */
export const callPlace = "rpc";

/** The function that a URL names: `/rpc/add`; `undefined` where it names none. A table `rpc` has its records there. */
export function calledName(catalog: Catalog, target: Target): string | undefined {
  const [first, name, ...rest] = segmentsBelow(catalog, target) ?? [];
  if (first !== callPlace || name === undefined || rest.length > 0) return undefined;
  const isTable = [catalog.resources, catalog.leftOut, catalog.denied].some((tables) => tables.has(callPlace));
  return isTable ? undefined : decodePart(name);
}

/** Whether a URL is below that of all functions. */
export function isCall(target: string, isServed: IsServed): boolean {
  return isServed(callPlace) && target.startsWith(`${isServed.basePath}/${callPlace}/`);
}

function named(name: string): string {
  return `function "${shorten(name)}"`;
}

function* look(snapshot: Snapshot, name: string): Steps<readonly ServedFunction[]> {
  if (!snapshot.functions) {
    throw new Refusal(
      404,
      "There are no functions to call here: /rpc is PostgreSQL's, where no rules file decides instead.",
    );
  }
  const found = yield* snapshot.functions(name);
  if (found.length === 0) throw new Refusal(404, `There is no ${named(name)} that could be called.`);
  return found;
}

/** What may write may do anything, so it takes every right to write. */
function mayWrite({ engine, actions }: CallOptions): boolean {
  return engine.canWrite && (["create", "update", "destroy"] as const).every((action) => actions.has(action));
}

function methodsOf(functions: readonly ServedFunction[], options: CallOptions): string[] {
  const reads = options.actions.has("read") && functions.some(({ isReading }) => isReading);
  const writes = mayWrite(options) && functions.some(({ isReading }) => !isReading);
  return [...(reads ? ["GET", "HEAD"] : []), ...(reads || writes ? ["POST"] : []), "OPTIONS"];
}

function signature({ parameters }: ServedFunction): string {
  return `(${parameters.map(({ name, isOptional }) => shorten(name) + (isOptional ? "?" : "")).join(", ")})`;
}

function takes({ parameters }: ServedFunction, names: readonly string[]): boolean {
  const all = new Set(parameters.map(({ name }) => name));
  return (
    names.every((name) => all.has(name)) &&
    parameters.every(({ name, isOptional }) => isOptional || names.includes(name))
  );
}

/** Of the functions of one name, the one that takes these arguments. @throws Refusal 400 */
function choose(functions: readonly ServedFunction[], name: string, names: readonly string[]): ServedFunction {
  const fitting = functions.filter((one) => takes(one, names));
  const fewest = Math.min(...fitting.map(({ parameters }) => parameters.length));
  const [only, ...others] = fitting.filter(({ parameters }) => parameters.length === fewest);
  const all = listNames(functions.map(signature));
  const given = names.length === 0 ? "no arguments" : `the arguments ${listNames(names)}`;
  const [lone] = functions;
  if (functions.length === 1 && lone?.unsupported !== undefined) throw unsupported(name, lone);
  if (!only) throw new Refusal(400, `The ${named(name)} can't be called with ${given}; it takes ${all}.`);
  if (others.length > 0) {
    throw new Refusal(400, `There are several functions "${shorten(name)}" that take ${given}: ${all}.`);
  }
  if (only.unsupported !== undefined) throw unsupported(name, only);
  return only;
}

function unsupported(name: string, { unsupported = "" }: ServedFunction): Refusal {
  return new Refusal(400, `The ${named(name)} can't be called here: ${unsupported}.`);
}

/** What a request gives, by name, each with how a parameter reads it. */
type Given = ReadonlyMap<string, (parameter: Parameter) => Decoded>;

function givenInUrl({ parameters }: Target): Given {
  const given = new Map<string, (parameter: Parameter) => Decoded>();
  for (const [name, text] of parameters) {
    if (given.has(name)) throw new Refusal(400, `The argument "${shorten(name)}" is given more than once.`);
    given.set(name, (parameter) => parameter.fromText(text));
  }
  return given;
}

function givenInBody({ fields, body }: OriginRequest, target: Target): Given {
  refuseParameters(target);
  // A function without parameters needs no body, whatever its type would be.
  if (body.length === 0) return new Map();
  requireJsonBody("POST", fields);
  return new Map(
    Object.entries(parseBody(body)).map(([name, json]) => [name, (parameter) => parameter.fromJson(json)]),
  );
}

/** @throws Refusal 422 where values are none of their types */
function decode({ parameters }: ServedFunction, given: Given): Arguments {
  const errors = new FieldErrors("The function can't be called as sent");
  const values = new Map<Parameter, Value>();
  for (const parameter of parameters) {
    const decoded = given.get(parameter.name)?.(parameter);
    if (!decoded) continue;
    if ("detail" in decoded) errors.add(parameter.name, decoded.detail);
    else values.set(parameter, decoded.value);
  }
  errors.refuse();
  return values;
}

/** How a function is called. */
interface Call {
  readonly given: Arguments;
  readonly name: string;
  readonly settings: PageLimits;
  readonly format: RecordFormat;
}

/** Calls a function; the body is `{"add":5}`, or what it gives in a list. In PostgREST's types nothing is around that. */
function* call(
  snapshot: Snapshot,
  called: ServedFunction,
  { given, name, settings, format }: Call,
): Steps<OriginResponse> {
  const { maxRows, maxPageBytes } = settings;
  const parts = snapshot.call ? yield* snapshot.call(called, given, maxRows + 1) : [];
  if (called.gives === "none") return { status: 204, fields: [], body: "" };
  const bytes = parts.reduce((sum, part) => sum + Buffer.byteLength(part) + 1, 0);
  if (parts.length > maxRows || bytes > maxPageBytes) {
    const most = `${maxRows} records, or ${maxPageBytes} bytes`;
    throw new Refusal(422, `The ${named(name)} gives more than ${most}: have it take a limit.`);
  }
  const isList = called.gives === "values" || called.gives === "records";
  const isOne = !isList || format.isSingle === true;
  if (isList && isOne && parts.length !== 1) throw notSingle(parts.length);
  const content = isOne ? (parts[0] ?? "null") : `[${parts.join(",")}]`;
  return {
    status: 200,
    fields: [["Content-Type", format.contentType]],
    body: format === jsonFormat ? `{${JSON.stringify(name)}:${content}}` : content,
  };
}

const notLive = "What a function gives can't be followed.";

function conditional({ method, fields }: OriginRequest, response: OriginResponse): OriginResponse {
  if (method === "POST") return response;
  const etag = etagOf(String(response.body));
  requireMatch(fields, etag);
  const isSame = isKnown(fields, etag);
  const named: readonly Field[] = [["ETag", etag], ["Vary", "Accept"], ...(isSame ? [] : response.fields)];
  const body = isSame || method === "HEAD" ? "" : response.body;
  return { ...response, status: isSame ? 304 : response.status, fields: named, body, notLive };
}

/** Answers a call of a function. @throws Refusal; Denied; BrokenRule */
export async function answerCall(options: CallOptions, asked: CallRequest): Promise<OriginResponse> {
  const { engine, settings } = options;
  const { request, target, viewer, name } = asked;
  const { method, fields } = request;
  const functions = await engine.read((snapshot) => look(snapshot, name), viewer);
  const methods = methodsOf(functions, options);
  const allow: Field = ["Allow", methods.join(", ")];
  if (!methods.includes(method)) {
    throw new Refusal(405, `${shorten(method)} is not allowed here; ${allow[1]} are.`, { fields: [allow] });
  }
  if (method === "OPTIONS") return { status: 204, fields: [allow], body: "" };
  const format = chooseRecordFormat(fields);
  const given = method === "POST" ? givenInBody(request, target) : givenInUrl(target);
  const called = choose(functions, name, [...given.keys()]);
  const what = { given: decode(called, given), name, settings, format };
  const once = method === "POST" ? parseOnce(request, viewer) : undefined;
  if (called.isReading && (!once || !mayWrite(options))) {
    return conditional(request, await engine.read((snapshot) => call(snapshot, called, what), viewer));
  }
  if (method !== "POST" || !mayWrite(options)) {
    throw new Refusal(405, `The ${named(name)} may write: it is called by POST alone, where writing is allowed.`, {
      fields: [allow],
    });
  }
  requirePreferences(fields);
  const written: Written<OriginResponse> = await engine.write((transaction) => {
    const run = function* (): Steps<OriginResponse> {
      return asPreferred(yield* call(transaction, called, what), fields);
    };
    return once ? performOnce(transaction, once, run, () => done(undefined)) : run();
  }, viewer);
  const { result, bookmark } = written;
  if (!bookmark || fieldValue(result.fields, "event-id") !== undefined) return result;
  return { ...result, fields: [...result.fields, ["Event-ID", bookmark.eventId]] };
}

import { type Field, fieldValue } from "../../protocol/index.ts";
import type { OriginRequest, OriginResponse } from "../../server/index.ts";
import type { Transaction } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import { hasKey } from "../engine/table.ts";
import { requireJsonBody } from "./accept.ts";
import { type Action, allowedMethods, type Writable } from "./actions.ts";
import { type BodyShape, parseBody } from "./body.ts";
import { destroyCollection, patchCollection } from "./bulk.ts";
import type { Catalog } from "./catalog.ts";
import { createRecord, createRelated, createUnseen } from "./create.ts";
import { isForm, parseForm, requireOwnForm } from "./form.ts";
import { formType } from "./form-type.ts";
import { chooseRecordFormat } from "./formats.ts";
import { isJsonPatch } from "./patch.ts";
import { asPreferred, preferredReturn, requirePreferences } from "./preferences.ts";
import { Refusal, shorten } from "./refusal.ts";
import { type Route, requireRoute } from "./route.ts";
import { destroyRecord, patchRecord, putRecord } from "./write.ts";
import { withParameters } from "./write-parameters.ts";
import type { WriteRequest } from "./write-request.ts";

function writableOf(route: Route): Writable {
  if (route.place === "index") return { writes: [], hasKey: false };
  const { table } = route.resource;
  return { writes: table.writes, hasKey: hasKey(table) };
}

/** The methods of what a URL names. @throws Refusal 405 where the request's is none of them */
export function requireMethod(route: Route, method: string, actions: ReadonlySet<Action>): string[] {
  const methods = allowedMethods(actions, route.place, writableOf(route));
  if (methods.includes(method)) return methods;
  const allow: Field = ["Allow", methods.join(", ")];
  throw new Refusal(405, `${shorten(method)} is not allowed here; ${allow[1]} are.`, { fields: [allow] });
}

/** Whether a write has a body. */
export function takesBody({ method }: Pick<OriginRequest, "method">): boolean {
  return method !== "DELETE";
}

/** What a write's body may be. */
export function shapeOf({ method, fields }: Pick<OriginRequest, "method" | "fields">): BodyShape {
  if (method === "POST") return "either";
  return isJsonPatch(fieldValue(fields, "content-type")) ? "list" : "object";
}

/** What a write's body says. @throws Refusal as `parseBody` and `parseForm` */
export function readBody(request: Pick<OriginRequest, "method" | "fields" | "body">): object {
  return isForm(request.fields) ? parseForm(request.body) : parseBody(request.body, shapeOf(request));
}

/** Checks the fields of a write, whatever it is for. @throws Refusal 400, 406 or 415 */
export function requireWritable(request: Pick<OriginRequest, "method" | "fields">): void {
  const { method, fields } = request;
  requirePreferences(fields);
  if (takesBody(request) && isForm(fields)) requireOwnForm(fields);
  else if (takesBody(request)) requireJsonBody(method, fields, [formType]);
  if (takesBody(request) || preferredReturn(fields) === "representation") chooseRecordFormat(fields);
}

function perform(transaction: Transaction, route: Route, write: WriteRequest): Steps<OriginResponse> {
  const { method } = write.request;
  if (route.place === "collection" && method === "POST") return createRecord(transaction, route.resource, write);
  if (route.place === "collection" && method === "PATCH") return patchCollection(transaction, route.resource, write);
  if (route.place === "collection" && method === "DELETE") return destroyCollection(transaction, route.resource, write);
  if (route.place === "unseen" && method === "POST") return createUnseen(transaction, route.resource, write);
  if (route.place === "related" && method === "POST") return createRelated(transaction, route, write);
  if (route.place !== "record") throw new Refusal(404, "There is nothing here any more.");
  const { resource, key } = route;
  if (method === "PUT") return putRecord(transaction, resource, key, write);
  if (method === "PATCH") return patchRecord(transaction, resource, key, write);
  return destroyRecord(transaction, resource, key, write);
}

/** Carries a write out, and answers it as it prefers. @throws Refusal; Denied; BrokenRule */
export function* performWrite(transaction: Transaction, catalog: Catalog, write: WriteRequest): Steps<OriginResponse> {
  const route = requireRoute(catalog, write.target);
  const asked = withParameters(catalog, route, write);
  return asPreferred(yield* perform(transaction, route, asked), write.request.fields);
}

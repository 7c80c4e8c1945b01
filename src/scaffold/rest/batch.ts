import { type Body, createProblem, type Field, problemResponse } from "../../protocol/index.ts";
import type { OriginRequest, OriginResponse } from "../../server/index.ts";
import type { Transaction } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import { isJsonObject } from "../json/json.ts";
import type { Action } from "./actions.ts";
import { parseBody, requireShape } from "./body.ts";
import type { Catalog } from "./catalog.ts";
import { findRecordFormat, jsonFormat } from "./formats.ts";
import type { PageLimits } from "./live.ts";
import { performWrite, requireMethod, requireWritable, shapeOf, takesBody } from "./perform.ts";
import { Refusal, shorten } from "./refusal.ts";
import { requireRoute } from "./route.ts";
import { parseTarget } from "./target.ts";
import type { WriteRequest } from "./write-request.ts";

/** Where a batch of writes goes, below the base path [R-BATCH-1]. */
export const batchPath = "/.well-known/rocket/batch";

/** How many requests a batch has at most. */
const maxRequests = 100;

const methods: readonly string[] = ["POST", "PUT", "PATCH", "DELETE"];

/** The fields that a request of a batch has of its own [R-BATCH-2]. */
const ownFields = new Set(["accept", "content-type", "if-match", "if-none-match", "if-unmodified-since", "prefer"]);

/** What the batch's own request says of its body, or of its answer: it is not said of those in it. */
const ofTheWhole = /^(?:accept|content-.*|expect|idempotency-key|if-.*|prefer|range|transfer-encoding)$/i;

/** One request of a batch, as it was sent. */
interface Part {
  readonly method: string;
  readonly url: string;
  readonly fields: readonly Field[];
  readonly json: unknown;
}

function malformed(at: number, detail: string): Refusal {
  return new Refusal(400, `Request ${at + 1} of the batch: ${detail}`);
}

function readFields(json: unknown, at: number): Field[] {
  if (json === undefined) return [];
  if (!isJsonObject(json)) throw malformed(at, '"fields" must be a JSON object.');
  return Object.entries(json).map(([name, value]) => {
    if (!ownFields.has(name.toLowerCase())) throw malformed(at, `It can't have the field "${shorten(name)}".`);
    if (typeof value !== "string") throw malformed(at, `The field "${shorten(name)}" must be a string.`);
    return [name, value];
  });
}

function readPart(json: unknown, at: number): Part {
  if (!isJsonObject(json)) throw malformed(at, "It must be a JSON object.");
  const { method, url, fields, body, ...others } = json;
  const [other] = Object.keys(others);
  if (other !== undefined) throw malformed(at, `A request has no member "${shorten(other)}".`);
  if (typeof method !== "string" || !methods.includes(method)) {
    throw malformed(at, `"method" must be one of ${methods.join(", ")}.`);
  }
  if (typeof url !== "string") throw malformed(at, '"url" must be a string.');
  return { method, url, fields: readFields(fields, at), json: body };
}

/** Reads a batch's body. @throws Refusal 400 or 422 naming the request that can't be */
export function readBatch(body: Body): Part[] {
  const json = parseBody(body, "list", 2) as readonly unknown[];
  if (json.length > maxRequests) throw new Refusal(422, `A batch may have ${maxRequests} requests at most.`);
  return json.map(readPart);
}

/** What a batch stands on. */
export interface BatchParts {
  readonly request: OriginRequest;
  readonly parts: readonly Part[];
  readonly actions: ReadonlySet<Action>;
  readonly limits: PageLimits;
}

function writeOf({ method, url, fields, json }: Part, { request, actions, limits }: BatchParts): WriteRequest {
  const hasType = fields.some(([name]) => name.toLowerCase() === "content-type");
  const type: Field[] = hasType || json === undefined ? [] : [["Content-Type", "application/json"]];
  const inherited = request.fields.filter(([name]) => !ofTheWhole.test(name));
  const own: OriginRequest = { ...request, method, target: url, fields: [...inherited, ...type, ...fields], body: "" };
  requireWritable(own);
  const content = takesBody(own) ? requireShape(json, shapeOf(own)) : {};
  const format = findRecordFormat(own.fields) ?? jsonFormat;
  return { request: own, target: parseTarget(url), json: content, format, canCreate: actions.has("create"), limits };
}

/** An answer as a batch's answer has it. Its body is JSON already. */
function encodeAnswer({ status, fields, body }: OriginResponse): string {
  const byName = new Map<string, string>();
  for (const [name, value] of fields) {
    const before = byName.get(name);
    byName.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const content = body.length === 0 ? "" : `,"body":${body}`;
  return `{"status":${status},"fields":${JSON.stringify(Object.fromEntries(byName))}${content}}`;
}

/** Tells which request of a batch is being carried out; `undefined`: none. */
export type NoteRequest = (at: number | undefined) => void;

/**
 * Carries out the requests of a batch one after another, and answers all of them [R-BATCH-1].
 *
 * @throws what the first one throws that is refused, or fails
 */
export function* performBatch(
  transaction: Transaction,
  catalog: Catalog,
  batch: BatchParts,
  note: NoteRequest,
): Steps<OriginResponse> {
  const answers: string[] = [];
  let bytes = 0;
  for (const [at, part] of batch.parts.entries()) {
    note(at);
    transaction.about({ request: at });
    const write = writeOf(part, batch);
    requireMethod(requireRoute(catalog, write.target), part.method, batch.actions);
    const answer = encodeAnswer(yield* performWrite(transaction, catalog, write));
    bytes += Buffer.byteLength(answer);
    if (bytes > batch.limits.maxPageBytes) {
      const way = "Let requests say Prefer: return=minimal.";
      throw new Refusal(422, `The answer would have more than ${batch.limits.maxPageBytes} bytes. ${way}`);
    }
    answers.push(answer);
  }
  note(undefined);
  return { status: 200, fields: [["Content-Type", "application/json"]], body: `[${answers.join(",")}]` };
}

/** A refusal as that of one request of a batch [R-BATCH-3]. @param at - where the request is in the list */
export function ofRequest({ status, fields, body }: OriginResponse, at: number): OriginResponse {
  const { detail = "", ...more } = JSON.parse(String(body)) as Readonly<Record<string, unknown>>;
  const problem = createProblem(status, `Request ${at + 1} of the batch: ${detail}`, { ...more, request: at });
  const others = fields.filter(([name]) => name.toLowerCase() !== "content-type");
  return problemResponse(problem, others);
}

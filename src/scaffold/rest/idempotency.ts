import { createHash } from "node:crypto";
import { type Field, fieldValue } from "../../protocol/index.ts";
import type { OriginRequest, OriginResponse, Representation } from "../../server/index.ts";
import type { KeptAnswer, Transaction } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import type { Viewer } from "../engine/viewer.ts";
import { withoutBody } from "./preferences.ts";
import { Refusal } from "./refusal.ts";

/** A request that must be carried out once only. */
export interface OnceRequest {
  /** The key, under the viewer's own: one viewer's is never another's. */
  readonly key: string;
  /** Equal for equal requests: method, target, `Content-Type` and body. */
  readonly digest: string;
}

const maxKeyLength = 255;
const quoted = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/;

/** The key in a field's value: a string of RFC 9651; `undefined` for anything else, a bare token included. */
function parseKey(text: string): string | undefined {
  const key = quoted.exec(text)?.[1]?.replace(/\\(.)/g, "$1") ?? "";
  return key.length >= 1 && key.length <= maxKeyLength ? key : undefined;
}

function digestOf({ method, target, fields, body }: OriginRequest): string {
  const head = JSON.stringify([method, target, fieldValue(fields, "content-type") ?? ""]);
  return createHash("sha256").update(`${head}\n`).update(body).digest("base64url");
}

/**
 * Reads a request's `Idempotency-Key`; `undefined` where it has none.
 *
 * @throws Refusal 400 for a key that can't be, or more than one
 */
export function parseOnce(request: OriginRequest, viewer: Viewer): OnceRequest | undefined {
  const [value, ...more] = request.fields.filter(([name]) => name.toLowerCase() === "idempotency-key");
  if (!value) return undefined;
  const key = more.length === 0 ? parseKey(value[1]) : undefined;
  // No key that is sent has a line's end.
  const prefix = viewer.key === "" ? "" : `${createHash("sha256").update(viewer.key).digest("base64url")}\n`;
  if (key !== undefined) return { key: prefix + key, digest: digestOf(request) };
  const form = `one string in double quotes, of 1 to ${maxKeyLength} characters`;
  throw new Refusal(400, `The field Idempotency-Key is malformed: it must be ${form}.`);
}

/** A record as it is now. */
export type ShownRecord = Pick<Representation, "etag" | "body"> | undefined;

/** Where an answer's record is, and what its content is. */
export interface AnsweredRecord {
  readonly url: string;
  readonly contentType: string | undefined;
}

/** The first answer once more. A large body is the record's own; once that has changed, it is left out. */
function* repeat(
  { status, fields, body, eventId }: KeptAnswer,
  show: (record: AnsweredRecord) => Steps<ShownRecord>,
): Steps<OriginResponse> {
  const all: readonly Field[] = eventId === undefined ? fields : [...fields, ["Event-ID", eventId]];
  if (body !== undefined) return { status, fields: all, body };
  const url = fieldValue(fields, "content-location");
  const contentType = fieldValue(fields, "content-type");
  const record = url === undefined ? undefined : yield* show({ url, contentType });
  if (record && record.etag === fieldValue(fields, "etag")) return { status, fields: all, body: record.body };
  return withoutBody({ status, fields: all, body: "" });
}

/**
 * Carries a write out and keeps its answer in the same transaction; where the key has an answer already, gives that and
 * writes nothing.
 *
 * @param perform - carries the write out
 * @param show - gives the record of an answer as it is now
 * @throws Refusal 422 where the key was used for another request; what `perform` throws
 */
export function* performOnce(
  transaction: Transaction,
  { key, digest }: OnceRequest,
  perform: () => Steps<OriginResponse>,
  show: (record: AnsweredRecord) => Steps<ShownRecord>,
): Steps<OriginResponse> {
  const kept = yield* transaction.findAnswer(key);
  if (kept?.digest === digest) return yield* repeat(kept, show);
  if (kept) {
    const detail = "This Idempotency-Key was used for another request: another method, URL, Content-Type or body.";
    throw new Refusal(422, `${detail} A new request needs a new key.`);
  }
  const result = yield* perform();
  const { status, fields, body } = result;
  yield* transaction.keepAnswer(key, { digest, status, fields, body: String(body) });
  return result;
}

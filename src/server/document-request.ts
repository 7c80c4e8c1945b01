import { type Body, createProblem, type Field, fieldValue, problemResponse } from "../protocol/index.ts";
import type { OriginResponse } from "./ports/origin.ts";

/** What belongs to the handshake, to one hop, or to somebody's trace: a repeated GET must not carry it on. */
const dropped = new Set([
  "accept-encoding",
  "b3",
  "baggage",
  "cache-control",
  "connection",
  "content-length",
  "content-type",
  "expect",
  "http2-settings",
  "if-match",
  "if-modified-since",
  "if-range",
  "if-unmodified-since",
  "keep-alive",
  "last-event-id",
  "pragma",
  "prefer",
  "proxy-authorization",
  "proxy-connection",
  "range",
  "sentry-trace",
  "te",
  "traceparent",
  "tracestate",
  "trailer",
  "transfer-encoding",
  "uber-trace-id",
  "upgrade",
  "x-amzn-trace-id",
  "x-cloud-trace-context",
  "x-correlation-id",
  "x-request-id",
]);

const droppedPrefixes = ["sec-", "x-b3-", "x-datadog-"];

function isDropped(name: string): boolean {
  return dropped.has(name) || droppedPrefixes.some((prefix) => name.startsWith(prefix));
}

/** A handshake's fields without what belongs to that one request alone. */
export function repeatableFields(fields: readonly Field[]): Field[] {
  return fields.filter(([name]) => !isDropped(name.toLowerCase()));
}

/**
 * The fields of a GET that is made on a viewer's behalf: the viewer's own without those of its handshake and its trace,
 * then what a page's `fetch` would add. `If-None-Match` stays: it is the hub's.
 */
export function documentRequestFields(fields: readonly Field[]): Field[] {
  const kept = repeatableFields(fields);
  if (fieldValue(kept, "host") === undefined) kept.unshift(["Host", "localhost"]);
  if (fieldValue(kept, "accept") === undefined) kept.push(["Accept", "application/json, */*;q=0.5"]);
  kept.push(["Accept-Encoding", "identity"], ["Sec-Fetch-Mode", "cors"]);
  return kept;
}

/** Why an answer can be no document, told by its head: it never ends (415), or it is too large (413). */
export function refuseByHead(fields: readonly Field[], maxDocumentBytes: number): OriginResponse | undefined {
  const contentType = fieldValue(fields, "content-type") ?? "";
  if (/^\s*(?:text\/event-stream|multipart\/x-mixed-replace)\b/i.test(contentType)) {
    return problemResponse(createProblem(415, "This URL answers with a stream that has no end: open it over HTTP."));
  }
  return Number(fieldValue(fields, "content-length") ?? 0) > maxDocumentBytes ? tooLarge(maxDocumentBytes) : undefined;
}

/** Why an answer can't be carried in band, told by its head, as {@link refuseByHead} [R-BAND-17]. */
export function refuseInBandByHead(fields: readonly Field[], maxBytes: number): OriginResponse | undefined {
  const refusal = refuseByHead(fields, maxBytes);
  if (refusal?.status === 413) return tooLargeInBand(maxBytes);
  return refusal && notInBand("The answer is a stream that has no end");
}

/** The answer in band where that of the origin is larger than allowed. */
export function tooLargeInBand(maxBytes: number): OriginResponse {
  return notInBand(`An answer in band may have at most ${maxBytes} bytes`);
}

/** The answer in band where that of the origin can't be carried. @param why - the sentence without its full stop */
export function notInBand(why: string): OriginResponse {
  return problemResponse(createProblem(502, `${why}. Send the request over HTTP.`));
}

/** The answer where a document is larger than allowed. */
export function tooLarge(maxDocumentBytes: number): OriginResponse {
  return problemResponse(createProblem(413, `A document may have at most ${maxDocumentBytes} bytes to be followed.`));
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** The types of text, in two patterns: the check of patterns takes long for one. */
const textual = [
  /^\s*(?:text\/|application\/(?:[^;\s]+\+)?(?:json|xml)\b)/i,
  /^\s*application\/(?:javascript|x-www-form-urlencoded)\b/i,
];

/** A document's bytes as the hub takes them: a string where they are text in UTF-8. */
export function documentBody(fields: readonly Field[], bytes: Uint8Array): Body {
  const contentType = fieldValue(fields, "content-type") ?? "";
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? "utf-8";
  if (!textual.some((pattern) => pattern.test(contentType)) || !/^(?:utf-?8|us-ascii)$/.test(charset)) return bytes;
  try {
    return decoder.decode(bytes);
  } catch {
    return bytes;
  }
}

import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { brotliCompress, brotliCompressSync, constants, gzip, gzipSync } from "node:zlib";
import { codedEntityTag, type Field, fieldValue, matchesEntityTag, plainEntityTags } from "../protocol/index.ts";
import type { OriginResponse } from "../server/index.ts";

/** A content coding that answers may have. */
export type Coding = "br" | "gzip";

const minBytes = 1024;
/** Up to so much is compressed at once: to hand it to another thread takes three times as long. */
const maxBytesAtOnce = 8 * 1024;
const compressible = /^(?:text\/|application\/(?:x-ndjson|(?:[\w.-]+\+)?(?:json|xml))\b)/i;
const encodeGzip = promisify(gzip);
const encodeBrotli = promisify(brotliCompress);

/** The codings of an `Accept-Encoding`, with how much each is wanted. */
function weightsOf(accept: string): ReadonlyMap<string, number> {
  const weights = accept.split(",").map((part): [string, number] => {
    const [name = "", ...parameters] = part.split(";").map((piece) => piece.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith("q="));
    return [name, weight === undefined ? 1 : Number(weight.slice(2)) || 0];
  });
  return new Map(weights);
}

/**
 * The coding for an answer, by the request's `Accept-Encoding` (RFC 9110 §12.5.3); `undefined`: none.
 *
 * @param available - the codings that there are, the best first
 */
export function chooseCoding(accept: string | undefined, available: readonly Coding[]): Coding | undefined {
  if (accept === undefined) return undefined;
  const weights = weightsOf(accept);
  const weightOf = (name: string): number => weights.get(name) ?? weights.get("*") ?? 0;
  const [best] = available.toSorted((one, other) => weightOf(other) - weightOf(one));
  // What is wanted as it is by more than any coding is left as it is.
  const plain = weights.get("identity") ?? 0;
  return best !== undefined && weightOf(best) > 0 && weightOf(best) >= plain ? best : undefined;
}

function encode(coding: Coding, body: string | Uint8Array): Buffer | Promise<Buffer> {
  // Brotli's own default is for what is compressed once and read often.
  const params = { [constants.BROTLI_PARAM_QUALITY]: 4 };
  const isSmall = body.length <= maxBytesAtOnce;
  if (coding === "br") return isSmall ? brotliCompressSync(body, { params }) : encodeBrotli(body, { params });
  return isSmall ? gzipSync(body) : encodeGzip(body);
}

function withField(fields: readonly Field[], name: string, value: string): Field[] {
  return [...fields.filter(([other]) => other.toLowerCase() !== name.toLowerCase()), [name, value]];
}

/** A request's fields with the entity tags that the origin gave out, without their codings [R-FLD-11]. */
export function plainConditions(fields: readonly Field[]): readonly Field[] {
  const isCondition = (name: string): boolean => /^if-(?:none-)?match$/i.test(name);
  if (!fields.some(([name]) => isCondition(name))) return fields;
  return fields.map(([name, value]) => [name, isCondition(name) ? plainEntityTags(value) : value]);
}

/** A 304 says the entity tag that the client has. */
function sayKnownTag(answer: OriginResponse, ifNoneMatch: string | undefined): OriginResponse {
  const etag = fieldValue(answer.fields, "etag");
  if (etag === undefined || ifNoneMatch === undefined) return answer;
  const codings: readonly Coding[] = ["br", "gzip"];
  const known = codings.map((coding) => codedEntityTag(etag, coding)).find((tag) => ifNoneMatch.includes(tag));
  const isPlain = matchesEntityTag(ifNoneMatch, etag) && ifNoneMatch.includes(etag);
  return known === undefined || isPlain ? answer : { ...answer, fields: withField(answer.fields, "ETag", known) };
}

async function encodeAnswer(answer: OriginResponse, coding: Coding): Promise<OriginResponse> {
  const { fields, body } = answer;
  const coded = withField(fields, "Content-Encoding", coding).filter(([name]) => !/^content-length$/i.test(name));
  const etag = fieldValue(fields, "etag");
  return {
    ...answer,
    fields: etag === undefined ? coded : withField(coded, "ETag", codedEntityTag(etag, coding)),
    body: await encode(coding, body),
  };
}

/**
 * An answer as its request wants it coded: text and JSON above 1 KiB in answers to GET, with an entity tag of their own
 * [R-FLD-11]. All else is left as it is.
 */
export async function compressAnswer(request: IncomingMessage, answer: OriginResponse): Promise<OriginResponse> {
  const { method, headers } = request;
  const { status, fields, body } = answer;
  const isRead = method === "GET" || method === "HEAD";
  if (!isRead || (status !== 200 && status !== 304) || fieldValue(fields, "content-encoding") !== undefined)
    return answer;
  const isText = compressible.test(fieldValue(fields, "content-type") ?? "");
  const mayChange = !/(?:^|,)\s*no-transform\b/i.test(fieldValue(fields, "cache-control") ?? "");
  if (status === 200 && !(isText && mayChange)) return answer;
  const varied: OriginResponse = { ...answer, fields: [...fields, ["Vary", "Accept-Encoding"]] };
  if (status === 304) return sayKnownTag(varied, headers["if-none-match"]);
  const coding = chooseCoding(`${headers["accept-encoding"] ?? ""}`, ["br", "gzip"]);
  if (method === "HEAD" || coding === undefined || body.length <= minBytes) return varied;
  return encodeAnswer(varied, coding);
}

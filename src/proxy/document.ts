import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate } from "node:zlib";
import type { Body, Field } from "../protocol/index.ts";
import { createProblem, fieldValue, type HttpResponse, problemResponse } from "../protocol/index.ts";
import type { OriginResponse } from "../server/index.ts";

const decoders = {
  br: promisify(brotliDecompress),
  deflate: promisify(inflate),
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
} as const;

/** Types that are streams by nature: a GET of one never ends. */
const endless = /^(?:text\/event-stream|multipart\/x-mixed-replace|application\/stream\+json)\b/i;
const textual = /^text\/|^application\/(?:[^;\s]+\+)?(?:json|xml|yaml|javascript|x-www-form-urlencoded)\b/i;

/** The refusal of an answer that can't be a document, told from its head; `undefined` where it may be one. */
export function refuseHead(status: number, fields: readonly Field[], maxBytes: number): HttpResponse | undefined {
  if (status >= 300) return undefined;
  const type = fieldValue(fields, "content-type") ?? "";
  if (endless.test(type)) {
    const detail = `A GET of this URL is answered with ${type.split(";")[0]}, which never ends: it can't be followed.`;
    return problemResponse(createProblem(415, detail));
  }
  const length = Number(fieldValue(fields, "content-length") ?? 0);
  return length > maxBytes ? tooLarge(maxBytes) : undefined;
}

/** The refusal of a document that is larger than allowed. */
export function tooLarge(maxBytes: number): HttpResponse {
  return problemResponse(createProblem(413, `A document that is followed may have at most ${maxBytes} bytes.`));
}

function decoded(type: string, bytes: Buffer): Body {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1]?.toLowerCase() ?? "utf-8";
  if (bytes.length > 0 && (!textual.test(type) || !/^(?:utf-?8|us-ascii)$/.test(charset))) return bytes;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes;
  }
}

/** An answer as the hub takes it: without compression, text as text. */
export async function readAnswer(
  status: number,
  fields: readonly Field[],
  bytes: Buffer,
  maxBytes: number,
): Promise<OriginResponse> {
  const type = fieldValue(fields, "content-type") ?? "";
  const coding = (fieldValue(fields, "content-encoding") ?? "identity").trim().toLowerCase();
  if (coding === "identity" || bytes.length === 0) return { status, fields, body: decoded(type, bytes) };
  const decode = Object.hasOwn(decoders, coding) ? decoders[coding as keyof typeof decoders] : undefined;
  const plain = fields.filter(([name]) => !/^content-(?:encoding|length)$/i.test(name));
  if (!decode) {
    return problemResponse(createProblem(415, "The upstream's answer is compressed in a way that can't be undone."));
  }
  try {
    return { status, fields: plain, body: decoded(type, await decode(bytes, { maxOutputLength: maxBytes })) };
  } catch (error) {
    if (error instanceof RangeError) return tooLarge(maxBytes);
    return problemResponse(createProblem(502, "The upstream's answer can't be read."));
  }
}

import { createProblem, type Field, fieldValue, problemResponse } from "../../protocol/index.ts";
import { ByteCollector } from "../byte-collector.ts";
import {
  documentBody,
  documentRequestFields,
  refuseByHead,
  refuseInBandByHead,
  tooLarge,
  tooLargeInBand,
} from "../document-request.ts";
import type { Origin, OriginRequest, OriginResponse } from "../ports/origin.ts";

/** How an application that speaks `fetch` is asked. */
export interface FetchOriginOptions {
  /** The scheme of the URLs that it is asked for; the host is the viewer's `Host`. Default `https`. */
  readonly scheme?: "http" | "https";
  /** Bytes that a document may have. Default 8 MiB; then 413. */
  readonly maxDocumentBytes?: number;
}

/** Reads a body to its end; `undefined` once it is larger than allowed. */
async function readBytes(response: Response, maxBytes: number): Promise<Uint8Array | undefined> {
  if (!response.body) return new Uint8Array();
  const reader = response.body.getReader();
  const body = new ByteCollector(maxBytes);
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (body.add(part.value)) continue;
    reader.cancel().catch(() => {});
    return undefined;
  }
  return body.take();
}

/** The answer without the coding that the application put on it against the request's wish. */
function decoded(response: Response): Response | undefined {
  const coding = response.headers.get("content-encoding")?.toLowerCase() ?? "identity";
  if (coding === "identity" || !response.body) return response;
  if (coding !== "gzip" && coding !== "deflate") return undefined;
  // The platform's types disagree on the bytes that go in; at run time they are the same.
  const stream = new DecompressionStream(coding) as unknown as ReadableWritablePair<Uint8Array, Uint8Array>;
  const { status, headers } = response;
  const plain = new Headers(headers);
  plain.delete("content-encoding");
  plain.delete("content-length");
  return new Response(response.body.pipeThrough(stream), { status, headers: plain });
}

function fieldsOf(headers: Headers): Field[] {
  const fields: Field[] = [];
  headers.forEach((value, name) => {
    fields.push([name, value]);
  });
  return fields;
}

async function answerOf(response: Response, maxBytes: number, isInBand: boolean): Promise<OriginResponse> {
  const fields = fieldsOf(response.headers);
  const refusal = isInBand ? refuseInBandByHead(fields, maxBytes) : refuseByHead(fields, maxBytes);
  if (refusal) {
    response.body?.cancel().catch(() => {});
    return refusal;
  }
  if (response.status === 304 || response.status === 204) return { status: response.status, fields, body: "" };
  const plain = decoded(response);
  if (!plain) {
    response.body?.cancel().catch(() => {});
    return problemResponse(createProblem(415, "The document came in a coding that can't be read."));
  }
  const bytes = await readBytes(plain, maxBytes);
  if (!bytes) return isInBand ? tooLargeInBand(maxBytes) : tooLarge(maxBytes);
  const kept = fieldsOf(plain.headers);
  return { status: response.status, fields: kept, body: documentBody(kept, bytes) };
}

function requestOf(request: OriginRequest, scheme: string): Request {
  const { isInBand = false } = request;
  const fields = isInBand ? request.fields : documentRequestFields(request.fields);
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value);
  // Put together as text: resolved against a base, a target of two slashes would name another host.
  const url = `${scheme}://${fieldValue(fields, "host")}${request.target}`;
  const { method, signal } = request;
  // The platform's types disagree on the bytes that go in; at run time they are the same.
  const body = isInBand && request.body.length > 0 ? { body: request.body as string } : {};
  return new Request(url, { method, headers, ...body, redirect: "manual", ...(signal ? { signal } : {}) });
}

/**
 * Makes an origin of an application that speaks `fetch`: what Hono, Deno, Bun and Workers call a fetch handler. It is
 * asked with the viewer's fields; its answer must end, and be no larger than allowed.
 *
 * @param handler - the application; what it throws is told to the hub's `onError` and answered with 500
 * @throws TypeError | RangeError naming the option and its value
 */
export function originFromFetch(
  handler: (request: Request) => Promise<Response> | Response,
  options: FetchOriginOptions = {},
): Origin {
  const { scheme = "https", maxDocumentBytes = 8 * 1024 * 1024 } = options;
  if (typeof handler !== "function") {
    throw new TypeError(`handler must be a function (request) => Promise<Response>, not ${typeof handler}.`);
  }
  if (!Number.isInteger(maxDocumentBytes) || maxDocumentBytes < 1) {
    throw new RangeError(`maxDocumentBytes must be a whole number from 1, not ${maxDocumentBytes}.`);
  }
  return async (asked) => {
    let request: Request;
    try {
      request = requestOf(asked, scheme);
    } catch {
      return problemResponse(createProblem(400, "This is no URL that can be asked for."));
    }
    return answerOf(await handler(request), maxDocumentBytes, asked.isInBand === true);
  };
}

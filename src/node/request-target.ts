import type { IncomingMessage } from "node:http";
import { createProblem, type HttpResponse, problemResponse } from "../protocol/index.ts";
import { hostNameIn } from "./named-host.ts";

/** A request target in origin-form, and the authority that stood before it. */
export interface RequestTarget {
  /** Path and query; `*` for the server itself. */
  readonly target: string;
  /** Absent where the target had none: then `Host` says which. */
  readonly authority?: string;
}

/** Takes a target in absolute-form apart, and leaves one in origin-form (RFC 9112 §3.2); `undefined` for any other. */
export function parseRequestTarget(url: string, method: string): RequestTarget | undefined {
  if (url.startsWith("/") || (url === "*" && method === "OPTIONS")) return { target: url };
  const [, authority = "", rest = ""] = /^https?:\/\/([^/?#]*)((?:[/?][^#]*)?)$/i.exec(url) ?? [];
  if (!hostNameIn(authority)) return undefined;
  if (rest === "" && method === "OPTIONS") return { target: "*", authority };
  return { target: rest.startsWith("/") ? rest : `/${rest}`, authority };
}

/** Where the values of `Host` are among a request's raw fields. */
function hostPlaces({ rawHeaders }: Pick<IncomingMessage, "rawHeaders">): number[] {
  const places: number[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (name.length === 4 && name.toLowerCase() === "host") places.push(at + 1);
  }
  return places;
}

function malformed(detail: string): HttpResponse {
  return problemResponse(createProblem(400, detail));
}

/**
 * The refusal of a request with several `Host` fields: whoever reads the first takes it for another's than who reads the
 * last. HTTP/2's `:authority` is one, too, where it says something else.
 */
export function refuseSeveralHosts(request: Pick<IncomingMessage, "rawHeaders">): HttpResponse | undefined {
  const { rawHeaders } = request;
  const hosts = hostPlaces(request).map((at) => rawHeaders[at]);
  const at = rawHeaders[0]?.startsWith(":") ? rawHeaders.indexOf(":authority") : -1;
  const isSecond = at >= 0 && hosts.some((host) => host !== rawHeaders[at + 1]);
  return hosts.length > 1 || isSecond ? malformed("A request has one Host field (RFC 9112 §3.2).") : undefined;
}

/** How many fields a request may have. */
export const mostFields = 1_000;

/** How many fields a request to a server may have. Of the server's own bound, 0 is none, and none is Node's. */
export function mostFieldsOf(maxHeadersCount: number | null | undefined): number {
  return Math.min(maxHeadersCount || mostFields, mostFields);
}

/**
 * The refusal of a request with so many fields that some may be missing: Node drops those beyond a server's
 * `maxHeadersCount` without a word [R-SEC-9].
 */
export function refuseManyFields(
  { rawHeaders }: Pick<IncomingMessage, "rawHeaders">,
  most: number,
): HttpResponse | undefined {
  if (rawHeaders.length < most * 2) return undefined;
  return problemResponse(createProblem(431, `A request has fewer than ${most} fields.`));
}

/** Whether a message's body has a transfer coding beside chunked: nobody here undoes it, so it would be passed on as what it is not. */
export function hasOtherCoding(transferEncoding: string | undefined): boolean {
  return transferEncoding !== undefined && transferEncoding.trim().toLowerCase() !== "chunked";
}

/** The refusal of a body with a transfer coding that is not understood (RFC 9112 §6.1). */
export function refuseOtherCoding({ headers }: Pick<IncomingMessage, "headers">): HttpResponse | undefined {
  if (!hasOtherCoding(headers["transfer-encoding"])) return undefined;
  return problemResponse(createProblem(501, "Of the transfer codings, this server undoes chunked alone."));
}

/**
 * Brings a request into the one form that everything behind reads: its target in origin-form, and one `Host`, which is
 * the target's own authority where it had one (RFC 9112 §3.2.2). Gives the refusal where it is malformed [R-SEC-9].
 */
export function settleTarget(
  request: Pick<IncomingMessage, "headers" | "httpVersion" | "method" | "rawHeaders" | "url">,
): HttpResponse | undefined {
  const { rawHeaders, headers, url = "/", method = "GET" } = request;
  const [place, ...others] = hostPlaces(request);
  if (others.length > 0) return refuseSeveralHosts(request);
  if (place === undefined && request.httpVersion !== "1.0") return malformed("A request has a Host field.");
  if (place !== undefined && hostNameIn(rawHeaders[place] ?? "") === undefined) {
    return malformed("The Host field names no host.");
  }
  const parsed = parseRequestTarget(url, method);
  if (!parsed) return malformed("The request's target is no path, and no URL of this server.");
  const { target, authority } = parsed;
  if (authority === undefined) return undefined;
  request.url = target;
  headers.host = authority;
  if (place === undefined) rawHeaders.push("Host", authority);
  else rawHeaders[place] = authority;
  return undefined;
}

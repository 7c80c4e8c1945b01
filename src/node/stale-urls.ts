import { type Field, fieldValue, parseLinks } from "../protocol/index.ts";

/** What became of a request that may have written. */
export interface WriteOutcome {
  /** The request's path and query. */
  readonly target: string;
  /** The request's `Destination`: what COPY and MOVE write (RFC 4918 §10.3). */
  readonly destination?: string | undefined;
  /** The answer's status; absent where none came: nobody knows then what was written. */
  readonly status?: number | undefined;
  /** The answer's fields. */
  readonly fields: readonly Field[];
}

/** Registered methods that write nothing (RFC 9110 §9.2.1 and the registry of methods). */
const safeMethods = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "QUERY", "REPORT", "SEARCH"]);

/** True for a method that may write. */
export function isUnsafeMethod(method: string): boolean {
  return !safeMethods.has(method);
}

/** The path and query of a reference in an answer to a request for `target`; `undefined` for one that is none. */
function resolve(reference: string, target: string): string | undefined {
  try {
    const { pathname, search, protocol } = new URL(reference, new URL(target.replace(/^\/+/, "/"), "http://origin"));
    return /^https?:$/.test(protocol) ? pathname + search : undefined;
  } catch {
    return undefined;
  }
}

/** The targets of links whose relation says that they are stale (RFC 8288, "invalidates"). */
function invalidatedBy(link: string): string[] {
  return parseLinks(link)
    .filter(({ relations }) => relations.includes("invalidates"))
    .map(({ reference }) => reference);
}

/**
 * The URLs that the outcome of an unsafe request makes stale (RFC 9111 §4.4): its target and `Destination`, and what `Location`,
 * `Content-Location` and `Link` with the relation `invalidates` name. None where the answer is a 4xx: nothing was
 * written then. An answer of 5xx, or none, does not say so.
 */
export function staleUrls({ target, destination, status, fields }: WriteOutcome): string[] {
  if (status !== undefined && status >= 400 && status < 500) return [];
  const named = [destination, fieldValue(fields, "location"), fieldValue(fields, "content-location")];
  const links = fields.filter(([name]) => name.toLowerCase() === "link").flatMap(([, value]) => invalidatedBy(value));
  const resolved = [...named, ...links].map((reference) => {
    return reference === undefined ? undefined : resolve(reference, target);
  });
  return [...new Set([target, ...resolved.filter((url) => url !== undefined)])];
}

import { type Field, fieldValue } from "../../protocol/index.ts";
import type { OriginResponse } from "../origin.ts";

/**
 * Fields that say nothing of who asks: an answer depends on them only where its `Vary` says so. Others of such names
 * (`X-Forwarded-User`, `CF-Access-Jwt-Assertion`) are credentials, so each is named in full.
 */
const inertNames = new Set([
  "accept-encoding",
  "accept-language",
  "baggage",
  "cache-control",
  "cdn-loop",
  "cf-connecting-ip",
  "cf-ray",
  "connection",
  "dnt",
  "origin",
  "pragma",
  "priority",
  "referer",
  "te",
  "traceparent",
  "tracestate",
  "true-client-ip",
  "upgrade",
  "upgrade-insecure-requests",
  "user-agent",
  "via",
  "x-amzn-trace-id",
  "x-cloud-trace-context",
  "x-correlation-id",
  "x-forwarded-for",
  "x-real-ip",
  "x-request-id",
]);

const inertPrefixes = ["sec-", "x-b3-"];

/** Fields that say which site is asked, beside `Host`. */
const authorityNames = new Set([
  "forwarded",
  "host",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-prefix",
  "x-forwarded-proto",
]);

function isInert(name: string): boolean {
  return inertNames.has(name) || inertPrefixes.some((prefix) => name.startsWith(prefix));
}

/** What counts of a field: of `Forwarded`, the site that was asked and not the way that the request took. */
function countedValue(name: string, value: string): string {
  if (name !== "forwarded") return value;
  const parts = value.split(/[;,]/).map((part) => part.trim().toLowerCase());
  return parts.filter((part) => part !== "" && !/^(for|by)\s*=/.test(part)).join(";");
}

/** The fields as sorted lines, so that their order does not count. */
function lines(fields: readonly Field[], counts: (name: string) => boolean): string[] {
  return fields
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => counts(name))
    .map(([name, value]) => [name, countedValue(name, value)] as const)
    .filter(([name, value]) => name !== "forwarded" || value !== "")
    .map(([name, value]) => `${name}: ${value}`)
    .sort();
}

/**
 * What tells viewers apart before their answers are known: the target, every field but the inert ones, and who the peer
 * proved to be at the transport. Two requests of one key come from the same viewer, as far as anybody can tell.
 */
export function viewerKeyOf(target: string, fields: readonly Field[], identity?: string): string {
  const counted = lines(fields, (name) => !isInert(name));
  return JSON.stringify(identity === undefined ? [target, counted] : [target, counted, identity]);
}

/** True where nothing of the request can be a credential: no field but inert ones, `Accept`, and which site is asked. */
export function isAnonymous(fields: readonly Field[]): boolean {
  return fields.every(([name]) => {
    const lower = name.toLowerCase();
    return lower === "accept" || authorityNames.has(lower) || isInert(lower);
  });
}

function listOf(fields: readonly Field[], name: string): string[] {
  return fields
    .filter(([key]) => key.toLowerCase() === name)
    .flatMap(([, value]) => value.split(","))
    .map((item) => item.trim().toLowerCase())
    .filter((item) => item !== "");
}

/** Who may share a view with whom. */
export interface Sharing {
  /** Viewers of equal keys whose documents are equal may follow one view. */
  readonly key: string;
  /** True where several viewers have this key. */
  readonly isJoined: boolean;
  /** True where the answer is for its one viewer only. */
  readonly isPrivate: boolean;
  /** True where an anonymous request of the same viewer key may take the view's document without a GET. */
  readonly isOpen: boolean;
}

/** A request as its sharing is judged. */
export interface SharingRequest {
  readonly target: string;
  readonly fields: readonly Field[];
  /** Who the peer proved to be at the transport, as by a client certificate. */
  readonly identity?: string | undefined;
  /** What the app's `viewer` option said of the request: a name that equal viewers share. */
  readonly viewer?: string | undefined;
}

/** Judges by an answer who may share its view. Without a word of the app or its answer nobody does but the same viewer. */
export function sharingOf(request: SharingRequest, response: OriginResponse): Sharing {
  const { target, fields, identity, viewer } = request;
  const vary = listOf(response.fields, "vary");
  const cacheControl = listOf(response.fields, "cache-control");
  const isPrivate =
    vary.includes("*") ||
    fieldValue(response.fields, "set-cookie") !== undefined ||
    cacheControl.some((directive) => /^(private|no-store)\b/.test(directive));
  const isPublic = !isPrivate && cacheControl.includes("public");
  if (isPublic || (!isPrivate && viewer !== undefined)) {
    const named = lines(fields, (name) => name === "accept" || authorityNames.has(name) || vary.includes(name));
    const isOpen = viewer === undefined && !vary.some(isInert);
    return { key: JSON.stringify([viewer ?? null, target, named]), isJoined: true, isPrivate, isOpen };
  }
  const varied = lines(fields, (name) => isInert(name) && (vary.includes(name) || vary.includes("*")));
  const own = viewerKeyOf(target, fields, identity);
  return { key: JSON.stringify([own, varied]), isJoined: false, isPrivate, isOpen: !isPrivate && !vary.some(isInert) };
}

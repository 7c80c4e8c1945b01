import { type Field, fieldValue } from "../../protocol/index.ts";
import type { OriginResponse } from "../origin.ts";

const inertNames = new Set([
  "accept-encoding",
  "accept-language",
  "baggage",
  "cache-control",
  "connection",
  "dnt",
  "origin",
  "pragma",
  "priority",
  "referer",
  "te",
  "traceparent",
  "tracestate",
  "upgrade",
  "upgrade-insecure-requests",
  "user-agent",
  "x-request-id",
]);

const inertPrefixes = ["sec-", "x-b3-", "x-forwarded-", "x-amzn-trace", "x-cloud-trace"];

const credentialNames = ["authorization", "cookie"];

function isInert(name: string): boolean {
  return inertNames.has(name) || name === "forwarded" || inertPrefixes.some((prefix) => name.startsWith(prefix));
}

/** The fields as sorted lines, so that their order does not count. */
function lines(fields: readonly Field[], counts: (name: string) => boolean): string[] {
  return fields
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => counts(name))
    .map(([name, value]) => `${name}: ${value}`)
    .sort();
}

/**
 * What tells viewers apart before their answers are known: the target and every field but the inert ones. Two requests
 * of one key come from the same viewer, as far as anybody can tell.
 */
export function viewerKeyOf(target: string, fields: readonly Field[]): string {
  return JSON.stringify([target, ...lines(fields, (name) => !isInert(name))]);
}

/** True where the request says who asks. */
export function hasCredentials(fields: readonly Field[]): boolean {
  return credentialNames.some((name) => fieldValue(fields, name) !== undefined);
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
  /** True where a request without credentials of the same viewer key may take the view's document without a GET. */
  readonly isOpen: boolean;
}

/**
 * Judges by an answer who may share its view. Without a word of the app or its answer nobody does but the same viewer.
 *
 * @param viewer - what the app's `viewer` option said of the request: a name that equal viewers share
 */
export function sharingOf(
  target: string,
  fields: readonly Field[],
  response: OriginResponse,
  viewer: string | undefined,
): Sharing {
  const own = viewerKeyOf(target, fields);
  const vary = listOf(response.fields, "vary");
  const cacheControl = listOf(response.fields, "cache-control");
  const isPrivate =
    vary.includes("*") ||
    fieldValue(response.fields, "set-cookie") !== undefined ||
    cacheControl.some((directive) => /^(private|no-store)\b/.test(directive));
  const varied = lines(fields, (name) => isInert(name) && vary.includes(name));
  if (viewer !== undefined) {
    return { key: JSON.stringify(["viewer", viewer, target, fieldValue(fields, "accept"), varied]), isOpen: false };
  }
  if (isPrivate) return { key: JSON.stringify([own, varied]), isOpen: false };
  if (cacheControl.includes("public")) {
    const named = lines(fields, (name) => name === "accept" || name === "host" || vary.includes(name));
    return { key: JSON.stringify(["public", target, named]), isOpen: varied.length === 0 };
  }
  return { key: JSON.stringify([own, varied]), isOpen: varied.length === 0 };
}

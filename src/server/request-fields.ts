import { chooseDeltas, type Field, isToken } from "../protocol/index.ts";
import { repeatableFields } from "./document-request.ts";
import { inBandFields } from "./viewer.ts";

/** What of a plain request in band is its own: what it sends, on which condition, and what it wants [R-BAND-15]. */
const ofRequest = new Set([
  "content-encoding",
  "content-language",
  "content-type",
  "idempotency-key",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "prefer",
  "range",
]);

/** What no request in band may say itself, whatever is configured: it names the peer, or frames the message. */
const neverOwn =
  /^(?:connection|content-length|cookie|cookie2|event-id|expect|forwarded|host|http2-settings|keep-alive|last-event-id|origin|referer|request-id|subscription|te|trailer|transfer-encoding|upgrade|via|x-real-ip|(?:proxy|sec|x-forwarded)-.*)$/;

/**
 * The names of further fields that a request in band may have of its own, in lower case.
 *
 * @throws TypeError naming `requestFields` where one is no name, or may not be its own
 */
export function parseRequestFields(names: readonly string[] = []): readonly string[] {
  if (!Array.isArray(names)) throw new TypeError(`requestFields must be names of fields, not ${typeof names}.`);
  return names.map((name: unknown) => {
    const lower = String(name).toLowerCase();
    if (typeof name === "string" && isToken(name) && !neverOwn.test(lower)) return lower;
    throw new TypeError(`requestFields: ${JSON.stringify(name)} is no field that a request in band may say itself.`);
  });
}

/** Who sends a plain request: what its handshake said. */
export interface Requester {
  /** The handshake's fields. */
  readonly fields: readonly Field[];
  /** The handshake's `Sec-Fetch-Site`: by it, as by `Origin`, applications tell forged requests. */
  readonly site: string | undefined;
}

/**
 * The fields of a plain request in band as the origin gets them: the handshake's, with its own in their places
 * [R-BAND-9, R-BAND-15], and those that a page's `fetch` adds.
 *
 * @param further - names that the server was configured with, in lower case
 */
export function plainRequestFields(
  { fields: handshake, site }: Requester,
  own: readonly Field[],
  further: readonly string[],
): readonly Field[] {
  const isOfRequest = ([name]: Field): boolean => {
    const lower = name.toLowerCase();
    return ofRequest.has(lower) || further.includes(lower);
  };
  // What the handshake says of itself would count for every request, and nobody meant that.
  const { fields: all } = chooseDeltas(handshake);
  const viewers = repeatableFields(all).filter(([name]) => !ofRequest.has(name.toLowerCase()));
  const added = own.filter(isOfRequest);
  const replaced = new Set(added.map(([name]) => name.toLowerCase()));
  return [
    ...inBandFields(viewers, own).filter(([name]) => !replaced.has(name.toLowerCase())),
    ...added,
    ["Accept-Encoding", "identity"],
    ...(site === undefined ? [] : [["Sec-Fetch-Site", site] as const]),
    ["Sec-Fetch-Mode", "cors"],
  ];
}

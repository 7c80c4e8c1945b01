import { type Field, fieldValue } from "../protocol/index.ts";
import type { Origin, OriginRequest, OriginResponse } from "./ports/origin.ts";

/**
 * Answers a request of one viewer.
 *
 * @param next - asks the origin behind, with this request or another one
 */
export type ViewerAnswer = (
  request: OriginRequest,
  next: (request: OriginRequest) => Promise<OriginResponse>,
) => OriginResponse | Promise<OriginResponse>;

/** What belongs to the origin's own history of the resource, and not to what one viewer is shown of it. */
const ofTheJournal = /^(?:event-id|item-order)$/i;
/** Conditions of a read: the origin's validators don't know what `answer` makes of its document. */
const ofTheReader = /^(?:if-match|if-none-match|if-modified-since|if-unmodified-since|if-range|range)$/i;
/** What the origin says of its own document, and of no other. */
const ofTheDocument = /^(?:etag|last-modified|content-length|digest|content-digest|repr-digest)$/i;

function without(fields: readonly Field[], left: RegExp): Field[] {
  return fields.filter(([name]) => !left.test(name));
}

function isRead({ method }: OriginRequest): boolean {
  return method === "GET" || method === "HEAD";
}

/** @throws TypeError where what the application returned is no answer */
function checked(answer: OriginResponse, { method, target }: OriginRequest): OriginResponse {
  if (Number.isInteger(answer?.status) && Array.isArray(answer.fields) && answer.body !== undefined) return answer;
  throw new TypeError(`forViewers: the answer to ${method} ${target} must have status, fields and body.`);
}

/**
 * Puts users in front of an origin that knows none, such as a scaffold's: what `answer` refuses, leaves out or changes
 * holds for what is followed, too. No answer to a GET or HEAD is followed by the journal, which would tell everybody
 * everything; each is a derived view of its viewer, looked at again when a change concerns its collection. The hub
 * needs its `derived` option for that; a scaffold brings it.
 *
 * Reads are asked for without conditions and are `Cache-Control: private` unless `answer` says otherwise, and an answer
 * with another body than the origin's has none of its validators: they would tell of what was left out.
 *
 * @param origin - the origin behind
 * @param answer - decides, for each request, reads and writes alike, what its viewer is answered. What it throws is
 * answered with 500
 */
export function forViewers(origin: Origin, answer: ViewerAnswer): Origin {
  return async (request) => {
    const isReading = isRead(request);
    const asked = isReading ? { ...request, fields: without(request.fields, ofTheReader) } : request;
    const given = new Map<string, OriginResponse["body"]>();
    const next: Origin = async (inner) => {
      const response = await origin(inner);
      given.set(fieldValue(response.fields, "etag") ?? "", response.body);
      return response;
    };
    const { status, fields, body, notLive } = checked(await answer(asked, next), request);
    const etag = fieldValue(fields, "etag");
    const isChanged = isReading && etag !== undefined && given.has(etag) && given.get(etag) !== body;
    const kept = without(isChanged ? without(fields, ofTheDocument) : fields, ofTheJournal);
    const isSaid = kept.some(([name]) => /^cache-control$/i.test(name));
    if (isReading && !isSaid) kept.push(["Cache-Control", "private"]);
    return { status, fields: kept, body, ...(notLive === undefined ? {} : { notLive }) };
  };
}

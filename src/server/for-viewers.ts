import type { Origin, OriginRequest, OriginResponse } from "./origin.ts";

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

/**
 * Puts users in front of an origin that knows none, such as a scaffold's: what `answer` refuses, leaves out or changes
 * holds for what is followed, too. No answer to a GET or HEAD is followed by the journal, which would tell everybody
 * everything; each is a derived view of its viewer, looked at again when a change concerns its collection. The hub
 * needs its `derived` option for that.
 *
 * @param origin - the origin behind
 * @param answer - decides, for each request, reads and writes alike, what its viewer is answered. What it throws is
 * answered with 500
 */
export function forViewers(origin: Origin, answer: ViewerAnswer): Origin {
  return async (request) => {
    const { status, fields, body } = await answer(request, origin);
    return { status, fields: fields.filter(([name]) => !ofTheJournal.test(name)), body };
  };
}

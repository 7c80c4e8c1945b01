import { createProblem, type Field, problemResponse } from "../../protocol/index.ts";
import type { OriginResponse } from "../ports/origin.ts";

const retryAfter: Field = ["Retry-After", "10"];

/** The refusal where there is no room for a document [R-SEC-5]. */
export function noRoom(status: 429 | 503): OriginResponse {
  const detail =
    status === 429
      ? "The documents that this viewer follows are larger together than one viewer's may be. UNSUBSCRIBE one."
      : "The documents that are followed are larger together than the server takes. Try again later.";
  return problemResponse(createProblem(status, detail), [retryAfter]);
}

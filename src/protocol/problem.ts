import type { Field, HttpResponse } from "./message.ts";
import { reasonPhrase } from "./notification.ts";

/** Why a request or subscription was refused or ended (RFC 9457). Further members extend it. */
export interface Problem {
  /** A URI that names the kind of problem; `about:blank` where the status says all. */
  readonly type: string;
  /** The kind in a few words. */
  readonly title: string;
  /** The HTTP status. */
  readonly status: number;
  /** This one case, for a person. */
  readonly detail: string;
  readonly [extension: string]: unknown;
}

/** No sentence for a person is longer, in UTF-16 units: what is may have grown with what a peer sent [R-SEC-10]. */
const maxDetail = 3_000;

/**
 * Makes a problem: type `about:blank`, and the status' reason phrase as the title.
 *
 * @param detail - this one case, for a person; never the text of a caught exception. Cut at 3,000 characters
 * @param extensions - further members; a `type` or `title` among them wins over the default
 */
export function createProblem(
  status: number,
  detail: string,
  extensions: Readonly<Record<string, unknown>> = {},
): Problem {
  const shown = detail.length <= maxDetail ? detail : `${detail.slice(0, maxDetail)}…`;
  return { type: "about:blank", title: reasonPhrase(status), ...extensions, status, detail: shown };
}

/** The response that carries a problem: `Content-Type: application/problem+json`, then `fields` [R-SUB-11]. */
export function problemResponse(problem: Problem, fields: readonly Field[] = []): HttpResponse {
  return {
    status: problem.status,
    reason: reasonPhrase(problem.status),
    fields: [["Content-Type", "application/problem+json"], ...fields],
    body: JSON.stringify(problem),
  };
}

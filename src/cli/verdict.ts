import { fieldValue, type HttpResponse, retryClass } from "../protocol/index.ts";
import type { Ending } from "./link.ts";
import { describeStatus, parseRetryAfter, problemDetail } from "./refusal.ts";

/** What follows from the end of a connection. */
export type Verdict =
  /** The stream is over as it should be. */
  | { readonly next: "stop"; readonly why: string }
  /** The same would happen again. */
  | { readonly next: "fail"; readonly why: string }
  /** Offer no subprotocol, at once. */
  | { readonly next: "downgrade" }
  | { readonly next: "retry"; readonly why: string; readonly waitMs: number };

function bodyText({ body }: HttpResponse): string {
  return typeof body === "string" ? body : new TextDecoder().decode(body);
}

function withHint(status: number, why: string, location: string | undefined): string {
  if (status === 401) return `${why} (give credentials with --header "Authorization: …")`;
  return status < 400 && location !== undefined ? `${why} (it is at ${location})` : why;
}

function byStatus(status: number, why: string, location: string | undefined, waitMs: number | undefined): Verdict {
  const canRetry = status >= 300 && retryClass(4000 + status) === "retry";
  if (canRetry) return { next: "retry", why, waitMs: waitMs ?? 0 };
  return { next: "fail", why: withHint(status, why, location) };
}

function byProblem(problem: HttpResponse): Verdict {
  const { status, fields } = problem;
  const why = describeStatus(status, problemDetail(bodyText(problem)));
  return byStatus(status, why, fieldValue(fields, "Location"), parseRetryAfter(fieldValue(fields, "Retry-After")));
}

function byClose(code: number, reason: string): Verdict {
  if (code >= 4300 && code < 4600)
    return byStatus(code - 4000, describeStatus(code - 4000, reason || undefined), undefined, undefined);
  const said = reason === "" ? `close code ${code}` : reason;
  switch (retryClass(code)) {
    case "stop":
      return { next: "stop", why: reason };
    case "retry":
      return { next: "retry", why: code === 1006 && reason === "" ? "the connection broke" : said, waitMs: 0 };
    default:
      return { next: "fail", why: `the server ended the stream: ${said}` };
  }
}

/** Decides what a client does after a connection ended [R-CLOSE-1]. */
export function judge(ending: Ending, problem?: HttpResponse): Verdict {
  if (problem) return byProblem(problem);
  switch (ending.kind) {
    case "no-echo":
      return { next: "downgrade" };
    case "garbled":
      return { next: "fail", why: ending.reason };
    case "refused":
      return byStatus(ending.status, ending.detail, ending.location, ending.retryAfterMs);
    case "unreachable":
      if (ending.isPermanent) return { next: "fail", why: ending.reason };
      return { next: "retry", why: ending.reason, waitMs: 0 };
    case "closed":
      return byClose(ending.code, ending.reason);
  }
}

import { fieldValue, type HttpResponse, type Problem } from "../protocol/index.ts";

/** A refusal by the server, as an error that can be thrown. Its message is the problem's detail. */
export class ProblemError extends Error {
  /** Tells it from other errors, also in a bundle that renames classes. */
  readonly code = "problem";
  /** What the server said (RFC 9457). */
  readonly problem: Problem;

  /** @param problem - what the server said */
  constructor(problem: Problem) {
    super(problem.detail);
    this.name = "ProblemError";
    this.problem = problem;
  }
}

/** What tells the client's own errors apart, in `code`. The others are mistakes of the caller. */
export type ClientErrorCode = "problem" | "conflict" | "unanswered" | "closed" | "never-created";

/** A `TypeError` that programs can tell apart. */
export function codedError(code: ClientErrorCode, message: string, options?: ErrorOptions): TypeError {
  return Object.assign(new TypeError(message, options), { code });
}

/** A problem that the client itself states. */
export function localProblem(status: number, detail: string): Problem {
  return { type: "about:blank", title: detail, status, detail };
}

/** The body as text. */
export function bodyText({ body }: HttpResponse): string {
  return typeof body === "string" ? body : new TextDecoder().decode(body);
}

/** The body's JSON; `undefined` where it is none. */
export function bodyJson(message: HttpResponse): unknown {
  try {
    return JSON.parse(bodyText(message));
  } catch {
    return undefined;
  }
}

/** The problem in an answer; one is made where the server sent none. */
export function problemOf(message: HttpResponse): Problem {
  const { status, fields } = message;
  const location = fieldValue(fields, "location");
  const said = Object(bodyJson(message));
  const own = localProblem(status, location ? `It is at ${location} now.` : `The server answered ${status}.`);
  if (typeof said.detail === "string") return { ...own, ...said, status };
  return location ? { ...own, location } : own;
}

/** Milliseconds that the server asks to wait; 0 where it doesn't (RFC 9110 §10.2.3). */
export function retryAfterMs(answer: HttpResponse | undefined): number {
  const value = fieldValue(answer?.fields ?? [], "retry-after") ?? "";
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return ms > 0 ? Math.min(ms, 3_600_000) : 0;
}

/** True for statuses after which the same may work later. */
export function isTransient(status: number): boolean {
  return status >= 500 || [408, 413, 425, 429].includes(status);
}

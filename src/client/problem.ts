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
export type ClientErrorCode = "problem" | "conflict" | "unanswered" | "closed" | "never-created" | "no-batch";

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

/** A body that is no problem is kept with one up to so many characters. */
const maxBodyLength = 16_384;
/** A text that is no longer is a sentence for a person. */
const maxSentenceLength = 300;

function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}

/** The sentence for a person in a body that is no problem: as most frameworks name it. */
function sentenceIn(body: unknown): string | undefined {
  const { message, error, title, errors } = Object(body);
  const texts = [body, message, error, Object(error).message, title, errors, Object(Object(errors)[0]).message];
  return texts.find((text): text is string => isText(text) && text.length <= maxSentenceLength);
}

/**
 * The problem in an answer (RFC 9457), with all its members; one is made where the server sent none. Then `body` has the
 * JSON or the plain text that it sent, up to 16,384 characters.
 */
export function problemOf(message: HttpResponse): Problem {
  const { status, fields } = message;
  const location = fieldValue(fields, "location");
  const own = {
    ...localProblem(status, location ? `It is at ${location} now.` : `The server answered ${status}.`),
    ...(location && { location }),
  };
  const type = fieldValue(fields, "content-type") ?? "";
  const json = bodyJson(message);
  const said = Object(json);
  if (isText(said.detail) || (/^application\/problem\+json/i.test(type) && json === said && !Array.isArray(json))) {
    const title = isText(said.title) ? said.title : undefined;
    const detail = isText(said.detail) ? said.detail : (title ?? own.detail);
    return { ...own, ...said, type: isText(said.type) ? said.type : own.type, title: title ?? detail, status, detail };
  }
  const body = json ?? (/^text\/plain/i.test(type) ? bodyText(message) : undefined);
  if (body === undefined || bodyText(message).length > maxBodyLength) return own;
  const detail = sentenceIn(body) ?? own.detail;
  return { ...own, title: detail, detail, body };
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

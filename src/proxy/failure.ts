import { tooManyChunks } from "../node/index.ts";
import { createProblem, type HttpResponse, problemResponse } from "../protocol/index.ts";

const late = new Set(["ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"]);
const unreadable = new Set([
  "ERR_INVALID_CHAR",
  "UPSTREAM_UNREADABLE",
  "UND_ERR_HEADERS_OVERFLOW",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
]);
const lost = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);

/** A request's body comes in too many too small chunks: its connection has to end. */
export class TooManyChunksError extends Error {
  constructor() {
    super(tooManyChunks);
  }
}
/**
 * How often a safe request is sent again where its connection was lost: over another one that is kept alive, and then, as all
 * of these may have died, over a new one.
 */
export const maxRepeats = 2;

/** Too many exchanges wait for a connection to the upstream. */
export class BusyError extends Error {
  readonly code = "UPSTREAM_BUSY";
}

/** An answer's body has a transfer coding that nobody asked for, and nobody undoes. */
export class UnreadableError extends Error {
  readonly code = "UPSTREAM_UNREADABLE";
}

/** The code of an error; empty where it has none. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}

/** True where a connection broke before an answer came: a kept-alive one may have been closed just then. */
export function isLostConnection(error: unknown): boolean {
  return lost.has(codeOf(error));
}

/** True where an answer came that is no HTTP. undici gives its parser's errors no code that can be relied on. */
function isUnreadable(error: unknown, code: string): boolean {
  return (
    unreadable.has(code) || code.startsWith("HPE_") || (error instanceof Error && error.name === "HTTPParserError")
  );
}

/** The answer to a request that the upstream did not answer: 504 where it was too slow, else 502. */
export function failureResponse(error: unknown): HttpResponse {
  const code = codeOf(error);
  if (late.has(code)) return problemResponse(createProblem(504, "The upstream did not answer in time."));
  if (error instanceof BusyError) {
    return problemResponse(createProblem(503, "Too many requests wait for the upstream."), [["Retry-After", "1"]]);
  }
  if (error instanceof TooManyChunksError) return problemResponse(createProblem(400, tooManyChunks));
  if (code === "UND_ERR_INVALID_ARG") return problemResponse(createProblem(400, "The request can't be passed on."));
  if (isUnreadable(error, code)) {
    return problemResponse(createProblem(502, "The upstream's answer can't be read."));
  }
  return problemResponse(createProblem(502, "The upstream can't be reached."), [["Retry-After", "1"]]);
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was reset",
  ENOTFOUND: "there is no host of that name",
  EAI_AGAIN: "its name could not be looked up",
  UND_ERR_CONNECT_TIMEOUT: "it did not take the connection in time",
  UND_ERR_SOCKET: "it closed the connection",
};

/** Tells once that the upstream can't be reached, and once that it is back. */
export class Health {
  readonly #name: string;
  readonly #log: (line: string) => void;
  #isDown = false;

  /** @param name - the upstream as its operator wrote it */
  constructor(name: string, log: (line: string) => void) {
    this.#name = name;
    this.#log = log;
  }

  answered(): void {
    if (!this.#isDown) return;
    this.#isDown = false;
    this.#log(`${this.#name} is back.`);
  }

  failed(error: unknown): void {
    if (this.#isDown || failureResponse(error).status !== 502) return;
    this.#isDown = true;
    const why = reasons[codeOf(error)] ?? (error instanceof Error ? error.message : String(error));
    this.#log(`Can't get an answer from ${this.#name}: ${why}. Requests are answered with 502 until it is back.`);
  }
}

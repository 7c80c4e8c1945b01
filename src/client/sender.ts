import { fieldValue, type HttpResponse, parseAnyItems, resolvePointer, wellKnownPath } from "../protocol/index.ts";
import type { ClientClock } from "./clock.ts";
import { hasMembers } from "./deep-equal.ts";
import type { Http } from "./http.ts";
import { bodyJson, codedError, isTransient, localProblem, ProblemError, problemOf, retryAfterMs } from "./problem.ts";
import { type RowVersions, strong } from "./row-urls.ts";
import { ConflictError, type StoredWrite } from "./write.ts";

/** How long a write may take until it counts as lost. */
const writeTimeoutMs = 30_000;

/** Where several writes go as one, below the base path [R-BATCH-1]. */
export const batchPath: string = `${wellKnownPath}/batch`;

const methods = { create: "POST", update: "PATCH", destroy: "DELETE" } as const;

/** The record in an answer: below the pointer that `Items` tells, or the only member of an envelope that looks like one. */
export function rowIn(answer: HttpResponse): unknown {
  const body = bodyJson(answer);
  const pointer = parseAnyItems(fieldValue(answer.fields, "items") ?? "")?.record;
  if (pointer !== undefined) return resolvePointer(body, pointer);
  if (typeof body !== "object" || body === null) return undefined;
  const [only, ...others] = Object.values(body);
  const row = others.length === 0 && typeof only === "object" && only !== null ? only : body;
  return Array.isArray(row) ? undefined : row;
}

/** True for statuses by which a gateway, or an overloaded server, says that it can't answer now. */
export function isGatewayStatus(status: number): boolean {
  return isTransient(status) && status !== 413 && status !== 500 && status !== 501;
}

/**
 * The record in the answer to a write: that, or a member of it, which looks like what was written, one that has a URL before
 * others; `undefined` where there is none, as in `{"ok":true}`.
 */
export function writtenIn(
  answer: HttpResponse,
  values: object,
  urlOf: (row: unknown) => string | undefined = () => undefined,
): object | undefined {
  const body = bodyJson(answer);
  // A list is no record, and which of its rows is the one nobody can tell.
  const objects = [rowIn(answer), body, ...(Array.isArray(body) ? [] : Object.values(Object(body)))].filter(
    (one): one is object => typeof one === "object" && one !== null && !Array.isArray(one),
  );
  const alike = objects.filter((one) => Object.keys(values).some((name) => Object.hasOwn(one, name)));
  const isListed = (one: object): boolean => urlOf(one) !== undefined;
  return alike.find(isListed) ?? objects.find(isListed) ?? alike[0];
}

/** The server can't be asked now. */
export class Unanswered extends Error {
  readonly leastMs: number;

  /** @param leastMs - what it asks to wait, at least */
  constructor(leastMs: number) {
    super("The server can't be asked now.");
    this.leastMs = leastMs;
  }
}

/** True for the error of a request that no connection came about for: nothing of it was sent. A browser does not tell. */
export function wasNeverSent(error: Error): boolean {
  const { errors } = Object(error.cause);
  // One for each address that was tried.
  const causes: unknown[] = Array.isArray(errors) ? errors : [error.cause];
  return causes.every((one) => {
    const { syscall, code } = Object(one);
    return syscall === "connect" || syscall === "getaddrinfo" || code === "UND_ERR_CONNECT_TIMEOUT";
  });
}

/**
 * What the maker of a write is told that is not sent again, though it got no answer of the application's own. A 502 or 504
 * says no more than that none came to who stands between: it may have been done.
 */
export function unanswered({ kind }: Pick<StoredWrite, "kind">, url: string, answer: HttpResponse | Error): Error {
  const cause = answer instanceof Error ? answer : new ProblemError(problemOf(answer));
  if (!(answer instanceof Error) && answer.status !== 502 && answer.status !== 504) return cause;
  const text = `No answer came to ${methods[kind]} ${url}. It may have been done or not, and is not sent again, since the server does not promise idempotency-key.`;
  return codedError("unanswered", text, { cause });
}

/** What sending needs. */
export interface SenderOptions {
  readonly http: Http;
  readonly clock: ClientClock;
  readonly versions: RowVersions;
  /** Ends what is on its way. */
  readonly signal: AbortSignal;
}

/** Sends writes over HTTP, guarded by the version that the writer saw where that is wanted. */
export class Sender {
  readonly #options: SenderOptions;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /**
   * The validator of the version that a guarded write's author saw; `undefined` where there is none. Where no strong one is
   * known, the record is compared first.
   *
   * @throws Unanswered where the server can't tell now
   * @throws ConflictError where it has another version by now
   * @throws ProblemError where it refuses to show the record
   */
  async guard(write: StoredWrite, url: string): Promise<string | undefined> {
    const { base, etag } = write;
    if (etag !== undefined || base === undefined) return etag;
    const known = this.#options.versions.get(base);
    if (known !== undefined) return known;
    const { http, signal } = this.#options;
    const answer = await http.ask(url, { signal, cache: "no-store" }).catch(() => undefined);
    if (!answer || isTransient(answer.status)) throw new Unanswered(retryAfterMs(answer));
    const { status } = answer;
    const isGone = status === 404 || status === 410;
    if (status >= 300 && !isGone) throw new ProblemError(problemOf(answer));
    const body = bodyJson(answer);
    const isSame = !isGone && [body, ...Object.values(Object(body))].some((one) => hasMembers(one, base));
    const validator = fieldValue(answer.fields, "etag");
    if (isSame) return validator && strong(validator);
    const problem = localProblem(412, "The record is not the one that was seen.");
    throw new ConflictError(problem, { url, mine: write.values, theirs: isGone ? undefined : rowIn(answer) });
  }

  /** Sends a write. @throws TypeError where no answer comes */
  request(write: StoredWrite, url: string, isIdempotent: boolean): Promise<HttpResponse> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (isIdempotent) headers["Idempotency-Key"] = `"${write.id}"`;
    if (write.etag !== undefined) headers["If-Match"] = write.etag;
    const isDestroy = write.kind === "destroy";
    if (!isDestroy) headers["Content-Type"] = "application/json";
    const body = isDestroy ? {} : { body: JSON.stringify(write.values) };
    return this.#ask(url, { method: methods[write.kind], headers, ...body });
  }

  /** Sends the writes of a batch as one [R-BATCH-1]. @param urls - where each goes @throws TypeError where no answer comes */
  requestBatch(writes: readonly StoredWrite[], urls: readonly string[], isIdempotent: boolean): Promise<HttpResponse> {
    const headers: Record<string, string> = { Accept: "application/json", "Content-Type": "application/json" };
    if (isIdempotent) headers["Idempotency-Key"] = `"${writes[0]?.batch}"`;
    const requests = writes.map(({ kind, values, etag }, at) => ({
      method: methods[kind],
      url: urls[at],
      ...(etag === undefined ? {} : { fields: { "If-Match": etag } }),
      ...(kind === "destroy" ? {} : { body: values }),
    }));
    return this.#ask(batchPath, { method: "POST", headers, body: JSON.stringify(requests) });
  }

  async #ask(url: string, init: RequestInit): Promise<HttpResponse> {
    const { http, clock, signal } = this.#options;
    const timeout = new AbortController();
    const stop = () => timeout.abort();
    signal.addEventListener("abort", stop);
    const cancel = clock.setTimer(stop, writeTimeoutMs);
    try {
      return await http.ask(url, { ...init, signal: timeout.signal });
    } finally {
      cancel();
      signal.removeEventListener("abort", stop);
    }
  }
}

import { type Field, fieldValue, type HttpResponse, utf8Length } from "../protocol/index.ts";
import { bodyJson } from "./problem.ts";
import type { Connection } from "./socket-connection.ts";

/** The fields that count in band whatever the server is configured with [R-BAND-9, R-BAND-15]. */
const known = [
  ...["accept", "accept-language", "authorization", "content-encoding", "content-language", "content-type"],
  ...["idempotency-key", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"],
  ...["prefer", "range"],
];

/** What a message's head may have at most. */
const maxHeadBytes = 16 * 1024;

/** What a server says of the requests that it takes in band. */
interface Taken {
  readonly methods: readonly string[];
  readonly fields: readonly string[];
  readonly maxBodyBytes: number;
}

type Body = string | Uint8Array<ArrayBuffer>;

interface Asked {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly Field[];
  readonly body: Body;
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function takenBy(wellKnown: HttpResponse | undefined): Taken {
  const said = wellKnown && (bodyJson(wellKnown) as { rocket?: Record<string, Record<string, unknown>> } | undefined);
  const { requests, limits } = said?.rocket ?? {};
  const maxMessageBytes = Number(limits?.maxMessageBytes) || 0;
  return {
    methods: textsOf(requests?.methods),
    fields: [...known, ...textsOf(requests?.fields)],
    maxBodyBytes: maxMessageBytes - maxHeadBytes,
  };
}

/** A request's body as a message carries it, with the type that `fetch` gives it; `undefined` for what only HTTP carries. */
function bodyOf(body: unknown): { readonly body: Body; readonly type?: string } | undefined {
  if (body === undefined || body === null) return { body: "" };
  if (typeof body === "string") return { body, type: "text/plain;charset=UTF-8" };
  if (body instanceof URLSearchParams)
    return { body: String(body), type: "application/x-www-form-urlencoded;charset=UTF-8" };
  if (body instanceof ArrayBuffer) return { body: new Uint8Array(body) };
  return undefined;
}

/** What is asked in band; `undefined` where it has to go over HTTP. */
function askedOf(url: string, init: RequestInit, taken: Taken): Asked | undefined {
  const { method: given = "GET", credentials, redirect = "follow", keepalive, integrity } = init;
  const method = /^(?:get|head|post|put|delete|options)$/i.test(given) ? given.toUpperCase() : given;
  const content = bodyOf(init.body);
  const isPlatforms = credentials === "omit" || redirect !== "follow" || keepalive || integrity;
  if (!content || isPlatforms || !taken.methods.includes(method)) return undefined;
  const { body, type } = content;
  const headers = new Headers(init.headers);
  if (type !== undefined && !headers.has("content-type")) headers.set("Content-Type", type);
  if (!headers.has("accept")) headers.set("Accept", "*/*");
  const fields: Field[] = [...headers];
  const { pathname, search } = new URL(url);
  const target = pathname + search;
  const headBytes = fields.reduce((sum, [name, value]) => sum + name.length + value.length + 4, target.length + 128);
  const length = typeof body === "string" ? utf8Length(body) : body.length;
  const fits = headBytes <= maxHeadBytes && target.length < maxHeadBytes / 2 - 128 && length <= taken.maxBodyBytes;
  return fits && fields.every(([name]) => taken.fields.includes(name)) ? { method, target, fields, body } : undefined;
}

function responseOf({ status, reason, fields, body }: HttpResponse, url: string, isHead: boolean): Response {
  const headers = new Headers();
  for (const [name, value] of fields) if (!/^request-id$/i.test(name)) headers.append(name, value);
  const content = isHead || /^(?:204|205|304)$/.test(String(status)) ? null : (body as Body);
  const response = new Response(content, { status, statusText: reason, headers });
  return Object.defineProperty(response, "url", { value: url });
}

/** Resolves as the promise does, or rejects with the signal's reason. */
function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal | null | undefined): Promise<Value> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    void promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** True where an answer says that the request was not carried out, and may be over HTTP [R-BAND-19]. */
function isForHttp({ status }: HttpResponse, { method, fields }: Asked): boolean {
  if (status === 421 || status === 307 || status === 308) return true;
  // The handshake's cookies may be older than the page's.
  if (status === 401 || status === 403) return fieldValue(fields, "authorization") === undefined;
  const isSafe = /^(?:GET|HEAD|OPTIONS)$/.test(method);
  return isSafe && (status === 501 || status === 502 || (status >= 300 && status < 400 && status !== 304));
}

/**
 * As `fetch`, over an open connection. What can't go in band, what the server wants over HTTP, and what is safe and lost its
 * connection, is sent over HTTP.
 *
 * @throws TypeError where the connection ended before the answer to a request that may write [R-BAND-18]
 */
export async function fetchInBand(
  connection: Connection,
  fetch: typeof globalThis.fetch,
  url: string,
  init: RequestInit = {},
): Promise<Response> {
  const asked = askedOf(url, init, takenBy(connection.wellKnown));
  if (!asked) return fetch(url, init);
  const { signal } = init;
  signal?.throwIfAborted();
  const answer = await unlessAborted(connection.ask(asked), signal);
  const isHead = asked.method === "HEAD";
  if (!answer) {
    if (isHead || asked.method === "GET") return fetch(url, init);
    throw new TypeError(`The connection ended before an answer to ${asked.method} ${asked.target} came.`);
  }
  if (isForHttp(answer, asked)) return fetch(url, init);
  const location = fieldValue(answer.fields, "location");
  if (/^30[123]$/.test(String(answer.status)) && location !== undefined) {
    // As `fetch` does after a write: its result is elsewhere.
    const accept = fieldValue(asked.fields, "accept") ?? "*/*";
    return fetch(new URL(location, url).href, { headers: { Accept: accept }, ...(signal ? { signal } : {}) });
  }
  return responseOf(answer, url, isHead);
}

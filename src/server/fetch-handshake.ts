import { chooseSubprotocol, createProblem, type Field, offeredSubprotocols } from "../protocol/index.ts";
import type { Handshake } from "./stream/handshake.ts";

/** A WebSocket handshake that came as a `Request`. */
export interface FetchHandshake extends Handshake {
  /** What the answer's `Sec-WebSocket-Protocol` has to be; absent where it has to have none. */
  readonly subprotocol?: string;
}

/** Who may open WebSockets. */
export interface FetchHandshakeOptions {
  /** Web origins, beside the server's own, whose pages may: `https://app.example.com`. Default none. */
  readonly allowOrigins?: readonly string[];
}

/** Whether a page of another origin asks. A proxy that ends TLS hides the scheme, so only the hosts are compared. */
function isForeign(request: Request, allowOrigins: readonly string[]): boolean {
  const origin = request.headers.get("origin");
  // A page of another origin that leaves Origin out is known by this (Fetch Metadata).
  if (origin === null) return /^(?:cross|same)-site$/.test(request.headers.get("sec-fetch-site") ?? "");
  if (allowOrigins.includes(origin)) return false;
  const host = request.headers.get("host") ?? new URL(request.url).host;
  if (!URL.canParse(origin) || !URL.canParse(`http://${host}`)) return true;
  const withoutDefaultPort = (text: string): string => text.replace(/:(?:80|443)$/, "");
  return withoutDefaultPort(new URL(origin).host) !== withoutDefaultPort(new URL(`http://${host}`).host);
}

/**
 * Reads a WebSocket handshake on a platform that speaks `fetch` [R-L1-1] [R-SEC-1] [R-SEC-3].
 *
 * @returns the handshake for the hub; the refusal of a page of another origin; `undefined` where the request is none
 */
export function readHandshake(
  request: Request,
  { allowOrigins = [] }: FetchHandshakeOptions = {},
): FetchHandshake | Response | undefined {
  const { headers, method, url } = request;
  if (method !== "GET" || headers.get("upgrade")?.toLowerCase() !== "websocket") return undefined;
  if (isForeign(request, allowOrigins)) {
    const problem = createProblem(403, "Pages of that origin may not use this server.");
    return Response.json(problem, { status: 403, headers: { "Content-Type": "application/problem+json" } });
  }
  const offered = offeredSubprotocols(headers.get("sec-websocket-protocol"));
  const { level, echo, bearer } = chooseSubprotocol(offered);
  const fields: Field[] = [...headers].filter(([name]) => name !== "sec-websocket-protocol");
  if (bearer !== undefined && !headers.has("authorization")) fields.push(["Authorization", `Bearer ${bearer}`]);
  const { pathname, search } = new URL(url);
  return {
    level,
    target: pathname + search,
    fields,
    // The application may have CORS rules of its own.
    ...(isForeign(request, []) && { mayWrite: false }),
    ...(echo === undefined ? {} : { subprotocol: echo }),
  };
}

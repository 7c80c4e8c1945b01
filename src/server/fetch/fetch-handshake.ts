import { chooseSubprotocol, createProblem, offeredSubprotocols } from "../../protocol/index.ts";
import type { Handshake } from "../stream/handshake.ts";
import { fieldsOfRequest, isForeign, targetOfRequest } from "./fetch-request.ts";

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

/** The refusal of a page of another origin [R-SEC-1]. */
export function refuseForeign(): Response {
  const problem = createProblem(403, "Pages of that origin may not use this server.");
  return Response.json(problem, { status: 403, headers: { "Content-Type": "application/problem+json" } });
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
  const { headers, method } = request;
  if (method !== "GET" || headers.get("upgrade")?.toLowerCase() !== "websocket") return undefined;
  if (isForeign(request, allowOrigins)) return refuseForeign();
  const offered = offeredSubprotocols(headers.get("sec-websocket-protocol"));
  const { level, echo, bearer } = chooseSubprotocol(offered);
  const fields = fieldsOfRequest(request).filter(([name]) => name !== "sec-websocket-protocol");
  if (bearer !== undefined && !headers.has("authorization")) fields.push(["Authorization", `Bearer ${bearer}`]);
  return {
    level,
    target: targetOfRequest(request),
    fields,
    // The application may have CORS rules of its own.
    ...(isForeign(request, []) && { mayWrite: false }),
    ...(echo === undefined ? {} : { subprotocol: echo }),
  };
}

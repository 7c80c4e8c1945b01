import type { IncomingMessage } from "node:http";

// A registered symbol, so that two copies of the package know each other's requests. No peer can set it.
const mark = Symbol.for("rocket-rest.request");

/** Marks a socket as Rocket's own. */
export function markSocket(socket: object): void {
  Object.defineProperty(socket, mark, { value: true });
}

/** True for a socket that is Rocket's own. */
export function isMarked(socket: unknown): boolean {
  try {
    return typeof socket === "object" && socket !== null && mark in socket;
  } catch {
    // What HTTP/2 shows as a socket throws once its session has ended.
    return false;
  }
}

/**
 * True where a request was made by Rocket itself, to look at a document on a follower's behalf: for an application that
 * exempts such requests from rate limits, access logs or session renewal. It can't be forged from outside.
 *
 * @param request - Node's request: `req` in Express, `request.raw` in Fastify, `ctx.req` in Koa, `c.env.incoming` in Hono
 */
export function isRocketRequest(request: Pick<IncomingMessage, "socket">): boolean {
  return isMarked(request.socket);
}

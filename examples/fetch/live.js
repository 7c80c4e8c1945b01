// What makes any such function live, on every platform: a hub that asks it.
import { createHub, originFromFetch, readHandshake, withStreams } from "rocket-rest/server";

/** @param app - the application: a function from Request to Response */
export function makeLive(app) {
  const hub = createHub({
    // What is written in band is told by the same function as what is written over HTTP.
    origin: originFromFetch(answer, { scheme: "http" }),
    derived: {},
    hasStreams: true,
    onError: (error, { stage }) => console.error(stage, error),
  });

  /** Asks the application, and says what a write may have changed. */
  async function answer(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/.well-known/rocket") return responseOf(hub.wellKnown());
    const response = await app(request);
    const isWrite = !["GET", "HEAD", "OPTIONS"].includes(request.method);
    if (isWrite && (response.status < 400 || response.status > 499)) hub.changed([pathname]);
    return response;
  }

  /** The handshake of a WebSocket and, at Level 0, what allows it; or a refusal; or undefined: it is another request. */
  async function admit(request) {
    const handshake = readHandshake(request);
    if (!handshake || handshake instanceof Response) return handshake;
    if (hub.isFull) return new Response("Too many connections.", { status: 503, headers: { "Retry-After": "5" } });
    if (handshake.level === 1) return { handshake };
    const authorised = await hub.authorise(handshake);
    return authorised.kind === "refused" ? responseOf(authorised.response) : { handshake, authorised };
  }

  // Streams over plain HTTP where the application has none, for whoever asks for one.
  return { hub, answer: withStreams(hub, answer), admit };
}

function responseOf({ status, fields, body }) {
  return new Response(body, { status, headers: [...fields] });
}

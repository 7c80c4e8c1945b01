import type { IncomingMessage, ServerResponse } from "node:http";
import { createProblem, type Field, problemResponse, wellKnownPath } from "../protocol/index.ts";
import type { Hub, Origin, OriginResponse } from "../server/index.ts";
import type { Access } from "./access.ts";
import { requestFields } from "./fields.ts";

/** What plain HTTP needs. */
export interface ListenerParts {
  readonly origin: Origin;
  readonly hub: Hub;
  readonly access: Access;
  readonly maxBodyBytes: number;
  readonly reportError: (error: unknown, stage: string) => void;
}

const exposed = "Content-Location, ETag, Event-ID, Item-Order, Items, Link, Location, Retry-After";

/** The whole body, or `undefined` where it is larger than allowed. */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += (part as Buffer).length;
    if (bytes > maxBytes) return undefined;
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}

function send(response: ServerResponse, answer: OriginResponse, extra: readonly Field[], isHead: boolean): void {
  const body = typeof answer.body === "string" ? Buffer.from(answer.body) : answer.body;
  const hasBody = answer.status !== 204 && answer.status !== 304;
  for (const [name, value] of [...answer.fields, ...extra]) response.appendHeader(name, value);
  // A HEAD answer that made no body does not know its length.
  if (hasBody && !response.hasHeader("content-length") && (!isHead || body.length > 0)) {
    response.setHeader("Content-Length", body.length);
  }
  response.writeHead(answer.status);
  response.end(isHead || !hasBody ? undefined : body);
}

/** Answers plain HTTP requests from the origin, with CORS for the origins that the options list. */
export class HttpListener {
  readonly #parts: ListenerParts;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
  }

  /** Answers one request. Never throws; an origin that fails is a 500. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    request.on("error", () => {});
    response.on("error", () => {});
    this.#answer(request).then(
      (answer) => this.#finish(request, response, answer),
      (error: unknown) => {
        if (request.destroyed && !request.complete) return;
        this.#parts.reportError(error, "http");
        this.#finish(request, response, problemResponse(createProblem(500, "The request could not be answered.")));
      },
    );
  }

  #finish(request: IncomingMessage, response: ServerResponse, answer: OriginResponse): void {
    if (response.headersSent || response.destroyed) return;
    try {
      // What is left of a body that was refused is not read: the connection ends with the answer.
      if (!request.complete) response.setHeader("Connection", "close");
      send(response, answer, this.#corsFields(request), request.method === "HEAD");
    } catch (error) {
      this.#parts.reportError(error, "http");
      response.destroy();
    }
  }

  async #answer(request: IncomingMessage): Promise<OriginResponse> {
    const { access, hub, origin, maxBodyBytes } = this.#parts;
    const refusal = access.refuse(request, false);
    if (refusal) return refusal;
    const { method = "GET", url = "/" } = request;
    if (
      method === "OPTIONS" &&
      access.isListed(request.headers.origin) &&
      request.headers["access-control-request-method"]
    ) {
      return { status: 204, fields: [], body: "" };
    }
    if (url.split("?")[0] === wellKnownPath) {
      if (method === "GET" || method === "HEAD") return hub.wellKnown();
      return problemResponse(createProblem(405, `${method} is not served here.`), [["Allow", "GET, HEAD"]]);
    }
    const body = await readBody(request, maxBodyBytes);
    if (!body) return problemResponse(createProblem(413, `A body may have at most ${maxBodyBytes} bytes.`));
    const abort = new AbortController();
    request.socket.once("close", () => abort.abort());
    return origin({ method, target: url, fields: requestFields(request), body, signal: abort.signal });
  }

  #corsFields({ headers }: IncomingMessage): readonly Field[] {
    const { origin } = headers;
    if (!this.#parts.access.isListed(origin)) return [];
    const fields: Field[] = [
      ["Access-Control-Allow-Origin", origin],
      ["Access-Control-Allow-Credentials", "true"],
      ["Access-Control-Expose-Headers", exposed],
      ["Vary", "Origin"],
    ];
    const method = headers["access-control-request-method"];
    if (method) {
      fields.push(["Access-Control-Allow-Methods", method], ["Access-Control-Max-Age", "600"]);
      const asked = headers["access-control-request-headers"];
      if (asked) fields.push(["Access-Control-Allow-Headers", asked]);
    }
    return fields;
  }
}

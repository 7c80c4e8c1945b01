import type { IncomingMessage, ServerResponse } from "node:http";
import {
  commentEvent,
  createProblem,
  encodeRetry,
  type Field,
  problemResponse,
  type StreamChoice,
  type StreamKind,
} from "../protocol/index.ts";
import type { Clock, Handshake, Hub, OriginResponse } from "../server/index.ts";
import { type ClientBounds, transportAddress } from "./client-bounds.ts";
import { plainConditions } from "./compression.ts";
import { handshakeFields } from "./fields.ts";
import { StreamTransport } from "./stream-transport.ts";

/** What streams over plain HTTP need. */
export interface StreamParts {
  readonly hub: Hub;
  readonly bounds: ClientBounds;
  readonly clock: Clock;
  readonly reportError: (error: unknown, stage: string) => void;
  /** What the origin is told of the peer at the transport. */
  readonly peerOf: (request: IncomingMessage) => unknown;
}

/** How long clients wait before they connect again: not all the same time, or they would come back together. */
const retryMs = { least: 1_000, most: 5_000 } as const;

const types: Readonly<Record<StreamKind, string>> = {
  "event-stream": "text/event-stream",
  "http-stream": "application/http;msgtype=response",
};

/** The fields of a stream's head: against caches, transformations, and fronts that hold answers back [R-STR-15]. */
function headFields(kind: StreamKind): readonly Field[] {
  return [
    ["Content-Type", types[kind]],
    ["Cache-Control", "no-store, no-transform"],
    ["X-Accel-Buffering", "no"],
    ["Vary", "Accept"],
  ];
}

/** The fields of the request that is followed: with the rest of its `Accept` [R-STR-2]. */
function followedFields(request: IncomingMessage, { accept }: StreamChoice): Field[] {
  const fields = plainConditions(handshakeFields(request)).filter(([name]) => !/^accept$/i.test(name));
  return accept === undefined ? fields : [...fields, ["Accept", accept]];
}

/** The refusal of a stream beyond the number of connections [R-SEC-5]. */
function fullResponse(): OriginResponse {
  const problem = createProblem(503, "The server has as many connections as it takes. Try again later.");
  return problemResponse(problem, [["Retry-After", "5"]]);
}

/** Answers GETs that ask for a stream: each is a connection with the one subscription to its URL. */
export class StreamHandler {
  readonly #parts: StreamParts;

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  /**
   * Answers a GET or HEAD that asks for a stream. Gives the plain answer where it is refused [R-STR-14].
   *
   * @param extra - further fields of the stream's head
   */
  async answer(
    request: IncomingMessage,
    response: ServerResponse,
    choice: StreamChoice,
    extra: readonly Field[] = [],
  ): Promise<OriginResponse | "taken"> {
    const { bounds, hub, peerOf } = this.#parts;
    if (hub.isFull) return fullResponse();
    const fields = followedFields(request, choice);
    const bound = bounds.enter(transportAddress(request), fields);
    if (typeof bound !== "function") return bound;
    response.once("close", bound);
    const isHead = request.method === "HEAD";
    const asked: Field[] = isHead ? [["Last-Event-ID", "*"]] : [];
    const target = request.url ?? "/";
    const handshake: Handshake = { level: 1, target, fields: [...asked, ...fields], peer: peerOf(request) };
    const opening = await hub.authorise(handshake);
    if (opening.kind === "refused") return opening.response;
    if (response.destroyed) return "taken";
    // Others may have come while this one was being authorised.
    if (hub.isFull) return fullResponse();
    this.#writeHead(response, choice.kind, extra);
    if (isHead) {
      response.end();
      return "taken";
    }
    const connection = hub.connect(new StreamTransport(response, choice.kind), handshake, opening);
    response.on("drain", () => this.#guard(() => connection.drained()));
    response.on("close", () => this.#guard(() => connection.closed()));
    return "taken";
  }

  #writeHead(response: ServerResponse, kind: StreamKind, extra: readonly Field[]): void {
    const { clock } = this.#parts;
    for (const [name, value] of [...headFields(kind), ...extra]) response.appendHeader(name, value);
    // The connection ends with the stream, so that a server that stops needs not wait for it.
    response.shouldKeepAlive = false;
    response.socket?.setNoDelay(true);
    response.writeHead(200);
    response.flushHeaders();
    if (kind !== "event-stream" || response.req.method === "HEAD") return;
    response.write(commentEvent);
    const { least, most } = retryMs;
    response.write(encodeRetry(Math.floor(least + clock.random() * (most - least))));
  }

  /** What is called by an event of a connection must not end the process [R-SEC-4]. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#parts.reportError(error, "connection");
    }
  }
}

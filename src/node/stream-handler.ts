import type { IncomingMessage, ServerResponse } from "node:http";
import {
  commentEvent,
  createProblem,
  encodeRetry,
  type Field,
  fieldValue,
  parseAnyItems,
  problemResponse,
} from "../protocol/index.ts";
import type { Clock, Handshake, Hub, Opening, OriginResponse, Transport } from "../server/index.ts";
import { AnswerWriter } from "./answer-writer.ts";
import { type AddressedRequest, type ClientAddress, type ClientBounds, transportAddress } from "./client-bounds.ts";
import { plainConditions } from "./compression.ts";
import { handshakeFields } from "./fields.ts";
import { type AnswerChoice, type AnswerKind, streamTypes } from "./stream-choice.ts";
import { PatchTransport, StreamTransport } from "./stream-transport.ts";

/** What streams over plain HTTP need. */
export interface StreamParts {
  readonly hub: Hub;
  readonly bounds: ClientBounds;
  /** Where a client is. Default: what the transport says, which may be a front's. */
  readonly addressOf?: ((request: AddressedRequest) => ClientAddress) | undefined;
  readonly clock: Clock;
  readonly reportError: (error: unknown, stage: string) => void;
  /** What the origin is told of the peer at the transport. */
  readonly peerOf: (request: Pick<IncomingMessage, "socket">) => unknown;
}

/** What is read of a request for a stream. */
export type StreamRequest = Pick<IncomingMessage, "headers" | "method" | "rawHeaders" | "socket" | "url">;

/** How long clients wait before they connect again: not all the same time, or they would come back together. */
const retryMs = { least: 1_000, most: 5_000 } as const;

/** The fields of a stream's head: against caches, transformations, and fronts that hold answers back [R-STR-15]. */
function headFields(kind: AnswerKind): readonly Field[] {
  return [
    ["Content-Type", streamTypes[kind]],
    ["Cache-Control", "no-store, no-transform"],
    ["X-Accel-Buffering", "no"],
    ["Vary", "Accept"],
  ];
}

/** The fields of the request that is followed: with the rest of its `Accept` [R-STR-2]. */
function followedFields(request: StreamRequest, { accept }: AnswerChoice): Field[] {
  const fields = plainConditions(handshakeFields(request)).filter(([name]) => !/^accept$/i.test(name));
  return accept === undefined ? fields : [...fields, ["Accept", accept]];
}

/** The refusal of a stream beyond the number of connections [R-SEC-5]. */
function fullResponse(): OriginResponse {
  const problem = createProblem(503, "The server has as many connections as it takes. Try again later.");
  return problemResponse(problem, [["Retry-After", "5"]]);
}

/** The refusal of a patch stream where a patch could not say what changes [R-STR-12]. */
function refusePatches(opening: Opening): OriginResponse | undefined {
  if (opening.kind === "refused") return opening.response;
  const type = fieldValue(opening.described, "content-type") ?? "";
  if (/[/+]json *(?:;|$)/i.test(type)) return undefined;
  const detail =
    "What changes here is no JSON, which a JSON Patch can't tell. GET with Accept: text/event-stream instead.";
  return problemResponse(createProblem(406, detail));
}

/** Answers requests that ask for a stream: each is a connection with the one subscription to its URL. */
export class StreamHandler {
  readonly #parts: StreamParts;
  readonly #open: Set<AnswerWriter> = new Set();
  #onEnded: () => void = () => {};

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  /**
   * Answers a request that asks for a stream. Gives the plain answer where it is refused [R-STR-14].
   *
   * @param extra - further fields of the stream's head
   * @param writer - what writes it
   */
  async answer(
    request: StreamRequest,
    response: ServerResponse,
    choice: AnswerChoice,
    extra: readonly Field[] = [],
    writer: AnswerWriter = new AnswerWriter(response),
  ): Promise<OriginResponse | "taken"> {
    const { hub, bounds, addressOf = transportAddress } = this.#parts;
    // One that has gone will not close again.
    if (writer.isOver) return "taken";
    if (hub.isFull) return fullResponse();
    const bound = bounds.enter(addressOf(request), handshakeFields(request));
    if (typeof bound !== "function") return bound;
    writer.on("close", bound);
    const isHead = request.method === "HEAD";
    const handshake = this.#handshake(request, choice);
    const opening = await hub.authorise(handshake);
    const refusal = choice.kind === "patch-stream" ? refusePatches(opening) : undefined;
    if (refusal) return refusal;
    if (opening.kind === "refused") return opening.response;
    if (writer.isOver) return "taken";
    // Others may have come while this one was being authorised.
    if (hub.isFull) return fullResponse();
    this.#begin(response, writer, choice.kind, extra);
    if (isHead) {
      writer.end();
      return "taken";
    }
    const record = parseAnyItems(fieldValue(opening.described, "items") ?? "")?.record ?? "";
    this.#open.add(writer);
    writer.on("close", () => {
      this.#open.delete(writer);
      if (this.#open.size === 0) this.#onEnded();
    });
    const connection = hub.connect(this.#transport(writer, choice.kind, record), handshake, opening);
    writer.on("drain", () => this.#guard(() => connection.drained()));
    writer.on("close", () => this.#guard(() => connection.closed()));
    return "taken";
  }

  /** Resolves once all streams have ended; those whose peer does not read the rest in time are cut off. */
  async ended(graceMs: number): Promise<void> {
    if (this.#open.size === 0) return;
    const grace = setTimeout(() => {
      for (const writer of this.#open) writer.destroy();
    }, graceMs);
    await new Promise<void>((resolve) => {
      this.#onEnded = resolve;
    });
    clearTimeout(grace);
  }

  #handshake(request: StreamRequest, choice: AnswerChoice): Handshake {
    const isPatch = choice.kind === "patch-stream";
    const asked: Field[] = request.method === "HEAD" ? [["Last-Event-ID", "*"]] : [];
    return {
      level: isPatch ? 0 : 1,
      target: request.url ?? "/",
      fields: [...asked, ...followedFields(request, choice)],
      peer: this.#parts.peerOf(request),
      ...(isPatch && { hasPositions: true }),
    };
  }

  #transport(writer: AnswerWriter, kind: AnswerKind, record: string): Transport {
    if (kind !== "patch-stream") return new StreamTransport(writer, kind);
    return new PatchTransport(writer, record, this.#parts.hub.limits.maxUnsentBytes);
  }

  #begin(response: ServerResponse, writer: AnswerWriter, kind: AnswerKind, extra: readonly Field[]): void {
    const { clock } = this.#parts;
    writer.clear();
    for (const [name, value] of [...headFields(kind), ...extra]) response.appendHeader(name, value);
    writer.begin(200);
    if (kind === "http-stream" || response.req.method === "HEAD") return;
    writer.write(commentEvent);
    const { least, most } = retryMs;
    writer.write(encodeRetry(Math.floor(least + clock.random() * (most - least))));
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

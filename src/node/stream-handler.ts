import type { IncomingMessage, ServerResponse } from "node:http";
import type { Field } from "../protocol/index.ts";
import type { Clock, Hub, OriginResponse } from "../server/index.ts";
import {
  type AnswerChoice,
  createStreamTransport,
  recordPlace,
  refuseOneMore,
  refuseStream,
  streamFields,
  streamHandshake,
  streamStart,
} from "../server/inner.ts";
import { AnswerWriter } from "./answer-writer.ts";
import { type AddressedRequest, type ClientAddress, type ClientBounds, transportAddress } from "./client-bounds.ts";
import { plainConditions } from "./compression.ts";
import { handshakeFields } from "./fields.ts";
import { appendField } from "./node-methods.ts";

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
    if (hub.isFull) return refuseOneMore();
    const shown = handshakeFields(request);
    const bound = bounds.enter(addressOf(request), shown);
    if (typeof bound !== "function") return bound;
    writer.on("close", bound);
    const { method = "GET", url: target = "/" } = request;
    const fields = plainConditions(shown);
    const handshake = streamHandshake({ method, target, fields, peer: this.#parts.peerOf(request) }, choice);
    const opening = await hub.authorise(handshake);
    const refusal = refuseStream(opening, choice);
    if (refusal) return refusal;
    if (writer.isOver) return "taken";
    // Others may have come while this one was being authorised.
    if (opening.kind === "refused" || hub.isFull) return refuseOneMore();
    this.#begin(response, writer, choice, extra);
    if (method === "HEAD") {
      writer.end();
      return "taken";
    }
    this.#open.add(writer);
    writer.on("close", () => {
      this.#open.delete(writer);
      if (this.#open.size === 0) this.#onEnded();
    });
    const way = { record: recordPlace(opening), maxHeld: hub.limits.maxUnsentBytes };
    const connection = hub.connect(createStreamTransport(writer, choice.kind, way), handshake, opening);
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

  #begin(response: ServerResponse, writer: AnswerWriter, { kind }: AnswerChoice, extra: readonly Field[]): void {
    writer.clear();
    for (const [name, value] of [...streamFields(kind), ...extra]) appendField(response, name, value);
    writer.begin(200);
    if (response.req.method === "HEAD") return;
    for (const piece of streamStart(kind, this.#parts.clock.random())) writer.write(piece);
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

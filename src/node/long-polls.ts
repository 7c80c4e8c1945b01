import type { IncomingMessage, ServerResponse } from "node:http";
import { createProblem, type Field, problemResponse } from "../protocol/index.ts";
import { awaitChange, type Clock, type Hub, type OriginResponse, type PeerIdentity } from "../server/index.ts";
import { type LongPoll, readLongPoll } from "../server/inner.ts";
import { AnswerTurns } from "./answer-turns.ts";
import { type AddressedRequest, type ClientAddress, type ClientBounds, transportAddress } from "./client-bounds.ts";
import { plainConditions } from "./compression.ts";
import { handshakeFields } from "./fields.ts";

/** What long polls need. */
export interface LongPollParts {
  readonly hub: Hub;
  readonly clock: Clock;
  /** What the origin is told of the peer at the transport. */
  readonly peerOf: (request: Pick<IncomingMessage, "socket">) => unknown;
  /** Bounds each client. */
  readonly bounds: ClientBounds;
  /** Where a client is. Default: what the transport says, which may be a front's. */
  readonly addressOf?: ((request: AddressedRequest) => ClientAddress) | undefined;
  /** As a hub's `identity`: one address has a bounded number of polls. */
  readonly identityOf: (peer: unknown) => PeerIdentity;
}

/** What waiting came to: the plain answer is due, there is nothing new (with the fields of a 304), or too many wait. */
export type PollOutcome = "changed" | { readonly unchanged: readonly Field[] } | { readonly refusal: OriginResponse };

/** What part of all connections the polls of one address may be. */
const part = 0.1;

/** As {@link readLongPoll}, of Node's request. */
export function longPollOf(request: Pick<IncomingMessage, "headers" | "method" | "rawHeaders">): LongPoll | undefined {
  const { method = "GET", headers } = request;
  return headers.prefer === undefined ? undefined : readLongPoll(method, plainConditions(handshakeFields(request)));
}

function refusal(status: 429 | 503, detail: string): OriginResponse {
  return problemResponse(createProblem(status, `${detail} Try again later.`), [["Retry-After", "5"]]);
}

/** GETs that wait for a change: each counts as a connection while it does. */
export class LongPolls {
  readonly #parts: LongPollParts;
  readonly #counts: Map<string, number> = new Map();
  readonly #turns: AnswerTurns;

  constructor(parts: LongPollParts) {
    this.#parts = parts;
    this.#turns = new AnswerTurns(parts.clock);
  }

  /** Waits. Never rejects. */
  async wait(
    request: AddressedRequest & Pick<IncomingMessage, "url">,
    response: ServerResponse,
    poll: LongPoll,
  ): Promise<PollOutcome> {
    const { hub, clock, bounds, addressOf = transportAddress, peerOf, identityOf } = this.#parts;
    const { maxConnections, maxSubscriptions } = hub.limits;
    const peer = peerOf(request);
    const address = identityOf(peer).address ?? "";
    const count = this.#counts.get(address) ?? 0;
    if (hub.isFull) return { refusal: refusal(503, "The server has as many connections as it takes.") };
    if (count >= Math.max(maxSubscriptions, maxConnections * part)) {
      return { refusal: refusal(429, "As many requests of this address wait as may.") };
    }
    const bound = bounds.enter(addressOf(request), poll.fields);
    if (typeof bound !== "function") return { refusal: bound };
    const abort = new AbortController();
    const leave = (): void => abort.abort();
    response.once("close", leave);
    if (response.destroyed) leave();
    this.#counts.set(address, count + 1);
    const { url: target = "/" } = request;
    const handshake = { level: 1, target, fields: poll.fields, peer } as const;
    const options = { waitMs: poll.waitSeconds * 1_000, clock, signal: abort.signal };
    const outcome = await awaitChange(hub, handshake, options);
    // A change is due to all who wait for it: equal reads at once would be too many.
    if (outcome === "changed") await this.#turns.take(response);
    response.off("close", leave);
    bound();
    const others = (this.#counts.get(address) ?? 1) - 1;
    if (others > 0) this.#counts.set(address, others);
    else this.#counts.delete(address);
    return outcome === "changed" ? outcome : { unchanged: outcome };
  }
}

import {
  type Body,
  fieldValue,
  isRequestId,
  type MessageLimits,
  ProtocolError,
  serverLimits,
} from "../../protocol/index.ts";
import type { ByteBudget, ByteClaim } from "../byte-budget.ts";
import type { Outlet } from "../delivery/outlet.ts";
import type { Transport } from "../ports/transport.ts";
import type { HubLimits } from "./hub-options.ts";
import type { InBand } from "./in-band.ts";
import { type RequestHead, readRequestHead } from "./request-head.ts";

/** Bytes that requests without an answer may keep before the peer is not read from. */
const mostOutstandingBytes = 64 * 1024;

/** What requests are read with. */
export interface RequestReaderParts {
  readonly limits: HubLimits;
  readonly outlet: Outlet;
  /** What is held for all peers together. */
  readonly held: ByteBudget;
  readonly transport: Pick<Transport, "setReading">;
  readonly inBand: InBand;
  readonly reportError: (error: unknown, stage: string) => void;
}

/** Reads a peer's requests and has them answered. A peer whose answers pile up is not read from [R-BAND-8]. */
export class RequestReader {
  readonly #parts: RequestReaderParts;
  readonly #limits: MessageLimits;
  readonly #waiting: RequestHead[] = [];
  readonly #outstanding: Set<string> = new Set();
  #outstandingBytes = 0;
  /** What is kept of all requests, those that wait included. */
  readonly #claim: ByteClaim;
  #keptBytes = 0;
  /** False while nothing is read from the peer. */
  isReading = true;

  constructor(parts: RequestReaderParts) {
    this.#parts = parts;
    this.#claim = parts.held.claim();
    const { maxMessageBytes } = parts.limits;
    this.#limits = { ...serverLimits, maxBodyBytes: maxMessageBytes - serverLimits.maxHeadBytes };
  }

  receive(data: Body): void {
    const head = this.#read(data);
    if (!head || !this.#keep(head)) return;
    if (this.#waiting.length > 0 || this.#isFull) this.#waiting.push(head);
    else this.#handle(head);
    this.#regulate();
  }

  /** There is room again. */
  release(): void {
    while (!this.#isFull) {
      const head = this.#waiting.shift();
      if (!head) break;
      this.#handle(head);
    }
    this.#regulate();
  }

  stop(): void {
    for (const head of this.#waiting.splice(0)) this.#forget(head);
    this.#parts.inBand.stop();
  }

  get #isFull(): boolean {
    const { limits, outlet } = this.#parts;
    const isTooMany = this.#outstanding.size >= limits.maxOutstandingRequests;
    return outlet.isCongested || isTooMany || this.#outstandingBytes >= mostOutstandingBytes;
  }

  #regulate(): void {
    const wanted = this.#waiting.length === 0 && !this.#isFull;
    if (wanted === this.isReading || this.#parts.outlet.isClosed) return;
    this.isReading = wanted;
    this.#parts.transport.setReading(wanted);
  }

  /** Counts a request among what is held for peers; without a body, it is taken in any case [R-SEC-5]. */
  #keep(head: RequestHead): boolean {
    const bytes = this.#keptBytes + head.bytes;
    if (this.#claim.hold(bytes)) this.#keptBytes = bytes;
    else if (head.body.length > 0) {
      this.#parts.inBand.refuseForRoom(head);
      return false;
    } else {
      this.#keptBytes = bytes;
      this.#claim.record(bytes);
    }
    return true;
  }

  #forget(head: RequestHead): void {
    this.#keptBytes -= head.bytes;
    this.#claim.record(this.#keptBytes);
  }

  /** The head of a request; nothing where the message was none, which ends the connection [R-MSG-3]. */
  #read(data: Body): RequestHead | undefined {
    try {
      return readRequestHead(data, this.#limits, this.#parts.inBand.takesBody);
    } catch (error) {
      const { outlet, reportError } = this.#parts;
      const isPeers = error instanceof ProtocolError;
      if (!isPeers) reportError(error, "decode");
      outlet.close(isPeers ? error.closeCode : 1011, isPeers ? error.message : "The message could not be read.");
      return undefined;
    }
  }

  #handle(request: RequestHead): void {
    const { inBand, outlet, reportError } = this.#parts;
    if (outlet.isClosed) {
      this.#forget(request);
      return;
    }
    const id = fieldValue(request.fields, "request-id");
    if (id === undefined || !isRequestId(id)) {
      this.#forget(request);
      inBand.refuse(400, "A request needs a Request-ID: a token of 1 to 64 characters, chosen by the client.", "");
    } else if (this.#outstanding.has(id)) {
      this.#forget(request);
      inBand.refuse(400, `The Request-ID ${id} is in use by a request that is not answered yet.`, "");
    } else {
      this.#outstanding.add(id);
      this.#outstandingBytes += request.bytes;
      inBand
        .serve(request, id)
        .catch((error: unknown) => {
          reportError(error, "request");
          inBand.refuse(500, "The request could not be served.", id);
        })
        .finally(() => {
          this.#outstanding.delete(id);
          this.#outstandingBytes -= request.bytes;
          this.#forget(request);
          this.release();
        });
    }
  }
}

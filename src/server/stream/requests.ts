import {
  type Body,
  createProblem,
  type Field,
  fieldValue,
  isRequestId,
  type MessageLimits,
  ProtocolError,
  problemResponse,
  serverLimits,
} from "../../protocol/index.ts";
import type { OriginResponse } from "../ports/origin.ts";
import { inBandFields } from "../viewer.ts";
import {
  type AcceptedOpening,
  beginSubscription,
  type Opening,
  type OpeningRequest,
  openInTurn,
  openingWishes,
  openView,
} from "./authorise.ts";
import { type RequestHead, readRequestHead } from "./request-head.ts";
import { type ConnectionCore, Subscription } from "./subscription.ts";

/** Bytes that requests without an answer may keep before the peer is not read from. */
const mostOutstandingBytes = 64 * 1024;

/** Whether a SUBSCRIBE asks for the state anew, whatever is there (RFC 9111 §5.2.1.4). */
function asksAnew(fields: readonly Field[]): boolean {
  const items = (fieldValue(fields, "cache-control") ?? "").split(",");
  return items.some((item) => item.trim().toLowerCase() === "no-cache");
}

/** Reads a peer's requests and answers them. A peer whose answers pile up is not read from [R-BAND-8]. */
export class RequestReader {
  readonly #connection: ConnectionCore;
  readonly #limits: MessageLimits;
  readonly #waiting: RequestHead[] = [];
  readonly #outstanding: Set<string> = new Set();
  #outstandingBytes = 0;
  /** How many SUBSCRIBEs are being opened: each may become a subscription. */
  #beginning = 0;
  /** False while nothing is read from the peer. */
  isReading = true;

  constructor(connection: ConnectionCore) {
    this.#connection = connection;
    const { maxMessageBytes } = connection.hub.limits;
    this.#limits = { ...serverLimits, maxBodyBytes: maxMessageBytes - serverLimits.maxHeadBytes };
  }

  receive(data: Body): void {
    const head = this.#read(data);
    if (!head) return;
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
    this.#waiting.length = 0;
  }

  get #isFull(): boolean {
    const { hub, isCongested } = this.#connection;
    const isTooMany = this.#outstanding.size >= hub.limits.maxOutstandingRequests;
    return isCongested || isTooMany || this.#outstandingBytes >= mostOutstandingBytes;
  }

  #regulate(): void {
    const wanted = this.#waiting.length === 0 && !this.#isFull;
    if (wanted === this.isReading || this.#connection.isClosed) return;
    this.isReading = wanted;
    this.#connection.transport.setReading(wanted);
  }

  /** The head of a request; nothing where the message was none, which ends the connection [R-MSG-3]. */
  #read(data: Body): RequestHead | undefined {
    try {
      return readRequestHead(data, this.#limits);
    } catch (error) {
      const isPeers = error instanceof ProtocolError;
      if (!isPeers) this.#connection.hub.reportError(error, "decode");
      this.#connection.close(
        isPeers ? error.closeCode : 1011,
        isPeers ? error.message : "The message could not be read.",
      );
      return undefined;
    }
  }

  #handle(request: RequestHead): void {
    if (this.#connection.isClosed) return;
    const id = fieldValue(request.fields, "request-id");
    if (id === undefined || !isRequestId(id)) {
      this.#refuse(400, "A request needs a Request-ID: a token of 1 to 64 characters, chosen by the client.");
    } else if (this.#outstanding.has(id)) {
      this.#refuse(400, `The Request-ID ${id} is in use by a request that is not answered yet.`);
    } else {
      this.#outstanding.add(id);
      this.#outstandingBytes += request.bytes;
      this.#serve(request, id)
        .catch((error: unknown) => {
          this.#connection.hub.reportError(error, "request");
          this.#refuse(500, "The request could not be served.", id);
        })
        .finally(() => {
          this.#outstanding.delete(id);
          this.#outstandingBytes -= request.bytes;
          this.release();
        });
    }
  }

  async #serve(request: RequestHead, id: string): Promise<void> {
    const ownHost = fieldValue(request.fields, "host");
    const host = fieldValue(this.#connection.fields, "host");
    if (ownHost !== undefined && ownHost.toLowerCase() !== host?.toLowerCase()) {
      this.#refuse(421, `This connection is for ${host ?? "another host"}, not for ${ownHost}.`, id);
    } else if (request.method !== "SUBSCRIBE" && request.method !== "UNSUBSCRIBE") {
      this.#refuse(501, `${request.method} is not served in band. Send it over HTTP.`, id);
    } else if (request.hasBody) {
      this.#refuse(400, `${request.method} has no body.`, id);
    } else if (request.method === "SUBSCRIBE") {
      await this.#connection.inTurn(request.target, () => this.#subscribe(request, id));
    } else {
      await this.#connection.inTurn(request.target, () => this.#unsubscribe(request, id));
    }
  }

  async #subscribe(request: RequestHead, id: string): Promise<void> {
    const connection = this.#connection;
    const { target } = request;
    const { maxSubscriptions } = connection.hub.limits;
    if (this.#isTooMany(target)) {
      const detail = `A connection has at most ${maxSubscriptions} subscriptions. UNSUBSCRIBE one, or open another connection.`;
      this.#refuse(429, detail, id);
      return;
    }
    const asked = { target, fields: inBandFields(connection.fields, request.fields), peer: connection.peer };
    const isAnew = asksAnew(request.fields);
    const isKnown = !isAnew && connection.find(target) !== undefined;
    // What is there already is sent no state, so none is asked for.
    const wishes = isKnown ? { lastEventId: "*" } : isAnew ? {} : openingWishes(request.fields);
    let isLeft = false;
    this.#beginning += 1;
    try {
      await openInTurn(
        connection,
        () => openView(connection.hub, asked, wishes),
        (opening) => {
          isLeft = isKnown && opening.kind === "accepted" && !connection.find(opening.start.view.url);
          if (!isLeft) this.#begin(asked, opening, id, isAnew);
        },
      );
    } finally {
      this.#beginning -= 1;
    }
    // It ended meanwhile: now it is a new one.
    if (isLeft) await this.#subscribe(request, id);
  }

  /** True where one more is beyond the bound. One that is there already may be renewed [R-BAND-7]. */
  #isTooMany(target: string): boolean {
    const { own, others, hub } = this.#connection;
    const count = (others?.size ?? 0) + (own ? 1 : 0) + this.#beginning;
    if (count < hub.limits.maxSubscriptions) return false;
    return !this.#named(target);
  }

  /** Answers with the opening, and begins the subscription or renews the one that is there. */
  #begin(asked: OpeningRequest, opening: Opening, id: string, isAnew: boolean): void {
    const connection = this.#connection;
    if (opening.kind === "refused") {
      this.#answer(opening.response, [["Request-ID", id]]);
      return;
    }
    const { url } = opening.start.view;
    const existing = connection.find(url);
    if (existing && isAnew && existing.state !== "opening") {
      existing.fields = asked.fields;
      existing.target = asked.target;
      existing.leave();
      const name: Field[] = existing.isOwn ? [["Subscription", url]] : [];
      beginSubscription(existing, opening, [...name, ["Request-ID", id]]);
      return;
    }
    if (existing) {
      this.#renew(existing, asked, opening, id);
      return;
    }
    const subscription = new Subscription(connection, asked.target, asked.fields, false);
    connection.others ??= new Map();
    connection.others.set(url, subscription);
    beginSubscription(subscription, opening, [["Request-ID", id]]);
  }

  /** Replaces what an existing subscription asks with, and keeps its position [R-BAND-5]. */
  #renew(existing: Subscription, { target, fields }: OpeningRequest, { start }: AcceptedOpening, id: string): void {
    existing.fields = fields;
    existing.target = target;
    const standing = existing.state === "live" ? existing.bookmark : [];
    const named: Field[] = [
      ["Subscription", start.view.url],
      ["Request-ID", id],
    ];
    this.#connection.sendMessage({ status: 304, fields: [...standing, ...named] });
    if (start.kind === "derived" && existing.state !== "opening") {
      // Another viewer's document may be another one: then it comes as a fresh 200.
      existing.leave();
      this.#connection.hub.join(existing, start);
      existing.state = "behind";
      this.#connection.catchUp(existing);
    }
  }

  async #unsubscribe(request: RequestHead, id: string): Promise<void> {
    const connection = this.#connection;
    const subscription = this.#named(request.target) ?? (await this.#spelledOtherwise(request));
    if (connection.isClosed) return;
    const url = subscription?.url;
    if (!subscription || url === undefined) {
      this.#refuse(
        404,
        "There is no such subscription on this connection. Name it by the URL in its Subscription field.",
        id,
      );
      return;
    }
    // Answered first: a bookmark that waited for this subscription would speak for it, too.
    connection.sendMessage({
      status: 204,
      fields: [
        ["Subscription", url],
        ["Request-ID", id],
      ],
    });
    connection.remove(subscription);
  }

  /** The subscription with that URL, or that was subscribed to by it. */
  #named(target: string): Subscription | undefined {
    const { own, others } = this.#connection;
    const known = this.#connection.find(target) ?? (own?.target === target ? own : undefined);
    return known ?? [...(others?.values() ?? [])].find((subscription) => subscription.target === target);
  }

  /** The subscription to what a URL is another spelling of: only the origin can tell, and only where it has a journal. */
  async #spelledOtherwise({ target, fields }: RequestHead): Promise<Subscription | undefined> {
    const { hub, peer, fields: own } = this.#connection;
    if (!hub.journal) return undefined;
    const viewer = { fields: inBandFields(own, fields), peer };
    const { view } = await hub.ask("HEAD", target, viewer.fields, viewer);
    return view && this.#connection.find(view.url);
  }

  #refuse(status: number, detail: string, id?: string): void {
    this.#answer(problemResponse(createProblem(status, detail)), id === undefined ? [] : [["Request-ID", id]]);
  }

  #answer(response: OriginResponse, labels: readonly Field[]): void {
    this.#connection.sendMessage({ ...response, fields: [...response.fields, ...labels] });
  }
}

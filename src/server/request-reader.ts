import {
  type Body,
  createProblem,
  decodeRequest,
  type Field,
  fieldValue,
  type HttpRequest,
  isRequestId,
  type MessageLimits,
  ProtocolError,
  problemResponse,
  serverLimits,
} from "../protocol/index.ts";
import { type ConnectionCore, Subscription } from "./core.ts";
import {
  type AcceptedOpening,
  beginSubscription,
  type OpeningRequest,
  openingWishes,
  openView,
  openWithRoom,
} from "./opening.ts";
import type { OriginResponse } from "./origin.ts";
import { inBandFields } from "./viewer.ts";

/** Reads a peer's requests and answers them. A peer whose answers pile up is not read from [R-BAND-8]. */
export class RequestReader {
  readonly #connection: ConnectionCore;
  readonly #limits: MessageLimits;
  readonly #waiting: Body[] = [];
  readonly #outstanding: Set<string> = new Set();
  #isReading = true;

  constructor(connection: ConnectionCore) {
    this.#connection = connection;
    const { maxMessageBytes } = connection.hub.limits;
    this.#limits = { ...serverLimits, maxBodyBytes: maxMessageBytes - serverLimits.maxHeadBytes };
  }

  receive(data: Body): void {
    if (this.#waiting.length > 0 || this.#isFull) this.#waiting.push(data);
    else this.#handle(data);
    this.#regulate();
  }

  /** There is room again. */
  release(): void {
    while (this.#waiting.length > 0 && !this.#isFull) this.#handle(this.#waiting.shift() ?? "");
    this.#regulate();
  }

  stop(): void {
    this.#waiting.length = 0;
  }

  get #isFull(): boolean {
    const { hub, isCongested } = this.#connection;
    return isCongested || this.#outstanding.size >= hub.limits.maxOutstandingRequests;
  }

  #regulate(): void {
    const wanted = this.#waiting.length === 0 && !this.#isFull;
    if (wanted === this.#isReading || this.#connection.isClosed) return;
    this.#isReading = wanted;
    this.#connection.transport.setReading(wanted);
  }

  #handle(data: Body): void {
    if (this.#connection.isClosed) return;
    let request: HttpRequest;
    try {
      request = decodeRequest(data, this.#limits);
    } catch (error) {
      const isPeers = error instanceof ProtocolError;
      if (!isPeers) this.#connection.hub.reportError(error, "decode");
      this.#connection.close(
        isPeers ? error.closeCode : 1011,
        isPeers ? error.message : "The message could not be read.",
      );
      return;
    }
    const id = fieldValue(request.fields, "request-id");
    if (id === undefined || !isRequestId(id)) {
      this.#refuse(400, "A request needs a Request-ID: a token of 1 to 64 characters, chosen by the client.");
    } else if (this.#outstanding.has(id)) {
      this.#refuse(400, `The Request-ID ${id} is in use by a request that is not answered yet.`);
    } else {
      this.#outstanding.add(id);
      this.#serve(request, id)
        .catch((error: unknown) => {
          this.#connection.hub.reportError(error, "request");
          this.#refuse(500, "The request could not be served.", id);
        })
        .finally(() => {
          this.#outstanding.delete(id);
          this.release();
        });
    }
  }

  async #serve(request: HttpRequest, id: string): Promise<void> {
    const ownHost = fieldValue(request.fields, "host");
    const host = fieldValue(this.#connection.fields, "host");
    if (ownHost !== undefined && ownHost.toLowerCase() !== host?.toLowerCase()) {
      this.#refuse(421, `This connection is for ${host ?? "another host"}, not for ${ownHost}.`, id);
    } else if (request.method === "SUBSCRIBE") {
      await this.#connection.inTurn(request.target, () => this.#subscribe(request, id));
    } else if (request.method === "UNSUBSCRIBE") {
      await this.#connection.inTurn(request.target, () => this.#unsubscribe(request, id));
    } else {
      this.#refuse(501, `${request.method} is not served in band. Send it over HTTP.`, id);
    }
  }

  async #subscribe(request: HttpRequest, id: string): Promise<void> {
    const connection = this.#connection;
    const fields = inBandFields(connection.fields, request.fields);
    const subscription = new Subscription(connection, request.target, fields, false);
    const asked = { target: request.target, fields, peer: connection.peer };
    const wishes = openingWishes(request.fields);
    const opening = await openWithRoom(connection, () => openView(connection.hub, asked, wishes));
    if (!opening || connection.isClosed) return;
    if (opening.kind === "refused") {
      this.#answer(opening.response, [["Request-ID", id]]);
      return;
    }
    const { url } = opening.start.view;
    const existing = connection.find(url);
    if (existing) {
      this.#renew(existing, asked, opening, id);
      return;
    }
    const count = (connection.others?.size ?? 0) + (connection.own ? 1 : 0);
    if (count >= connection.hub.limits.maxSubscriptions) {
      this.#refuse(
        429,
        `A connection has at most ${connection.hub.limits.maxSubscriptions} subscriptions. UNSUBSCRIBE one, or open another connection.`,
        id,
      );
      return;
    }
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

  #unsubscribe(request: HttpRequest, id: string): void {
    const connection = this.#connection;
    if (connection.isClosed) return;
    const subscription = connection.find(request.target);
    if (!subscription) {
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
        ["Subscription", request.target],
        ["Request-ID", id],
      ],
    });
    connection.remove(subscription);
  }

  #refuse(status: number, detail: string, id?: string): void {
    this.#answer(problemResponse(createProblem(status, detail)), id === undefined ? [] : [["Request-ID", id]]);
  }

  #answer(response: OriginResponse, labels: readonly Field[]): void {
    this.#connection.sendMessage({ ...response, fields: [...response.fields, ...labels] });
  }
}

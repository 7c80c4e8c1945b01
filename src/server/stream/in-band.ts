import { createProblem, type Field, fieldValue, isRequestId, problemResponse } from "../../protocol/index.ts";
import type { OriginResponse } from "../ports/origin.ts";
import { inBandFields } from "../viewer.ts";
import type { HubLimits } from "./hub-options.ts";
import { type Opening, type OpeningRequest, openingRequest, openingWishes } from "./opening.ts";
import {
  busyResponse,
  type PlainRequester,
  type PlainRequestParts,
  PlainRequests,
  plainMethods,
} from "./plain-requests.ts";
import type { RequestHead } from "./request-head.ts";
import type { Subscription } from "./subscription.ts";
import type { SubscriptionSet } from "./subscription-set.ts";
import { isWellKnown } from "./well-known.ts";

/** What requests in band are served with. */
export interface InBandParts extends PlainRequestParts {
  /** Whether others than SUBSCRIBE and UNSUBSCRIBE are carried out. */
  readonly requestsInBand: boolean;
  readonly limits: HubLimits;
  readonly hasOtherSpellings: boolean;
}

/** Whether a SUBSCRIBE asks for the state anew, whatever is there (RFC 9111 §5.2.1.4). */
function asksAnew(fields: readonly Field[]): boolean {
  const items = (fieldValue(fields, "cache-control") ?? "").split(",");
  return items.some((item) => item.trim().toLowerCase() === "no-cache");
}

/** Serves the requests of one connection: SUBSCRIBE and UNSUBSCRIBE, and has the others carried out. */
export class InBand {
  readonly #subscriptions: SubscriptionSet;
  readonly #fields: readonly Field[];
  readonly #parts: InBandParts;
  readonly #plain: PlainRequests | undefined;
  /** How many SUBSCRIBEs are being opened: each may become a subscription. */
  #beginning = 0;

  /** @param requester - the peer; its fields are the viewer's, as the handshake gave them */
  constructor(subscriptions: SubscriptionSet, requester: PlainRequester, parts: InBandParts) {
    this.#subscriptions = subscriptions;
    this.#fields = requester.fields;
    this.#parts = parts;
    this.#plain = parts.requestsInBand ? new PlainRequests(requester, parts) : undefined;
  }

  /** True for a method whose body is to be kept. */
  readonly takesBody = (method: string): boolean => this.#plain !== undefined && plainMethods.includes(method);

  /** The peer is gone. */
  stop(): void {
    this.#plain?.stop();
  }

  /** Serves a request, which may answer by a subscription's first message. */
  async serve(request: RequestHead, id: string): Promise<void> {
    const { method, target, fields, hasBody } = request;
    const ownHost = fieldValue(fields, "host");
    const host = fieldValue(this.#fields, "host");
    if (ownHost !== undefined && ownHost.toLowerCase() !== host?.toLowerCase()) {
      this.refuse(421, `This connection is for ${host ?? "another host"}, not for ${ownHost}.`, id);
    } else if (this.#plain && plainMethods.includes(method)) {
      await this.#plain.serve(request, id);
    } else if (method !== "SUBSCRIBE" && method !== "UNSUBSCRIBE") {
      this.refuse(501, `${method} is not served in band. Send it over HTTP.`, id);
    } else if (hasBody) {
      this.refuse(400, `${method} has no body.`, id);
    } else {
      const serve = (): Promise<void> =>
        method === "SUBSCRIBE" ? this.#subscribe(request, id) : this.#unsubscribe(request, id);
      await this.#subscriptions.inTurn(target, serve);
    }
  }

  /** Answers with a problem. @param id - empty where the request has none that can be repeated [R-BAND-2] */
  refuse(status: number, detail: string, id: string): void {
    this.#answer(problemResponse(createProblem(status, detail)), [["Request-ID", id]]);
  }

  /** Answers that there is no room for a request's body. */
  refuseForRoom({ fields }: RequestHead): void {
    const id = fieldValue(fields, "request-id") ?? "";
    this.#answer(busyResponse, [["Request-ID", isRequestId(id) ? id : ""]]);
  }

  /** @param known - the canonical URL, where it is known to be another spelling of one that is there */
  async #subscribe(request: RequestHead, id: string, known?: string): Promise<void> {
    const subscriptions = this.#subscriptions;
    const { target } = request;
    if (isWellKnown(target)) {
      this.refuse(422, "This URL has nothing to follow. GET it.", id);
      return;
    }
    if (this.#isTooMany(target)) {
      const { maxSubscriptions } = this.#parts.limits;
      const detail = `A connection has at most ${maxSubscriptions} subscriptions. UNSUBSCRIBE one, or open another connection.`;
      this.refuse(429, detail, id);
      return;
    }
    const viewer = { fields: inBandFields(this.#fields, request.fields), peer: subscriptions.peer };
    const asked = openingRequest(target, viewer);
    const isAnew = asksAnew(request.fields);
    const isKnown = !isAnew && subscriptions.find(known ?? target) !== undefined;
    // What is there already is sent no state, so none is asked for.
    const wishes = isKnown ? { lastEventId: "*" } : isAnew ? {} : openingWishes(request.fields);
    let isLeft = false;
    let spelledOtherwise: string | undefined;
    this.#beginning += 1;
    try {
      await subscriptions.run(asked, wishes, (opening) => {
        isLeft = isKnown && opening.kind === "accepted" && !subscriptions.find(opening.start.url);
        const lost = opening.kind === "refused" ? opening.lost : undefined;
        if (!isAnew && lost !== undefined && subscriptions.find(lost)) spelledOtherwise = lost;
        if (!isLeft && spelledOtherwise === undefined) this.#begin(asked, opening, id, isAnew);
      });
    } finally {
      this.#beginning -= 1;
    }
    // It ended meanwhile, and is a new one now; or it is there, and no position counts [R-BAND-5].
    if (isLeft || spelledOtherwise !== undefined) await this.#subscribe(request, id, spelledOtherwise);
  }

  /** True where one more is beyond the bound. One that is there already may be renewed [R-BAND-7]. */
  #isTooMany(target: string): boolean {
    const count = this.#subscriptions.size + this.#beginning;
    return count >= this.#parts.limits.maxSubscriptions && !this.#subscriptions.findNamed(target);
  }

  /** Answers with the opening, and begins the subscription or renews the one that is there. */
  #begin(asked: OpeningRequest, opening: Opening, id: string, isAnew: boolean): void {
    const label: Field = ["Request-ID", id];
    if (opening.kind === "refused") {
      this.#answer(opening.response, [label]);
      return;
    }
    const { url } = opening.start;
    const existing = this.#subscriptions.find(url);
    if (!existing) {
      this.#subscriptions.add(url, asked).begin(opening, [label]);
    } else if (isAnew && existing.state !== "opening") {
      const name: Field[] = existing.isOwn ? [["Subscription", url]] : [];
      existing.beginAnew(asked, opening, [...name, label]);
    } else {
      existing.renew(asked, opening, [label]);
    }
  }

  async #unsubscribe(request: RequestHead, id: string): Promise<void> {
    const subscriptions = this.#subscriptions;
    const subscription = subscriptions.findNamed(request.target) ?? (await this.#spelledOtherwise(request));
    if (subscriptions.outlet.isClosed) return;
    const url = subscription?.url;
    if (!subscription || url === undefined) {
      const detail = "There is no such subscription on this connection. Name it by the URL in its Subscription field.";
      this.refuse(404, detail, id);
      return;
    }
    // Answered first: a bookmark that waited for this subscription would speak for it, too.
    const fields: Field[] = [
      ["Subscription", url],
      ["Request-ID", id],
    ];
    subscriptions.outlet.sendMessage({ status: 204, fields });
    subscriptions.remove(subscription);
  }

  /** The subscription to what a URL is another spelling of: only the origin can tell, and only where it has a journal. */
  async #spelledOtherwise({ target, fields }: RequestHead): Promise<Subscription | undefined> {
    if (!this.#parts.hasOtherSpellings) return undefined;
    const peer = this.#subscriptions.peer;
    const viewer = openingRequest(target, { fields: inBandFields(this.#fields, fields), peer });
    const { view } = await this.#parts.asker.ask("HEAD", target, viewer.fields, viewer);
    return view && this.#subscriptions.find(view.url);
  }

  #answer(response: OriginResponse, labels: readonly Field[]): void {
    this.#subscriptions.outlet.sendMessage({ ...response, fields: [...response.fields, ...labels] });
  }
}

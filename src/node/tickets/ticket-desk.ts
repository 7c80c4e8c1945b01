import type { IncomingMessage, ServerResponse } from "node:http";
import { createProblem, type Field, type HttpResponse, problemResponse, wellKnownPath } from "../../protocol/index.ts";
import {
  type BasePath,
  type Clock,
  type Hub,
  type Origin,
  type OriginResponse,
  systemClock,
} from "../../server/index.ts";
import { isOwnPage } from "../access.ts";
import { type ClientAddress, clientNetwork, transportAddress } from "../client-bounds.ts";
import { handshakeFields } from "../fields.ts";
import { sendAnswer } from "../send-answer.ts";
import { isRefusedOrder, readTicketOrder } from "./ticket-order.ts";
import { setTarget, withoutTicket } from "./ticket-parameter.ts";
import { TicketStore, type TicketUse, ticketMs } from "./ticket-store.ts";

/** What tickets are given out with. */
export interface TicketDeskParts {
  readonly hub: Pick<Hub, "authorise">;
  /** Below each of these is where tickets are asked for. */
  readonly bases: readonly BasePath[];
  /** A target as the hub has it. */
  readonly enter: (target: string) => string;
  readonly peerOf: (request: IncomingMessage) => unknown;
  /** Where a client is. Default: what the transport says. */
  readonly addressOf?: ((request: IncomingMessage) => ClientAddress) | undefined;
  /** Web origins beside the server's own whose pages may ask for tickets. */
  readonly allowOrigins: ReadonlySet<string>;
  /** Names of fields beside `Authorization` and `Cookie` that are credentials. */
  readonly credentialFields?: readonly string[] | undefined;
  readonly clock?: Clock | undefined;
}

function refuse(status: number, detail: string, fields: readonly Field[] = []): HttpResponse {
  return problemResponse(createProblem(status, detail), fields);
}

/** Says nothing of why: who has no good ticket learns nothing about others'. */
function noGoodTicket(): HttpResponse {
  return refuse(401, "The ticket is unknown, used, over, or for another URL or page. Ask for another one.");
}

/** The paths where tickets are asked for, below each base. */
function ticketPaths(bases: readonly BasePath[]): ReadonlySet<string> {
  return new Set(bases.map(({ text }) => `${text}${wellKnownPath}/tickets`));
}

/**
 * Has an origin see no ticket: one that comes in band, where tickets are not taken, is no good [R-SEC-13]. Nor are they given
 * out there: who asks is told to by HTTP [R-SEC-12].
 */
export function withoutTickets(origin: Origin, bases: readonly BasePath[]): Origin {
  const paths = ticketPaths(bases);
  return async (request) => {
    const { target, isInBand } = request;
    if (withoutTicket(target)) return noGoodTicket();
    if (!isInBand || !paths.has(target.split("?")[0] ?? "")) return origin(request);
    return refuse(421, "Tickets are asked for over HTTP.");
  };
}

/**
 * Gives out tickets, and takes them: each stands once for the credentials of the POST that asked for it, for those who
 * can't set fields [R-SEC-12, R-SEC-13].
 */
export class TicketDesk {
  readonly #parts: TicketDeskParts;
  readonly #names: ReadonlySet<string>;
  readonly #store: TicketStore;
  readonly #paths: ReadonlySet<string>;

  constructor(parts: TicketDeskParts) {
    this.#parts = parts;
    const { credentialFields = [], clock = systemClock, bases } = parts;
    this.#names = new Set(["authorization", "cookie", ...credentialFields.map((name) => name.toLowerCase())]);
    this.#store = new TicketStore(clock);
    this.#paths = ticketPaths(bases);
  }

  /** True for the URL where tickets are asked for. */
  isAt({ url = "" }: Pick<IncomingMessage, "url">): boolean {
    return url.includes(wellKnownPath) && this.#paths.has(url.split("?")[0] ?? "");
  }

  /** True where a request has something in the place of a ticket. */
  isPresented({ url = "" }: Pick<IncomingMessage, "url">): boolean {
    return withoutTicket(url) !== undefined;
  }

  /** Answers a request at that URL, of which Host and Origin were looked at, with CORS for the pages that are allowed. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await this.answer(request, response);
    if (!response.headersSent && !response.destroyed) sendAnswer(response, answer, this.#corsFields(request));
  }

  /** As `serve`, for a host that has CORS of its own. Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<OriginResponse> {
    const { method = "", headers } = request;
    if (method === "OPTIONS" && headers["access-control-request-method"] !== undefined) {
      return { status: 204, fields: [], body: "" };
    }
    if (method !== "POST") return refuse(405, "Tickets are asked for by POST.", [["Allow", "POST"]]);
    const credentials = this.#credentialsOf(handshakeFields(request));
    if (credentials.length === 0) {
      return refuse(401, "A ticket stands for the credentials of who asks for it, and this request has none.");
    }
    const order = await readTicketOrder(request, response, this.#parts.clock ?? systemClock);
    if (isRefusedOrder(order)) return order;
    const target = this.#parts.enter(order.url);
    return (await this.#refusalOf(request, target)) ?? this.#mint(request, target, credentials);
  }

  /**
   * Takes the ticket out of a request's URL, and puts the credentials that it stands for into its fields, in the place of
   * those that it has.
   *
   * @param canUse - whether it is a handshake, or a GET that asks for a stream
   * @returns the refusal; `undefined` where there is no ticket
   */
  redeem(request: IncomingMessage, canUse: boolean): HttpResponse | "used" | undefined {
    const found = withoutTicket(request.url ?? "");
    if (!found) return undefined;
    setTarget(request, found.target);
    const fields = this.#store.redeem(found.ticket, purposeOf(request, found.target));
    if (!canUse || request.method !== "GET" || !fields) return noGoodTicket();
    this.#setCredentials(request, fields);
    return "used";
  }

  #credentialsOf(fields: readonly Field[]): Field[] {
    return fields.filter(([name]) => this.#names.has(name.toLowerCase()));
  }

  /** What the origin would refuse as a subscription; nothing of the well-known URL, which has none. */
  async #refusalOf(request: IncomingMessage, target: string): Promise<OriginResponse | undefined> {
    if (target.split("?")[0] === wellKnownPath) return undefined;
    const fields: Field[] = [["Last-Event-ID", "*"], ...handshakeFields(request)];
    const opening = await this.#parts.hub.authorise({ level: 1, target, fields, peer: this.#parts.peerOf(request) });
    if (opening.kind === "accepted") return undefined;
    const { status } = opening.response;
    return status < 400 ? refuse(422, "That URL leads to another one. Ask for a ticket for that.") : opening.response;
  }

  #mint(request: IncomingMessage, target: string, credentials: readonly Field[]): OriginResponse {
    const { addressOf = transportAddress, clock = systemClock } = this.#parts;
    const network = clientNetwork(addressOf(request));
    const expiresAt = Math.floor(clock.wallTime()) + ticketMs;
    const ticket = this.#store.mint(purposeOf(request, target), credentials, network);
    if (typeof ticket === "number") {
      return refuse(ticket, "Too many tickets wait to be used.", [["Retry-After", String(ticketMs / 1_000)]]);
    }
    const fields: Field[] = [
      ["Content-Type", "application/json"],
      ["Cache-Control", "no-store"],
    ];
    return { status: 201, fields, body: JSON.stringify({ ticket, expiresAt }) };
  }

  #setCredentials(request: IncomingMessage, fields: readonly Field[]): void {
    const { rawHeaders, headers } = request;
    const kept: string[] = [];
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      const name = rawHeaders[at] ?? "";
      if (!this.#names.has(name.toLowerCase())) kept.push(name, rawHeaders[at + 1] ?? "");
    }
    for (const name of this.#names) delete headers[name];
    rawHeaders.splice(0, rawHeaders.length, ...kept, ...fields.flat());
    for (const [name, value] of fields) {
      const lower = name.toLowerCase();
      const before = headers[lower];
      headers[lower] = before === undefined ? value : `${before}${lower === "cookie" ? "; " : ", "}${value}`;
    }
  }

  #corsFields({ headers }: IncomingMessage): readonly Field[] {
    const { origin } = headers;
    if (this.#parts.allowOrigins.size === 0) return [];
    if (origin === undefined || !this.#parts.allowOrigins.has(origin)) return [["Vary", "Origin"]];
    const asked = headers["access-control-request-headers"];
    return [
      ["Access-Control-Allow-Origin", origin],
      ["Access-Control-Allow-Credentials", "true"],
      ["Vary", "Origin"],
      ...(headers["access-control-request-method"] ? [["Access-Control-Allow-Methods", "POST"] as const] : []),
      ...(asked ? [["Access-Control-Allow-Headers", asked] as const] : []),
    ];
  }
}

function purposeOf(request: IncomingMessage, target: string): TicketUse {
  const { host = "", origin = "" } = request.headers;
  // A page's own host is named by Origin in its POSTs, and not in its GETs.
  return { host: host.toLowerCase(), target, page: isOwnPage(request) ? "" : origin };
}

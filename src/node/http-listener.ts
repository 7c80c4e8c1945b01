import type { IncomingMessage, ServerResponse } from "node:http";
import { createProblem, type Field, problemResponse, varyBy, wellKnownPath } from "../protocol/index.ts";
import { type ByteClaim, ByteCollector, type Hub, type Origin, type OriginResponse } from "../server/index.ts";
import { chooseAnswer, type LongPoll, preferenceApplied, refuseSubscribe, smallBytes } from "../server/inner.ts";
import type { Access } from "./access.ts";
import { BodyTurns, tooManyChunks } from "./body-turns.ts";
import { compressAnswer, plainConditions } from "./compression.ts";
import { withMonitor } from "./discovery.ts";
import { requestFields } from "./fields.ts";
import type { HealthDesk } from "./health.ts";
import { type LongPolls, longPollOf } from "./long-polls.ts";
import type { PageDesk } from "./page/page-desk.ts";
import { peerOf } from "./peer.ts";
import type { PublicFolder } from "./public-folder.ts";
import { closeWhereUnread, sendAnswer } from "./send-answer.ts";
import { isUnsafeMethod } from "./stale-urls.ts";
import type { StreamHandler } from "./stream-handler.ts";
import type { TicketDesk } from "./tickets/ticket-desk.ts";

/** What plain HTTP needs. */
export interface ListenerParts {
  readonly origin: Origin;
  readonly hub: Hub;
  readonly access: Access;
  readonly health: HealthDesk;
  readonly page: PageDesk;
  readonly streams: StreamHandler;
  readonly tickets: TicketDesk;
  readonly polls: LongPolls;
  /** Whether what no journal follows can be followed, too. */
  readonly followsAll: boolean;
  /** Tried before the origin. */
  readonly publicFolder?: PublicFolder | undefined;
  readonly maxBodyBytes: number;
  readonly reportError: (error: unknown, stage: string) => void;
}

const exposed =
  "Content-Location, Content-Range, ETag, Event-ID, Item-Order, Items, Link, Location, Preference-Applied, Retry-After";

function busy(): OriginResponse {
  const problem = createProblem(503, "The server holds as much for its peers as it may. Try again later.");
  return problemResponse(problem, [["Retry-After", "1"]]);
}

/** What was written is not refused, or it would be written again: its answer comes without content. */
function withoutContent({ status, fields }: OriginResponse): OriginResponse {
  const kept = fields.filter(([name]) => !/^content-(?:type|length)$/i.test(name));
  return { status: status === 200 ? 204 : status, fields: kept, body: "" };
}

/** Why a body is not taken. */
interface RefusedBody {
  readonly refusal: OriginResponse;
  /** Whether the connection ends with it; else the rest of the body is read and dropped. */
  readonly isLast: boolean;
}

/** The whole body, or the refusal once it is more than allowed. */
function readBody(
  request: IncomingMessage,
  { maxBytes, claim, turns }: { readonly maxBytes: number; readonly claim: ByteClaim; readonly turns: BodyTurns },
): Promise<Uint8Array | RefusedBody> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Error("The request was aborted."));
    if (request.destroyed) abort();
    let body: ByteCollector | undefined = new ByteCollector(maxBytes);
    const give = (refusal: OriginResponse, isLast = false) => {
      body = undefined;
      claim.release();
      resolve({ refusal, isLast });
    };
    turns.watch(request, () => {
      if (body) give(problemResponse(createProblem(400, tooManyChunks)), true);
      else request.socket.destroySoon();
    });
    request.on("data", (part: Buffer) => {
      if (!body) return;
      if (!body.add(part)) give(problemResponse(createProblem(413, `A body may have at most ${maxBytes} bytes.`)));
      else if (!claim.hold(body.length)) give(busy());
    });
    request.on("end", () => {
      // An error that nobody waits for is not for nothing: it notes where it was made.
      request.off("close", abort);
      if (body) resolve(body.take());
    });
    request.on("error", reject);
    request.on("close", abort);
  });
}

const noBody = new Uint8Array();

/** Whether a request says that it has no body: there is nothing to wait for then. */
function isBodiless({ headers }: IncomingMessage): boolean {
  const { "content-length": length = "0", "transfer-encoding": coding } = headers;
  return length === "0" && coding === undefined;
}

/** Aborted where the peer leaves before it was answered. Made for who asks for it: most requests are over by then. */
class LeavingSignal {
  readonly #response: ServerResponse;
  #signal: AbortSignal | undefined;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#watch();
    return this.#signal;
  }

  #watch(): AbortSignal {
    const response = this.#response;
    const abort = new AbortController();
    const look = (): void => {
      if (!response.writableFinished) abort.abort();
    };
    if (response.destroyed) look();
    else response.once("close", look);
    return abort.signal;
  }
}

/** Answers plain HTTP requests from the origin, with CORS for the origins that the options list. */
export class HttpListener {
  /** True once the server stops: no connection is kept for a further request. */
  isClosing = false;
  readonly #parts: ListenerParts;
  readonly #turns: BodyTurns = new BodyTurns();

  constructor(parts: ListenerParts) {
    this.#parts = parts;
  }

  /** Answers one request. Never throws; an origin that fails is a 500. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    request.on("error", () => {});
    response.on("error", () => {});
    this.#answer(request, response).then(
      (answer) => answer !== "taken" && this.#finish(request, response, answer),
      (error: unknown) => {
        if (response.destroyed) return;
        this.#parts.reportError(error, "http");
        this.#finish(request, response, problemResponse(createProblem(500, "The request could not be answered.")));
      },
    );
  }

  #finish(request: IncomingMessage, response: ServerResponse, answer: OriginResponse): void {
    if (response.headersSent || response.destroyed) return;
    try {
      if (this.isClosing) response.setHeader("Connection", "close");
      sendAnswer(response, this.#hold(request, response, answer), this.#corsFields(request));
    } catch (error) {
      this.#parts.reportError(error, "http");
      if (!response.writableEnded) response.destroy();
    }
  }

  /** Counts an answer among what is held until it was taken; the refusal where there is no room for it. */
  #hold({ method = "GET" }: IncomingMessage, response: ServerResponse, answer: OriginResponse): OriginResponse {
    // What an origin in plain JavaScript may get wrong is found out when it is written.
    const bytes = method === "HEAD" ? 0 : (answer?.body?.length ?? 0);
    if (bytes <= smallBytes) return answer;
    const claim = this.#parts.hub.held.claim();
    const hasRoom = claim.hold(bytes);
    response.once("close", claim.release);
    if (hasRoom) return answer;
    return isUnsafeMethod(method) ? withoutContent(answer) : busy();
  }

  /** The answer, unless the response was taken over: a file is being sent. */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<OriginResponse | "taken"> {
    const { access, health, hub, page, publicFolder, streams, tickets } = this.#parts;
    // Who balances asks by an address, and shows nothing.
    const asked = health.answer(request);
    if (asked) return asked;
    const { method = "GET" } = request;
    const stream = request.headers.accept === undefined ? undefined : chooseAnswer(method, requestFields(request));
    // A stream says as much to a page as a WebSocket does.
    const refusal = access.admit(request, stream !== undefined);
    if (refusal) return refusal;
    const ticket = tickets.redeem(request, stream !== undefined);
    if (typeof ticket === "object") return ticket;
    const { url = "/" } = request;
    if (
      method === "OPTIONS" &&
      access.isListed(request.headers.origin) &&
      request.headers["access-control-request-method"]
    ) {
      return { status: 204, fields: [], body: "" };
    }
    if (tickets.isAt(request)) return tickets.answer(request, response);
    if (url.split("?")[0] === wellKnownPath) {
      if (method === "GET" || method === "HEAD") return hub.wellKnown();
      return problemResponse(createProblem(405, `${method} is not served here.`), [["Allow", "GET, HEAD"]]);
    }
    const shown = page.answer(request);
    if (shown) return compressAnswer(request, shown);
    if (method === "SUBSCRIBE") {
      return stream ? streams.answer(request, response, stream, this.#corsFields(request)) : refuseSubscribe();
    }
    if (publicFolder) {
      if (this.isClosing) response.setHeader("Connection", "close");
      if (!isUnsafeMethod(method)) closeWhereUnread(response);
      if (await publicFolder.take(request, response, this.#corsFields(request))) return "taken";
    }
    if (stream) return streams.answer(request, response, stream, this.#corsFields(request));
    const poll = longPollOf(request);
    return poll ? this.#answerPoll(request, response, poll) : this.#ask(request, response);
  }

  /** The plain answer once there is something new, or a 304 [R-STR-21]. */
  async #answerPoll(request: IncomingMessage, response: ServerResponse, poll: LongPoll): Promise<OriginResponse> {
    const outcome = await this.#parts.polls.wait(request, response, poll);
    if (outcome !== "changed" && "refusal" in outcome) return outcome.refusal;
    const isNew = outcome === "changed" && !response.destroyed;
    const known = outcome === "changed" ? [] : varyBy(outcome.unchanged, "Accept");
    const unchanged = { status: 304, fields: known, body: "" };
    const answer = isNew ? await this.#ask(request, response) : await compressAnswer(request, unchanged);
    return { ...answer, fields: [...answer.fields, preferenceApplied(poll)] };
  }

  /** The origin's answer. */
  async #ask(request: IncomingMessage, response: ServerResponse): Promise<OriginResponse> {
    const { hub, origin, page, maxBodyBytes } = this.#parts;
    const { method = "GET", url = "/" } = request;
    const claim = hub.held.claim();
    try {
      const body = isBodiless(request)
        ? noBody
        : await readBody(request, { maxBytes: maxBodyBytes, claim, turns: this.#turns });
      if ("refusal" in body) {
        if (body.isLast) response.shouldKeepAlive = false;
        return body.refusal;
      }
      const leaving = new LeavingSignal(response);
      const said = await origin({
        ...{ method, target: url, fields: plainConditions(requestFields(request)), body, peer: peerOf(request) },
        get signal() {
          return leaving.signal;
        },
      });
      const isRead = method === "GET" || method === "HEAD";
      const monitored = isRead && said ? withMonitor(said, url, this.#parts.followsAll) : said;
      // Browsers are given a page there.
      const isPage = isRead && said && page.isAt(url);
      const varied = isPage ? { ...monitored, fields: varyBy(monitored.fields, "Accept") } : monitored;
      const isMissing = isRead && varied?.status === 404 && page.saysMissing(url);
      const answer = isMissing ? page.missing(request, varied) : varied;
      // While it is compressed, there are both forms of it.
      return claim.hold(answer?.body?.length ?? 0) ? await compressAnswer(request, answer) : answer;
    } finally {
      claim.release();
    }
  }

  #corsFields({ headers }: IncomingMessage): readonly Field[] {
    const { origin } = headers;
    const { access } = this.#parts;
    if (!access.isListed(origin)) return access.hasList ? [["Vary", "Origin"]] : [];
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

import {
  type Body,
  clientLimits,
  createProblem,
  fieldValue,
  problemResponse,
  utf8Length,
} from "../../protocol/index.ts";
import type { ByteBudget } from "../byte-budget.ts";
import { notInBand, tooLargeInBand } from "../document-request.ts";
import { headExcess } from "../origin-answer.ts";
import type { OriginAsker } from "../origin-asker.ts";
import type { OriginRequest, OriginResponse } from "../ports/origin.ts";
import { plainRequestFields, type Requester } from "../request-fields.ts";
import { endToEndFields } from "../viewer.ts";
import type { FairTurns } from "./fair-turns.ts";
import type { Opener } from "./openings.ts";
import type { RequestHead } from "./request-head.ts";
import { UrlTurns } from "./url-turns.ts";
import { isWellKnown } from "./well-known.ts";

/** The methods that are carried out in band as over HTTP [R-BAND-12]. */
export const plainMethods: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

const safe = new Set(["GET", "HEAD", "OPTIONS"]);
const bodiless = new Set(["GET", "HEAD", "OPTIONS"]);

/** What plain requests are carried out with. */
export interface PlainRequestParts {
  readonly asker: OriginAsker;
  readonly held: ByteBudget;
  /** Turns of all connections' requests. */
  readonly requestTurns: FairTurns;
  /** Names of further fields that a request may have of its own, in lower case. */
  readonly requestFields: readonly string[];
  readonly wellKnown: () => OriginResponse;
  readonly reportError: (error: unknown, stage: string) => void;
}

/** Who sends plain requests, and to whom their answers go. */
export interface PlainRequester extends Requester {
  readonly outlet: Opener;
  readonly peer: unknown;
  /** False where the peer is a page that may only read. */
  readonly mayWrite: boolean;
}

/** The answer where there is no room for a request, or for its answer. */
export const busyResponse: OriginResponse = problemResponse(
  createProblem(503, "The server holds as much for its peers as it may. Try again later."),
  [["Retry-After", "1"]],
);

/** What was written is not refused, or it would be written again: its answer comes without content. */
function withoutContent({ status, fields }: OriginResponse): OriginResponse {
  const kept = fields.filter(([name]) => name.toLowerCase() !== "content-type");
  return { status: status === 200 ? 204 : status, fields: kept, body: "" };
}

/** An origin's answer as a message can carry it [R-BAND-10, R-BAND-17]. */
function messageOf(response: OriginResponse, method: string): OriginResponse {
  const { status } = response;
  const fields = endToEndFields(response.fields);
  const hasBody = method !== "HEAD" && status !== 204 && status !== 304 && response.body.length > 0;
  const coding = fieldValue(response.fields, "content-encoding") ?? "identity";
  const isReadable = !hasBody || coding.toLowerCase() === "identity";
  if (status < 200 || status > 599 || headExcess(fields) !== undefined || !isReadable) {
    return notInBand("The answer can't be carried in a message");
  }
  if (hasBody && bytesOf(response.body) > clientLimits.maxBodyBytes) return tooLargeInBand(clientLimits.maxBodyBytes);
  return { status, fields, body: hasBody ? response.body : "" };
}

/** Carries out the requests of one connection that are as over HTTP. */
export class PlainRequests {
  readonly #requester: PlainRequester;
  readonly #parts: PlainRequestParts;
  /** Those that may write, by their paths [R-BAND-16]. */
  readonly #turns: UrlTurns;
  /** What gives the running safe ones up. */
  readonly #running: Set<AbortController> = new Set();

  constructor(requester: PlainRequester, parts: PlainRequestParts) {
    this.#requester = requester;
    this.#parts = parts;
    this.#turns = new UrlTurns((error) => parts.reportError(error, "request"));
  }

  /** Carries a request out and answers it. Never rejects. */
  async serve(request: RequestHead, id: string): Promise<void> {
    const { method, target, hasBody } = request;
    const { mayWrite } = this.#requester;
    if (hasBody && bodiless.has(method))
      this.#answer(problemResponse(createProblem(400, `${method} has no body.`)), id);
    else if (isWellKnown(target) && safe.has(method)) this.#answer(messageOf(this.#parts.wellKnown(), method), id);
    else if (safe.has(method)) await this.#carryOut(request, id);
    else if (!mayWrite) {
      const detail = `Pages of other origins send ${method} over HTTP, where the application's own CORS rules count.`;
      this.#answer(problemResponse(createProblem(421, detail)), id);
    } else await this.#turns.run(target.split("?", 1)[0] ?? "", () => this.#carryOut(request, id));
  }

  /** The peer is gone: nobody waits for what is safe. What may write goes on to its end [R-BAND-18]. */
  stop(): void {
    for (const abort of this.#running) abort.abort();
  }

  async #carryOut(request: RequestHead, id: string): Promise<void> {
    const { outlet } = this.#requester;
    const claim = this.#parts.held.claim();
    try {
      const response = await this.#parts.requestTurns.run(outlet, () => this.#ask(request));
      if (!response) return;
      const answer = messageOf(response, request.method);
      const isKept = claim.hold(bytesOf(answer.body));
      while (outlet.isCongested && !outlet.isClosed) await outlet.room();
      if (isKept) this.#answer(answer, id);
      else this.#answer(safe.has(request.method) ? busyResponse : withoutContent(answer), id);
    } catch (error) {
      this.#parts.reportError(error, "request");
      this.#answer(problemResponse(createProblem(500, "The request could not be served.")), id);
    } finally {
      claim.release();
    }
  }

  async #ask({ method, target, fields, body }: RequestHead): Promise<OriginResponse> {
    const { asker, requestFields } = this.#parts;
    const { peer } = this.#requester;
    const asked = plainRequestFields(this.#requester, fields, requestFields);
    const abort = new AbortController();
    const request: OriginRequest = { method, target, fields: asked, body, peer };
    if (!safe.has(method)) return asker.carryOut(request, abort);
    this.#running.add(abort);
    try {
      return await asker.carryOut(request, abort);
    } finally {
      this.#running.delete(abort);
    }
  }

  #answer({ status, fields, body }: OriginResponse, id: string): void {
    this.#requester.outlet.sendMessage({ status, fields: [...fields, ["Request-ID", id]], body });
  }
}

function bytesOf(body: Body): number {
  return typeof body === "string" ? utf8Length(body) : body.length;
}

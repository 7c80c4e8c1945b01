import { createProblem, type Field, problemResponse } from "../protocol/index.ts";
import { documentBody } from "./document-request.ts";
import { carriedAnswer } from "./origin-answer.ts";
import type { OriginRequest, OriginResponse } from "./ports/origin.ts";
import { SharedAnswers } from "./shared-answers.ts";
import type { ResolvedHubOptions } from "./stream/hub-options.ts";
import { type Viewer, viewerKeyOf } from "./viewer.ts";

/** What an origin in plain JavaScript may get wrong ends here. Text that comes as bytes, as from a thread, is text from here on. */
function checked(response: OriginResponse): OriginResponse {
  if (!Number.isInteger(response?.status) || !Array.isArray(response.fields) || response.body === undefined) {
    throw new TypeError("The origin gave no response: it must have status, fields and body.");
  }
  if (typeof response.body === "string") return response;
  return { ...response, body: documentBody(response.fields, response.body) };
}

/** Asks the origin on viewers' behalf, in bounded time. */
export class OriginAsker {
  readonly #options: ResolvedHubOptions;
  /** What {@link OriginAsker.askShared} has been answered lately. */
  readonly shared: SharedAnswers = new SharedAnswers();

  constructor(options: ResolvedHubOptions) {
    this.#options = options;
  }

  /** The origin's answer; 504 where it takes too long, 500 where it fails, 422 where no message can carry its head. Never rejects. */
  ask(method: string, target: string, fields: readonly Field[], viewer?: Viewer): Promise<OriginResponse> {
    const request = { method, target, fields, body: "", peer: viewer?.peer, ...(viewer && { lane: viewer }) };
    return this.#run(request, this.#options.limits.originTimeoutMs, new AbortController()).then(carriedAnswer);
  }

  /**
   * Has a request of the peer's own carried out. Otherwise as `ask`.
   *
   * @param abort - by which the caller gives it up
   */
  carryOut(request: Omit<OriginRequest, "isInBand" | "signal">, abort: AbortController): Promise<OriginResponse> {
    return this.#run({ ...request, isInBand: true }, this.#options.limits.requestTimeoutMs, abort);
  }

  /**
   * As `ask`; those that ask the same shortly after share the answer.
   *
   * @param since - a moment of {@link OriginAsker.shared}: an answer from before would take its reader back
   */
  askShared(method: string, target: string, viewer: Viewer, since: number): Promise<OriginResponse> {
    const { fields, peer } = viewer;
    const key = [method, viewerKeyOf(target, fields, this.#options.identityOf(peer))].join("\n");
    return this.shared.get(key, since, () => this.ask(method, target, fields, viewer));
  }

  #run(request: Omit<OriginRequest, "signal">, timeoutMs: number, abort: AbortController): Promise<OriginResponse> {
    const { clock, origin, reportError } = this.#options;
    return new Promise((resolve) => {
      const cancel = clock.setTimer(() => {
        abort.abort();
        resolve(problemResponse(createProblem(504, "The origin did not answer in time."), [["Retry-After", "1"]]));
      }, timeoutMs);
      Promise.resolve()
        .then(() => origin({ ...request, signal: abort.signal }))
        .then(checked)
        .catch((error: unknown) => {
          // Whoever gave it up wants no answer.
          if (!request.isInBand || !abort.signal.aborted) reportError(error, "origin");
          return problemResponse(createProblem(500, "The origin failed to answer."));
        })
        .then((response) => {
          cancel();
          resolve(response);
        });
    });
  }
}

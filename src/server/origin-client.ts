import { createProblem, type Field, problemResponse } from "../protocol/index.ts";
import type { ResolvedHubOptions } from "./options.ts";
import type { OriginResponse } from "./origin.ts";
import { viewerKey } from "./viewer.ts";

/** Asks the origin on viewers' behalf, in bounded time. */
export class OriginClient {
  readonly #options: ResolvedHubOptions;
  readonly #shared: Map<string, Promise<OriginResponse>> = new Map();

  constructor(options: ResolvedHubOptions) {
    this.#options = options;
  }

  /** The origin's answer; 504 where it takes too long, 500 where it fails. Never rejects. */
  ask(method: string, target: string, fields: readonly Field[]): Promise<OriginResponse> {
    const { clock, limits, origin, reportError } = this.#options;
    const abort = new AbortController();
    return new Promise((resolve) => {
      const cancel = clock.setTimer(() => {
        abort.abort();
        resolve(problemResponse(createProblem(504, "The origin did not answer in time."), [["Retry-After", "1"]]));
      }, limits.originTimeoutMs);
      Promise.resolve()
        .then(() => origin({ method, target, fields, body: "", signal: abort.signal }))
        .catch((error: unknown) => {
          reportError(error, "origin");
          return problemResponse(createProblem(500, "The origin failed to answer."));
        })
        .then((response) => {
          cancel();
          resolve(response);
        });
    });
  }

  /** A GET whose answer those who ask the same while it waits share. */
  askShared(target: string, fields: readonly Field[]): Promise<OriginResponse> {
    const key = viewerKey(target, fields);
    let waiting = this.#shared.get(key);
    if (!waiting) {
      waiting = this.ask("GET", target, fields).finally(() => this.#shared.delete(key));
      this.#shared.set(key, waiting);
    }
    return waiting;
  }
}

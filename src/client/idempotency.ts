import { type HttpResponse, wellKnownPath } from "../protocol/index.ts";
import type { Http } from "./http.ts";
import { isTransient, ProblemError, problemOf } from "./problem.ts";
import { makesPromise } from "./promises.ts";

/** What is needed to find out. */
export interface IdempotencyOptions {
  readonly http: Http;
  /** Whether the server is known to be unreachable now. */
  readonly isUnreachable: () => boolean;
}

/** Whether the server does a write once that is repeated with its `Idempotency-Key`, so that it may be sent at any time. */
export class Idempotency {
  readonly #options: IdempotencyOptions;
  #isPromised: boolean | undefined;
  #takesBatches = false;
  /** True from a write without an answer to the next answer. */
  #isLost = false;

  constructor(options: IdempotencyOptions) {
    this.#options = options;
  }

  /** What the server says of itself at the well-known URL. */
  learn(wellKnown: HttpResponse): void {
    // A promise once given holds: whatever answers in the server's place meanwhile can't take it back.
    this.#isPromised ||= makesPromise(wellKnown, "idempotency-key");
    this.#takesBatches ||= makesPromise(wellKnown, "batch");
  }

  /** Whether the server takes several writes as one, as far as it has said [R-BATCH-1]. */
  get takesBatches(): boolean {
    return this.#takesBatches;
  }

  /** Notes whether a write was answered. */
  noteAnswer(isAnswered: boolean): void {
    this.#isLost = !isAnswered;
  }

  /**
   * Whether it is promised. Where it is not, and the server seems to be unreachable, that is asked again: what can be
   * sent only once waits until the server answers.
   *
   * @throws where the server can't be asked now
   */
  async ask(): Promise<boolean> {
    const { http, isUnreachable } = this.#options;
    const known = this.#isPromised;
    if (known || (known === false && !this.#isLost && !isUnreachable())) return known;
    const answer = await http.ask(wellKnownPath, { cache: "no-store" });
    // A server that can't answer now promises nothing, and denies nothing.
    if (isTransient(answer.status)) throw new ProblemError(problemOf(answer));
    this.learn(answer);
    return this.#isPromised ?? false;
  }
}

import type { HttpResponse, Problem } from "../protocol/index.ts";

/** One URL that is followed, and who is told of what happens to it. */
export interface Sink {
  /** The path and query, as the client says it. */
  readonly target: string;
  /** Where the next connection resumes; `undefined` where only a snapshot will do. */
  readonly position: string | undefined;
  /** True while everything up to now was told. */
  readonly isCaughtUp: boolean;
  /** True while the server says that there may be something new that it has not seen yet [R-DER-10]. */
  readonly isUnseen: boolean;
  /** True once there is something to show. */
  readonly hasState: boolean;
  /** When the newest whole was asked for that was taken: what was done before then is in it. */
  readonly askedAt: number | undefined;
  /** How often the server is looked at where nothing tells of changes; `undefined` where something does. */
  readonly intervalMs: number | undefined;
  /** Notes it. */
  lookEvery(intervalMs: number | undefined): void;
  /** Takes what a GET returned while the connection is still being made, where that says where its records are. */
  early(message: HttpResponse): void;
  /**
   * Takes one message of the subscription.
   *
   * @param isWhole - true where it is a step of its own, though it has no position (Level 0, polling)
   * @param askedAt - when it was asked for, where it tells of the whole as it was since then
   * @returns false where a delta was for another state than is known: nothing of the step was taken in, and it has to come
   * again, with whole records [R-DELTA-8]
   */
  take(message: HttpResponse, isWhole?: boolean, askedAt?: number): boolean;
  /**
   * It is not followed for now: what was not marked will come again.
   *
   * @param refusal - what the server said, where it takes it later
   */
  lost(isOffline: boolean, refusal?: Problem): void;
  /** It is over, and trying again would not help. */
  fail(problem: Problem): void;
}

/** How a client follows URLs. Requests in band and streams are further implementations of it. */
export interface Transport {
  /** Begins to follow a URL. Returns a function that ends it. */
  follow(sink: Sink): () => void;
  /** Asks for the whole of a URL that is followed, beside what comes: it is handed in with the time of this question. */
  askAnew(sink: Sink): void;
  /** Asks for credentials again and gives them to every subscription, in place. */
  renew(): void;
  /** Tries again at once what waits. */
  wake(): void;
  /** Ends everything. Twice is fine. */
  close(): void;
}
